"""One virtual router: RFC 9568 6.4, RFC 3768 6.4, and what keepalived adds."""

import dataclasses

import pytest

from stayalived.addresses import Family
from stayalived.kernel.api import Change, Verb
from stayalived.timing import NO_TIME, Duration, Instant, after, elapsed, milliseconds, seconds
from stayalived.vrrp.effects import ApplyChanges, Listen, SendAdverts
from stayalived.vrrp.events import EffectFailed, InterfaceChanged, SocketOverflowed, Suspended
from vrrp_machine import (
    VIP,
    VIP6,
    Machine,
    added,
    adverts,
    announcements,
    events,
    instance,
    interface,
    kinds,
    lines,
    priorities,
    removed,
    router,
)

DOWN = milliseconds(3_609.375)  # priority 100, adverts each second


def backup(**changes: object) -> Machine:
    machine = Machine()
    machine.start(instance(router(**changes)))
    assert machine.state == "BACKUP"
    return machine


def master(**changes: object) -> Machine:
    machine = backup(**changes)
    machine.pass_time(seconds(12))
    assert machine.state == "MASTER"
    return machine


# ── 6.4.1 Initialize ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_router_starts_as_backup_and_listens() -> None:
    machine = Machine()

    effects = machine.start(instance(router()))

    assert effects[0] == Listen(interface="eth0", index=2, family=Family.IPV4, address="224.0.0.18")
    assert machine.state == "BACKUP"
    assert "(tic) Entering BACKUP STATE (started)" in lines(effects)
    assert events(effects) == ["backup"]
    assert machine.timer == after(machine.now, DOWN)


def test_an_owner_is_master_at_once() -> None:
    machine = Machine()

    effects = machine.start(instance(router(priority=255)))

    assert machine.state == "MASTER"
    assert priorities(effects) == [255]


def test_leftovers_are_removed_before_the_first_packet() -> None:
    left = interface()
    address = router().advertised[0]
    machine = Machine(links={"eth0": dataclasses.replace(left, addresses=(*left.addresses, address))})

    machine.start(instance(router()))
    machine.pass_time(DOWN)

    removal, advert = (
        next(place for place, effect in enumerate(machine.effects) if isinstance(effect, kind))
        for kind in (ApplyChanges, SendAdverts)
    )
    assert removal < advert
    assert removed([machine.effects[removal]]) == [str(address)]


def test_without_leftovers_nothing_is_removed() -> None:
    assert "Remove" not in kinds(backup().effects)


# ── 6.4.2 Backup ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_silence_for_the_master_down_interval_makes_a_master() -> None:
    machine = backup()

    before = machine.pass_time(Duration(DOWN - 1))
    effects = machine.pass_time(Duration(1))

    assert adverts(before) == []
    assert priorities(effects) == [100]
    assert machine.state == "MASTER"
    assert machine.holds()
    assert events(effects) == ["master"]
    assert "(tic) Entering MASTER STATE (no advert of a master)" in lines(effects)


def test_a_takeover_speaks_first_then_adds_addresses_then_announces_them() -> None:
    effects = backup().pass_time(DOWN)

    assert kinds(effects) == ["SendAdverts", "Add", "SendGratuitousArp"]


@pytest.mark.parametrize("priority", [100, 200, 255])
def test_an_advert_of_at_least_our_priority_resets_the_timer(priority: int) -> None:
    machine = backup()
    machine.pass_time(seconds(3))

    machine.hear(priority=priority)

    assert machine.timer == after(machine.now, DOWN)


def test_a_lower_advert_is_dropped_and_the_timer_runs_on() -> None:
    machine = backup()
    machine.pass_time(seconds(3))

    machine.hear(priority=99)

    assert machine.pass_time(seconds(0.7)) != []
    assert machine.state == "MASTER"


def test_without_preemption_a_lower_master_is_left_in_peace() -> None:
    machine = backup(preempt=False)

    for _ in range(10):
        machine.pass_time(seconds(1))
        machine.hear(priority=1)

    assert machine.state == "BACKUP"


def test_preempt_delay_leaves_a_lower_master_in_peace_for_a_while() -> None:
    machine = backup(preempt_delay=seconds(10))
    began = machine.now

    while machine.state == "BACKUP":
        machine.hear(priority=99)
        machine.pass_time(milliseconds(100))

    assert elapsed(began, machine.now) == pytest.approx(seconds(10) + DOWN, abs=milliseconds(200))


