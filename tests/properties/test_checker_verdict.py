"""The stream of results against a second, plain account of rise, fall and retry."""

from hypothesis import given
from hypothesis import strategies as st

from checker_kit import LATENCY, PASSED, REFUSED, START, check
from stayalived.checker.verdict import Subscriber
from stayalived.plugin import Verdict
from stayalived.timing import after

counts = st.integers(min_value=1, max_value=4)
retries = st.integers(min_value=0, max_value=3)
streams = st.lists(st.booleans(), min_size=1, max_size=40)


def expected_states(results: list[bool], rise: int, fall: int, retry: int) -> list[bool]:
    """Work out the states from the runs of equal results: nothing here counts as the subscriber does."""
    states: list[bool] = []
    run = 0
    for index, result in enumerate(results):
        if index == 0:
            states.append(result)
            run = 0  # what decided is used up
            continue
        before = states[-1]
        run = run + 1 if result is not before else 0
        needed = rise if result else fall * (1 + retry)
        states.append(result if run >= needed else before)
        if states[-1] is not before:
            run = 0
    return states


@given(results=streams, rise=counts, fall=counts, retry=retries)
def test_states_follow_rise_fall_and_retry(results: list[bool], rise: int, fall: int, retry: int) -> None:
    subscriber = Subscriber(check(rise=rise, fall=fall, retry=retry), START)
    now, states = START, []
    for result in results:
        changed = subscriber.judge(PASSED if result else REFUSED, LATENCY, now, 0.5)
        assert changed is (not states or subscriber.up is not states[-1])
        states.append(subscriber.up)
        now = after(now, subscriber.wish)
    assert expected_states(results, rise, fall, retry) == states


@given(results=streams, retry=retries, presumed=st.booleans())
def test_a_stream_that_ends_in_many_equal_results_ends_in_that_state(
    results: list[bool], retry: int, presumed: bool
) -> None:
    subscriber = Subscriber(check(retry=retry, rise=2, fall=2, alpha=not presumed), START)
    last = results[-1]
    for result in [*results, *[last] * 8]:
        subscriber.judge(PASSED if result else REFUSED, LATENCY, START, 0.5)
    assert subscriber.up is last


@given(results=streams, retry=retries)
def test_it_wants_the_next_result_sooner_only_while_it_is_up_and_a_try_has_failed(
    results: list[bool], retry: int
) -> None:
    one = check(retry=retry)
    subscriber = Subscriber(one, START)
    for result in results:
        subscriber.judge(PASSED if result else REFUSED, LATENCY, START, 0.5)
        soon = subscriber.wish == one.timing.delay_before_retry
        assert soon is (subscriber.up is True and not result and retry > 0)


weights = st.integers(min_value=-65535, max_value=65535)
values = st.integers(min_value=-(2**31), max_value=2**31 - 1)


@given(results=st.lists(values, min_size=1, max_size=20), weight=weights, reverse=st.booleans())
def test_what_a_value_asks_for_depends_on_the_last_one_alone(results: list[int], weight: int, reverse: bool) -> None:
    subscriber = Subscriber(check(weight=weight, reverse=reverse, retry=0), START)
    for value in results:
        subscriber.judge(Verdict(up=True, value=value), LATENCY, START, 0.5)

    product = results[-1] * weight * (-1 if reverse else 1)
    passes = (product > -(2**31)) if weight else ((results[-1] == 0) is not reverse)
    assert (subscriber.weight, subscriber.value, subscriber.up) == (product, results[-1], passes)
    assert -(2**63) <= subscriber.state().weight < 2**63, "it has to fit a message"


@given(statuses=st.lists(st.integers(0, 255), min_size=1, max_size=20), configured=st.integers(0, 2**31 - 1))
def test_weights_that_are_set_do_not_add_up(statuses: list[int], configured: int) -> None:
    subscriber = Subscriber(check(server_weight=configured), START)
    for status in statuses:
        wanted = status - 2 if status >= 2 else None
        subscriber.judge(Verdict(up=status != 1, server_weight=wanted), LATENCY, START, 0.5)

    last = statuses[-1]
    assert configured + subscriber.weight == (last - 2 if last >= 2 else configured)
