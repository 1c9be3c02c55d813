"""Adverts that are like the one before are known by their bytes; nothing that could mean something else ever is."""

import dataclasses

import pytest

from stayalived.config.virtual_routers import VirtualRouter
from stayalived.timing import after, milliseconds, seconds
from stayalived.vrrp import datagrams
from stayalived.vrrp.events import PacketsReceived
from vrrp_machine import VIP, VIP6, Machine, instance, router

DOWN = milliseconds(3_609.375)  # priority 100, adverts each second


def backup(one: VirtualRouter, times: int = 3) -> Machine:
    """A backup that has heard its master so many times."""
    machine = Machine()
    machine.start(instance(one))
    for _ in range(times):
        machine.hear_packet(like=one, priority=200)
        machine.pass_time(seconds(1))
    return machine


def member(machine: Machine) -> object:
    ((_, one),) = machine.engine._roster.members.values()
    return one


@pytest.mark.parametrize("address", [VIP, VIP6])
def test_a_known_packet_moves_the_timer_and_is_counted(address: str) -> None:
    one = router(address)
    machine = backup(one)
    assert len(member(machine).routine._known) == 1

    effects = machine.hear_packet(like=one, priority=200)

    assert effects == []
    assert machine.timer == after(machine.now, DOWN)
    assert machine.counters(one.key).adverts_received == 4


@pytest.mark.parametrize("address", [VIP, VIP6])
def test_a_known_packet_with_another_ttl_is_dropped(address: str) -> None:
    one = router(address)
    machine = backup(one)
    told = machine.datagram(like=one, priority=200)
    ends = {"source": told.source, "destination": told.destination, "ttl": 254, "data": told.data}
    before = machine.timer

    if told.family == 4:
        machine.do(PacketsReceived(interface="eth0", packets=[datagrams.ipv4_packet(**ends)]))
        assert machine.timer == before
    else:
        machine.do(dataclasses.replace(told, ttl=254))

    assert machine.counters(one.key).errors == {"ttl": 1}


def test_what_a_timer_has_done_makes_the_next_packet_new() -> None:
    """The half that has timed out alone wants to be MASTER; an advert takes that back."""
    machine = Machine()
    four, six = router(), router(VIP6)
    machine.start(instance(four, six))
    machine.hear_packet(like=four, priority=200)
    machine.hear_packet(like=six, priority=200)
    for _ in range(5):
        machine.pass_time(seconds(1))
        machine.hear_packet(like=four, priority=200)
    machine.hear_packet(like=six, priority=200)
    machine.pass_time(seconds(3.5))

    machine.hear_packet(like=six, priority=200)
    machine.pass_time(seconds(0.2))

    assert machine.state == "BACKUP"


def test_priority_zero_after_a_routine_of_adverts_shortens_the_timer() -> None:
    machine = backup(router())

    machine.hear_packet(priority=0)

    assert machine.timer == after(machine.now, milliseconds(609.375))
    machine.hear_packet(priority=0)
    machine.pass_time(milliseconds(609.375))
    assert machine.state == "MASTER"


def test_a_routine_ends_with_another_master() -> None:
    one = router()
    machine = backup(one)
    machine.hear_packet(3, like=one, priority=210)

    machine.hear_packet(2, like=one, priority=200)

    assert machine.told().routers[0].master == "192.0.2.2"


def test_what_was_routine_for_a_backup_is_an_affront_to_a_better_configuration() -> None:
    machine = backup(router())

    machine.configure(instance(router(priority=250)))
    for _ in range(5):
        machine.hear_packet(priority=200)
        machine.pass_time(seconds(1))

    assert machine.state == "MASTER"


def test_a_master_knows_no_routine() -> None:
    machine = backup(router())
    machine.pass_time(seconds(5))
    assert machine.state == "MASTER"

    machine.hear_packet(priority=200)

    assert machine.state == "BACKUP"


def test_an_advert_with_other_addresses_is_never_routine() -> None:
    one = router()
    machine = Machine()
    machine.start(instance(one))

    for _ in range(3):
        machine.hear_packet(priority=200, addresses=(bytes((192, 0, 2, 77)),))

    assert machine.counters().errors == {"addresses": 3}


def test_a_lower_advert_that_is_left_in_peace_is_never_routine() -> None:
    one = router(preempt_delay=seconds(5))
    machine = Machine()
    machine.start(instance(one))

    for _ in range(10):
        machine.hear_packet(like=one, priority=50)
        machine.pass_time(seconds(1))

    assert machine.state == "MASTER"


def test_a_router_without_preemption_takes_lower_adverts_as_routine() -> None:
    one = router(preempt=False)
    machine = Machine()
    machine.start(instance(one))

    for _ in range(10):
        machine.hear_packet(like=one, priority=50)
        machine.pass_time(seconds(1))

    assert machine.state == "BACKUP"
    assert len(member(machine).routine._known) == 1


def test_many_masters_in_turn_leave_few_packets_known() -> None:
    one = router()
    machine = Machine()
    machine.start(instance(one))

    for sender in range(2, 60):
        machine.hear_packet(sender, like=one, priority=200)
        machine.hear_packet(sender, like=one, priority=201)

    ears = machine.engine._senses._ears
    assert len(member(machine).routine._known) <= 4
    assert sum(len(ear) for ear in ears.values()) == len(member(machine).routine._known)
