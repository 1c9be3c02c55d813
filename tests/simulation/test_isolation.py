"""What the death of one child changes elsewhere: nothing but its own messages; and it comes back as it was."""

from collections.abc import Callable
from itertools import pairwise

import msgspec
import pytest

from stayalived.addresses import Family
from stayalived.simulation.cluster import Cluster, Machine
from stayalived.simulation.draw import Draw, Router
from stayalived.simulation.invariants import holds_addresses, judge_calm
from stayalived.simulation.world import World
from stayalived.timing import Instant, after, seconds

BORN_ANEW = frozenset(("since", "latency", "reason"))
"""Fields that tell when and why, which a restart may change; everything else is what is the case."""


def site(seed: int = 7) -> Cluster:
    drawn = Draw(
        routers=(Router(name="r0", number=1, priority=200), Router(name="r1", number=2, priority=100)),
        version=3,
        families=(Family.IPV4, Family.IPV6),
        advert_int=seconds(1),
        preempt=True,
        servers=3,
        quorum=1,
        sorry=True,
        delay_loop=seconds(1),
    )
    return Cluster(World(seed), drawn)


def lived(kill: Callable[[Cluster], None] | None = None) -> Cluster:
    """Boot a site, do something to it after twelve seconds, and let it live on to the fortieth."""
    cluster = site()
    for machine in cluster.machines:
        machine.node.boot()
    cluster.world.run(after(cluster.world.now, seconds(12)), lambda: None)
    if kill is not None:
        kill(cluster)
    cluster.world.run(after(cluster.world.now, seconds(28)), lambda: None)
    return cluster


def killer(machine: int, name: str) -> Callable[[Cluster], None]:
    return lambda cluster: cluster.machines[machine].node.children[name].kill()


def told(machine: Machine) -> dict[tuple[str, str, str], object]:
    """Return the newest of everything that a machine's children have said, without what a restart may change."""
    return {
        (name, kind, key): {
            field: value for field, value in msgspec.structs.asdict(message).items() if field not in BORN_ANEW
        }
        for name, process in machine.node.children.items()
        for (kind, key), message in process.told.items()
        if kind not in {"Event", "RouterCounters"}
    }


@pytest.mark.parametrize("name", ["checker", "ipvs"])
@pytest.mark.parametrize("machine", [0, 1])
def test_no_packet_and_no_address_changes_when_another_child_dies(name: str, machine: int) -> None:
    undisturbed, disturbed = lived(), lived(killer(machine, name))

    for label in ("r0/vrrp", "r1/vrrp"):
        assert disturbed.world.trace.digest(label) == undisturbed.world.trace.digest(label)


@pytest.mark.parametrize("machine", [0, 1])
def test_no_check_and_no_table_changes_when_vrrp_dies(machine: int) -> None:
    undisturbed, disturbed = lived(), lived(killer(machine, "vrrp"))

    for label in ("r0/checker", "r1/checker", "r0/ipvs", "r1/ipvs"):
        assert disturbed.world.trace.digest(label) == undisturbed.world.trace.digest(label)


@pytest.mark.parametrize("name", ["vrrp", "checker", "ipvs"])
@pytest.mark.parametrize("machine", [0, 1])
def test_a_replaced_child_ends_in_the_state_of_one_that_never_died(name: str, machine: int) -> None:
    undisturbed, disturbed = lived(), lived(killer(machine, name))

    assert told(disturbed.machines[machine]) == told(undisturbed.machines[machine])
    judge_calm(disturbed)


def test_the_death_of_the_masters_vrrp_is_not_seen_on_the_wire() -> None:
    disturbed = lived(killer(0, "vrrp"))
    sent = disturbed.machines[0].adverts["site/4"]

    gaps = [later - earlier for (earlier, _), (later, _) in pairwise(sent)]

    assert max(gaps) <= seconds(1.05)
    assert len(disturbed.machines[1].adverts["site/4"]) == 0
    assert disturbed.machines[0].counts["announcements"] == lived().machines[0].counts["announcements"]


def test_the_death_of_the_supervisor_releases_the_addresses() -> None:
    cluster = lived(lambda cluster: cluster.machines[0].node.kill_supervisor())

    assert holds_addresses(cluster.machines[0]) == set()
    assert holds_addresses(cluster.machines[1]) == {"192.0.2.100/24", "2001:db8::100/64"}


def test_six_kills_in_a_minute_hand_the_addresses_over_and_never_two_hold_them() -> None:
    cluster = site()
    world = cluster.world
    together: list[Instant] = []

    def note_owners() -> None:
        if all(holds_addresses(machine) for machine in cluster.machines):
            together.append(world.now)

    def kill() -> None:
        vrrp = cluster.machines[0].vrrp()
        if vrrp is not None:
            vrrp.kill()

    for machine in cluster.machines:
        machine.node.boot()
    world.run(after(world.now, seconds(12)), lambda: None)
    for number in range(6):
        world.later(seconds(9 * number), kill)
    begin = world.now
    world.run(after(world.now, seconds(60)), note_owners)

    owner_for = [moment - begin for moment in together]
    assert longest_run(owner_for) < seconds(0.05)
    assert holds_addresses(cluster.machines[1]) == {"192.0.2.100/24", "2001:db8::100/64"}


def longest_run(moments: list[int]) -> int:
    """Return the length of the longest unbroken stretch of moments: a pause of a tenth of a second breaks it."""
    longest, begin = 0, None
    for earlier, later in zip([None, *moments], moments, strict=False):
        if earlier is None or begin is None or later - earlier > seconds(0.1):
            begin = later
        longest = max(longest, later - begin)
    return longest
