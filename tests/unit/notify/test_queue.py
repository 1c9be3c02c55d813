from typing import Any

import msgspec

from plain_configuration import action
from stayalived.messages.notify import Event
from stayalived.notify.queue import AT_ONCE, LANE_DEPTH, LaneKey, Queue

TIC = LaneKey(action("instance tic"), "instance tic")
TAC = LaneKey(action("instance tac"), "instance tac")
EVENT = Event(
    sequence=0,
    kind="backup",
    subject_type="instance",
    subject="tic",
    old="INIT",
    new="BACKUP",
    reason="start",
    priority=100,
    monotonic=0,
)


def event(sequence: int, **changes: Any) -> Event:
    return msgspec.structs.replace(EVENT, sequence=sequence, **changes)


def drained(queue: Queue, key: LaneKey) -> list[int]:
    told = []
    while (chosen := queue.next()) is not None:
        told.append(chosen[1].sequence)
        queue.free(key)
    return told


def test_one_event_of_a_lane_is_told_at_a_time_in_order() -> None:
    queue = Queue()
    for number in range(3):
        queue.append(TIC, event(number))
    assert queue.next() == (TIC, event(0))
    assert queue.next() is None
    queue.free(TIC)
    assert queue.next() == (TIC, event(1))


def test_an_event_that_comes_while_one_is_told_waits() -> None:
    queue = Queue()
    queue.append(TIC, event(0))
    queue.next()
    queue.append(TIC, event(1))
    assert queue.next() is None
    queue.free(TIC)
    assert queue.next() == (TIC, event(1))


def test_lanes_do_not_wait_for_each_other() -> None:
    queue = Queue()
    queue.append(TIC, event(0))
    queue.append(TAC, event(1))
    assert [queue.next(), queue.next()] == [(TIC, event(0)), (TAC, event(1))]


def test_a_thousand_events_are_all_told_in_order() -> None:
    queue = Queue()
    for number in range(LANE_DEPTH):
        assert not queue.append(TIC, event(number))
    assert drained(queue, TIC) == list(range(LANE_DEPTH))
    assert queue.merged == 0


def test_the_oldest_of_a_full_lane_is_merged_into_its_successor_and_counted() -> None:
    queue = Queue()
    for number in range(LANE_DEPTH):
        queue.append(TIC, event(number, old=f"old {number}"))
    assert queue.append(TIC, event(LANE_DEPTH, old="last"))
    assert queue.merged == 1
    assert queue.next() == (TIC, event(1, old="old 0"))
    queue.free(TIC)
    assert drained(queue, TIC)[-1] == LANE_DEPTH


def test_what_is_told_at_the_same_time_is_bounded() -> None:
    queue = Queue()
    keys = [LaneKey(action("global"), f"instance {number}") for number in range(AT_ONCE + 5)]
    for key in keys:
        queue.append(key, EVENT)
    begun = []
    while (chosen := queue.next()) is not None:
        begun.append(chosen[0])
    assert begun == keys[:AT_ONCE]
    queue.free(keys[0])
    assert queue.next() == (keys[AT_ONCE], EVENT)


def test_what_is_not_wanted_any_more_is_dropped_and_counted() -> None:
    queue = Queue()
    queue.append(TIC, event(0))
    queue.append(TIC, event(1, kind="stop"))
    queue.append(TAC, event(2))
    assert queue.keep(lambda _, waiting: waiting.kind == "stop") == 2
    assert drained(queue, TIC) == [1]
    assert list(queue) == []


def test_it_names_the_lanes_in_which_something_goes_on() -> None:
    queue = Queue()
    queue.append(TIC, event(0))
    queue.append(TAC, event(1))
    queue.next()
    assert set(queue) == {TIC, TAC}
    queue.free(TIC)
    assert set(queue) == {TAC}
