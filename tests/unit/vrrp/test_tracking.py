"""What is tracked changes the priority or is a fault: keepalived's T01 to T12."""

import dataclasses

import pytest

from stayalived.child.events import Tell
from stayalived.config.virtual_routers import Tracker
from stayalived.messages.notify import Event
from stayalived.timing import Duration, after, milliseconds, seconds
from stayalived.vrrp.group import PATIENCE
from stayalived.vrrp.links import Link
from stayalived.vrrp.tracking import Standing, Tracked, effective, judge
from vrrp_machine import Machine, events, instance, interface, lines, priorities, router

CHECK = "track:answers#0"


def tracker(weight: int = 0, **changes: object) -> Tracker:
    return Tracker(**({"name": "answers", "check": CHECK, "weight": weight} | changes))


def judged(one: Tracker, **seen: object) -> Standing:
    return judge([one], {CHECK: Tracked(**seen)} if seen else {}, {})


def delta_of(standing: Standing) -> int | str:
    """What a tracker comes to: a number, or what kind of standing it is."""
    if standing.faults:
        return "FAULT"
    return "waiting" if standing.waiting else standing.delta


@pytest.mark.parametrize(
    ("weight", "reverse", "while_up", "while_down", "while_unknown"),
    [
        (20, False, 20, 0, 0),
        (-20, False, 0, -20, 0),
        (0, False, 0, "FAULT", "waiting"),
        (20, True, -20, 0, 0),
        (-20, True, 0, 20, 0),
        (0, True, "FAULT", 0, "waiting"),  # T02
    ],
)
def test_a_weight_counts_in_its_direction(
    weight: int, reverse: bool, while_up: object, while_down: object, while_unknown: object
) -> None:
    one = tracker(weight, reverse=reverse)

    found = [delta_of(judged(one, up=up)) for up in (True, False, None)]

    assert found == [while_up, while_down, while_unknown]


@pytest.mark.parametrize(
    ("weight", "reverse", "value", "comes_to"),
    [
        (1, False, 0, 0),
        (1, False, -30, -30),
        (2, False, -30, -60),
        (2, True, -30, 60),
        (1, False, -253, -253),
        (1, False, -254, "FAULT"),  # T12
        (-1, False, 254, "FAULT"),
        (1, False, 300, 300),
        (0, False, 0, 0),
        (0, False, 1, "FAULT"),
        (0, True, 0, "FAULT"),
        (0, True, 1, 0),
    ],
)
def test_a_number_is_multiplied_by_the_weight(weight: int, reverse: bool, value: int, comes_to: object) -> None:
    assert delta_of(judged(tracker(weight, reverse=reverse), up=True, value=value)) == comes_to


def test_a_check_without_a_result_may_count_as_failed() -> None:
    assert delta_of(judged(tracker(init_fail=True))) == "FAULT"
    assert delta_of(judged(tracker(-20, init_fail=True))) == -20


@pytest.mark.parametrize(
    ("base", "delta", "priority"), [(100, 20, 120), (100, -200, 1), (100, 200, 254), (255, -200, 255)]
)
def test_an_effective_priority_stays_within_bounds_and_an_owners_never_changes(
    base: int, delta: int, priority: int
) -> None:
    assert effective(base, delta) == priority


def test_several_trackers_add_up() -> None:
    up, down = Link("eth1"), Link("eth2")
    up.see(interface(name="eth1"))
    trackers = [
        tracker(-20),
        Tracker(name="eth1", interface="eth1", weight=5),
        Tracker(name="eth2", interface="eth2", weight=-7),
    ]

    assert judge(trackers, {CHECK: Tracked(up=False)}, {"eth1": up, "eth2": down}) == Standing(delta=-22)


def test_a_fault_says_what_is_wrong() -> None:
    assert judged(tracker(), up=False, reason="connect: refused").faults == ("check answers fails: connect: refused",)
    assert judged(tracker(reverse=True), up=True).faults == ("check answers passes",)
    assert judged(tracker(1), up=True, value=-254).faults == ("check answers says -254",)
    assert judge([Tracker(name="eth1", interface="eth1")], {}, {}).faults == ("interface eth1 is down",)


# ── in an instance ───────────────────────────────────────────────────────────────────────────────────────────────────


def tracking(*trackers: Tracker, up: bool | None = True, **changes: object) -> Machine:
    machine = Machine()
    machine.links["eth1"] = dataclasses.replace(interface(name="eth1"), index=3, addresses=())
    machine.check(CHECK, up=up)
    machine.start(instance(router(**changes), track=trackers))
    return machine


