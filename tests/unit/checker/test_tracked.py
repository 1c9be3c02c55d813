"""Checks that instances track, and those whose period counts from their start."""

import logging
from itertools import pairwise

import pytest

from checker_kit import LATENCY, PASSED, PERIOD, REFUSED, START, Driver, check
from stayalived.checker.probes import LocalFault, ProbeEnded
from stayalived.checker.schedule import SLOT
from stayalived.checker.verdict import NOT_CHECKED_YET
from stayalived.child.events import Received
from stayalived.config.model import Check
from stayalived.messages.control import Start
from stayalived.messages.services import CheckState, TrackState
from stayalived.plugin import Duration, Verdict, seconds
from stayalived.timing import Instant, after, elapsed

KEY = "track:answers#0"
SERVER = "web/one#0"


@pytest.fixture
def driver() -> Driver:
    return Driver()


def tracked(**changes: object) -> Check:
    return check("track:answers", **{"retry": 0, **changes})


def measured(value: int) -> Verdict:
    return Verdict(up=True, step="value", seen=str(value), value=value)


# ----------------------------------------------------------------------------------------------------- what is told


def test_the_state_of_a_tracked_check_is_a_topic_of_its_own(driver: Driver) -> None:
    driver.commit(tracked(), check())

    driver.round(PASSED)

    assert {key: type(state) for key, state in driver.states.items()} == {KEY: TrackState, SERVER: CheckState}


def test_it_is_told_before_its_first_result_and_those_of_servers_are_not(driver: Driver) -> None:
    driver.commit(tracked(), check())

    assert [(state.subject, state.up, state.reason) for state in driver.told] == [
        ("track:answers", None, NOT_CHECKED_YET)
    ]


@pytest.mark.parametrize(("result", "up"), [(PASSED, True), (REFUSED, False)])
def test_the_first_result_decides_whatever_rise_and_fall(driver: Driver, result: Verdict, up: bool) -> None:
    driver.commit(tracked(rise=3, fall=3))

    driver.round(result)

    assert driver.up(KEY) is up


def test_each_new_value_is_told_even_where_the_check_weighs_nothing(driver: Driver) -> None:
    driver.commit(tracked(weight=0))

    for value in (5, 7, 7, 0):
        driver.round(measured(value))

    assert [(state.up, state.value) for state in driver.told] == [(None, None), (False, 5), (False, 7), (True, 0)]


def test_what_is_in_the_way_of_a_first_result_is_shown_and_changes_no_verdict(driver: Driver) -> None:
    driver.commit(tracked())

    driver.round(LocalFault(text="/srv has mode 0777"))
    assert (driver.up(KEY), driver.states[KEY].reason) == (None, f"{NOT_CHECKED_YET}: /srv has mode 0777")
    told = len(driver.told)
    driver.round(LocalFault(text="/srv has mode 0777"))
    assert len(driver.told) == told

    driver.round(PASSED)
    driver.round(LocalFault(text="/srv has mode 0777"))
    assert (driver.up(KEY), driver.states[KEY].reason) == (True, "connect")
    (line,) = driver.lines(logging.ERROR)
    assert line == (
        "Checks of stayalived cannot be made on this machine: /srv has mode 0777; no verdict changes; "
        "seen at track:answers, 192.0.2.1:80"
    )


# ---------------------------------------------------------------------------------------------------- reload, restart


def test_a_reload_keeps_the_result_where_the_probe_is_the_same(driver: Driver) -> None:
    driver.commit(tracked(rise=1))
    driver.round(REFUSED)
    told = len(driver.told)

    driver.commit(tracked(rise=3, delay_loop=seconds(9)), start=Start.RELOAD)

    assert (driver.abandoned, len(driver.told)) == ([], told)
    driver.round(PASSED)
    assert driver.up(KEY) is False, "one of three"


def test_a_reload_with_another_question_starts_anew_under_the_same_key(driver: Driver) -> None:
    driver.commit(tracked())
    driver.round(PASSED)

    driver.commit(tracked(options=b"\x81\xa1x\x01"), start=Start.RELOAD)

    assert driver.abandoned == [1]
    assert driver.states[KEY].up is None
    driver.round(PASSED)
    assert driver.up(KEY) is True


