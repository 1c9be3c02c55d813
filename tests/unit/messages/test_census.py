"""How many objects a reload takes away, told without their names."""

import msgspec
import pytest

from stayalived.messages.census import MARKS, count_missing, take_census
from stayalived.messages.codec import MAX_FRAME


def names(first: int, last: int) -> list[str]:
    return [f"site{number}" for number in range(first, last)]


@pytest.mark.parametrize(
    ("before", "after", "missing"),
    [
        ([], [], 0),
        (["a"], ["a"], 0),
        (["a", "b"], ["b", "c"], 1),
        (["a", "b"], [], 2),
        ([], ["a"], 0),
        (names(0, MARKS), names(1, MARKS), 1),
        (names(0, MARKS), [], MARKS),
    ],
)
def test_few_are_counted_exactly(before: list[str], after: list[str], missing: int) -> None:
    assert missing == count_missing(take_census("kind", before), take_census("kind", after))


@pytest.mark.parametrize("left", [0, 500, 2000, 2040, 2060, 9_000, 20_000])
def test_many_are_estimated_whatever_is_left(left: int) -> None:
    before, after = take_census("kind", names(0, 20_000)), take_census("kind", names(0, left))
    assert pytest.approx(20_000 - left, abs=20_000 * 0.05) == count_missing(before, after)


def test_as_many_as_before_are_missing_when_all_have_other_names() -> None:
    before, after = take_census("kind", names(0, 20_000)), take_census("kind", names(20_000, 40_000))
    assert 20_000 == count_missing(before, after)


def test_none_is_missing_when_many_come_on_top() -> None:
    assert 0 == count_missing(take_census("kind", names(0, 3_000)), take_census("kind", names(0, 30_000)))


def test_two_censuses_of_any_size_take_a_third_of_a_frame_at_most() -> None:
    both = [take_census(kind, names(0, 100_000)) for kind in ("vrrp_instance", "virtual_server")]
    assert len(msgspec.msgpack.encode(both)) < MAX_FRAME // 3
