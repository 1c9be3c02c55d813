"""What a seed draws: how many machines, what stands in their files, what their world is like.

At most one owner (priority 255) is drawn for an instance: two would each be right (RFC 9568 6.1). Priorities of a sync
group's members are in one order (SY03): else each machine would want some of them and get none.
"""

from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from enum import StrEnum
from random import Random

from stayalived.config.model import Configuration
from stayalived.simulation.draw_instances import draw_instance, draw_many
from stayalived.simulation.draw_trackers import draw_trackers
from stayalived.simulation.files import Place, configuration_of
from stayalived.simulation.plans import OWNER, GroupPlan, InstancePlan, Plan, Station
from stayalived.simulation.services import ServicePlan
from stayalived.timing import NO_TIME, Duration, milliseconds, seconds

MACHINES = (2, 2, 2, 2, 3, 3, 4)
INSTANCES = (1, 1, 1, 2, 2, 2, 3, 4)
PRIORITIES = (100, 100, 150, 200, 254, OWNER)
AGES = (seconds(3), seconds(3), seconds(40), seconds(90_000), seconds(10_000_000))
"""How long machines have been switched on when the world begins."""

SEGMENTS = 2
CROWDED, BULKY = 0.02, 0.02
"""How often a seed draws many virtual routers on one link, and many addresses in one router."""


class Feature(StrEnum):
    """What a seed must have because the fault that it aims would have no effect without."""

    SERVERS = "real servers"
    CHECK = "a tracked check"
    UPLINK = "a tracked interface"
    ROUTE = "routes and rules"
    SPARE = "more than one instance"
    LINKS = "instances on two links"


@dataclass(frozen=True, slots=True, kw_only=True)
class Draw:
    """Everything that a seed decides before the first event.

    Attributes:
        stations: the machines.
        plan: what stands in the files of all of them, but for what a reload changes.
        spares: instances that a reload may add.
        failing: targets of tracked checks that fail in quiet times, too: machine and name of the check.
        room: packets that wait in a socket.
        change_cost: what one change of the kernel's state takes.
    """

    stations: tuple[Station, ...]
    plan: Plan
    spares: tuple[InstancePlan, ...] = ()
    failing: frozenset[tuple[str, str]] = frozenset()
    room: int = 1300
    change_cost: Duration = NO_TIME

    def configuration(self, station: Station, plan: Plan) -> Configuration:
        """Return the configuration that one machine makes of a plan."""
        others = tuple(other for other in self.stations if other is not station)
        return configuration_of(plan, Place(station=station, others=others))


def draw(chance: Random, features: AbstractSet[Feature] = frozenset()) -> Draw:
    """Draw a cluster that has these features at least."""
    kind = chance.random()
    if not features and kind < CROWDED:
        return _draw_crowd(chance)
    bulky = not features and kind < CROWDED + BULKY
    stations = _stations(chance, chance.choice(MACHINES))
    count = max(chance.choice(INSTANCES), 2 if Feature.SPARE in features else 1)
    segments = chance.choice((1, SEGMENTS))
    orders = _orders(chance, len(stations))
    instances = [
        draw_instance(
            chance,
            number,
            segment=number % SEGMENTS if Feature.LINKS in features else chance.randrange(segments),
            orders=orders,
            needs_route=Feature.ROUTE in features and number == 0,
            is_bulky=bulky and number == 0,
        )
        for number in range(count + 1)
    ]
    spare = instances.pop()
    groups = _groups(chance, instances)
    instances, groups, checks, failing = draw_trackers(chance, instances, groups, stations, features)
    return Draw(
        stations=stations,
        plan=Plan(
            instances=tuple(instances),
            groups=groups,
            checks=checks,
            service=_service(chance, wanted=Feature.SERVERS in features),
            startup_delay=seconds(chance.choice((0, 0, 0, 0, 0, 0, 0, 0, 0, 3))),
            delay_after_boot=seconds(chance.choice((0, 0, 0, 0, 0, 0, 0, 0, 0, 8))),
            dynamic_interfaces=chance.random() < 0.8,
        ),
        spares=(spare,),
        failing=failing,
        room=chance.choice((1300, 1300, 1300, 40, 8)),
        change_cost=milliseconds(1) if bulky else milliseconds(chance.choice((0, 0, 0, 0.01, 0.2, 2))),
    )


def _stations(chance: Random, count: int) -> tuple[Station, ...]:
    mirrored = chance.random() < 0.2
    return tuple(
        Station(
            name=f"r{number}",
            number=number + 1,
            mirrored=mirrored,
            clock=Duration(chance.choice(AGES) - seconds(1000) + seconds(chance.random())),
        )
        for number in range(count)
    )


def _orders(chance: Random, machines: int) -> tuple[int, ...]:
    """Return the priorities that the machines have for most instances."""
    return one_owner(tuple(chance.choice(PRIORITIES) for _ in range(machines)))


def one_owner(priorities: tuple[int, ...]) -> tuple[int, ...]:
    """Return priorities in which at most one is an owner's."""
    owners = [place for place, priority in enumerate(priorities) if priority == OWNER]
    return tuple(254 if place in owners[1:] else priority for place, priority in enumerate(priorities))


def _groups(chance: Random, instances: list[InstancePlan]) -> tuple[GroupPlan, ...]:
    """Put instances into sync groups: all, some or none. Split instances move alone, and so do owners' here."""
    free = [instance.name for instance in instances if not instance.split]
    if len(free) < 2 or chance.random() < 0.5:
        return ()
    cut = chance.choice((2, len(free)))
    groups = [GroupPlan(name="site", members=tuple(free[:cut]))]
    if len(free) - cut >= 2:
        groups.append(GroupPlan(name="annex", members=tuple(free[cut:])))
    return tuple(groups)


def _service(chance: Random, *, wanted: bool) -> ServicePlan | None:
    if not wanted and chance.random() < 0.65:
        return None
    return ServicePlan(
        weights=(1,) * chance.choice((2, 3)),
        quorum=chance.choice((1, 1, 2)),
        sorry=chance.random() < 0.5,
        delay_loop=seconds(chance.choice((1.0, 2.0))),
    )


def _draw_crowd(chance: Random) -> Draw:
    """Draw many virtual routers on one link: their adverts leave in beats (`vrrp/rhythm.py`)."""
    stations = _stations(chance, 2)
    orders = _orders(chance, 2)
    return Draw(stations=stations, plan=Plan(instances=draw_many(chance, chance.randrange(40, 61), orders)))