def test_preempt_delay_begins_anew_after_a_better_advert() -> None:
    machine = backup(preempt_delay=seconds(4))
    machine.hear(priority=99)
    machine.pass_time(seconds(3))

    machine.hear(priority=200)
    for _ in range(4):
        machine.pass_time(seconds(1))
        machine.hear(priority=99)
    machine.pass_time(seconds(3))

    assert machine.state == "BACKUP"


def test_preempt_delay_does_not_keep_anybody_from_an_orphaned_address() -> None:
    machine = backup(preempt_delay=seconds(100))
    machine.hear(priority=99)

    machine.pass_time(DOWN)

    assert machine.state == "MASTER"


def test_priority_0_leaves_only_the_skew() -> None:
    machine = backup()
    machine.hear(priority=200)

    machine.hear(priority=0)

    assert machine.timer == after(machine.now, milliseconds(609.375))
    assert machine.counters().priority_zero_received == 1


def test_version_3_learns_the_interval_of_the_master_and_forgets_it_as_master() -> None:
    machine = backup()

    machine.hear(priority=200, interval=milliseconds(100))

    assert machine.told().routers[0].master_interval == milliseconds(100)
    assert machine.timer == after(machine.now, milliseconds(360.9375))
    machine.pass_time(seconds(1))
    assert machine.told().routers[0].master_interval == seconds(1)


def test_the_master_that_is_heard_is_told() -> None:
    machine = backup()

    machine.hear(sender=7, priority=200)

    assert machine.told().routers[0].master == "192.0.2.7"


def test_an_advert_counts_from_when_it_was_received_not_from_when_it_was_read() -> None:
    machine = backup()
    machine.pass_time(seconds(2))
    received = Instant(machine.now - seconds(1))

    machine.do(machine.datagram(priority=200, at=received))

    assert machine.timer == after(received, DOWN)


# ── 6.4.3 Active ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_master_advertises_each_interval_without_drift() -> None:
    machine = backup()
    machine.pass_time(DOWN)
    began = machine.now

    machine.now = after(machine.now, milliseconds(1_020))  # woken late
    machine.wake()
    machine.pass_time(seconds(4))

    assert machine.slots[0] == after(began, seconds(5))


def test_a_higher_advert_ends_mastership_without_a_word() -> None:
    machine = master()

    effects = machine.hear(priority=101)

    assert adverts(effects) == []
    assert kinds(effects) == ["Remove"]
    assert machine.state == "BACKUP"
    assert not machine.holds()
    assert machine.engine.deadline is not None
    assert events(effects) == ["backup"]


def test_after_a_higher_advert_the_timer_is_that_of_the_new_master() -> None:
    machine = master()

    machine.hear(priority=200, interval=seconds(2))

    assert machine.told().routers[0].master == "192.0.2.2"
    machine.pass_time(seconds(7.2))
    assert machine.state == "BACKUP"
    machine.pass_time(seconds(0.1))
    assert machine.state == "MASTER"


@pytest.mark.parametrize(("ours", "theirs", "expected"), [(9, 10, "BACKUP"), (10, 9, "MASTER"), (9, 200, "BACKUP")])
def test_of_equals_the_higher_address_stays_as_numbers_not_as_text(ours: int, theirs: int, expected: str) -> None:
    machine = Machine(number=ours)
    machine.start(instance(router()))
    machine.pass_time(DOWN)

    machine.hear(sender=theirs, priority=100)

    assert machine.state == expected


def test_a_lower_advert_is_answered_with_an_advert_and_announcements() -> None:
    machine = master()

    heard = machine.hear(priority=50)
    effects = machine.wake()

    assert events(heard) == ["lower_priority"]
    assert priorities(effects) == [100]
    assert announcements(effects) == ["192.0.2.100"] * 5


def test_an_answer_is_sent_only_after_all_that_has_come_in_is_read() -> None:
    machine = master()

    machine.hear(priority=50)
    machine.hear(sender=3, priority=200)
    effects = machine.wake()

    assert adverts(effects) == []
    assert machine.state == "BACKUP"


