"""What a hostile child may send to the processes that run as root: a message, the declared error, nothing else."""

import socket
from collections.abc import Callable, Iterator
from typing import Any

import msgspec
import pytest
from hypothesis import given, reject
from hypothesis import strategies as st

from stayalived.log import lines, pipe
from stayalived.log.record import BadRecord, Record
from stayalived.log.record import decode as decode_record
from stayalived.messages.codec import BadFrame, Frame, decode
from stayalived.messages.routes import TOPICS, unpack

NUMBERS = st.integers(-(2**63), 2**64 - 1)
TEXTS = st.text(max_size=20)
LEAVES = st.one_of(st.none(), st.booleans(), NUMBERS, st.floats(), TEXTS, st.binary(max_size=20))
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(st.lists(inner, max_size=10), st.dictionaries(TEXTS, inner, max_size=3)),
    max_leaves=20,
)

# What makes a decoder of MessagePack reserve, recurse or read beyond the end; how often.
TRAPS = st.sampled_from(
    [
        (b"\xdd\xff\xff\xff\xff", 1),  # an array of four thousand million
        (b"\xdf\xff\xff\xff\xff", 1),  # a map of as many
        (b"\xdb\xff\xff\xff\xff", 1),  # a text of 4 GiB
        (b"\xc6\xff\xff\xff\xff", 1),  # bytes of 4 GiB
        (b"\x91", 5_000),
        (b"\x81\xa0", 5_000),
        (b"\xc1", 1),  # never used
        (b"\xc7\x01\x7f\x00", 1),  # an extension
        (b"\xa2\xed\xa0", 1),  # half a surrogate
        (b"\xa3\xed\xa0\x80", 1),
    ]
).map(lambda trap: trap[0] * trap[1])


def packed(value: object) -> bytes:
    """Return the MessagePack of a value; one whose numbers it cannot hold is none that could be sent."""
    try:
        return msgspec.msgpack.encode(value)
    except OverflowError:
        reject()


def mutated(good: bytes) -> st.SearchStrategy[bytes]:
    """Cut a good datagram in two somewhere, and put something between the halves or in place of the second one."""
    places = st.integers(0, len(good))
    between = st.one_of(st.binary(max_size=8), TRAPS)
    return st.builds(lambda first, second, what: good[:first] + what + good[second:], places, places, between)


def hostile(good: st.SearchStrategy[Any]) -> st.SearchStrategy[bytes]:
    """Good datagrams, mutated ones, well-formed ones of the wrong shape, and mere bytes."""
    whole, shapes = good.map(packed), VALUES.map(packed)
    return st.one_of(whole, whole.flatmap(mutated), shapes, shapes.flatmap(mutated), st.binary(max_size=200), TRAPS)


def made(cls: type[Any]) -> st.SearchStrategy[Any]:
    """Messages of a type, with any value that its fields may have."""
    return st.builds(cls, **{field.name: st.from_type(field.type) for field in msgspec.structs.fields(cls)})


def outcome(function: Callable[[], object], error: type[Exception]) -> object:
    """Return what a function returned, or that it raised the one error that it declares."""
    try:
        return function()
    except error as raised:
        return raised


FRAMES = st.builds(
    Frame, topic=st.sampled_from(sorted(TOPICS)), key=TEXTS, body=st.binary(max_size=50), peer=TEXTS, sequence=NUMBERS
)
RECORDS = st.builds(
    Record,
    name=TEXTS,
    level=st.integers(0, 2**64 - 1),
    text=TEXTS,
    created=st.integers(0, 2**64 - 1),
    pid=st.integers(0, 2**64 - 1),
    fields=st.dictionaries(TEXTS, TEXTS, max_size=5),
    exception=TEXTS,
    dropped=st.integers(0, 2**64 - 1),
)


@given(data=hostile(FRAMES))
def test_a_datagram_is_a_frame_or_a_bad_one(data: bytes) -> None:
    assert isinstance(outcome(lambda: decode(data), BadFrame), Frame | BadFrame)


@pytest.mark.parametrize("topic", sorted(TOPICS))
@given(choice=st.data())
def test_a_body_is_the_message_of_its_topic_or_the_frame_is_bad(topic: str, choice: st.DataObject) -> None:
    expected = TOPICS[topic].message
    body = choice.draw(hostile(made(expected)))

    found = outcome(lambda: unpack(Frame(topic, body=body)), BadFrame)

    assert found is None if not body else isinstance(found, expected | BadFrame)


@given(topic=TEXTS)
def test_a_topic_that_there_is_not_is_a_bad_frame(topic: str) -> None:
    found = outcome(lambda: unpack(Frame(topic, body=b"\x90")), BadFrame)
    assert isinstance(found, BadFrame) or topic in TOPICS


@given(data=hostile(RECORDS))
def test_a_log_datagram_is_a_record_or_a_bad_one(data: bytes) -> None:
    assert isinstance(outcome(lambda: decode_record(data), BadRecord), Record | BadRecord)


@pytest.fixture(scope="module")
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    ends = pipe.make_pair()
    yield ends
    for end in ends:
        end.close()


@given(data=hostile(RECORDS))
def test_whatever_comes_through_a_log_pair_can_be_written_everywhere(
    pair: tuple[socket.socket, socket.socket], data: bytes
) -> None:
    sender, receiver = pair
    sender.send(data)

    record = pipe.receive(receiver)

    assert (record is None) is (data == b"")
    if record is not None:
        crossed = pipe.from_log_record(pipe.to_log_record(record, "checker/acme"))
        assert lines.text_line("checker/acme", crossed).endswith(b"\n")
        assert b"\n" not in lines.syslog_datagram("checker/acme", crossed, "daemon")
        assert lines.journal_datagram("checker/acme", crossed)
