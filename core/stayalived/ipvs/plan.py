"""From the table that is to the table that should be, in steps each of which can be the last. Pure.

The operations come in two phases:

1. what only adds: new services, changed settings of services, new destinations, edits that do not lower a weight;
2. what only takes away: edits that lower a weight, destinations that go, services that go.

Why it is safe to stop after each of them. Let a(d), w(d) and i(d) be the weights of a destination in the actual, the
wanted and any intermediate table, 0 where it is absent. Phase 1 changes a weight only from a(d) to w(d) where
w(d) >= a(d), so i(d) >= a(d) for every d until it ends. From then on each weight is either w(d) already, or still
a(d) > w(d), so i(d) >= w(d). Hence for every set L of destinations of a service, whichever of them are alive,

    sum of i over L  >=  min(sum of a over L, sum of w over L).

With L all destinations: a pool that had weight before and has weight afterwards has weight in between. With L the live
ones: a quorum that was had and will be had is had in between. A service stands before its destinations are added, and
one that stays is edited, never deleted: its connections live (LV49).

keepalived takes all live servers out before the sorry server goes in, and the other way round (LV22). Here the sorry
server goes in first, and out last: for the moment between two messages both serve, where there nobody would.
"""

from collections.abc import Collection, Iterator

from stayalived.addresses import Endpoint
from stayalived.ipvs.model import (
    AddDestination,
    AddService,
    DeleteDestination,
    DeleteService,
    Destination,
    EditDestination,
    EditService,
    Entry,
    Operation,
    ServiceKey,
    Table,
)


def plan(actual: Table, wanted: Table, owned: Collection[ServiceKey]) -> list[Operation]:
    """Return the operations that turn the actual table into the wanted one.

    Args:
        actual: what the kernel has, with services of others.
        wanted: what it should have of ours.
        owned: services that are ours, of the configuration in force and of the one before it; of these, those that
            are not wanted are deleted. Others are left alone.

    Returns:
        the operations in an order that is safe to stop after each; none when nothing differs.
    """
    adding: list[Operation] = []
    taking: list[Operation] = []
    for key, entry in wanted.items():
        present = actual.get(key)
        if present is None:
            adding.append(AddService(key, entry.service))
            present = Entry(entry.service)
        elif present.service != entry.service:
            adding.append(EditService(key, entry.service))
        for lowers, operation in _compare(key, present.destinations, entry.destinations):
            (taking if lowers else adding).append(operation)
    taking += [DeleteService(key) for key in actual if key in owned and key not in wanted]
    return adding + taking


def _compare(
    key: ServiceKey, actual: dict[Endpoint, Destination], wanted: dict[Endpoint, Destination]
) -> Iterator[tuple[bool, Operation]]:
    """Yield what differs in one service, and whether it takes weight away."""
    for endpoint, destination in wanted.items():
        present = actual.get(endpoint)
        if present is None:
            yield False, AddDestination(key, endpoint, destination)
        elif present != destination:
            yield destination.weight < present.weight, EditDestination(key, endpoint, destination)
    for endpoint in actual:
        if endpoint not in wanted:
            yield True, DeleteDestination(key, endpoint)
