"""What the death of one child changes elsewhere: nothing but its own messages; and it comes back as it was."""

from collections.abc import Callable
from itertools import pairwise

import msgspec
import pytest

from simulation.site import VIRTUAL, booted, cluster, holds, live
from stayalived.simulation.calm import judge_calm
from stayalived.simulation.cluster import Cluster
from stayalived.simulation.machine import Machine
from stayalived.timing import Instant, seconds

BORN_ANEW = frozenset(("since", "latency", "reason"))
"""Fields that tell when and why, which a restart may change; everything else is what is the case."""


def lived(disturb: Callable[[Cluster], None] | None = None) -> Cluster:
    """Boot a site, do something to it after twelve seconds, and let it live on to the fortieth."""
    site = booted()
    if disturb is not None:
        disturb(site)
    live(site, 28)
    return site


def killer(machine: int, name: str) -> Callable[[Cluster], None]:
    return lambda site: site.machines[machine].node.children[name].kill()


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


def test_the_death_of_the_supervisor_releases_the_addresses_until_it_is_back() -> None:
    site = booted()

    site.machines[0].node.kill_supervisor()
    live(site, 0.09)

    assert holds(site.machines[0]) == set()
    live(site, 2)
    assert holds(site.machines[1]) == set(VIRTUAL)
    live(site, 10)
    assert [holds(machine) for machine in site.machines] == [set(VIRTUAL), set()]


def test_six_kills_in_a_minute_hand_the_addresses_over_and_never_two_hold_them() -> None:
    site = booted(cluster())
    world = site.world
    together: list[Instant] = []

    def note_owners() -> None:
        if all(holds(machine) for machine in site.machines):
            together.append(world.now)

    def kill() -> None:
        vrrp = site.machines[0].vrrp()
        if vrrp is not None:
            vrrp.kill()

    for number in range(6):
        world.later(seconds(9 * number), kill)
    begin = world.now
    live(site, 60, note_owners)

    assert longest_run([moment - begin for moment in together]) < seconds(0.05)
    assert holds(site.machines[1]) == set(VIRTUAL)


def longest_run(moments: list[int]) -> int:
    """Return the length of the longest unbroken stretch of moments: a pause of a tenth of a second breaks it."""
    longest, begin = 0, None
    for earlier, later in zip([None, *moments], moments, strict=False):
        if earlier is None or begin is None or later - earlier > seconds(0.1):
            begin = later
        longest = max(longest, later - begin)
    return longest
