"""Masters of one link send together, where there are many; nobody is ever late for it."""

from itertools import pairwise

import msgspec
import pytest

from stayalived.config.virtual_routers import PlacedAddress, VrrpInstance
from stayalived.timing import Duration, Instant, after, elapsed, milliseconds, seconds
from stayalived.vrrp.rhythm import ABREAST, FEW, TOGETHER, WINDOW, Rhythm
from vrrp_machine import Machine, adverts, instance, router

NOW = Instant(1_000_500_000_000)


def crowd(count: int, *, interface: str = "eth0") -> list[VrrpInstance]:
    """So many routers with an address each."""
    made = []
    for number in range(1, count + 1):
        one = router(f"10.0.{number}.1/32", instance=f"i{number}", virtual_router_id=number)
        placed = tuple(PlacedAddress(address=each.address, interface=interface) for each in one.addresses)
        made.append(instance(msgspec.structs.replace(one, interface=interface, addresses=placed)))
    return made


def sent(machine: Machine, duration: Duration) -> dict[str, list[Instant]]:
    """When each router has sent in a time, by its key."""
    moments: dict[str, list[Instant]] = {}
    end = after(machine.now, duration)
    while machine.engine.deadline is not None and machine.engine.deadline <= end:
        machine.now = max(machine.now, machine.engine.deadline)
        for advert in adverts(machine.wake()):
            moments.setdefault(advert.router, []).append(machine.now)
    machine.now = end
    return moments


def test_a_few_routers_keep_their_own_time_to_the_nanosecond() -> None:
    machine = Machine()
    machine.start(*crowd(FEW))

    moments = sent(machine, seconds(20))

    assert {elapsed(*pair) for each in moments.values() for pair in pairwise(each)} == {seconds(1)}


def test_many_routers_of_a_link_send_in_beats_of_at_most_so_many() -> None:
    machine = Machine()
    machine.start(*crowd(120))
    sent(machine, seconds(10.5))

    moments = sent(machine, seconds(1))

    together = sorted({tuple(each) for each in moments.values()})
    counts = [sum(tuple(each) == beat for each in moments.values()) for beat in together]
    assert sorted(counts) == [20, TOGETHER, TOGETHER]
    assert elapsed(together[0][0], together[-1][0]) <= WINDOW


def test_the_second_advert_is_never_later_than_an_interval_after_the_first() -> None:
    machine = Machine()
    machine.start(*crowd(200))

    moments = sent(machine, seconds(20))

    assert len(moments) == 200
    assert max(elapsed(*pair) for each in moments.values() for pair in pairwise(each)) <= seconds(1)
    assert all(elapsed(*pair) == seconds(1) for each in moments.values() for pair in pairwise(each[1:]))


@pytest.mark.parametrize("count", [10, 120])
def test_a_reload_that_adds_routers_makes_nobody_late(count: int) -> None:
    machine = Machine()
    machine.start(*crowd(count))
    sent(machine, seconds(10))

    before = sent(machine, seconds(3.3))
    machine.configure(*crowd(200))
    after_it = sent(machine, seconds(3.3))

    for key, moments in before.items():
        together = [*moments, *after_it[key]]
        assert max(elapsed(*pair) for pair in pairwise(together)) <= seconds(1)


def test_a_reload_that_changes_nothing_of_a_crowd_says_nothing() -> None:
    machine = Machine()
    machine.start(*crowd(120))
    sent(machine, seconds(10.5))

    assert machine.configure(*crowd(120)) == []


def test_a_member_that_yields_is_silent_and_the_others_go_on() -> None:
    machine = Machine()
    machine.start(*crowd(60))
    sent(machine, seconds(10))

    like = router("10.0.7.1/32", virtual_router_id=7)
    machine.hear(like=like, priority=200)
    moments = sent(machine, seconds(2))

    assert len(moments) == 59
    assert "i7/4" not in moments


def test_a_beat_that_was_missed_is_made_up_once() -> None:
    machine = Machine()
    machine.start(*crowd(60))
    sent(machine, seconds(10))
    machine.now = after(machine.now, seconds(1.7))

    moments = sent(machine, milliseconds(1))

    assert {len(each) for each in moments.values()} == {1}


@pytest.mark.parametrize(("links", "moments"), [(1, 2), (2, 2), (ABREAST, 2), (ABREAST + 1, 4), (16, 8)])
def test_a_few_links_beat_at_one_moment_and_none_of_them_twice(links: int, moments: int) -> None:
    names = [f"eth{number}" for number in range(links)]
    routers = [each.routers[0] for name in names for each in crowd(100, interface=name)]
    keyed = [msgspec.structs.replace(each, key=f"{each.interface} {each.key}") for each in routers]
    rhythm = Rhythm()
    rhythm.plan(keyed)

    at: dict[Instant, list[str]] = {}
    for beat, link in {rhythm.of(each.key): each.interface for each in keyed}.items():
        beat.join(_Member("x"), NOW)
        at.setdefault(beat.deadline, []).append(link)

    assert len(at) == moments
    assert all(len(set(abreast)) == len(abreast) <= ABREAST for abreast in at.values())
    assert sorted(link for abreast in at.values() for link in abreast) == sorted(names * 2)
    assert elapsed(min(at), max(at)) <= WINDOW


class _Member:
    """All that a beat knows of who speaks with it."""

    def __init__(self, key: str) -> None:
        self.router = router(key=key)
