import pytest

from checker_kit import LATENCY, PASSED, PERIOD, REFUSED, START, check
from stayalived.checker.verdict import ADOPTED, NOT_CHECKED_YET, Subscriber
from stayalived.messages.services import CheckState
from stayalived.plugin import Verdict
from stayalived.timing import Duration, Instant, after, seconds


def judged(subscriber: Subscriber, results: str, start: Instant = START) -> list[bool | None]:
    """Give results, `+` or `-`, each as soon as it is wanted, and return the state after each."""
    now, states = start, []
    for result in results:
        subscriber.judge(PASSED if result == "+" else REFUSED, LATENCY, now, 0.5)
        states.append(subscriber.up)
        now = after(now, subscriber.wish)
    return states


def test_before_any_result_it_is_unknown() -> None:
    subscriber = Subscriber(check(), START)
    assert subscriber.up is None
    assert subscriber.reason == NOT_CHECKED_YET


@pytest.mark.parametrize(("result", "state"), [("+", True), ("-", False)])
def test_the_first_result_decides_even_with_rise_and_retries(result: str, state: bool) -> None:
    assert judged(Subscriber(check(rise=3, fall=3, retry=3), START), result) == [state]


def test_without_alpha_it_is_presumed_up_and_one_failure_takes_it_out() -> None:
    subscriber = Subscriber(check(alpha=False, retry=3), START)
    assert subscriber.up is True
    assert judged(subscriber, "-") == [False]


def test_up_survives_as_many_failures_as_there_are_retries() -> None:
    assert judged(Subscriber(check(retry=2), START), "+---") == [True, True, True, False]


def test_a_success_starts_the_retries_again() -> None:
    assert judged(Subscriber(check(retry=1), START), "+-+-+-") == [True] * 6


def test_no_retry_means_that_one_failure_is_enough() -> None:
    assert judged(Subscriber(check(retry=0), START), "+-") == [True, False]


def test_fall_counts_whole_rounds_with_their_retries() -> None:
    assert judged(Subscriber(check(retry=1, fall=2), START), "+----") == [True, True, True, True, False]


def test_rise_counts_successes_in_a_row() -> None:
    assert judged(Subscriber(check(rise=3, retry=0), START), "-++-+++") == [False] * 6 + [True]


def test_while_the_state_is_changing_the_next_result_is_wanted_fast() -> None:
    subscriber = Subscriber(check(retry=0, fall=3, rise=3, fast_interval=seconds(0.5)), START)
    wishes = []
    for results in ("+", "-", "-", "-", "+", "+", "+"):
        judged(subscriber, results)
        wishes.append(subscriber.wish)
    fast = seconds(0.5)
    assert wishes == [PERIOD, fast, fast, PERIOD, fast, fast, PERIOD]


def test_without_a_fast_interval_a_changing_server_is_asked_as_ever() -> None:
    subscriber = Subscriber(check(retry=0, fall=3), START)
    judged(subscriber, "+-")
    assert subscriber.wish == PERIOD


def test_a_retry_comes_after_its_own_delay_whatever_the_fast_interval() -> None:
    subscriber = Subscriber(check(retry=1, fall=2, fast_interval=seconds(0.5)), START)
    judged(subscriber, "+-")
    assert subscriber.wish == seconds(1)
    judged(subscriber, "-")
    assert subscriber.wish == seconds(0.5)


def test_a_failed_try_wants_the_next_one_soon_and_a_lost_round_at_its_period() -> None:
    subscriber = Subscriber(check(retry=1, fall=2), START)
    judged(subscriber, "+-")
    assert subscriber.wish == seconds(1)
    judged(subscriber, "-")
    assert subscriber.wish == PERIOD


def test_while_down_there_are_no_retries() -> None:
    subscriber = Subscriber(check(retry=3), START)
    judged(subscriber, "--")
    assert subscriber.wish == PERIOD


def test_the_second_result_is_wanted_within_the_warm_up_the_third_after_the_period() -> None:
    subscriber = Subscriber(check(warmup=seconds(4)), START)
    judged(subscriber, "+")
    assert subscriber.wish == seconds(2)
    judged(subscriber, "+")
    assert subscriber.wish == PERIOD


def test_only_a_result_a_whole_period_later_counts() -> None:
    subscriber = Subscriber(check(), START)
    judged(subscriber, "+")
    assert not subscriber.is_due(after(START, Duration(PERIOD - 1)))
    assert subscriber.is_due(after(START, PERIOD))


def test_an_adopted_server_is_up_with_its_retries() -> None:
    subscriber = Subscriber(check(retry=1), START)
    assert subscriber.adopt(START)
    assert subscriber.reason == ADOPTED
    assert judged(subscriber, "--") == [True, False]


