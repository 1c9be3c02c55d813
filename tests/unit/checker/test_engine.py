import logging
from collections import Counter

import pytest

from checker_kit import LATENCY, PASSED, PERIOD, REFUSED, START, Driver, check, configuration
from stayalived.checker.engine import LOCAL_RETRY, MOST_STARTS, REFRESH
from stayalived.checker.faults import TELL_AGAIN
from stayalived.checker.probes import LocalFault, PluginFault, ProbeEnded
from stayalived.checker.schedule import SLOT
from stayalived.child.events import Abort, AnswerPrepared, Commit, Finished, Prepare, Received, Stop
from stayalived.config.model import Check
from stayalived.errors import Bug
from stayalived.messages.control import Start
from stayalived.messages.notify import Event
from stayalived.messages.services import CheckState
from stayalived.timing import Duration, after, elapsed, milliseconds, seconds


@pytest.fixture
def driver() -> Driver:
    return Driver()


def state(up: bool | None, **changes: object) -> CheckState:
    values: dict[str, object] = {
        "subject": "web/one", "number": 0, "check": "tcp", "up": up, "weight": 0, "reason": "as it was",
        "latency": 5, "since": 42, "stale": False,
    }  # fmt: skip
    return CheckState(**(values | changes))  # type: ignore[arg-type]  # the tests' own values


# --------------------------------------------------------------------------------------------------- configuration


def test_prepare_changes_nothing_and_abort_forgets_it(driver: Driver) -> None:
    assert driver.send(Prepare(generation=7, configuration=configuration(check()))) == [AnswerPrepared(generation=7)]
    assert driver.engine.deadline is None
    assert driver.send(Abort(generation=7)) == []
    with pytest.raises(Bug, match="generation 7"):
        driver.send(Commit(generation=7, start=Start.FIRST))


def test_the_first_result_comes_at_once_and_decides(driver: Driver) -> None:
    driver.commit(check())
    assert driver.up() is None
    assert driver.round(PASSED) <= SLOT + LATENCY
    assert driver.up() is True


def test_a_first_success_is_no_news_for_the_log_but_a_failure_is(driver: Driver) -> None:
    driver.commit(check(), check("web/two", target="192.0.2.2:80"))
    driver.wake_until(after(driver.now, seconds(1)))
    driver.end(PASSED, 1)
    driver.end(REFUSED, 2)
    assert driver.lines(logging.WARNING) == ["Check tcp of web/two at 192.0.2.2:80 failed: connect: refused"]


def test_a_start_is_paced_and_the_first_comes_at_once(driver: Driver) -> None:
    checks = [check(f"web/{number}", target=f"10.0.{number // 250}.{number % 250}:80") for number in range(1000)]
    driver.commit(*checks, start_rate=1000)
    driver.pass_time(milliseconds(100))
    assert 100 <= len(driver.running) <= 101
    driver.pass_time(milliseconds(900))
    assert len(driver.running) == 1000


