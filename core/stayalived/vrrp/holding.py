"""The virtual addresses of one virtual router in the kernel: there while it is MASTER, and at no other time."""

from collections import deque

from stayalived.addresses import VirtualAddress
from stayalived.timing import Instant, after, elapsed, seconds
from stayalived.vrrp.desk import ERROR, WARNING, Tray
from stayalived.vrrp.effects import AddAddresses, RemoveAddresses
from stayalived.vrrp.links import Link

RETRY = seconds(1)
"""How long after a refusal the kernel is asked again."""

REPAIRS = 5
"""How often somebody else may delete our addresses within `REPAIR_WINDOW` before the router steps down."""

REPAIR_WINDOW = seconds(10)
"""See `REPAIRS`."""


class Holding:
    """Adds and removes the addresses of one virtual router, and knows which of them the kernel has.

    Attributes:
        taken: the addresses shall be there.
        held: the kernel has them all.
        changed: `held` has changed since somebody last looked.
        deadline: when the kernel is asked again for what it refused.
    """

    def __init__(self, key: str, addresses: tuple[VirtualAddress, ...], link: Link, tray: Tray) -> None:
        """Start without addresses in the kernel."""
        self.key = key
        self.wanted = addresses
        self.taken = False
        self.held = False
        self.changed = False
        self.deadline: Instant | None = None
        self.filed: Instant | None = None
        self._link = link
        self._tray = tray
        self._present: set[VirtualAddress] = set()
        # Seen on the interface since they were added: only what was seen can be missed. The notice of an older
        # removal may come in after the order to add.
        self._seen: set[VirtualAddress] = set()
        self._repairs: deque[Instant] = deque(maxlen=REPAIRS)

    def take(self) -> None:
        """Put all addresses on the interface."""
        self.taken = True
        self._seen.clear()
        self._add(self.wanted)

    def release(self) -> None:
        """Take all addresses off the interface, last one first: the first of a subnet takes its secondaries along."""
        self.taken = False
        self.deadline = None
        self._seen.clear()
        self._remove(self.wanted[::-1])
        if self._link.interface is None:
            self._present.clear()
        self._look()

    def adopt(self) -> None:
        """Take over what a process before this one put there; add only what is missing."""
        self.taken = True
        self._present = set(self.wanted) & self._link.addresses
        self._seen = set(self._present)
        self._add(tuple(address for address in self.wanted if address not in self._present))
        self._look()

    def clean(self) -> None:
        """Take leftovers off the interface before a packet leaves; without leftovers do nothing."""
        index = self._link.interface.index if self._link.interface else 0
        found = tuple(address for address in self.wanted if address in self._link.addresses)
        if found and not self.taken:
            self._tray.before_packets(
                RemoveAddresses(router=self.key, interface=self._link.name, index=index, addresses=found)
            )

    def change(self, addresses: tuple[VirtualAddress, ...]) -> tuple[VirtualAddress, ...]:
        """Hold these addresses instead, touching only the difference; return the new ones."""
        old, self.wanted = self.wanted, addresses
        new = tuple(address for address in addresses if address not in old)
        gone = tuple(address for address in old if address not in addresses)
        if self.taken:
            self._add(new)
            self._remove(gone[::-1])
        else:
            self.clean()
        self._present -= set(gone)
        self._look()
        return new

    def see(self, address: VirtualAddress) -> None:
        """This address of ours has appeared on the interface."""
        if self.taken:
            self._seen.add(address)

    def miss(self, address: VirtualAddress, now: Instant) -> bool:
        """An address of ours has disappeared. Unless we removed it, put it back.

        Returns:
            False when that happens too often: then the router had better step down.
        """
        if not self.taken or address not in self._seen:
            return True
        self._seen.discard(address)
        self._present.discard(address)
        self._look()
        if len(self._repairs) == REPAIRS and elapsed(self._repairs[0], now) < REPAIR_WINDOW:
            self._repairs.clear()
            return False
        self._repairs.append(now)
        self._tray.report(WARNING, f"({self.key}) somebody deleted {address} from {self._link.name}: added again")
        self._add((address,))
        return True

    def confirm_added(self, addresses: tuple[VirtualAddress, ...]) -> None:
        """The kernel has these."""
        if self.taken:
            self._present.update(addresses)
            self._look()

    def confirm_removed(self, addresses: tuple[VirtualAddress, ...]) -> None:
        """The kernel has these no more."""
        if not self.taken:
            self._present.difference_update(addresses)
            self._look()

    def refuse(self, effect: AddAddresses | RemoveAddresses, problem: str, now: Instant) -> None:
        """The kernel refused; ask again later, unless it no longer matters."""
        adding = isinstance(effect, AddAddresses)
        once = f"{self.key} {'add' if adding else 'remove'}"
        self._tray.report(ERROR, f"({self.key}) {problem}; trying again", once=once, interface=self._link.name)
        if adding == self.taken:
            self.deadline = after(now, RETRY)

    def retry(self) -> None:
        """Ask the kernel again for what it refused."""
        self.deadline = None
        if self.taken:
            self._add(tuple(address for address in self.wanted if address not in self._present))
        else:
            self._remove(self.wanted[::-1])

    def _add(self, addresses: tuple[VirtualAddress, ...]) -> None:
        interface = self._link.interface
        if interface and addresses:
            self._tray.addresses(
                AddAddresses(router=self.key, interface=interface.name, index=interface.index, addresses=addresses)
            )

    def _remove(self, addresses: tuple[VirtualAddress, ...]) -> None:
        interface = self._link.interface
        if interface and addresses:
            self._tray.addresses(
                RemoveAddresses(router=self.key, interface=interface.name, index=interface.index, addresses=addresses)
            )

    def _look(self) -> None:
        """Work out whether the kernel has all addresses."""
        held = self.taken and self._present.issuperset(self.wanted)
        self.changed = self.changed or held != self.held
        self.held = held
