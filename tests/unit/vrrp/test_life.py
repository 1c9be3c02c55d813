"""When instances begin (VG17), and what is said when the process stood still (K#2066)."""

import pytest

from stayalived.addresses import Family, VirtualAddress
from stayalived.child.events import AnswerPrepared, Prepare, Tell
from stayalived.config.virtual_routers import PlacedAddress, Route, Tracker, VirtualMac
from stayalived.messages.control import Start
from stayalived.messages.notify import Event
from stayalived.timing import NO_TIME, Instant, after, milliseconds, seconds
from vrrp_machine import Machine, adverts, configuration, instance, lines, router, sync_group

BOOTED_LONG_AGO = Instant(seconds(1000))


def delayed(*, delay: float = 0, after_boot: float = 0, how: Start = Start.FIRST) -> Machine:
    machine = Machine(now=BOOTED_LONG_AGO)
    machine.start(instance(router()), startup_delay=seconds(delay), after_boot=seconds(after_boot), how=how)
    return machine


@pytest.mark.parametrize(
    ("delay", "after_boot", "waits"),
    [(5, 0, 5), (0, 1003, 3), (5, 1003, 5), (2, 1003, 3), (0, 900, 0), (0, 0, 0)],
)
def test_the_longer_of_the_two_delays_applies(delay: float, after_boot: float, waits: float) -> None:
    machine = delayed(delay=delay, after_boot=after_boot)

    if waits:
        machine.pass_time(seconds(waits) - 1)
        assert machine.state == "INIT"
        machine.pass_time(milliseconds(1))

    assert machine.state == "BACKUP"
    assert machine.timer >= after(BOOTED_LONG_AGO, seconds(3.6 + waits))


def test_adverts_are_thrown_away_during_the_delay() -> None:
    machine = delayed(delay=5)

    for _ in range(4):
        machine.hear(priority=50)
        machine.pass_time(seconds(1))

    assert machine.state == "INIT"
    assert machine.told().reason == "startup delay of 5 s"
    assert adverts(machine.effects) == []
    assert machine.counters().adverts_received == 4


def test_a_replaced_process_does_not_wait() -> None:
    assert delayed(delay=5, how=Start.RESPAWNED).state == "BACKUP"


def test_an_interface_that_changes_during_the_delay_does_not_end_it() -> None:
    machine = delayed(delay=5)

    machine.change_link(up=False)
    machine.change_link(up=True)

    assert machine.state == "INIT"


def test_a_reload_during_the_delay_asks_the_kernel_for_nothing() -> None:
    route = Route(family=Family.IPV4, destination=VirtualAddress.parse("10.0.0.0/8"), gateway="192.0.2.254")
    waiting = instance(router(routes=(route,)))
    machine = Machine(now=BOOTED_LONG_AGO)
    machine.start(waiting, startup_delay=seconds(5))

    effects = machine.configure(waiting, startup_delay=seconds(5))

    assert effects == []
    assert machine.state == "INIT"


@pytest.mark.parametrize("together", [True, False])
def test_the_delay_goes_on_in_another_sync_group(together: bool) -> None:
    waiting = instance(router())
    groups = [[], [sync_group(waiting)]]
    machine = Machine(now=BOOTED_LONG_AGO)
    machine.start(waiting, startup_delay=seconds(5), groups=groups[not together])
    machine.pass_time(seconds(2))

    machine.configure(waiting, startup_delay=seconds(5), groups=groups[together])
    machine.pass_time(seconds(3) - 1)

    assert machine.state == "INIT"
    machine.pass_time(seconds(1))
    assert machine.state == "BACKUP"
    assert machine.timer >= after(BOOTED_LONG_AGO, seconds(8.6))


@pytest.mark.parametrize("group", ["", "site"])
def test_a_sync_group_joined_or_left_during_the_delay_is_told(group: str) -> None:
    stays, moves = (instance(router(instance=name, virtual_router_id=number)) for number, name in enumerate("ab", 1))
    groups = {"": [sync_group(stays)], "site": [sync_group(stays, moves)]}
    machine = Machine(now=BOOTED_LONG_AGO)
    machine.start(stays, moves, startup_delay=seconds(5), groups=groups["" if group else "site"])

    machine.configure(stays, moves, startup_delay=seconds(5), groups=groups[group])

    assert machine.told("b").group == group
    assert machine.told("b").state == "INIT"


def test_a_stop_during_the_delay_is_silent() -> None:
    machine = delayed(delay=5)

    effects = machine.stop()

    assert adverts(effects) == []
    assert machine.told().state == "INIT"


def test_k2066_a_process_that_stood_still_says_for_how_long() -> None:
    machine = Machine()
    machine.start(instance(router()))
    machine.pass_time(seconds(12))
    machine.now = after(machine.engine.deadline, milliseconds(1_250))

    effects = machine.wake()

    text = "this process stood still for 1.25 s: the machine, or the host under it, is busy; adverts were late"
    assert text in lines(effects)
    [told] = [tell.message for tell in effects if isinstance(tell, Tell) and isinstance(tell.message, Event)]
    assert (told.kind, told.subject_type, told.subject) == ("stalled", "child", "vrrp")
    assert told.reason == "for 1.25 s"


def test_k2066_a_process_that_is_a_little_late_says_nothing() -> None:
    machine = Machine()
    machine.start(instance(router()))
    machine.pass_time(seconds(12))
    machine.now = after(machine.engine.deadline, milliseconds(100))

    assert [line for line in lines(machine.wake()) if "stood still" in line] == []
    assert machine.engine.deadline is not None
    assert NO_TIME < machine.now


# ── interfaces that a configuration names ────────────────────────────────────────────────────────────────────────────


def refusals(*instances: object, **options: object) -> list[str]:
    """What stands against a first configuration."""
    machine = Machine()
    machine.start()
    machine.generation += 1
    machine.do(Prepare(generation=machine.generation, configuration=configuration(*instances, **options)))
    return [str(problem.path) for problem in machine.last(AnswerPrepared).problems]


def test_interfaces_that_do_not_exist_are_named_with_their_keys() -> None:
    far = PlacedAddress(address=router().advertised[0], interface="eth7")
    tracker = Tracker(name="eth8", interface="eth8")

    assert refusals(instance(router(excluded=(far,)), track=[tracker])) == [
        "vrrp_instance.tic.virtual_ipaddress_excluded",
        "vrrp_instance.tic.track",
    ]
    assert refusals(instance(router(interface="eth9"))) == ["vrrp_instance.tic.interface"]


def test_a_macvlan_that_is_yet_to_be_made_is_not_missed() -> None:
    mac = VirtualMac(name="vrrp.1", parent="eth0", mac=bytes.fromhex("00005e000101"), ipv6=False)
    on_it = PlacedAddress(address=router().advertised[0], interface="vrrp.1")

    assert refusals(instance(router(virtual_mac=mac, addresses=(on_it,)))) == []


def test_dynamic_interfaces_may_all_be_missing() -> None:
    assert refusals(instance(router(interface="eth9")), dynamic_interfaces=True) == []
