import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from stayalived.child.link import FRAMES_AT_ONCE, Link, make_pair, read_blob
from stayalived.messages.codec import MAX_FRAME, Frame, encode
from stayalived.messages.control import Alive
from stayalived.messages.routes import pack

Pair = tuple[Link, Link]
Raw = tuple[socket.socket, Link]


@pytest.fixture
def pair() -> Iterator[Pair]:
    ends = make_pair()
    links = Link(ends[0]), Link(ends[1])
    yield links
    for link in links:
        link.close()


@pytest.fixture
def raw() -> Iterator[Raw]:
    theirs, ours = make_pair()
    link = Link(ours)
    yield theirs, link
    theirs.close()
    link.close()


def receive_all(link: Link) -> list[Frame]:
    frames = []
    while batch := link.receive():
        frames += [frame for frame, _ in batch]
    return frames


def state(number: object, body: bytes = b"1") -> Frame:
    return Frame("services.check", str(number), body)


def open_descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def memfd(content: bytes) -> int:
    descriptor = os.memfd_create("test")
    os.write(descriptor, content)
    return descriptor


def test_frames_arrive_whole_and_in_order(pair: Pair) -> None:
    sender, receiver = pair
    frames = [state(number) for number in range(5)]
    for frame in frames:
        sender.send(frame)
    assert frames == receive_all(receiver)


def test_a_full_pipe_never_blocks_and_keeps_the_newest_of_each_key(pair: Pair) -> None:
    sender, receiver = pair
    big = bytes(60_000)
    number = 0
    while not sender.waiting:
        sender.send(state(number, big))
        number += 1
    for body in (b"old", b"new"):
        sender.send(state("last", body))
    assert 1 == sender.losses.merged
    arrived = []
    while sender.waiting:
        arrived += receive_all(receiver)
        sender.flush()
    arrived += receive_all(receiver)
    assert number + 1 == len(arrived)
    assert state("last", b"new") == arrived[-1]


def test_order_is_kept_when_there_is_room_again(pair: Pair) -> None:
    sender, receiver = pair
    number = 0
    while not sender.waiting:
        sender.send(state(number, bytes(60_000)))
        number += 1
    receiver.receive()
    sender.send(pack(Alive()))
    assert 2 == sender.waiting
    sender.flush()
    assert "control.alive" == receive_all(receiver)[-1].topic


def test_several_thousand_small_frames_fit_without_a_reader(pair: Pair) -> None:
    sender, _ = pair
    for number in range(3000):
        sender.send(state(number))
    assert 0 == sender.waiting


def test_a_frame_that_is_too_long_is_dropped_and_counted(pair: Pair) -> None:
    sender, receiver = pair
    sender.send(state("a", bytes(MAX_FRAME)))
    assert 1 == sender.losses.oversized
    assert [] == receiver.receive()


def test_the_longest_frame_passes(pair: Pair) -> None:
    sender, receiver = pair
    frame = state("a", bytes(MAX_FRAME - 64))
    assert len(encode(frame)) <= MAX_FRAME
    sender.send(frame)
    assert [frame] == receive_all(receiver)


@pytest.mark.parametrize(
    "datagram",
    [b"\xc1", b"x", b"\x95", bytes(100), b"\x91" * 2000, os.urandom(64), bytes(MAX_FRAME + 1)],
    ids=lambda datagram: f"{len(datagram)} bytes",
)
def test_what_is_no_frame_is_dropped_and_counted(raw: Raw, datagram: bytes) -> None:
    theirs, link = raw
    theirs.send(datagram)
    theirs.send(encode(state("good")))
    assert [state("good")] == receive_all(link)
    assert 1 == link.bad_frames


def test_one_call_takes_a_bounded_number(pair: Pair) -> None:
    sender, receiver = pair
    for number in range(FRAMES_AT_ONCE + 1):
        sender.send(state(number))
    assert [FRAMES_AT_ONCE, 1] == [len(receiver.receive()), len(receiver.receive())]


def test_a_descriptor_travels_with_its_frame(pair: Pair) -> None:
    sender, receiver = pair
    sender.send(state("a"), memfd(b"configuration"))
    ((frame, descriptors),) = receiver.receive()
    assert [b"configuration"] == [read_blob(descriptor) for descriptor in descriptors]
    assert state("a") == frame


def test_a_descriptor_belongs_to_the_link(pair: Pair) -> None:
    sender, receiver = pair
    descriptor = memfd(b"x")
    sender.send(state("a"), descriptor)
    with pytest.raises(OSError):
        os.fstat(descriptor)
    for _, descriptors in receiver.receive():
        os.close(descriptors[0])


def test_too_many_descriptors_are_refused_and_none_is_left_open(raw: Raw) -> None:
    theirs, link = raw
    descriptors = [os.dup(0) for _ in range(20)]
    before = open_descriptors()
    socket.send_fds(theirs, [encode(state("a"))], descriptors)
    assert [] == link.receive()
    assert (1, before) == (link.bad_frames, open_descriptors())
    for descriptor in descriptors:
        os.close(descriptor)


def test_the_end_is_seen_after_what_came_before_it(raw: Raw) -> None:
    theirs, link = raw
    theirs.send(encode(state("a")))
    theirs.close()
    assert [state("a")] == receive_all(link)
    assert link.closed


def test_sending_to_one_who_is_gone_is_harmless(raw: Raw) -> None:
    theirs, link = raw
    theirs.close()
    link.send(state("a"), memfd(b"x"))
    link.send(state("b"), memfd(b"x"))
    link.flush()
    assert link.closed
    assert 0 == link.waiting


def test_what_waits_for_one_who_dies_is_given_up(pair: Pair) -> None:
    sender, receiver = pair
    while not sender.waiting:
        sender.send(state(sender.fileno(), bytes(60_000)), memfd(b"x"))
        sender.send(Frame("event", "", bytes(60_000)))
    before = open_descriptors()
    sender.send(pack(Alive()), memfd(b"x"))
    receiver.close()
    sender.flush()
    assert 0 == sender.waiting
    assert open_descriptors() < before + 1