def test_a_flood_of_lower_adverts_is_not_answered_with_a_flood() -> None:
    machine = master()
    answers = 0

    for _ in range(1_000):
        machine.hear(priority=50)
        answers += len(adverts(machine.pass_time(milliseconds(1))))

    assert answers <= 11


def test_priority_0_is_answered_with_an_advert() -> None:
    machine = master()

    machine.hear(priority=0)

    assert priorities(machine.wake()) == [100]
    assert machine.state == "MASTER"


def test_stop_says_priority_0_then_removes_the_addresses_then_finishes() -> None:
    machine = master()

    effects = machine.stop()

    assert priorities(effects) == [0]
    assert kinds(effects) == ["SendAdverts", "Remove", "Unlisten", "Finished"]
    assert events(effects) == ["stop"]
    assert not machine.holds()
    assert machine.engine.deadline is None


def test_stop_as_backup_says_nothing_on_the_wire() -> None:
    assert kinds(backup().stop()) == ["Unlisten", "Finished"]


# ── faults ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_dead_link_is_a_fault_and_nothing_is_sent_on_it() -> None:
    machine = master()

    effects = machine.change_link(up=False)

    assert machine.state == "FAULT"
    assert adverts(effects) == []
    assert not machine.holds()
    assert events(effects) == ["fault"]
    assert "(tic) Entering FAULT STATE (fault: tic/4: interface eth0 is down)" in lines(effects)


def test_a_link_that_comes_back_means_backup_with_a_fresh_timer() -> None:
    machine = master()
    machine.change_link(up=False)
    machine.pass_time(seconds(60))

    effects = machine.change_link(up=True)

    assert events(effects) == ["backup"]
    assert adverts(machine.pass_time(Duration(DOWN - 1))) == []
    assert machine.state == "BACKUP"


def test_an_interface_that_vanishes_is_a_fault_without_an_attempt_to_remove() -> None:
    machine = master()

    effects = machine.lose_link()

    assert machine.state == "FAULT"
    assert kinds(effects) == []


def test_what_was_put_on_an_interface_is_taken_off_it_under_its_new_name() -> None:
    machine = master()
    renamed = dataclasses.replace(machine.links["eth0"], name="lan0")
    machine.lose_link()

    effects = machine.do(InterfaceChanged(interface=renamed))

    (asked,) = [effect for effect in effects if isinstance(effect, ApplyChanges)]
    assert asked.changes == (Change(verb=Verb.REMOVE, item=router().addresses[0], index=renamed.index),)
    assert machine.state == "FAULT"


def test_an_interface_that_comes_in_the_place_of_one_that_is_gone_is_left_alone() -> None:
    machine = master()
    machine.lose_link()

    effects = machine.do(InterfaceChanged(interface=interface(name="lan0", index=7)))

    assert kinds(effects) == []


def test_an_interface_that_comes_later_is_listened_on_and_used() -> None:
    machine = Machine()
    machine.links = {"lo": interface(name="lo", index=1)}
    machine.start(instance(router()), dynamic_interfaces=True)
    assert machine.state == "FAULT"
    assert "does not exist" in machine.told().reason

    machine.links["eth0"] = interface()
    effects = machine.change_link(name="eth0")

    assert kinds(effects) == ["Listen"]
    assert machine.state == "BACKUP"


def test_an_interface_made_anew_under_its_name_is_another_one() -> None:
    machine = master()

    effects = machine.change_link(index=9, addresses=interface().addresses)

    assert events(effects) == ["fault", "backup"]
    assert [effect.index for effect in effects if isinstance(effect, Listen)] == [9]


def test_ipv6_without_a_link_local_address_is_a_fault() -> None:
    machine = Machine()
    machine.start(instance(router(VIP6)))
    assert machine.state == "BACKUP"

    machine.delete_address("fe80::1/64")

    assert machine.state == "FAULT"
    assert "tic/6: interface eth0 has no IPv6 link-local address" in machine.told().reason


def test_who_cannot_listen_must_not_lead_and_tries_again() -> None:
    machine = backup()
    listen = Listen(interface="eth0", index=2, family=Family.IPV4, address="224.0.0.18")

    machine.do(EffectFailed(effect=listen, problem="cannot join 224.0.0.18 on eth0: No buffer space available"))
    assert machine.state == "FAULT"
    effects = machine.pass_time(seconds(1))

    assert kinds(effects) == ["Listen"]
    assert machine.state == "BACKUP"


