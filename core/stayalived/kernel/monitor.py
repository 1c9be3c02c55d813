"""Changes of links and addresses as the kernel tells them, with none lost. I/O.

The events of rtnetlink are edges and may overflow. The monitor keeps the state that they lead to; after an overflow it
reads everything again and tells the difference.
"""

import errno
import socket
from collections import deque
from dataclasses import dataclass, replace

from stayalived.addresses import VirtualAddress
from stayalived.kernel import rtnetlink
from stayalived.kernel.api import Gone, Interface
from stayalived.kernel.netlink import Found, Netlink, as_interface
from stayalived.kernel.rtnetlink import AddressSeen, LinkSeen

RECEIVE_BUFFER = 4 * 1024 * 1024
"""Bytes for events that wait; about 5,000 of them."""

READS = 64
"""Datagrams that one call takes in at most, so that adverts due are not held up."""

_RECEIVE = 128 * 1024
_SOL_NETLINK, _NETLINK_ADD_MEMBERSHIP = 270, 1
_SO_RCVBUFFORCE = 33
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
        self._netlink, self._buffer = netlink, buffer
        self._records: dict[int, _Record] = {}
        self._steps: deque[Change] = deque()
        self._pending: dict[int, None] = {}
        self._stale = False
        self.overflows = 0
        self._socket = self._open()
        self._take_over(netlink.found())
        self._steps.clear()
        self._pending.clear()

    def fileno(self) -> int:
        """Return the descriptor to watch; an overflow does not change it."""
        return self._socket.fileno()

    def close(self) -> None:
        """Close the socket for events."""
        self._socket.close()

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
        if not self._drain():
            return None
        if self._steps:
            step = self._steps.popleft()
            return step if isinstance(step, Gone) else self._with_addresses(step)
        for index in self._pending:
            del self._pending[index]
            return self._records[index].interface()
        return None

    def _drain(self) -> bool:
        """Take in what waits in the socket; tells whether that was all.

        After an overflow the socket itself goes on: the kernel holds events back until its queue is empty, and tells
        them again from then on (net/netlink/af_netlink.c, netlink_rcv_wake). So everything is read from the kernel as
        soon as the queue is empty, and what changes later comes as an event.
        """
        for _ in range(READS):
            try:
                data = self._socket.recv(_RECEIVE)
            except BlockingIOError:
                if self._stale:
                    self._take_over(self._netlink.found())
                    self._stale = False
                return True
            except OSError as error:
                if error.errno != errno.ENOBUFS:
                    raise
                self.overflows += 1
                self._stale = True
            else:
                self._apply(data)
        return False

    def _with_addresses(self, step: Interface) -> Interface:
        self._pending.pop(step.index, None)
        record = self._records.get(step.index)
        return replace(step, addresses=tuple(record.addresses) if record else ())

    def _open(self) -> socket.socket:
        kind = socket.SOCK_RAW | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC
        sock = socket.socket(socket.AF_NETLINK, kind, socket.NETLINK_ROUTE)
        try:
            sock.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, self._buffer)
        except PermissionError:  # without CAP_NET_ADMIN over the first namespace: as much as net.core.rmem_max allows
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, self._buffer)
        sock.bind((0, 0))  # without a port id of its own it gets no multicasts (af_netlink.c, do_one_broadcast)
        for group in _GROUPS:
            sock.setsockopt(_SOL_NETLINK, _NETLINK_ADD_MEMBERSHIP, group)
        return sock

    def _apply(self, data: bytes) -> None:
        for seen in rtnetlink.read(data):
            if isinstance(seen, AddressSeen):
                self._apply_address(seen)
            elif isinstance(seen, LinkSeen) and seen.gone:
                self._drop(seen.index)
            elif isinstance(seen, LinkSeen):
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
