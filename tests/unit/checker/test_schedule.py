from stayalived.checker.schedule import SLOT, Pace, Wheel
from stayalived.timing import Duration, Instant, milliseconds, seconds

NOON = Instant(seconds(43200))


def at(offset: Duration) -> Instant:
    return Instant(NOON + offset)


def test_an_empty_wheel_wants_nothing() -> None:
    wheel: Wheel[int] = Wheel()
    assert wheel.deadline is None
    assert wheel.take(NOON, 10) == []


def test_a_key_comes_up_at_its_moment_or_up_to_a_slot_later_but_never_before() -> None:
    wheel: Wheel[str] = Wheel()
    wheel.file("a", at(milliseconds(1)))
    assert wheel.deadline == at(SLOT)
    assert wheel.take(at(milliseconds(1)), 10) == []
    assert wheel.take(at(SLOT), 10) == ["a"]
    assert len(wheel) == 0


def test_a_key_filed_again_leaves_its_old_place() -> None:
    wheel: Wheel[str] = Wheel()
    wheel.file("a", at(milliseconds(10)))
    wheel.file("a", at(milliseconds(50)))
    assert wheel.deadline == at(milliseconds(50))
    assert len(wheel) == 1


def test_a_dropped_key_never_comes_up_and_dropping_twice_is_harmless() -> None:
    wheel: Wheel[str] = Wheel()
    wheel.file("a", at(milliseconds(10)))
    wheel.drop("a")
    wheel.drop("a")
    assert "a" not in wheel
    assert wheel.deadline is None


def test_the_longest_overdue_come_first_and_no_more_than_asked_for() -> None:
    wheel: Wheel[int] = Wheel()
    for key, offset in ((1, 30), (2, 10), (3, 20), (4, 10)):
        wheel.file(key, at(milliseconds(offset)))
    assert wheel.take(at(seconds(1)), 3) == [2, 4, 3]
    assert wheel.take(at(seconds(1)), 3) == [1]


def test_a_slot_that_is_taken_in_part_keeps_its_rest() -> None:
    wheel: Wheel[int] = Wheel()
    for key in range(5):
        wheel.file(key, NOON)
    assert wheel.take(NOON, 2) == [0, 1]
    assert wheel.deadline == NOON
    assert wheel.take(NOON, 9) == [2, 3, 4]


def test_a_pace_gives_the_first_moment_at_once_and_the_others_behind_it() -> None:
    pace = Pace(1000)
    assert [pace.next(NOON) for _ in range(3)] == [NOON, at(milliseconds(1)), at(milliseconds(2))]


def test_a_pace_that_was_left_alone_does_not_hand_out_the_past() -> None:
    pace = Pace(10)
    pace.next(NOON)
    assert pace.next(at(seconds(9))) == at(seconds(9))


def test_a_pace_of_zero_lets_all_come_at_once() -> None:
    pace = Pace(0)
    assert {pace.next(NOON) for _ in range(100)} == {NOON}
