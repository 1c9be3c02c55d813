"""What one virtual router holds in the kernel: there while it is MASTER, and at no other time."""

from collections import deque
from collections.abc import Iterable

from stayalived.config.virtual_routers import PlacedAddress, Route, VirtualRouter
from stayalived.kernel.api import Barrier, Change, Interface, Item, Verb
from stayalived.timing import Instant, after, elapsed, milliseconds, seconds
from stayalived.vrrp.desk import WARNING, Tray
from stayalived.vrrp.ledger import Ledger
from stayalived.vrrp.packet import PRIORITY_OWNER

REPAIRS = 5
"""How often what somebody else deletes is put back within `REPAIR_WINDOW` before the router steps down."""

REPAIR_WINDOW = seconds(10)
"""See `REPAIRS`."""

REPAIR_PAUSE = milliseconds(100)
"""From one repair to the next; what is deleted meanwhile is one repair. Whoever flushes an interface or a table lists,
deletes and lists again until nothing is left: he would else be kept at it."""


class Holding:
    """Wants and gives up the addresses, routes, rules and barriers of one virtual router, and knows which it has.

    Attributes:
        key: of the virtual router.
        wanted: all that it holds while it is MASTER, in the order in which it is put there.
        taken: it shall be there.
        held: the kernel has all of it.
        changed: `held` has changed since somebody last looked.
        deadline: when what was deleted meanwhile is put back.
    """

    def __init__(self, router: VirtualRouter, ledger: Ledger, tray: Tray) -> None:
        """Start with nothing in the kernel."""
        self.key = router.key
        self.wanted = items_of(router)
        self.taken = False
        self.changed = False
        self.deadline: Instant | None = None
        self.filed: Instant | None = None
        self._ledger = ledger
        self._tray = tray
        self._missing: set[Item] = set()
        self._deleted: dict[Item, None] = {}
        self._repairs: deque[Instant] = deque(maxlen=REPAIRS)

    @property
    def held(self) -> bool:
        """Whether the kernel has everything that shall be there, and it shall."""
        return self.taken and not self._missing

    def take(self) -> None:
        """Put everything there."""
        self.taken = True
        self._missing = set(self.wanted)
        self._ledger.take(self, self.wanted)

    def release(self) -> None:
        """Give everything up, last one first: the first address of a subnet takes its secondaries along."""
        self.changed = self.changed or self.held
        self.taken = False
        self.deadline = None
        self._deleted.clear()
        self._ledger.drop(self, self.wanted[::-1])

    def adopt(self) -> None:
        """Take over what a process before this one put there; only what is missing is asked for."""
        self.taken = self.changed = True
        self._missing = set(self.wanted)
        self._ledger.adopt(self, self.wanted)

    def clean(self) -> None:
        """Take leftovers away before a packet leaves."""
        if not self.taken:
            self._ledger.sweep(self.wanted)

    def clean_renamed(self, old: str, interface: Interface) -> None:
        """Take away what may be left on an interface that was called `old`: nothing shall be on it now."""
        for item in self.wanted:
            if not isinstance(item, PlacedAddress | Route) or item.interface != old:
                continue
            if isinstance(item, Route) or item.address in interface.addresses:
                self._tray.sweep(Change(verb=Verb.REMOVE, item=item, index=interface.index))

    def change(self, router: VirtualRouter) -> tuple[PlacedAddress, ...]:
        """Hold what another configuration says instead, touching only the difference.

        Returns:
            the addresses that are new to the kernel, and so to the neighbours.
        """
        old, self.wanted = self.wanted, items_of(router)
        before, present = self.held, set(self.wanted)
        if self.taken:
            self._ledger.drop(self, [item for item in old[::-1] if item not in present])
            added = [item for item in self.wanted if item not in old]
            self._missing = (self._missing & present) | set(added)
            new = tuple(item for item in added if isinstance(item, PlacedAddress) and not self._ledger.has(item))
            self._ledger.take(self, added)
        else:
            self.clean()
            new = ()
        self.changed = self.changed or before != self.held
        return new

    def note(self, item: Item, *, present: bool) -> None:
        """An item of ours is in the kernel now, or no longer."""
        before = self.held
        if present:
            self._missing.discard(item)
        elif self.taken:
            self._missing.add(item)
        self.changed = self.changed or before != self.held

    def repair(self, item: Item, now: Instant) -> bool:
        """Somebody has deleted an item of ours: put it back, at once or with the next repair.

        Returns:
            False when that happens too often: then the router had better step down.
        """
        if isinstance(item, Barrier) or not self.taken or not item.tracked:
            return True
        self._deleted[item] = None
        due = after(self._repairs[-1], REPAIR_PAUSE) if self._repairs else now
        if now < due:
            self.deadline = due
            return True
        return self.mend(now)

    def mend(self, now: Instant) -> bool:
        """Put back what somebody has deleted; returns as `repair`."""
        self.deadline = None
        deleted, self._deleted = list(self._deleted), {}
        if len(self._repairs) == REPAIRS and elapsed(self._repairs[0], now) < REPAIR_WINDOW:
            self._repairs.clear()
            return False
        self._repairs.append(now)
        more = f" and {len(deleted) - 1} more" if len(deleted) > 1 else ""
        self._tray.report(WARNING, f"({self.key}) somebody deleted {in_words(deleted[0])}{more}: added again")
        for item in deleted:
            self._ledger.ask_again(item)
        return True


def items_of(router: VirtualRouter) -> tuple[Item, ...]:
    """Return all that a virtual router holds while it is MASTER, in the order in which it is put there (V51)."""
    barriers: Iterable[Item] = ()
    if not router.accept and router.priority != PRIORITY_OWNER:  # RFC 9568 6.1: the owner accepts always
        barriers = (Barrier(address=placed.address.address) for placed in router.held)
    return (*barriers, *router.held, *router.routes, *router.rules)


def in_words(item: Item) -> str:
    """Return an item as people call it, for after `deleted`."""
    match item:
        case PlacedAddress():
            return f"{item.address} from {item.interface}"
        case Barrier():
            return f"the barrier before {item.address}"
    kind = type(item).__name__.lower()
    return f"the {kind} {'to ' + str(item.destination) if kind == 'route' else item.key[1]}"