def test_another_time_limit_is_the_same_question(driver: Driver) -> None:
    """The limit of a script follows its period: to change that must not cost the result (T18)."""
    driver.commit(tracked(limit=seconds(11)))
    driver.round(REFUSED)

    driver.commit(tracked(limit=seconds(15), delay_loop=seconds(5)), start=Start.RELOAD)

    assert (driver.abandoned, driver.up(KEY), driver.forgotten) == ([1], False, [])
    driver.round(PASSED)
    assert driver.up(KEY) is False, "too soon after the last result"
    driver.round(PASSED)
    assert driver.up(KEY) is True


def test_two_time_limits_are_two_probes(driver: Driver) -> None:
    driver.commit(tracked(limit=seconds(11)), check("track:again", limit=seconds(15)))

    driver.pass_time(seconds(1))

    assert [probe.identity.limit for probe in driver.running.values()] == [seconds(11), seconds(15)]


def test_a_removed_check_is_forgotten(driver: Driver) -> None:
    driver.commit(tracked(), check())
    driver.round(REFUSED)

    driver.commit(check(), start=Start.RELOAD)

    assert driver.forgotten == [KEY]


def test_a_replaced_process_goes_on_with_what_was_told_and_forgets_what_is_gone(driver: Driver) -> None:
    values = {"number": 0, "check": "x", "weight": 0, "reason": "", "latency": 5, "since": 42, "stale": False}
    for subject, up in (("track:answers", False), ("track:old", True)):
        state = TrackState(subject=subject, up=up, **values)  # type: ignore[arg-type]  # as above
        driver.send(Received(topic="vrrp.track", key=f"{subject}#0", sender="checker", message=state))

    driver.commit(tracked(rise=2), start=Start.RESPAWNED)

    assert (driver.told, driver.forgotten) == ([], ["track:old#0"])
    driver.round(PASSED)
    assert driver.up(KEY) is False, "DOWN still: it takes two"


# ----------------------------------------------------------------------------------------------- periods from a start


def start_next(driver: Driver) -> Instant:
    """Wait until a probe starts, and return when it does."""
    while not driver.running:
        assert driver.engine.deadline is not None
        driver.wake_until(driver.engine.deadline)
    return driver.now


def test_a_period_from_the_start_does_not_grow_by_the_length_of_the_run(driver: Driver) -> None:
    driver.commit(tracked(from_start=True))
    starts = []
    for _ in range(4):
        starts.append(start_next(driver))
        driver.pass_time(seconds(2))
        driver.end(PASSED)

    assert [elapsed(*pair) for pair in pairwise(starts)] == [PERIOD] * 3


def test_each_run_counts_though_the_one_before_was_longer(driver: Driver) -> None:
    driver.commit(tracked(from_start=True))
    driver.pass_time(SLOT)
    driver.pass_time(seconds(4))
    driver.end(PASSED)

    driver.round(REFUSED)

    assert driver.up(KEY) is False, "only a second after the last result, but a period after the last start"


@pytest.mark.parametrize(("length", "periods"), [(4.9, 1), (5, 1), (5.1, 2), (12, 3)])
def test_a_run_that_is_still_there_when_the_next_is_due_is_left_to_run(
    driver: Driver, length: float, periods: int
) -> None:
    driver.commit(tracked(from_start=True))
    started = start_next(driver)
    driver.pass_time(seconds(length))
    assert list(driver.running) == [1]

    driver.end(PASSED, latency=Duration(0))

    assert elapsed(started, start_next(driver)) == periods * PERIOD


def test_the_others_count_from_their_end_as_ever(driver: Driver) -> None:
    driver.commit(tracked())
    driver.pass_time(SLOT)
    driver.pass_time(seconds(2))
    driver.end(PASSED)

    assert driver.round(PASSED) >= PERIOD


def test_a_late_subscriber_of_a_running_probe_counts_from_its_start_too(driver: Driver) -> None:
    driver.commit(tracked(from_start=True))
    driver.pass_time(SLOT)
    driver.send(ProbeEnded(probe=1, outcome=PASSED, latency=LATENCY))
    driver.running.clear()

    driver.commit(tracked(from_start=True), check("track:again", from_start=True, retry=0), start=Start.RELOAD)

    assert driver.up("track:again#0") is True
    assert driver.round(REFUSED) <= PERIOD + SLOT
    assert (driver.up(KEY), driver.up("track:again#0")) == (False, False)
    assert driver.now <= after(START, Duration(PERIOD + 10 * SLOT))
