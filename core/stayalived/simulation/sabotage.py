"""Somebody else deletes what vrrp has put into the kernel, as network managers do (K#836, K#2564)."""

from collections.abc import Iterable
from random import Random
from typing import TYPE_CHECKING

from stayalived.config.virtual_routers import PlacedAddress, Route, Rule
from stayalived.kernel.api import Item
from stayalived.simulation.faults import Impossible
from stayalived.simulation.invariants.holdings import HoldingsFollowState
from stayalived.simulation.inventory import id_of
from stayalived.simulation.world import between
from stayalived.timing import Duration

if TYPE_CHECKING:
    from stayalived.simulation.cluster import Cluster
    from stayalived.simulation.machine import Machine

TIMES = (1, 1, 2, 4, 9)
"""How often in one go; a few times within ten seconds are repaired, more make the MASTER step down (V60)."""

PAUSE = (0.05, 0.8)
"""Seconds from one time to the next."""


def delete_addresses(cluster: "Cluster", machine: "Machine", chance: Random, _lasts: Duration) -> None:
    """Delete a virtual address, once or again and again."""
    _delete(cluster, machine, chance, PlacedAddress)


def delete_routes(cluster: "Cluster", machine: "Machine", chance: Random, _lasts: Duration) -> None:
    """Delete a virtual route or rule, once or again and again."""
    _delete(cluster, machine, chance, Route, Rule)


def _delete(cluster: "Cluster", machine: "Machine", chance: Random, *kinds: type[Item]) -> None:
    if not _there(machine, kinds):
        raise Impossible

    def again(left: int) -> None:
        there = _there(machine, kinds)
        if there:
            _delete_one(machine, chance.choice(there))
        if left > 1:
            cluster.world.later(between(chance, *PAUSE), lambda: again(left - 1))

    again(chance.choice(TIMES))


def _there(machine: "Machine", kinds: Iterable[type[Item]]) -> list[Item]:
    """Return what the kernel has of ours, in an order that does not depend on hashes."""
    inventory = machine.inventory
    actual = inventory.actual()
    found = [item for one, item in inventory.known.items() if one[0] in kinds and one in actual]
    return sorted(found, key=lambda item: str(id_of(item)))


def _delete_one(machine: "Machine", item: Item) -> None:
    machine.world.note(machine.name, "has", item.key, "deleted by somebody")
    if isinstance(item, PlacedAddress | Route | Rule):
        machine.kernel.delete_behind(item)
    machine.touch_kernel()
    actual = machine.inventory.actual()
    holdings = next(one for one in machine.cluster.invariants if isinstance(one, HoldingsFollowState))
    for one, known in machine.inventory.known.items():
        if isinstance(known, PlacedAddress) and not known.tracked and one not in actual:
            holdings.forgive(machine, known)
