from typing import Any

import msgspec

from plain_configuration import action
from plain_event import plain_event
from stayalived.config.model import Action
from stayalived.notify.queue import AT_ONCE, LANE_DEPTH, LaneKey, Queue, Telling

TIC_ACTION, TAC_ACTION = action("instance tic"), action("instance tac")
TIC, TAC = LaneKey.of(TIC_ACTION, "instance tic"), LaneKey.of(TAC_ACTION, "instance tac")
EVENT = plain_event(sequence=0, kind="backup", old="INIT", new="BACKUP", reason="start")


def telling(sequence: int, of: Action = TIC_ACTION, **changes: Any) -> Telling:
    return Telling(of, msgspec.structs.replace(EVENT, sequence=sequence, **changes))


def changed(of: Action, **changes: Any) -> Action:
    return msgspec.structs.replace(of, **changes)


def drained(queue: Queue) -> list[int]:
    told = []
    while (chosen := queue.next()) is not None:
        told.append(chosen[1].event.sequence)
        queue.free(chosen[0])
    return told


def test_one_event_of_a_lane_is_told_at_a_time_in_order() -> None:
    queue = Queue()
    for number in range(3):
        queue.append(TIC, telling(number))
    assert queue.next() == (TIC, telling(0))
    assert queue.next() is None
    queue.free(TIC)
    assert queue.next() == (TIC, telling(1))


def test_an_event_that_comes_while_one_is_told_waits() -> None:
    queue = Queue()
    queue.append(TIC, telling(0))
    queue.next()
    queue.append(TIC, telling(1))
    assert queue.next() is None
    queue.free(TIC)
    assert queue.next() == (TIC, telling(1))


def test_lanes_do_not_wait_for_each_other() -> None:
    queue = Queue()
    queue.append(TIC, telling(0))
    queue.append(TAC, telling(1, TAC_ACTION))
    assert [queue.next(), queue.next()] == [(TIC, telling(0)), (TAC, telling(1, TAC_ACTION))]


def test_actions_that_take_turns_share_the_lane_of_a_subject() -> None:
    specific = changed(action("instance tic", on=("master",)), in_turn=True)
    general = changed(action("instance tic"), in_turn=True)
    key = LaneKey.of(specific, "instance tic")
    assert key == LaneKey.of(general, "instance tic")
    queue = Queue()
    for number, of in enumerate((general, specific, general)):
        queue.append(key, telling(number, of))
    assert queue.next() == (key, telling(0, general))
    assert queue.next() is None
    queue.free(key)
    assert drained(queue) == [1, 2]


def test_a_thousand_events_are_all_told_in_order() -> None:
    queue = Queue()
    for number in range(LANE_DEPTH):
        assert not queue.append(TIC, telling(number))
    assert queue.waiting["script"] == LANE_DEPTH
    assert drained(queue) == list(range(LANE_DEPTH))
    assert queue.merged["script"] == queue.waiting["script"] == 0


def test_the_oldest_of_a_full_lane_is_merged_into_its_successor_and_counted() -> None:
    queue = Queue()
    for number in range(LANE_DEPTH):
        queue.append(TIC, telling(number, old=f"old {number}"))
    assert queue.append(TIC, telling(LANE_DEPTH, old="last"))
    assert queue.merged["script"] == 1
    assert queue.waiting["script"] == LANE_DEPTH
    assert queue.next() == (TIC, telling(1, old="old 0", merged=1))
    queue.free(TIC)
    assert drained(queue)[-1] == LANE_DEPTH


def test_in_a_shared_lane_it_is_merged_into_the_next_one_for_the_same_action() -> None:
    often = changed(action("instance tic"), in_turn=True)
    once = changed(action("instance tic", on=("backup",)), in_turn=True)
    key = LaneKey.of(often, "instance tic")
    queue = Queue()
    queue.append(key, telling(0, once))
    for number in range(1, LANE_DEPTH + 1):
        queue.append(key, telling(number, often))
    assert queue.merged["script"] == 1
    assert drained(queue) == [0, *range(2, LANE_DEPTH + 1)]


def test_where_the_latest_counts_it_takes_the_place_of_those_that_wait() -> None:
    latest = changed(TIC_ACTION, overlap="latest")
    key = LaneKey.of(latest, "instance tic")
    queue = Queue()
    queue.append(key, telling(0, latest, old="INIT"))
    queue.next()
    for number in (1, 2, 3):
        queue.append(key, telling(number, latest, old=f"old {number}"))
    queue.free(key)
    assert queue.next() == (key, telling(3, latest, old="old 1", merged=2))
    assert (queue.merged["script"], queue.waiting["script"]) == (2, 0)


def test_in_a_shared_lane_the_latest_has_the_place_of_the_one_before_so_that_it_does_not_wait_for_ever() -> None:
    latest = changed(action("instance tic", on=("backup",)), in_turn=True, overlap="latest")
    every = changed(action("instance tic"), in_turn=True)
    key = LaneKey.of(latest, "instance tic")
    queue = Queue()
    for number, of in enumerate((latest, every, latest, every)):
        queue.append(key, telling(number, of))
    assert drained(queue) == [2, 1, 3]


def test_what_is_told_at_the_same_time_is_bounded_for_each_type() -> None:
    queue = Queue()
    everywhere = action("global")
    keys = [LaneKey.of(everywhere, f"instance {number}") for number in range(AT_ONCE + 5)]
    for key in keys:
        queue.append(key, telling(0, everywhere))
    begun = []
    while (chosen := queue.next()) is not None:
        begun.append(chosen[0])
    assert begun == keys[:AT_ONCE]

    weight = action("instance tic", kind="weight")
    queue.append(LaneKey.of(weight, "instance tic"), telling(0, weight))
    assert queue.next() == (LaneKey.of(weight, "instance tic"), telling(0, weight))
    queue.free(keys[0])
    assert queue.next() == (keys[AT_ONCE], telling(0, everywhere))


def test_what_is_not_wanted_any_more_is_dropped_and_counted() -> None:
    queue = Queue()
    queue.append(TIC, telling(0))
    queue.append(TIC, telling(1, kind="stop"))
    queue.append(TAC, telling(2, TAC_ACTION))
    assert queue.keep(lambda waiting: waiting.kind == "stop") == 2
    assert queue.waiting["script"] == 1
    assert drained(queue) == [1]
    assert list(queue) == []


def test_it_names_the_lanes_in_which_something_goes_on() -> None:
    queue = Queue()
    queue.append(TIC, telling(0))
    queue.append(TAC, telling(1, TAC_ACTION))
    queue.next()
    assert set(queue) == {TIC, TAC}
    queue.free(TIC)
    assert set(queue) == {TAC}