def test_adverts_in_fault_are_not_acted_on() -> None:
    machine = backup()
    machine.change_link(up=False)

    machine.hear(priority=0)

    assert machine.state == "FAULT"
    assert machine.counters().adverts_received == 1


# ── addresses ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_an_address_deleted_now_and_then_is_put_back_for_ever() -> None:
    machine = master()

    for _ in range(20):
        machine.delete_address()
        machine.pass_time(seconds(3))

    assert machine.state == "MASTER"
    assert machine.holds()


def test_late_news_of_our_own_removal_repairs_nothing() -> None:
    machine = master()
    machine.answers = False
    with_address = machine.links["eth0"]
    machine.hear(priority=200)
    machine.hear(priority=0)
    machine.pass_time(seconds(0.7))
    assert machine.state == "MASTER"

    without = tuple(a for a in with_address.addresses if str(a) != VIP)
    effects = machine.change_link(addresses=without)

    assert kinds(effects) == []


def test_what_the_kernel_refuses_is_asked_for_again_and_reported_once() -> None:
    machine = backup()
    machine.refusal = "cannot add: No such device"
    effects = machine.pass_time(DOWN)

    for _ in range(3):
        assert added(effects) == [VIP]
        effects = machine.pass_time(seconds(1))
    assert not machine.told().routers[0].held
    machine.refusal = ""
    machine.pass_time(seconds(1))

    assert machine.told().routers[0].held
    assert len({line for line in lines(machine.effects) if "No such device" in line}) == 1


def test_held_is_told_when_the_kernel_has_the_addresses() -> None:
    machine = master()
    assert machine.told().routers[0].held

    machine.hear(priority=200)

    assert not machine.told().routers[0].held


# ── what is counted ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_bad_adverts_are_counted_by_kind_and_do_nothing() -> None:
    machine = backup()
    before = machine.engine.deadline

    for changes in ({"ttl": 254}, {"data": b"\x31\x01"}, {"source": "192.0.2.66"}):
        machine.do(dataclasses.replace(machine.datagram(priority=200), **changes))
    machine.do(machine.datagram(priority=200, like=router(group="224.0.0.99")))

    assert machine.engine.deadline is not None
    assert before is not None
    machine.do(dataclasses.replace(machine.datagram(priority=200), source="192.0.2.1"))
    assert machine.counters().errors == {"ttl": 1, "length": 1, "checksum": 1, "destination": 1, "own": 1}
    assert machine.told().routers[0].master == ""


def test_an_error_is_reported_once_per_kind() -> None:
    machine = backup()
    bad = dataclasses.replace(machine.datagram(priority=200), ttl=1)

    reports = [effect for _ in range(3) for effect in machine.do(bad)]

    assert {report.once for report in reports} == {"tic/4 ttl"}
    assert "dropped an advert of 192.0.2.2: ttl" in reports[0].text


def test_another_list_of_addresses_is_counted_but_the_advert_counts_too() -> None:
    machine = backup()

    machine.hear(priority=200, addresses=(bytes(4),))

    assert machine.told().routers[0].master == "192.0.2.2"
    assert machine.counters().errors == {"addresses": 1}


def test_version_2_drops_another_interval() -> None:
    machine = backup(version=2)

    machine.hear(like=router(version=2), priority=200, interval=seconds(2))

    assert machine.counters().errors == {"interval": 1}


def test_adverts_of_unknown_routers_are_counted_for_the_interface() -> None:
    machine = backup()

    machine.hear(virtual_router_id=42)

    assert machine.counters("eth0").errors == {"unknown_vrid_42": 1}


def test_counters_are_told_once_a_second_at_most() -> None:
    machine = backup()
    effects = []

    for _ in range(100):
        machine.hear(priority=200)
        effects += machine.pass_time(milliseconds(100))

    told = [effect for effect in effects if getattr(effect, "key", "") == "tic/4"]
    assert 9 <= len(told) <= 11


def test_a_send_that_failed_is_counted_and_reported() -> None:
    machine = master()

    effects = machine.do(EffectFailed(effect=machine.last(SendAdverts), problem="eth0: Network is unreachable"))

    assert lines(effects) == ["eth0: Network is unreachable"]
    assert machine.counters().errors == {"send": 1}
    assert machine.state == "MASTER"


