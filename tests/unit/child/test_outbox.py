from stayalived.child.outbox import EVENTS_WAITING, OUTBOX_SPARE, Outbox
from stayalived.messages.codec import MAX_FRAME, Frame, decode


def drain(outbox: Outbox) -> list[Frame]:
    frames = []
    while (parcel := outbox.peek()) is not None:
        frames.append(decode(parcel.data))
        outbox.pop()
    return frames


def state(key: str, body: bytes = b"1", topic: str = "services.check") -> Frame:
    return Frame(topic, key, body)


def test_the_newest_of_a_key_wins_and_keeps_its_place() -> None:
    outbox = Outbox()
    for frame in (state("a"), state("b"), state("a", b"2")):
        outbox.push(frame)
    assert [state("a", b"2"), state("b")] == drain(outbox)
    assert 1 == outbox.losses.merged


def test_equal_keys_of_two_topics_are_two() -> None:
    outbox = Outbox()
    outbox.push(state("a"))
    outbox.push(state("a", topic="services.state"))
    assert 2 == len(drain(outbox))


def test_what_is_gone_replaces_what_was() -> None:
    outbox = Outbox()
    outbox.push(state("a"))
    outbox.push(state("a", b""))
    assert [state("a", b"")] == drain(outbox)


def test_events_and_calls_are_never_merged() -> None:
    outbox = Outbox()
    frames = [Frame("event", "", b"1", "", n) for n in range(3)] + [Frame("runner.run", "", b"1", "runner")] * 2
    for frame in frames:
        outbox.push(frame)
    assert frames == drain(outbox)


def test_beyond_their_bound_the_oldest_event_goes() -> None:
    outbox = Outbox()
    outbox.push(state("a"))
    for number in range(EVENTS_WAITING + 2):
        outbox.push(Frame("event", "", b"", "", number))
    left = drain(outbox)
    assert state("a") == left[0]
    assert [2, EVENTS_WAITING + 1] == [left[1].sequence, left[-1].sequence]
    assert 2 == outbox.losses.dropped_events


def test_keys_beyond_the_configured_are_dropped_but_known_ones_still_change() -> None:
    outbox = Outbox(keys=1)
    for number in range(OUTBOX_SPARE + 5):
        outbox.push(state(str(number)))
    outbox.push(state("0", b"new"))
    left = drain(outbox)
    assert OUTBOX_SPARE + 1 == len(left)
    assert state("0", b"new") == left[0]
    assert 4 == outbox.losses.dropped_states


def test_control_frames_are_always_taken_and_signs_of_life_are_one() -> None:
    outbox = Outbox()
    for number in range(OUTBOX_SPARE + 5):
        outbox.push(state(str(number)))
    for topic in ("control.alive", "control.prepared", "control.alive", "control.stopped"):
        outbox.push(Frame(topic, "", b"\x90"))
    topics = [frame.topic for frame in drain(outbox) if frame.topic.startswith("control.")]
    assert ["control.prepared", "control.stopped"] == [topic for topic in topics if topic != "control.alive"]
    assert topics.count("control.alive") <= 1


def test_a_frame_that_is_too_long_is_counted_and_its_descriptor_returned() -> None:
    outbox = Outbox()
    assert [7] == outbox.push(state("a", bytes(MAX_FRAME)), 7)
    assert (0, 1) == (len(outbox), outbox.losses.oversized)


def test_what_never_leaves_gives_back_its_descriptors() -> None:
    outbox = Outbox()
    outbox.push(state("a"), 5)
    assert [5] == outbox.push(state("a", b"2"), 6)
    assert [6] == outbox.clear()
    assert 0 == len(outbox)


def test_a_call_that_left_makes_room_for_another() -> None:
    outbox = Outbox()
    for _ in range(OUTBOX_SPARE + 1):
        outbox.push(Frame("runner.run", "", b"1"))
    outbox.pop()
    outbox.push(Frame("runner.run", "", b"2"))
    assert 1 == outbox.losses.dropped_calls
    assert OUTBOX_SPARE == len(outbox)
