"""When it pays to look at the sockets instead of being woken by each packet."""

import pytest

from stayalived.timing import Duration, Instant, after, milliseconds, seconds
from stayalived.vrrp.attention import DENSE, IN_VAIN, LONGEST, SHORTEST, SPARSE, WINDOW, Attention

NOW = Instant(1_000_000_000_000)


def attentive(*rates: int) -> Attention:
    """Somebody who has heard so many packets a second, for a window each."""
    attention, now = Attention(), NOW
    attention.note(0, now)
    for rate in rates:
        now = after(now, WINDOW)
        attention.note(rate * WINDOW // seconds(1), now)
    return attention


@pytest.mark.parametrize(
    ("rates", "looks"),
    [
        ((DENSE,), False),
        ((DENSE + 10,), True),
        ((DENSE + 10, SPARSE + 10), True),
        ((DENSE + 10, SPARSE - 10), False),
        ((SPARSE + 10,), False),
        ((DENSE + 10, 0), False),
    ],
)
def test_it_looks_when_packets_are_dense_until_they_are_sparse(rates: tuple[int, ...], looks: bool) -> None:
    assert attentive(*rates).looks is looks


def test_a_burst_within_a_window_decides_nothing() -> None:
    attention = attentive()

    attention.note(1000, after(NOW, milliseconds(1)))

    assert not attention.looks


def test_between_two_bursts_it_does_not_look_and_is_woken_by_the_next_one() -> None:
    """Given packets that are dense, when none comes for some pauses, then none is looked for until the next comes."""
    attention = attentive(DENSE + 10)
    found = after(NOW, WINDOW)
    silence = Duration(IN_VAIN * LONGEST)

    attention.note(0, after(found, Duration(silence - 1)))
    assert attention.looks
    attention.note(0, after(found, silence))
    assert not attention.looks

    attention.note(1, after(found, milliseconds(800)))
    assert attention.looks


def test_a_look_that_finds_nothing_while_others_wake_the_process_ends_no_burst() -> None:
    attention = attentive(DENSE + 10)

    for _ in range(100):
        attention.note(0, after(NOW, Duration(WINDOW + 1)))

    assert attention.looks


@pytest.mark.parametrize(
    ("advert_int", "pause"),
    [(seconds(1), LONGEST), (milliseconds(100), milliseconds(10)), (milliseconds(10), SHORTEST)],
)
def test_it_looks_several_times_in_the_shortest_interval(advert_int: int, pause: int) -> None:
    attention = attentive()

    attention.suit(advert_int)

    assert attention.pause == pause