# ── standing still ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_master_that_stood_still_and_heard_nobody_speaks_and_announces_at_once() -> None:
    machine = master()
    machine.now = after(machine.now, seconds(30))

    effects = machine.wake()

    assert priorities(effects) == [100]
    assert announcements(effects) == ["192.0.2.100"] * 5
    assert machine.state == "MASTER"
    assert adverts(machine.wake()) == []


def test_a_master_that_stood_still_and_was_replaced_by_a_better_one_yields() -> None:
    machine = master()
    machine.now = after(machine.now, seconds(30))

    machine.do(machine.datagram(priority=200, at=Instant(machine.now - seconds(1))))

    assert adverts(machine.wake()) == []
    assert machine.state == "BACKUP"


def test_a_master_that_stood_still_and_lost_packets_yields() -> None:
    machine = master()
    machine.now = after(machine.now, seconds(30))

    machine.do(SocketOverflowed(interface="eth0", family=Family.IPV4, lost=3))

    assert adverts(machine.wake()) == []
    assert machine.state == "BACKUP"
    assert machine.counters().errors == {"overflow": 3}


def test_a_backup_that_stood_still_and_lost_packets_waits_afresh() -> None:
    machine = backup()
    machine.now = after(machine.now, seconds(30))

    machine.do(SocketOverflowed(interface="eth0", family=Family.IPV4, lost=3))

    assert machine.engine.deadline is not None
    machine.pass_time(Duration(DOWN - 1))
    assert machine.state == "BACKUP"


@pytest.mark.parametrize(("slept", "expected"), [(seconds(1), "MASTER"), (seconds(3600), "BACKUP")])
def test_a_master_that_slept_yields_unless_it_was_a_nap(slept: Duration, expected: str) -> None:
    machine = master()

    effects = machine.do(Suspended(slept=slept))

    assert adverts(effects) == []
    assert machine.state == expected


def test_a_backup_that_slept_waits_afresh() -> None:
    machine = backup()
    machine.pass_time(seconds(3.6))

    machine.do(Suspended(slept=seconds(3600)))

    assert machine.timer == after(machine.now, DOWN)


def test_lost_packets_alone_change_nothing() -> None:
    machine = master()

    machine.do(SocketOverflowed(interface="eth0", family=Family.IPV4, lost=3))

    assert machine.state == "MASTER"


# ── announcements ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_five_announcements_at_once_and_five_after_five_seconds() -> None:
    machine = backup(text=f"{VIP} 192.0.2.101/24")

    first = announcements(machine.pass_time(after(Instant(0), DOWN)))
    between = announcements(machine.pass_time(seconds(4.9)))
    second = announcements(machine.pass_time(seconds(0.2)))
    later = announcements(machine.pass_time(seconds(60)))

    assert first == second == ["192.0.2.100", "192.0.2.101"] * 5
    assert between == later == []


def test_announcements_are_repeated_when_asked_for() -> None:
    machine = backup(garp_master_refresh=seconds(10), garp_master_refresh_repeat=2)
    machine.pass_time(seconds(10))

    assert announcements(machine.pass_time(seconds(30))) == ["192.0.2.100"] * 6


def test_no_second_block_when_the_delay_is_0() -> None:
    machine = backup(garp_master_delay=NO_TIME)

    assert announcements(machine.pass_time(seconds(60))) == ["192.0.2.100"] * 5


def test_who_is_no_longer_master_announces_nothing_more() -> None:
    machine = backup()
    machine.pass_time(DOWN)

    machine.hear(priority=200)

    assert announcements(machine.pass_time(seconds(3))) == []


def test_an_interface_without_arp_announces_nothing() -> None:
    machine = Machine(links={"eth0": dataclasses.replace(interface(), arp=False)})
    machine.start(instance(router()))

    assert announcements(machine.pass_time(seconds(20))) == []
    assert machine.state == "MASTER"


def test_another_hardware_address_is_announced() -> None:
    machine = master()

    machine.change_link(mac=bytes.fromhex("020000000099"))

    sent = machine.wake()
    assert {effect.mac.hex() for effect in sent if hasattr(effect, "mac")} == {"020000000099"}