def test_a_failing_check_lowers_the_priority_of_a_master_with_its_next_advert() -> None:
    machine = tracking(tracker(-60), priority=150)
    machine.pass_time(seconds(12))
    assert machine.told().priority == 150

    effects = machine.check(CHECK, up=False)
    effects += machine.pass_time(seconds(1))

    assert priorities(effects) == [90]
    assert machine.told().priority == 90
    assert "(tic) effective priority 90, was 150" in lines(effects)
    [told] = [tell.message for tell in effects if isinstance(tell, Tell) and isinstance(tell.message, Event)]
    assert (told.kind, told.subject, told.new, told.priority) == ("priority", "tic", "MASTER", 90)
    assert told.reason == "was 150"
    assert machine.state == "MASTER"


def test_a_backups_timer_is_shifted_by_the_new_skew() -> None:
    machine = tracking(tracker(-60), priority=150)
    machine.hear(priority=200)
    before = machine.timer

    machine.check(CHECK, up=False)

    assert machine.timer == after(before, Duration(seconds(60) // 256))


def test_a_lowered_priority_lets_a_master_of_less_go_on() -> None:
    machine = tracking(tracker(-60), up=False, priority=150)

    for _ in range(5):
        machine.hear(priority=100)
        machine.pass_time(seconds(1))

    assert machine.state == "BACKUP"


def test_a_check_without_a_weight_that_fails_is_a_fault_and_the_peers_are_told() -> None:
    machine = tracking(tracker())
    machine.pass_time(seconds(12))

    effects = machine.check(CHECK, up=False, reason="connect: refused")

    assert machine.state == "FAULT"
    assert priorities(effects) == [0]
    assert events(effects) == ["fault"]
    assert machine.told().reason == "fault: tic: check answers fails: connect: refused"
    machine.check(CHECK, up=True)
    assert machine.state == "BACKUP"


def test_a_fault_lasts_until_its_last_cause_is_gone() -> None:
    machine = tracking(tracker(), Tracker(name="eth1", interface="eth1"))
    machine.check(CHECK, up=False)

    machine.change_link(name="eth1", up=False)

    assert machine.told().faults == ("tic: check answers fails", "tic: interface eth1 is down")
    machine.check(CHECK, up=True)
    assert (machine.state, machine.told().faults) == ("FAULT", ("tic: interface eth1 is down",))
    machine.change_link(name="eth1", up=True)
    assert (machine.state, machine.told().faults) == ("BACKUP", ())


def test_an_instance_begins_when_the_check_that_decides_has_its_first_result() -> None:
    machine = tracking(tracker(), up=None)
    machine.pass_time(seconds(5))
    assert (machine.state, machine.told().reason) == ("INIT", "check answers has no result yet")

    machine.check(CHECK, up=True)

    assert machine.state == "BACKUP"


def test_an_instance_that_waits_for_a_checker_in_vain_begins_without_and_says_so() -> None:
    machine = tracking(tracker(), up=None)

    effects = machine.pass_time(Duration(PATIENCE + milliseconds(1)))

    assert machine.state == "BACKUP"
    assert "(tic) begins after 30 s though check answers has no result yet" in lines(effects)


def test_a_weighted_check_without_a_result_lets_the_instance_begin() -> None:
    machine = tracking(tracker(-60), up=None, priority=150)

    assert (machine.state, machine.told().priority) == ("BACKUP", 150)


def test_a_tracked_interface_counts_while_it_has_a_link() -> None:
    machine = tracking(Tracker(name="eth1", interface="eth1", weight=30))
    assert machine.told().priority == 130

    machine.lose_link("eth1")

    assert machine.told().priority == 100


def test_a_check_that_is_no_longer_tracked_clears_its_fault() -> None:
    machine = tracking(tracker())
    machine.check(CHECK, up=False)
    assert machine.state == "FAULT"

    machine.configure(instance(router()))

    assert machine.state == "BACKUP"


def test_a_reload_that_adds_a_failing_check_is_a_fault_at_once() -> None:
    machine = tracking()
    machine.check(CHECK, up=False)

    machine.configure(instance(router(), track=[tracker()]))

    assert machine.state == "FAULT"


def test_a_check_that_nobody_tracks_changes_nothing() -> None:
    machine = tracking(tracker(-60))

    assert machine.check("track:other#0", up=False) == []


def test_the_base_priority_changes_under_a_tracker() -> None:
    machine = tracking(tracker(-60), up=False, priority=150)

    machine.configure(instance(router(priority=200), track=[tracker(-60)]))

    assert (machine.told().priority, machine.told().configured_priority) == (140, 200)
