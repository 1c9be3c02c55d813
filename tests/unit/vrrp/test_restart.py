"""What a process that was replaced may go on with, and how one that keeps dying gives up."""

import dataclasses

import pytest

from stayalived.addresses import Family, VirtualAddress
from stayalived.config.virtual_routers import Route, Rule
from stayalived.kernel.api import Barrier
from stayalived.messages.control import Start
from stayalived.timing import Duration, after, milliseconds, seconds
from stayalived.vrrp.effects import ApplyChanges
from vrrp_machine import (
    VIP,
    VIP6,
    Machine,
    adverts,
    announcements,
    events,
    finished,
    instance,
    kinds,
    lines,
    priorities,
    removed,
    router,
)

BOTH = (router(), router(VIP6))


def died_as_master() -> Machine:
    machine = Machine()
    machine.start(instance(*BOTH))
    machine.pass_time(seconds(20))
    assert machine.state == "MASTER"
    machine.die()
    return machine


def test_a_master_that_was_replaced_goes_on_and_nobody_notices() -> None:
    machine = died_as_master()
    since = machine.told().since
    machine.now = after(machine.now, milliseconds(100))

    effects = machine.start(instance(*BOTH), how=Start.RESPAWNED)

    assert priorities(effects) == [100, 100]
    assert kinds(effects) == ["Listen", "SendAdverts"]
    assert events(effects) == []
    assert machine.told().since == since
    assert machine.told().routers[0].held
    assert "(tic) Going on in MASTER STATE" in lines(effects)[0]
    assert announcements(machine.pass_time(seconds(30))) == []


def test_one_whose_interface_went_away_meanwhile_is_in_fault_and_not_refused() -> None:
    machine = died_as_master()
    machine.links.clear()

    machine.start(instance(*BOTH), how=Start.RESPAWNED)

    assert machine.state == "FAULT"


def test_it_goes_on_advertising_each_interval() -> None:
    machine = died_as_master()
    machine.now = after(machine.now, milliseconds(100))
    machine.start(instance(*BOTH), how=Start.RESPAWNED)

    assert len(adverts(machine.pass_time(seconds(5)))) == 10


def test_an_address_that_got_lost_meanwhile_is_added() -> None:
    machine = died_as_master()
    link = machine.links["eth0"]
    machine.links["eth0"] = dataclasses.replace(
        link, addresses=tuple(a for a in link.addresses if a.address != "192.0.2.100")
    )

    effects = machine.start(instance(*BOTH), how=Start.RESPAWNED)

    assert "Add" in kinds(effects)
    assert machine.holds()


def test_after_two_intervals_of_silence_it_yields() -> None:
    machine = died_as_master()
    machine.now = after(max(machine.slots.values()), seconds(2))

    effects = machine.start(instance(*BOTH), how=Start.RESPAWNED)

    assert adverts(effects) == []
    assert machine.state == "BACKUP"
    assert not machine.holds()
    assert not machine.holds(VIP6)
    assert events(effects) == ["backup"]


def test_one_stale_half_is_enough_to_yield() -> None:
    machine = died_as_master()
    del machine.slots[1]

    machine.start(instance(*BOTH), how=Start.RESPAWNED)

    assert machine.state == "BACKUP"


def test_a_backup_that_was_replaced_is_backup_and_no_event() -> None:
    machine = Machine()
    machine.start(instance(*BOTH))
    machine.hear(priority=200)
    machine.die()

    effects = machine.start(instance(*BOTH), how=Start.RESPAWNED)

    assert machine.state == "BACKUP"
    assert events(effects) == []


def test_a_first_start_adopts_nothing_however_fresh() -> None:
    machine = died_as_master()

    machine.start(instance(*BOTH), how=Start.FIRST)

    assert machine.state == "BACKUP"
    assert not machine.holds()


def test_a_dead_link_is_not_adopted() -> None:
    machine = died_as_master()
    machine.links["eth0"] = dataclasses.replace(machine.links["eth0"], up=False)

    effects = machine.start(instance(*BOTH), how=Start.RESPAWNED)

    assert adverts(effects) == []
    assert machine.state == "FAULT"
    assert not machine.holds()


