import msgspec

from plain_configuration import action
from plain_event import plain_event
from stayalived.notify.limits import Limits
from stayalived.notify.queue import LaneKey, Telling
from stayalived.timing import Instant, after, seconds

NOW = Instant(1_000_000)
LATER = after(NOW, seconds(60))
SELDOM = msgspec.structs.replace(action("global"), rate_events=2, rate_period=seconds(60))


def telling(sequence: int, subject: str = "tic", of: object = SELDOM) -> tuple[LaneKey, Telling]:
    event = plain_event(sequence=sequence, subject=subject, old=f"old {sequence}")
    return LaneKey.of(of, f"instance {subject}"), Telling(of, event)


def test_an_action_without_a_rate_is_told_everything() -> None:
    limits, plain = Limits(), action("global")
    assert [limits.admit(*telling(number, of=plain), NOW) for number in range(5)] == [
        telling(number, of=plain)[1] for number in range(5)
    ]
    assert limits.deadline is None


def test_what_is_too_much_is_held_and_the_last_of_each_subject_is_told_when_the_time_is_over() -> None:
    limits = Limits()
    assert limits.admit(*telling(1), NOW) is not None
    assert limits.admit(*telling(2), NOW) is not None
    for number, subject in ((3, "tic"), (4, "tac"), (5, "tic")):
        assert limits.admit(*telling(number, subject), NOW) is None
    assert limits.deadline == LATER
    assert limits.due(NOW) == []

    told = [found.event for _, found in limits.due(LATER)]

    assert [(event.sequence, event.subject, event.old, event.merged) for event in told] == [
        (4, "tac", "old 4", 0),
        (5, "tic", "old 3", 1),
    ]
    assert limits.left_out == {"script": 1}
    assert limits.deadline is None


def test_when_the_time_is_over_there_is_room_again() -> None:
    limits = Limits()
    for number in range(2):
        limits.admit(*telling(number), NOW)
    assert limits.admit(*telling(3), LATER) == telling(3)[1]


def test_what_was_held_counts_in_the_next_time() -> None:
    limits = Limits()
    for number, subject in enumerate(("tic", "tic", "tic", "tac")):
        limits.admit(*telling(number, subject), NOW)
    assert len(limits.due(LATER)) == 2
    assert limits.admit(*telling(9), LATER) is None


def test_at_the_end_all_that_is_held_comes_out() -> None:
    limits = Limits()
    for number in range(3):
        limits.admit(*telling(number), NOW)
    assert limits.end() == [telling(2)]
    assert limits.deadline is None


def test_an_action_that_is_no_more_is_forgotten() -> None:
    limits = Limits()
    for number in range(3):
        limits.admit(*telling(number), NOW)
    limits.keep(frozenset())
    assert limits.deadline is None
