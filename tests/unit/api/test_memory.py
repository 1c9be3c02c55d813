import json

from stayalived.api.memory import Memory, Piece, line_of
from stayalived.messages.notify import Event


def event(sequence: int) -> Event:
    return Event(
        sequence=sequence,
        kind="master",
        subject_type="instance",
        subject="tic",
        old="BACKUP",
        new="MASTER",
        reason="",
        priority=100,
        monotonic=sequence,
    )


def remembered(*sequences: int, kept: int = 4) -> Memory:
    memory = Memory(kept)
    for sequence in sequences:
        memory.append(event(sequence))
    return memory


def numbers(piece: Piece) -> list[int]:
    return [json.loads(line)["sequence"] for line in piece.lines]


def test_an_event_is_an_object_with_all_of_its_fields() -> None:
    fields = json.loads(line_of(event(7)))
    assert fields["kind"] == "master"
    assert set(fields) == set(Event.__struct_fields__)


def test_what_is_kept_is_read_from_a_place_on() -> None:
    memory = remembered(1, 2, 3)
    assert numbers(memory.read(0, 2)) == [1, 2]
    assert memory.read(0, 2).place == 2
    assert numbers(memory.read(2, 2)) == [3]
    assert memory.read(3, 2) == Piece((), 0, 3)


def test_the_oldest_makes_room_and_is_counted_for_whoever_was_not_fast_enough() -> None:
    memory = remembered(1, 2, 3, 4, 5, 6)
    piece = memory.read(1, 10)
    assert (numbers(piece), piece.missed, piece.place) == ([3, 4, 5, 6], 1, 6)


def test_after_an_event_comes_what_came_later_whatever_its_number() -> None:
    memory = remembered(10, 30, 20, 40)
    assert memory.after(30) == (2, True)
    assert memory.after(40) == (4, True)


def test_after_one_that_is_not_kept_comes_what_has_a_higher_number_and_something_may_be_missing() -> None:
    memory = remembered(10, 20, 30, 40, 50)
    assert memory.after(10) == (1, False)
    assert memory.after(35) == (3, False)
    assert memory.after(90) == (5, False)


def test_from_the_beginning_nothing_is_missing_while_all_is_kept() -> None:
    assert remembered().after(0) == (0, True)
    assert remembered(10, 20).after(0) == (0, True)
    assert remembered(1, 2, 3, 4, 5).after(0) == (1, False)
