from checker_kit import START
from stayalived.checker.faults import MOST_KINDS, TELL_AGAIN, Faults
from stayalived.timing import after, seconds


def test_the_first_of_a_kind_is_told_at_once_and_the_next_ones_after_a_minute_with_their_number() -> None:
    faults = Faults()
    assert faults.count("a", START) == 1
    assert [faults.count("a", after(START, seconds(10 * i))) for i in range(1, 6)] == [0] * 5
    assert faults.count("a", after(START, TELL_AGAIN)) == 6


def test_kinds_are_told_apart() -> None:
    faults = Faults()
    assert [faults.count(kind, START) for kind in "aba"] == [1, 1, 0]
    assert faults.total == 3


def test_a_plugin_that_says_something_new_each_time_fills_neither_memory_nor_log() -> None:
    faults = Faults()
    told = sum(1 for number in range(10_000) if faults.count(str(number), START))
    assert told == MOST_KINDS + 1
