"""One seed from beginning to end: draw, boot, storm, calm, judgement, a machine that leaves, judgement again."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from stayalived.simulation.calm import is_settled, judge_calm, judge_counts, longest_wait
from stayalived.simulation.cluster import Cluster
from stayalived.simulation.draw import Draw, Feature, draw
from stayalived.simulation.exam import examine
from stayalived.simulation.faults import AIMS, Fault, Phase
from stayalived.simulation.invariants.base import Violation
from stayalived.simulation.weather import SABOTAGE, Aim, Storm, Weather, draw_storm
from stayalived.simulation.world import World, between
from stayalived.supervisor.events import Order
from stayalived.timing import NO_TIME, Duration, Instant, after, seconds

LONGEST_CALM = seconds(150)
"""By then every child is back: the longest respawn delay is a minute (P30), and there may be one for each child."""

REST = seconds(3)
"""Calm beyond what the protocol takes: a round of checks, the repair of a table."""

NEEDS: dict[Fault, frozenset[Feature]] = {
    Fault.SABOTAGE_ROUTE: frozenset({Feature.ROUTE}),
    Fault.SERVER_STALLS: frozenset({Feature.SERVERS}),
    Fault.SERVER_FLAPS: frozenset({Feature.SERVERS}),
    Fault.SERVER_LIES: frozenset({Feature.SERVERS}),
    Fault.CHECKER_DEAD: frozenset({Feature.CHECK}),
    Fault.CHECK_FAILS: frozenset({Feature.CHECK}),
    Fault.CHECK_FLAPS: frozenset({Feature.CHECK}),
    Fault.CHECK_HANGS: frozenset({Feature.CHECK}),
    Fault.UPLINK_FLAP: frozenset({Feature.UPLINK}),
    Fault.RELOAD: frozenset({Feature.SPARE}),
}
"""What a cluster must have for a fault to have an effect."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of a seed.

    Attributes:
        storm: what was thrown at it.
        digest: hash of its history, where that was asked for.
        happened: how many things happened.
        failure: the invariant that was violated, or the exception of an engine; empty when all is well.
        tail: the end of the history of one that failed.
    """

    seed: int
    storm: Storm
    digest: str
    happened: int
    coverage: Counter[tuple[Fault, Phase]] = field(default_factory=Counter)
    failure: str = ""
    tail: tuple[str, ...] = ()


def draw_seed(seed: int) -> tuple[Draw, Storm]:
    """Return the cluster and the storm that a seed draws."""
    world = World(seed, hashed=False)
    aim: Aim = AIMS[seed % len(AIMS)]
    drawn = draw(world.chance("draw"), features_for(aim))
    chance = world.chance("scenario")
    return drawn, draw_storm(chance, len(drawn.stations), aim, settled_after(drawn))


def features_for(aim: Aim) -> frozenset[Feature]:
    """Return what a cluster must have for an aimed fault to have an effect."""
    fault, phase = aim
    needed = NEEDS.get(fault, frozenset())
    if fault in SABOTAGE and phase is Phase.FAULT:  # of one instance, while another one holds something
        needed |= {Feature.SPARE, Feature.LINKS}
    return needed


def settled_after(drawn: Draw) -> Duration:
    """Return how long a drawn cluster takes to boot and to elect its first masters, if nothing goes wrong."""
    down = max(4 * instance.advert_int for instance in drawn.plan.instances)
    return Duration(seconds(1.5) + down + drawn.plan.startup_delay + drawn.plan.delay_after_boot)


def run(seed: int, storm: Storm | None = None, *, hashed: bool = False) -> Outcome:
    """Live through one seed; a violation, or an exception of an engine, is its failure.

    Args:
        seed: decides everything.
        storm: in place of the one that it draws.
        hashed: whether to reckon the hash of its history.
    """
    world = World(seed, hashed=hashed)
    drawn, own = draw_seed(seed)
    storm = storm or own
    cluster = Cluster(world, drawn)
    failure = ""
    try:
        live(cluster, storm)
    except Exception as error:  # noqa: BLE001  (whatever an engine raises is what the simulator looks for)
        failure = f"{type(error).__name__}: {error}"
    return Outcome(
        seed=seed,
        storm=storm,
        digest=world.trace.digest() if hashed else "",
        happened=world.happened,
        coverage=cluster.coverage,
        failure=failure,
        tail=tuple(world.trace.tail[-60:]) if failure else (),
    )


def live(cluster: Cluster, storm: Storm) -> None:
    """Let a cluster live through its storm and its calm.

    Raises:
        Violation: an invariant does not hold.
    """
    world = cluster.world
    weather = Weather(cluster, storm)

    def check() -> None:
        weather.watch()
        cluster.look()

    for machine in cluster.machines:
        world.later(between(world.chance("boots"), 0.0, 1.0), machine.node.boot)
    world.run(weather.end, check)
    weather.clear()
    _settle(cluster, check)
    judge_calm(cluster)
    judge_counts(cluster)
    examine(cluster, world.chance("exam"), check)


def _settle(cluster: Cluster, check: Callable[[], None]) -> None:
    """Let everything come to rest: daemons run, files are as drawn, elections are over."""
    world = cluster.world
    limit = after(world.now, LONGEST_CALM)
    for _ in range(2):  # a reload that fails, because a child dies just then, is asked for again
        for machine in cluster.machines:
            machine.plan = cluster.drawn.plan
            machine.node.signal(Order.RELOAD)
        world.run(after(world.now, seconds(0.5)), check)
        _wait_for(cluster, limit, check)
    delays = [instance.preempt_delay for instance in cluster.drawn.plan.instances]
    service = cluster.drawn.plan.service
    rounds = 3 * service.delay_loop if service else NO_TIME
    rest = 2 * longest_wait(cluster) + max(delays) + rounds + REST
    world.run(after(world.now, Duration(rest)), check)


def _wait_for(cluster: Cluster, limit: Instant, check: Callable[[], None]) -> None:
    """Wait until every daemon runs; one that could not start because of its files is given those that were drawn.

    Raises:
        Violation: one does not in time.
    """
    world = cluster.world
    while not is_settled(cluster):
        for machine in cluster.machines:
            if not machine.node.on:
                machine.plan = cluster.drawn.plan
                machine.node.boot()
        if world.now > limit:
            asleep = [machine.name for machine in cluster.machines]
            raise Violation("daemons come back", ", ".join(asleep), "one of them does not run after the calm")
        world.run(after(world.now, seconds(0.5)), check)
