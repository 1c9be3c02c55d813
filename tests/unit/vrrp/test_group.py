"""The two halves of an instance move together (keepalived's sync group, SY02), unless they are split."""

import dataclasses

from stayalived.timing import Duration, after, milliseconds, seconds
from vrrp_machine import VIP6, Machine, adverts, events, instance, interface, kinds, lines, priorities, router

FOUR = router()
SIX = router(VIP6)
DOWN = milliseconds(3_609.375)


def started(*, number: int = 1, split: bool = False) -> Machine:
    machine = Machine(number=number)
    machine.start(instance(FOUR, SIX, split=split))
    return machine


def master(*, number: int = 1, split: bool = False) -> Machine:
    machine = started(number=number, split=split)
    machine.pass_time(seconds(12))
    return machine


def test_both_halves_become_master_together_with_one_event_and_one_line() -> None:
    effects = started().pass_time(DOWN)

    assert priorities(effects) == [100, 100]
    assert events(effects) == ["master"]
    assert [line for line in lines(effects) if "MASTER" in line] == [
        "(tic) Entering MASTER STATE (no advert of a master)"
    ]


def test_a_half_that_hears_nobody_waits_for_the_other() -> None:
    machine = started()

    for _ in range(10):
        machine.pass_time(seconds(1))
        machine.hear(like=SIX, priority=200)

    assert machine.state == "BACKUP"
    assert adverts(machine.effects) == []


def test_when_the_other_half_falls_silent_too_both_go() -> None:
    machine = started()
    for _ in range(10):
        machine.pass_time(seconds(1))
        machine.hear(like=SIX, priority=200)

    machine.pass_time(Duration(DOWN - 1))
    assert machine.state == "BACKUP"
    machine.pass_time(Duration(1))

    assert machine.state == "MASTER"


def test_priority_0_in_both_families_hands_over_within_the_skew() -> None:
    machine = started()
    for half in (FOUR, SIX):
        machine.hear(like=half, priority=200)
        machine.hear(like=half, priority=0)

    machine.pass_time(milliseconds(610))

    assert machine.state == "MASTER"


def test_a_better_master_in_one_family_takes_both() -> None:
    machine = master()

    effects = machine.hear(like=SIX, priority=200)

    assert {row.state for row in machine.told().routers} == {"BACKUP"}
    assert adverts(effects) == []  # siblings sent to BACKUP send no priority 0
    assert events(effects) == ["backup"]


def test_fault_of_one_half_is_fault_of_both_and_names_the_half() -> None:
    machine = master()

    effects = machine.delete_address("fe80::1/64")

    assert {row.state for row in machine.told().routers} == {"FAULT"}
    assert "tic/6" in machine.told().reason
    assert priorities(effects) == [0]  # of the half that still can speak
    assert adverts(effects)[0].router == "tic/4"


def test_fault_ends_when_no_half_has_one() -> None:
    machine = master()
    machine.change_link(up=False)
    machine.delete_address("fe80::1/64")

    machine.change_link(up=True)
    assert machine.state == "FAULT"
    machine.change_link(addresses=interface().addresses)

    assert machine.state == "BACKUP"


def test_split_halves_are_independent() -> None:
    machine = master(split=True)

    machine.hear(like=SIX, priority=200)

    assert machine.told("tic/4").state == "MASTER"
    assert machine.told("tic/6").state == "BACKUP"


def exchange(one: Machine, other: Machine, duration: Duration) -> None:
    """Let two machines hear each other for a while, at once and without loss."""
    end = after(one.now, duration)
    while True:
        deadlines = [each.engine.deadline for each in (one, other) if each.engine.deadline is not None]
        moment = max(one.now, min(deadlines))
        if moment > end:
            break
        sent = []
        for each in (one, other):
            each.now = moment
            sent += [(each, advert) for advert in adverts(each.wake())]
        for sender, advert in sent:
            receiver = other if sender is one else one
            half = FOUR if advert.router == "tic/4" else SIX
            datagram = receiver.datagram(like=half)
            receiver.do(dataclasses.replace(datagram, source=advert.source, data=advert.data))


def test_equals_with_crossed_addresses_settle_on_one_master() -> None:
    """One has the higher IPv4 address, the other the higher IPv6 address: the leading half decides."""
    one = Machine(number=1)
    link = interface(1)
    crossed = (link.addresses[0], interface(9).addresses[1])
    one.links = {"eth0": dataclasses.replace(link, addresses=crossed)}
    other = Machine(number=2)
    for machine in (one, other):
        machine.start(instance(FOUR, SIX))
        machine.pass_time(seconds(4))
        assert machine.state == "MASTER"

    exchange(one, other, seconds(30))

    assert (one.state, other.state) == ("BACKUP", "MASTER")
    assert events(other.effects).count("master") == 1


def test_crossed_equals_settle_too_when_each_hears_first_what_it_loses() -> None:
    """Sockets are read in any order: the half that loses may be heard before the leading one has won."""
    higher = master(number=2)
    higher.hear(sender=9, like=SIX, priority=100)
    assert higher.state == "MASTER"
    higher.hear(sender=1, like=FOUR, priority=100)
    higher.pass_time(seconds(1))

    higher.hear(sender=9, like=SIX, priority=100)

    assert higher.state == "MASTER"


def test_a_tie_lost_where_the_leading_half_is_not_contested_is_lost_after_its_interval() -> None:
    machine = master(number=1)

    machine.hear(sender=9, like=SIX, priority=100)
    machine.pass_time(Duration(seconds(1) - 1))
    machine.hear(sender=9, like=SIX, priority=100)
    assert machine.state == "MASTER"
    machine.pass_time(Duration(1))
    machine.hear(sender=9, like=SIX, priority=100)

    assert machine.state == "BACKUP"


def test_a_tie_of_long_ago_is_none_of_now() -> None:
    machine = master(number=1)

    machine.hear(sender=9, like=SIX, priority=100)
    machine.pass_time(seconds(60))
    machine.hear(sender=9, like=SIX, priority=100)

    assert machine.state == "MASTER"


def test_losing_the_interface_removes_nothing_from_where_nothing_is() -> None:
    assert kinds(master().lose_link()) == []
