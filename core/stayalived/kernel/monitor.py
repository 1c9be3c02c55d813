"""Changes of links and addresses as the kernel tells them, with none lost. I/O.

The events of rtnetlink are edges and may overflow. The monitor keeps the state that they lead to; after an overflow it
reads everything again and tells the difference.
"""

from collections import deque
from dataclasses import dataclass, replace

from stayalived.addresses import VirtualAddress
from stayalived.kernel import rtnetlink
from stayalived.kernel.api import Gone, Interface
from stayalived.kernel.netlink import Found, Netlink, as_interface
from stayalived.kernel.rtnetlink import AddressSeen, LinkSeen
from stayalived.kernel.subscription import RECEIVE_BUFFER, Subscription

_GROUPS = (rtnetlink.GROUP_LINK, rtnetlink.GROUP_IPV4_ADDRESS, rtnetlink.GROUP_IPV6_ADDRESS)

Change = Interface | Gone


@dataclass(slots=True)
class _Record:
    """A link and its addresses, in the order in which they were seen first."""

    link: LinkSeen
    addresses: dict[VirtualAddress, None]

    def interface(self) -> Interface:
        return as_interface(self.link, tuple(self.addresses))


class Monitor:
    """Knows all interfaces and tells what becomes of them.

    Args:
        netlink: for reading everything, at the start and after an overflow.
        buffer: bytes of the receive buffer; a test makes it small.
    """

    def __init__(self, netlink: Netlink, buffer: int = RECEIVE_BUFFER) -> None:
        """Open the socket for events and read what there is.

        Raises:
            KernelProblem: the kernel does not answer.
            OSError: no descriptor is free.
        """
        self._netlink = netlink
        self._records: dict[int, _Record] = {}
        self._steps: deque[Change] = deque()
        self._pending: dict[int, None] = {}
        self._subscription = Subscription(_GROUPS, buffer=buffer)
        self._take_over(netlink.found())
        self._steps.clear()
        self._pending.clear()

    def fileno(self) -> int:
        """Return the descriptor to watch; an overflow does not change it."""
        return self._subscription.fileno()

    def close(self) -> None:
        """Close the socket for events."""
        self._subscription.close()

    @property
    def overflows(self) -> int:
        """How often events were lost."""
        return self._subscription.overflows

    def interfaces(self) -> dict[str, Interface]:
        """Return all interfaces as known now, by name."""
        return {record.link.name: record.interface() for record in self._records.values()}

    def next_change(self) -> Change | None:
        """Return the oldest change that was not told yet, or None when there is none, or not yet. Does not block.

        Each loss of a link is told, even when it came back meanwhile; addresses are told as they are now. Nothing is
        told before the queue is empty: our own requests leave their events in it before they are answered, so what is
        told here is never older than an answer that was read before the call.

        Raises:
            KernelProblem: there was an overflow, and reading everything again failed; the next call tries it again.
        """
        if not self._subscription.drain(self._apply, self._catch_up):
            return None
        if self._steps:
            step = self._steps.popleft()
            return step if isinstance(step, Gone) else self._with_addresses(step)
        for index in self._pending:
            del self._pending[index]
            return self._records[index].interface()
        return None

    def _catch_up(self) -> None:
        self._take_over(self._netlink.found())

    def _with_addresses(self, step: Interface) -> Interface:
        self._pending.pop(step.index, None)
        record = self._records.get(step.index)
        return replace(step, addresses=tuple(record.addresses) if record else ())

    def _apply(self, data: bytes) -> None:
        for seen in rtnetlink.read(data):
            if isinstance(seen, AddressSeen):
                self._apply_address(seen)
            elif seen.gone:
                self._drop(seen.index)
            else:
                self._apply_link(seen)

    def _apply_address(self, seen: AddressSeen) -> None:
        record = self._records.get(seen.index)
        if record is None or (seen.address in record.addresses) != seen.gone:
            return  # of a link that is gone already, or nothing new: a lifetime was renewed
        if seen.gone:
            del record.addresses[seen.address]
        else:
            record.addresses[seen.address] = None
        self._pending[seen.index] = None

    def _apply_link(self, seen: LinkSeen) -> None:
        record = self._records.get(seen.index)
        if record is None:
            record = self._records[seen.index] = _Record(seen, {})
        else:
            before, record.link = record.link, seen
            if before.name != seen.name:
                self._steps.append(Gone(name=before.name))
            if before.up and seen.up and before.downs != seen.downs:
                # The kernel tells a short loss of carrier by its counter alone (net/core/link_watch.c merges events).
                self._steps.append(replace(record.interface(), up=False))
            elif replace(before, downs=seen.downs) == seen:
                return
        self._steps.append(record.interface())

    def _drop(self, index: int) -> None:
        self._pending.pop(index, None)
        record = self._records.pop(index, None)
        if record is not None:
            self._steps.append(Gone(name=record.link.name))

    def _take_over(self, found: Found) -> None:
        """Make what was read our state, and note the difference. Known addresses keep their order."""
        for index in self._records.keys() - found.keys():
            self._drop(index)
        for index, (link, addresses) in found.items():
            self._apply_link(link)
            record = self._records[index]
            present = dict.fromkeys(addresses)
            ordered = {address: None for address in record.addresses if address in present} | present
            if ordered != record.addresses:
                record.addresses = ordered
                self._pending[index] = None
