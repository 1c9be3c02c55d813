"""What virtual routers hold in a machine's kernel: all that a configuration says, and what is there of it."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from stayalived.config.model import Configuration
from stayalived.config.virtual_routers import PlacedAddress, Route, Rule, VirtualRouter
from stayalived.kernel.api import Barrier, Item

if TYPE_CHECKING:
    from stayalived.simulation.machine import Machine

OWNER = 255
ItemId = tuple[type[Item], object]


def items_of(router: VirtualRouter) -> Iterable[Item]:
    """Return what a virtual router holds while it is MASTER: RFC 9568 6.4.3, V20, V22, V23, V32."""
    if not router.accept and router.priority != OWNER:
        yield from (Barrier(address=placed.address.address) for placed in (*router.addresses, *router.excluded))
    yield from router.addresses
    yield from router.excluded
    yield from router.routes
    yield from router.rules


def id_of(item: Item) -> ItemId:
    """Return what makes an item one of its kind."""
    return type(item), item.key


def routers_of(configuration: Configuration | None) -> list[VirtualRouter]:
    """Return all virtual routers of a configuration."""
    return [router for instance in configuration.instances for router in instance.routers] if configuration else []


class Inventory:
    """What a machine's kernel has of all that its configurations ever said that it might have.

    Attributes:
        known: every item of ours that may be there.
    """

    def __init__(self, machine: "Machine") -> None:
        """Know nothing yet."""
        self.machine = machine
        self.known: dict[ItemId, Item] = {}
        self._lessons = 0
        self._seen: tuple[int, int, frozenset[ItemId]] = (-1, -1, frozenset())
        self._wanted: dict[int, tuple[VirtualRouter, frozenset[ItemId]]] = {}

    def learn(self, configuration: Configuration | None) -> None:
        """A configuration was brought into force."""
        self._lessons += 1
        for router in routers_of(configuration):
            self.known.update({id_of(item): item for item in items_of(router)})

    def forget(self) -> None:
        """Know nothing of what was configured before: a daemon starts that cannot know it either."""
        self._lessons += 1
        self.known.clear()
        self._wanted.clear()

    def forget_all_but_addresses(self) -> None:
        """Know nothing of routes, rules and barriers: whoever replaces a dead process is not told of them."""
        self._lessons += 1
        self.known = {one: item for one, item in self.known.items() if one[0] is PlacedAddress}

    def forget_these(self, items: Iterable[ItemId]) -> None:
        """Know nothing of some items, unless a configuration says so again."""
        self._lessons += 1
        for one in items:
            self.known.pop(one, None)

    def actual(self) -> frozenset[ItemId]:
        """Return what is there."""
        version, lessons, found = self._seen
        kernel = self.machine.kernel
        if version != kernel.version or lessons != self._lessons:
            links = self.machine.links()
            held = {(name, address) for name, link in links.items() for address in link.addresses}
            ours = {item.address for item in self.known.values() if isinstance(item, PlacedAddress)}
            present: dict[type[Item], set[object]] = {
                PlacedAddress: set(held),
                Route: {route.key for route in kernel.routes()},
                Rule: {rule.key for rule in kernel.rules()},
                Barrier: set(kernel.barriers),
            }
            astray = {(PlacedAddress, one) for one in held if one[1] in ours}  # also on an interface of another name
            found = frozenset({one for one in self.known if one[1] in present[one[0]]} | astray)
            self._seen = (kernel.version, self._lessons, found)
        return found

    def wanted_of(self, router: VirtualRouter) -> frozenset[ItemId]:
        """Return what a virtual router holds while it is MASTER."""
        known = self._wanted.get(id(router))
        if known is None or known[0] is not router:
            known = self._wanted[id(router)] = (router, frozenset(map(id_of, items_of(router))))
        return known[1]
