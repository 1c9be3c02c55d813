from typing import Any

from stayalived.log.limits import CLASSES, COUNT_WINDOW, LINES, WINDOW, Limiter
from stayalived.timing import Instant, after

START = Instant(1_000)


def admitted(limiter: Limiter, kind: str, times: int, now: Instant = START) -> Any:
    return sum(limiter.admit(kind, now) for _ in range(times))


def test_ten_lines_of_a_class_are_admitted_in_a_second() -> None:
    limiter = Limiter()
    assert LINES == admitted(limiter, "bad checksum", 500)


def test_each_class_has_its_own_ten() -> None:
    limiter = Limiter()
    admitted(limiter, "bad checksum", 500)
    assert LINES == admitted(limiter, "bad version", 500)


def test_the_rest_is_counted_when_the_second_is_over() -> None:
    limiter = Limiter()
    admitted(limiter, "bad checksum", 500)
    assert limiter.deadline == after(START, WINDOW)
    assert list(limiter.due(Instant(limiter.deadline - 1))) == []
    assert list(limiter.due(limiter.deadline)) == [("bad checksum", 490)]
    assert limiter.deadline is None


def test_after_the_second_lines_are_admitted_again() -> None:
    limiter = Limiter()
    admitted(limiter, "bad checksum", 500)
    later = after(START, WINDOW)
    limiter.due(later)
    assert LINES == admitted(limiter, "bad checksum", 500, later)


def test_no_second_has_more_wherever_it_begins() -> None:
    limiter = Limiter()
    written = []
    for number in range(5_000):
        now = Instant(START + number * 1_000_000)  # each millisecond, more at the end of a second than at its begin
        limiter.due(now)
        if number % 1_000 >= 700 and limiter.admit("bad checksum", now):
            written.append(now)

    assert all(later - first >= WINDOW for first, later in zip(written, written[LINES:], strict=False))
    assert len(written) == 5 * LINES


def test_a_storm_that_goes_on_is_counted_each_second() -> None:
    limiter = Limiter()
    counts = []
    for number in range(3_000):
        now = Instant(START + number * 1_000_000)
        counts += limiter.due(now)
        limiter.admit("bad checksum", now)

    assert [("bad checksum", 990)] * 2 == [(kind, round(count, -1)) for kind, count in counts]


def test_a_class_that_stayed_below_the_limit_is_not_mentioned() -> None:
    limiter = Limiter()
    admitted(limiter, "bad checksum", LINES)
    assert limiter.deadline is None
    assert list(limiter.due(after(START, WINDOW))) == []


def test_classes_beyond_the_bound_share_one() -> None:
    limiter = Limiter()
    for number in range(CLASSES):
        limiter.admit(f"class {number}", START)
    assert LINES == sum(limiter.admit(f"new {number}", START) for number in range(500))


def test_of_some_classes_one_line_is_enough_for_ever_and_the_rest_is_counted_each_minute() -> None:
    limiter = Limiter()
    assert [True, False, False] == [limiter.admit_once("garbage", START) for _ in range(3)]
    assert list(limiter.due(after(START, WINDOW))) == []

    minute = after(START, COUNT_WINDOW)
    assert limiter.deadline == minute
    assert list(limiter.due(minute)) == [("garbage", 2)]
    assert limiter.deadline is None

    assert not limiter.admit_once("garbage", minute)
    assert list(limiter.due(after(minute, COUNT_WINDOW))) == [("garbage", 1)]


def test_many_classes_do_not_make_it_forget_that_the_one_line_was_written() -> None:
    limiter = Limiter()
    for number in range(CLASSES):
        limiter.admit(f"class {number}", START)
    assert [True, False] == [limiter.admit_once("garbage", START) for _ in range(2)]