def test_warmup_spreads_the_second_results(driver: Driver) -> None:
    checks = [check(f"web/{number}", target=f"10.0.0.{number}:80", warmup=PERIOD) for number in range(200)]
    driver.commit(*checks, start_rate=0)
    driver.wake_until(after(driver.now, seconds(0)))
    for probe in list(driver.running):
        driver.end(PASSED, probe, Duration(0))
    tenths = Counter()
    for tenth in range(10):
        driver.pass_time(Duration(PERIOD // 10))
        tenths[tenth] = len(driver.running) - tenths.total()
    assert tenths.total() >= 195
    assert min(tenths.values()) >= 8


def test_without_alpha_it_is_told_up_before_any_result_and_one_failure_ends_that(driver: Driver) -> None:
    driver.commit(check(alpha=False, retry=3))
    assert driver.up() is True
    driver.round(REFUSED)
    assert driver.up() is False


def test_the_period_is_measured_from_the_end_of_a_probe(driver: Driver) -> None:
    driver.commit(check())
    driver.round(PASSED)
    assert PERIOD <= driver.round(PASSED) <= PERIOD + SLOT


def test_only_up_to_down_is_retried(driver: Driver) -> None:
    driver.commit(check(retry=1, delay_before_retry=seconds(1)))
    driver.round(PASSED)
    driver.round(REFUSED)
    assert driver.up() is True
    assert driver.round(REFUSED) <= seconds(1) + SLOT
    assert driver.up() is False
    assert driver.round(REFUSED) >= PERIOD
    assert driver.lines(logging.WARNING) == [
        "Check tcp of web/one at 192.0.2.1:80 failed after 1 retry: connect: refused"
    ]


def test_one_success_brings_it_back_and_the_log_says_so(driver: Driver) -> None:
    driver.commit(check())
    driver.round(REFUSED)
    driver.round(PASSED)
    assert driver.up() is True
    assert driver.lines(logging.INFO)[-1] == "Check tcp of web/one at 192.0.2.1:80 succeeded: connect"


def test_what_the_log_says_is_also_there_in_fields(driver: Driver) -> None:
    driver.commit(check())
    driver.round(REFUSED)
    expected = {
        "subject": "web/one",
        "check": "tcp",
        "step": "connect",
        "seen": "refused",
        "expected": "",
        "state": "DOWN",
    }
    assert driver.reports[-1].fields == expected


# ------------------------------------------------------------------------------------------------- shared probes


def test_equal_checks_are_one_probe_whose_result_all_of_them_get(driver: Driver) -> None:
    driver.commit(check("web/one"), check("mail/one"), check("track:gateway", retry=9))
    driver.wake_until(after(driver.now, seconds(1)))
    assert len(driver.running) == 1
    driver.end(REFUSED)
    assert {"web/one#0": False, "mail/one#0": False, "track:gateway#0": False} == {
        key: told.up for key, told in driver.states.items()
    }


@pytest.mark.parametrize(
    "other",
    [
        check("web/two", target="192.0.2.1:81"),
        check("web/two", options=b"\x81"),
        check("web/two", virtual_host="example.org"),
        check("web/two", connect_timeout=seconds(9)),
        check("web/two", type="http"),
    ],
)
def test_checks_that_differ_in_the_question_are_probes_of_their_own(driver: Driver, other: Check) -> None:
    driver.commit(check(), other)
    driver.pass_time(seconds(1))
    assert len(driver.running) == 2


def test_a_probe_runs_at_the_shortest_period_and_each_judges_at_its_own(driver: Driver) -> None:
    driver.commit(check("web/quick", delay_loop=seconds(2), retry=0), check("web/slow", delay_loop=seconds(5), retry=0))
    driver.round(PASSED)
    for expected_slow in (True, True, False):  # at 2, 4 and 6 seconds
        assert driver.round(REFUSED) <= seconds(2) + SLOT
        assert driver.up("web/quick#0") is False
        assert driver.up("web/slow#0") is expected_slow


def test_one_that_retries_asks_for_more_and_the_others_do_not_judge_it(driver: Driver) -> None:
    driver.commit(check("web/sure", retry=2), check("web/nervous", retry=0))
    driver.round(PASSED)
    driver.round(REFUSED)
    assert (driver.up("web/sure#0"), driver.up("web/nervous#0")) == (True, False)
    assert driver.round(PASSED) <= seconds(1) + SLOT
    assert driver.up("web/nervous#0") is False


def test_only_checks_of_the_own_distribution_run() -> None:
    bundled, strangers = Driver("checker"), Driver("checker/acme")
    checks = (check("web/one"), check("web/one", 1, distribution="acme", type="sleepy"))
    for driver in (bundled, strangers):
        driver.commit(*checks)
        driver.round(PASSED)
    assert list(bundled.states) == ["web/one#0"]
    assert list(strangers.states) == ["web/one#1"]


# -------------------------------------------------------------------------------------------------------- adoption


def test_a_server_found_in_the_kernels_table_is_up_with_its_retries(driver: Driver) -> None:
    driver.adopted("web/one")
    driver.commit(check(retry=1))
    assert driver.up() is True
    driver.round(REFUSED)
    assert driver.up() is True
    driver.round(REFUSED)
    assert driver.up() is False


def test_adoption_may_come_after_the_commit_and_even_after_the_first_failure(driver: Driver) -> None:
    driver.commit(check(retry=1))
    driver.round(REFUSED)
    driver.adopted("web/one")
    assert driver.up() is True
    driver.round(REFUSED)
    assert driver.up() is False


def test_a_server_found_with_weight_0_stays_unknown(driver: Driver) -> None:
    driver.adopted("web/one", weight=0)
    driver.commit(check())
    assert driver.up() is None


def test_adoption_is_of_the_start_only(driver: Driver) -> None:
    driver.adopted("web/one")
    driver.commit(check())
    driver.commit(start=Start.RELOAD)
    driver.commit(check(), start=Start.RELOAD)
    assert driver.states["web/one#0"].up is None


# --------------------------------------------------------------------------------------------------------- restart


def test_a_replaced_process_leaves_every_verdict_as_it_was_until_a_result_comes(driver: Driver) -> None:
    driver.send(Received(topic="services.check", key="web/one#0", sender="checker", message=state(True)))
    driver.send(Received(topic="services.check", key="web/two#0", sender="checker", message=state(False)))
    driver.commit(check(), check("web/two", target="192.0.2.2:80"), start=Start.RESPAWNED, start_rate=0)
    assert driver.told == []
    driver.round(PASSED)
    assert driver.up("web/two#0") is True
    assert driver.round(REFUSED) >= seconds(4)
    assert "web/one#0" not in driver.states, "it was UP, has its retries, and nothing changed"


def test_a_state_of_another_checker_is_not_ours(driver: Driver) -> None:
    driver.send(Received(topic="services.check", key="web/one#0", sender="checker/acme", message=state(True)))
    driver.commit(check(), start=Start.RESPAWNED)
    driver.round(REFUSED)
    assert driver.up() is False


def test_a_told_state_whose_check_is_gone_is_forgotten(driver: Driver) -> None:
    driver.states["old/one#0"] = state(True)
    driver.send(Received(topic="services.check", key="old/one#0", sender="checker", message=state(True)))
    driver.commit(check(), start=Start.RESPAWNED)
    assert driver.forgotten == ["old/one#0"]


# ---------------------------------------------------------------------------------------------------------- reload


def test_an_unchanged_check_keeps_its_state_its_counts_and_its_time(driver: Driver) -> None:
    driver.commit(check(retry=1))
    driver.round(PASSED)
    driver.round(REFUSED)
    told = len(driver.told)
    driver.commit(check(retry=1), start=Start.RELOAD)
    assert len(driver.told) == told
    assert driver.abandoned == []
    assert driver.round(REFUSED) <= seconds(1) + SLOT
    assert driver.up() is False


def test_a_changed_period_keeps_the_state_and_counts_from_the_last_result(driver: Driver) -> None:
    driver.commit(check(delay_loop=seconds(60)))
    driver.round(PASSED)
    driver.pass_time(seconds(3))
    driver.commit(check(delay_loop=seconds(5)), start=Start.RELOAD)
    assert driver.up() is True
    assert driver.round(PASSED) <= seconds(2) + SLOT


def test_a_probe_that_runs_goes_on_through_a_reload(driver: Driver) -> None:
    driver.commit(check())
    driver.pass_time(SLOT)
    driver.commit(check(), start=Start.RELOAD)
    assert len(driver.running) == 1
    driver.end(PASSED)
    assert driver.up() is True


def test_a_changed_question_starts_anew_and_the_old_one_is_abandoned(driver: Driver) -> None:
    driver.commit(check())
    driver.round(PASSED)
    driver.commit(check(target="192.0.2.9:80"), start=Start.RELOAD)
    assert driver.abandoned == [1]
    assert driver.up() is None
    driver.round(REFUSED)
    assert driver.up() is False


def test_a_check_whose_number_changes_keeps_its_state_under_the_new_key(driver: Driver) -> None:
    first, second = check(), check(number=1, type="http")
    driver.commit(first, second)
    driver.pass_time(seconds(1))
    driver.end(REFUSED, 1)
    driver.end(PASSED, 2)
    driver.commit(check(number=0, type="http"), start=Start.RELOAD)
    assert {"web/one#0": True} == {key: told.up for key, told in driver.states.items()}
    assert driver.forgotten == ["web/one#1"]


def test_a_new_subscriber_gets_the_last_result_while_it_is_young(driver: Driver) -> None:
    driver.commit(check())
    driver.round(REFUSED)
    driver.pass_time(seconds(3))
    young = check("mail/one", delay_loop=seconds(4))
    old = check("dns/one", delay_loop=seconds(2))
    driver.commit(check(), young, old, start=Start.RELOAD)
    assert (driver.up("mail/one#0"), driver.up("dns/one#0")) == (False, None)


def test_what_is_gone_is_forgotten_and_never_comes_again(driver: Driver) -> None:
    driver.commit(check())
    driver.pass_time(SLOT)
    driver.commit(start=Start.RELOAD)
    assert (driver.abandoned, driver.engine.deadline) == ([1], None)
    assert driver.send(ProbeEnded(probe=1, outcome=PASSED, latency=LATENCY)) == []
    assert driver.up() is None


# ---------------------------------------------------------------------------------------------------------- faults


def test_a_fault_of_ours_never_counts_against_a_server_and_is_tried_again_soon(driver: Driver) -> None:
    driver.commit(check(retry=0))
    driver.round(PASSED)
    fault = LocalFault(text="socket: Too many open files; raise the limit")
    for _ in range(5):
        driver.round(fault)
    assert driver.up() is True
    assert driver.round(PASSED) <= LOCAL_RETRY + SLOT
    (line,) = driver.lines(logging.ERROR)
    assert line.startswith("Checks of stayalived cannot be made on this machine: socket: Too many open files")


def test_a_fault_of_the_plugin_changes_no_verdict_and_names_the_distribution(driver: Driver) -> None:
    driver = Driver("checker/acme")
    driver.commit(check(distribution="acme", type="sleepy"))
    driver.round(PASSED)
    driver.round(PluginFault(text="ValueError: oops"))
    assert driver.up() is True
    (line,) = driver.lines(logging.ERROR)
    assert (
        line == "Plugin acme: check sleepy failed: ValueError: oops; no verdict changes; seen at web/one, 192.0.2.1:80"
    )
    (event,) = driver.events
    assert isinstance(event, Event)
    assert (event.kind, event.subject, event.reason) == ("plugin_failed", "acme", "check sleepy: ValueError: oops")


def test_a_plugin_that_fails_all_the_time_is_told_once_a_minute_with_its_count(driver: Driver) -> None:
    driver.commit(check(delay_loop=seconds(1)))
    begin = driver.now
    while elapsed(begin, driver.now) <= TELL_AGAIN + seconds(2):
        driver.round(PluginFault(text="oops"))
    first, second = driver.lines(logging.ERROR)
    assert "times" not in first
    assert second.endswith("times)")
    sequences = [event.sequence for event in driver.events if isinstance(event, Event)]
    assert sequences == sorted(set(sequences))
    assert len(sequences) == 2


def test_a_check_that_never_gave_a_result_stays_unknown_whatever_its_plugin_does(driver: Driver) -> None:
    driver.commit(check())
    for _ in range(3):
        driver.round(PluginFault(text="oops"))
    assert driver.up() is None


# ----------------------------------------------------------------------------------------------------------- stale


def test_a_verdict_older_than_three_periods_is_stale_but_stays(driver: Driver) -> None:
    driver.commit(check())
    driver.round(PASSED)
    driver.wake_until(after(driver.now, PERIOD))
    driver.pass_time(Duration(2 * PERIOD + SLOT))
    told = driver.states["web/one#0"]
    assert (told.up, told.stale) == (True, True)
    assert driver.lines(logging.WARNING) == ["Check tcp of web/one is stale: no result for 15.01 s; its verdict stays"]
    driver.end(PASSED)
    assert driver.states["web/one#0"].stale is False


def test_a_probe_that_waits_for_a_dead_server_longer_than_three_periods_is_not_stale(driver: Driver) -> None:
    driver.commit(check(delay_loop=seconds(1), connect_timeout=seconds(5)))
    driver.round(PASSED)
    driver.pass_time(seconds(1))
    driver.pass_time(seconds(14))
    assert driver.lines(logging.WARNING) == []
    driver.pass_time(seconds(2))
    assert len(driver.lines(logging.WARNING)) == 1


def test_results_that_come_in_time_are_never_stale(driver: Driver) -> None:
    driver.commit(check())
    for _ in range(20):
        driver.round(PASSED)
    assert driver.lines(logging.WARNING) == []


# ------------------------------------------------------------------------------------------------- messages, bounds


def test_a_state_is_told_when_it_changes_and_otherwise_once_a_minute(driver: Driver) -> None:
    driver.commit(check())
    begin = driver.now
    while elapsed(begin, driver.now) < 2 * REFRESH:
        driver.round(PASSED)
    assert len(driver.told) == 3


def test_another_reason_for_being_down_is_told(driver: Driver) -> None:
    driver.commit(check())
    driver.round(REFUSED)
    driver.round(type(REFUSED).failed("connect", "host unreachable"))
    assert driver.states["web/one#0"].reason == "connect: host unreachable"


def test_stop_abandons_what_runs_and_finishes(driver: Driver) -> None:
    driver.commit(check())
    driver.pass_time(SLOT)
    assert driver.send(Stop())[-1] == Finished()
    assert driver.abandoned == [1]
    assert driver.forgotten == []


def test_after_a_stall_probes_start_in_batches(driver: Driver) -> None:
    checks = [check(f"web/{number}", target=f"10.0.{number // 250}.{number % 250}:80") for number in range(500)]
    driver.commit(*checks, start_rate=0)
    driver.now = after(START, seconds(60))
    sizes = [len(driver.take(driver.engine.wake(driver.now))) for _ in range(4)]
    assert sizes == [MOST_STARTS, MOST_STARTS, 100, 0]


def test_the_same_seed_gives_the_same_trace() -> None:
    traces = []
    for _ in range(2):
        driver = Driver(seed=7)
        driver.commit(*(check(f"web/{number}", target=f"10.0.0.{number}:80", warmup=PERIOD) for number in range(20)))
        for number in range(60):
            driver.round(PASSED if number % 3 else REFUSED)
        traces.append((driver.now, driver.told, driver.reports))
    assert traces[0] == traces[1]


def test_an_event_costs_the_same_with_many_probes_as_with_few() -> None:
    def calls(probes: int) -> int:
        import sys

        driver = Driver()
        driver.commit(
            *(check(f"web/{n}", target=f"10.{n // 62500}.{n // 250 % 250}.{n % 250}:80") for n in range(probes))
        )
        driver.pass_time(SLOT)
        count = 0

        def profile(*_: object) -> None:
            nonlocal count
            count += 1

        sys.setprofile(profile)
        try:
            driver.end(PASSED, 1)
        finally:
            sys.setprofile(None)
        return count

    assert calls(1000) == calls(10)


def test_each_failed_try_is_logged_where_that_is_asked_for() -> None:
    driver = Driver()
    driver.commit(check(retry=2, log_all_failures=True))
    for outcome in (PASSED, REFUSED, REFUSED, REFUSED, REFUSED, PASSED):
        driver.round(outcome)
    at = "Check tcp of web/one at 192.0.2.1:80"
    assert driver.lines(logging.INFO)[1:] == [
        f"{at} failed, which stays UP: connect: refused",
        f"{at} failed, which stays UP: connect: refused",
        f"{at} failed after 2 retries: connect: refused",
        f"{at} failed, which stays DOWN: connect: refused",
        f"{at} succeeded: connect",
    ]
    quiet = Driver()
    quiet.commit(check(retry=2))
    for outcome in (PASSED, REFUSED, REFUSED, REFUSED, REFUSED):
        quiet.round(outcome)
    assert len(quiet.lines(logging.INFO)) == 2
