import pytest

from stayalived.ipvs.quorum import Quorum, decide

U, UP, DOWN = Quorum.UNDECIDED, Quorum.UP, Quorum.DOWN


@pytest.mark.parametrize(
    ("before", "live", "quorum", "hysteresis", "expected"),
    [
        (U, 1, 1, 0, UP),
        (U, 0, 1, 0, DOWN),
        (U, 3, 3, 2, UP),  # nothing to damp yet
        (U, 2, 3, 2, DOWN),
        (UP, 3, 3, 0, UP),
        (UP, 2, 3, 0, DOWN),
        (UP, 2, 3, 1, UP),  # lost only below quorum - hysteresis
        (UP, 1, 3, 1, DOWN),
        (UP, 0, 3, 3, DOWN),  # nobody is left, whatever the hysteresis
        (DOWN, 3, 3, 0, UP),
        (DOWN, 3, 3, 1, DOWN),  # gained only at quorum + hysteresis
        (DOWN, 4, 3, 1, UP),
    ],
)
def test_decides_by_live_weight(before: Quorum, live: int, quorum: int, hysteresis: int, expected: Quorum) -> None:
    assert expected is decide(before, live=live, total=10, quorum=quorum, hysteresis=hysteresis)


def test_no_threshold_lies_above_what_all_servers_weigh_together() -> None:
    assert UP is decide(DOWN, live=2, total=2, quorum=2, hysteresis=1)
    assert UP is decide(U, live=2, total=2, quorum=5, hysteresis=0)
    assert DOWN is decide(UP, live=1, total=2, quorum=5, hysteresis=0)


def test_sums_beyond_32_bits_are_no_problem() -> None:
    most = 2**31 - 1

    assert UP is decide(DOWN, live=3 * most, total=3 * most, quorum=most, hysteresis=most - 1)