def test_counters_and_numbers_of_events_go_on() -> None:
    machine = Machine()
    machine.start(instance(router()))
    machine.pass_time(seconds(20))
    before = machine.counters()
    numbers = {effect.sequence for effect in machine.effects if getattr(effect, "sequence", 0)}
    machine.die()

    machine.start(instance(router()), how=Start.RESPAWNED)
    effects = machine.hear(priority=200)

    assert machine.counters().adverts_sent == before.adverts_sent + 1
    assert machine.counters().became_master == 1
    new = {effect.sequence for effect in effects if getattr(effect, "sequence", 0)}
    assert min(new) > max(numbers)


def test_what_is_no_longer_configured_is_taken_away() -> None:
    machine = died_as_master()
    other = router("192.0.2.77/24", instance="tac", virtual_router_id=2)

    machine.start(instance(other), how=Start.RESPAWNED)

    assert not machine.holds()
    assert not machine.holds(VIP6)
    assert {name for _, name in machine.retained if name == "tic"} == set()


def test_an_address_that_a_reload_took_away_meanwhile_is_taken_away() -> None:
    other = "192.0.2.101/24"
    machine = Machine()
    machine.start(instance(router(f"{VIP} {other}")))
    machine.pass_time(seconds(20))
    machine.die()

    effects = machine.start(instance(router(VIP)), how=Start.RESPAWNED)

    assert removed(effects) == [other]
    assert machine.holds(VIP)
    assert machine.state == "MASTER"


def test_release_gives_up_in_order() -> None:
    machine = died_as_master()
    machine.now = after(machine.now, milliseconds(500))

    effects = machine.start(instance(*BOTH), how=Start.RELEASE)

    assert priorities(effects)[-2:] == [0, 0]
    assert not machine.holds()
    assert not machine.holds(VIP6)
    assert finished([effect for effect in effects if type(effect).__name__ == "Finished"])
    assert machine.told().state == "INIT"


def test_release_gives_up_routes_and_rules_and_barriers_too_barriers_last() -> None:
    route = Route(family=Family.IPV4, destination=VirtualAddress.parse("10.0.0.0/8"), gateway="192.0.2.254")
    rule = Rule(family=Family.IPV4, preference=1000, table=100)
    holder = instance(router(routes=(route,), rules=(rule,), accept=False))
    machine = Machine()
    machine.start(holder)
    machine.pass_time(seconds(20))
    assert set(machine.items) == {route, rule, Barrier(address="192.0.2.100")}
    machine.die()

    effects = machine.start(holder, how=Start.RELEASE)

    assert priorities(effects)[-1] == 0
    assert machine.items == {}
    asked = [change.item for effect in effects if isinstance(effect, ApplyChanges) for change in effect.changes]
    assert asked == [rule, route, router().addresses[0], Barrier(address="192.0.2.100")]


def test_release_after_somebody_may_have_taken_over_only_removes() -> None:
    machine = died_as_master()
    machine.now = after(machine.now, seconds(5))

    effects = machine.start(instance(*BOTH), how=Start.RELEASE)

    assert adverts(effects) == []
    assert removed(effects) != []
    assert not machine.holds()


@pytest.mark.parametrize("later", [milliseconds(500), seconds(5)])
def test_a_release_says_what_it_does_once_and_nothing_of_working(later: Duration) -> None:
    machine = died_as_master()
    machine.now = after(machine.now, later)

    effects = machine.start(instance(*BOTH), how=Start.RELEASE)

    assert lines(effects) == ["(tic) stopped: releasing what its process held that died"]
    assert events(effects) == ["stop"]
    assert machine.told().state == "INIT"


def test_the_owner_releases_too_what_a_peer_may_have_taken() -> None:
    machine = Machine()
    machine.start(instance(router(priority=255)))
    assert machine.holds()
    machine.die()
    machine.now = after(machine.now, seconds(5))

    machine.start(instance(router(priority=255)), how=Start.RELEASE)

    assert not machine.holds()


def test_the_owner_releases_nothing_that_it_would_have_to_take_first() -> None:
    machine = Machine()
    machine.start(instance(router(priority=255)))
    machine.die()
    machine.now = after(machine.now, seconds(5))

    effects = machine.start(instance(router(priority=255)), how=Start.RELEASE)

    assert adverts(effects) == []


def test_a_finished_engine_says_nothing_more() -> None:
    machine = Machine()
    machine.start(instance(router()))
    machine.stop()

    assert machine.hear(priority=200) == []
    assert machine.wake() == []
