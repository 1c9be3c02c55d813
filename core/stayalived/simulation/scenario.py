"""One seed from beginning to end: draw, boot, storm, calm, judgement, a clean stop, judgement again."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from stayalived.simulation.blows import Fault
from stayalived.simulation.cluster import Cluster, Machine, Violation
from stayalived.simulation.draw import draw
from stayalived.simulation.invariants import (
    SLACK,
    AddressesFollowState,
    Retelling,
    judge_calm,
    judge_counts,
    longest_master_down,
    masters,
    skew,
)
from stayalived.simulation.weather import AIMS, Phase, Storm, Weather
from stayalived.simulation.world import World, between
from stayalived.supervisor.events import Order
from stayalived.timing import Duration, after, for_people, seconds

STORM_BEGINS = 8.0
STORM_LASTS = 12.0
SETTLING = 20.0
"""Seconds of calm beyond two master-down intervals: a respawn delay, a round of checks, the repair of a table."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of a seed."""

    seed: int
    digest: str
    happened: int
    coverage: Counter[tuple[Fault, Phase]] = field(default_factory=Counter)
    failure: str = ""
    tail: tuple[str, ...] = ()


def run(seed: int) -> Outcome:
    """Live through one seed; a violation, or an exception of an engine, is its failure."""
    world = World(seed)
    cluster = Cluster(world, draw(world.chance("draw")))
    failure = ""
    try:
        live(cluster, seed)
    except Exception as error:  # noqa: BLE001  (whatever an engine raises is what the simulator looks for)
        failure = f"{type(error).__name__}: {error}"
    return Outcome(
        seed=seed,
        digest=world.trace.digest(),
        happened=world.happened,
        coverage=cluster.coverage,
        failure=failure,
        tail=tuple(world.trace.tail[-60:]) if failure else (),
    )


def live(cluster: Cluster, seed: int) -> None:
    """Let a cluster live through its storm and its calm.

    Raises:
        Violation: an invariant does not hold.
    """
    world = cluster.world
    chance = world.chance("scenario")
    begin = after(world.now, seconds(STORM_BEGINS))
    storm = Storm(
        begin=begin,
        end=after(begin, seconds(STORM_LASTS)),
        faults=chance.choice((0, 2, 4, 8)),
        aim=AIMS[seed % len(AIMS)],
    )
    weather = Weather(cluster, storm)
    safety = (AddressesFollowState(cluster), Retelling(cluster))

    def check() -> None:
        weather.watch()
        for invariant in safety:
            invariant.watch()

    for machine in cluster.machines:
        world.later(between(chance, 0.0, 1.0), machine.node.boot)
    world.run(storm.end, check)
    weather.clear()
    calm = after(storm.end, Duration(2 * longest_master_down(cluster) + seconds(SETTLING)))
    for machine in cluster.machines:  # a reload that the storm made fail is asked for again
        world.at(after(storm.end, seconds(SETTLING / 2)), lambda node=machine.node: node.signal(Order.RELOAD))  # type: ignore[misc]  # mypy does not infer a lambda's default
    world.run(calm, check)
    judge_calm(cluster)
    judge_counts(cluster)
    _hand_over(cluster, check)


def _hand_over(cluster: Cluster, check: Callable[[], None]) -> None:
    """Stop the master in order; the best of the others is MASTER within its skew (RFC 9568 6.4.3, 6.4.2)."""
    world = cluster.world
    (leaving,) = masters(cluster)
    heir = max((machine for machine in cluster.machines if machine is not leaving), key=_priority)
    leaving.node.signal(Order.STOP)
    stopped = world.now
    limit = after(stopped, Duration(skew(cluster, heir) + 4 * SLACK))
    world.run(limit, check)
    if not masters(cluster):
        raise Violation("quick hand-over", heir.name, f"nobody is MASTER {for_people(Duration(limit - stopped))} later")


def _priority(machine: Machine) -> int:
    return machine.router.priority