def test_adoption_that_comes_after_the_first_failure_makes_it_the_first_try() -> None:
    subscriber = Subscriber(check(retry=1), START)
    judged(subscriber, "-")
    assert subscriber.adopt(START)
    assert subscriber.wish == seconds(1)
    assert judged(subscriber, "-") == [False]


def test_adoption_changes_nothing_without_retries_or_after_more_results() -> None:
    once, twice = Subscriber(check(retry=0), START), Subscriber(check(retry=3), START)
    judged(once, "-")
    judged(twice, "--")
    assert not once.adopt(START)
    assert not twice.adopt(START)
    assert (once.up, twice.up) == (False, False)


@pytest.mark.parametrize("up", [True, False, None])
def test_what_the_predecessor_told_goes_on(up: bool | None) -> None:
    state = CheckState(
        subject="web/one",
        number=0,
        check="tcp",
        up=up,
        weight=-3,
        reason="connect: refused",
        latency=7,
        since=99,
        stale=False,
        value=4,
    )
    subscriber = Subscriber(check(retry=1), START)
    subscriber.restore(state, START)
    assert subscriber.state() == state
    assert judged(subscriber, "-") == [up or False]


@pytest.mark.parametrize(
    ("weight", "reverse", "result", "up", "delta"),
    [
        (0, False, "-", False, 0),
        (10, False, "+", True, 10),
        (10, False, "-", False, 0),
        (-10, False, "+", True, 0),
        (-10, False, "-", False, -10),
        (10, True, "+", True, -10),
        (-10, True, "-", False, 10),
        (0, True, "+", False, 0),
        (0, True, "-", True, 0),
    ],
)
def test_weight_and_reverse(weight: int, reverse: bool, result: str, up: bool, delta: int) -> None:
    subscriber = Subscriber(check(weight=weight, reverse=reverse), START)
    judged(subscriber, result)
    assert (subscriber.up, subscriber.weight) == (up, delta)


def test_a_result_may_ask_for_a_weight_of_its_own() -> None:
    subscriber = Subscriber(check(), START)
    subscriber.judge(Verdict.passed(weight=7), LATENCY, START, 0.0)
    assert subscriber.weight == 7


@pytest.mark.parametrize(
    ("weight", "reverse", "value", "up", "delta"),
    [
        (1, False, 5, True, 5),
        (1, False, -5, True, -5),
        (-3, False, 5, True, -15),
        (-3, True, 5, True, 15),
        (2, False, 0, True, 0),
        (0, False, 0, True, 0),
        (0, False, 5, False, 0),
        (0, True, 0, False, 0),
        (0, True, 5, True, 0),
        (1, False, -(2**31) + 1, True, -(2**31) + 1),
        (1, False, -(2**31), False, -(2**31)),
        (-1, False, 2**31 - 1, True, -(2**31) + 1),
        (-2, False, 2**31 - 1, False, -(2**32) + 2),
        (-2, True, 2**31 - 1, True, 2**32 - 2),
    ],
)
def test_a_value_counts_times_the_weight_and_must_be_0_without_one(
    weight: int, reverse: bool, value: int, up: bool, delta: int
) -> None:
    subscriber = Subscriber(check(weight=weight, reverse=reverse), START)

    subscriber.judge(Verdict(up=True, value=value), LATENCY, START, 0.0)

    assert (subscriber.up, subscriber.weight, subscriber.state().value) == (up, delta, value)


def test_a_value_of_a_failure_does_not_make_it_pass() -> None:
    subscriber = Subscriber(check(weight=0), START)

    subscriber.judge(Verdict(up=False, value=0), LATENCY, START, 0.0)

    assert subscriber.up is False


@pytest.mark.parametrize(("configured", "wanted", "delta"), [(1, 10, 9), (10, 10, 0), (100, 0, -100), (0, 253, 253)])
def test_a_result_that_sets_the_servers_weight_asks_for_the_difference(
    configured: int, wanted: int, delta: int
) -> None:
    subscriber = Subscriber(check(server_weight=configured), START)

    subscriber.judge(Verdict(up=True, server_weight=wanted), LATENCY, START, 0.0)
    assert subscriber.weight == delta

    subscriber.judge(Verdict.passed(), LATENCY, START, 0.0)
    assert subscriber.weight == 0, "status 0: the weight is what is configured"


def test_while_nothing_is_known_it_says_what_is_in_the_way() -> None:
    subscriber = Subscriber(check(), START)

    assert subscriber.excuse("/srv has mode 0777")
    assert not subscriber.excuse("/srv has mode 0777")
    assert subscriber.reason == f"{NOT_CHECKED_YET}: /srv has mode 0777"

    judged(subscriber, "+")
    assert not subscriber.excuse("/srv has mode 0777")
    assert subscriber.reason == "connect"


def test_since_is_when_the_state_changed_not_when_it_was_confirmed() -> None:
    subscriber = Subscriber(check(retry=0), START)
    judged(subscriber, "++-")
    assert subscriber.since == after(START, Duration(2 * PERIOD))
