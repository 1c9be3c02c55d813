"""An entry of the ledger: one item that somebody wants in the kernel, and what became of it."""

from collections.abc import Hashable, Sequence
from ipaddress import ip_network
from typing import Protocol

from stayalived.addresses import VirtualAddress
from stayalived.config.virtual_routers import PlacedAddress, Route, Rule
from stayalived.kernel.api import Barrier, Item
from stayalived.timing import Instant

_RANKS: dict[type[Item], int] = {Barrier: 0, PlacedAddress: 1, Route: 2, Rule: 3}
"""The order in which items are added; they are removed the other way round (V51, V52)."""

Key = tuple[type[Item], Hashable]


class Owner(Protocol):
    """Whoever wants items in the kernel."""

    key: str

    def note(self, item: Item, *, present: bool) -> None:
        """An item of yours is there now, or no longer."""
        ...


Losses = Sequence[tuple[Owner, Item]]
"""Who has lost what."""


class Entry:
    """One item: who wants it, what the kernel was asked for last, what it has."""

    __slots__ = ("asked", "confirmed", "is_dirty", "is_doubtful", "item", "owners", "present", "seen")

    def __init__(self, item: Item) -> None:
        """Begin with an item that nobody wants yet."""
        self.item = item
        self.owners: dict[Owner, None] = {}
        self.asked = False
        self.present = False
        self.confirmed = Instant(0)  # when the kernel said that it has it
        self.seen = False  # on the interface since it was asked for: only what was seen can be missed
        self.is_dirty = False
        self.is_doubtful = False  # a process before this one may have put it there


def is_shown_soon(placed: PlacedAddress) -> bool:
    """Tell whether the kernel shows an address, by this name, when it has it: not while it asks for others."""
    return not (placed.peer or placed.duplicate_detection)


def key_of(item: Item) -> Key:
    """Return what makes it one item of this machine."""
    return type(item), item.key


def rank_of(item: Item) -> int:
    """Return its place in the order in which items are added."""
    return _RANKS[type(item)]


def place_of(item: Item) -> str:
    """Return the interface that an item is on, or empty."""
    return item.interface if isinstance(item, PlacedAddress | Route) else ""


def subnet_of(address: VirtualAddress) -> str:
    """Return the subnet that an address brings along."""
    return str(ip_network(str(address), strict=False))
