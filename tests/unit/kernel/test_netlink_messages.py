"""Headers and attributes of netlink: what is packed is read again, and what is cut short does no harm."""

import struct

from hypothesis import given
from hypothesis import strategies as st

from stayalived.kernel.netlink_messages import (
    ACK,
    DONE,
    ERROR,
    Answer,
    Message,
    as_answer,
    as_number,
    as_text,
    attributes_of,
    every_attribute,
    messages,
    pack_attribute,
    pack_message,
    pack_nested,
    pack_number,
    pack_text,
)


@given(st.lists(st.tuples(st.integers(0, 0x3FFF), st.binary(max_size=70)), max_size=6))
def test_attributes_are_read_as_they_were_packed(pairs: list[tuple[int, bytes]]) -> None:
    packed = b"".join(pack_attribute(kind, value) for kind, value in pairs)

    assert pairs == list(every_attribute(packed))
    assert len(packed) % 4 == 0


def test_numbers_texts_and_nests_are_read_as_they_were_packed() -> None:
    packed = (
        pack_number(1, 4_000_000_000) + pack_text(2, "eth0") + pack_nested(3, (pack_number(1, 7), pack_text(2, "x")))
    )

    found = attributes_of(packed)

    assert (4_000_000_000, "eth0") == (as_number(found[1]), as_text(found[2]))
    assert (7, "x") == (as_number(attributes_of(found[3])[1]), as_text(attributes_of(found[3])[2]))


def test_what_is_not_there_has_a_default() -> None:
    assert (0, 5, "") == (as_number(None), as_number(None, 5), as_text(None))


def test_a_name_that_is_not_utf_8_survives() -> None:
    assert b"\xff0\0" == attributes_of(pack_text(1, as_text(b"\xff0\0")))[1]


def test_messages_of_one_datagram_are_read_in_order() -> None:
    data = pack_message(20, ACK, 1, b"") + pack_message(21, 0, 2, b"abcd")

    assert [Message(20, ACK, 1, 0, b""), Message(21, 0, 2, 0, b"abcd")] == list(messages(data))


@given(st.binary(max_size=64))
def test_a_datagram_that_is_cut_short_is_read_as_far_as_it_goes(rest: bytes) -> None:
    whole = pack_message(20, 0, 1, b"abcd")

    assert Message(20, 0, 1, 0, b"abcd") == next(messages(whole + struct.pack("=I", 4096) + rest))


@given(st.binary(max_size=64))
def test_attributes_that_are_no_attributes_end_by_themselves(data: bytes) -> None:
    assert len(list(every_attribute(data))) <= len(data) // 4


def test_an_answer_names_its_request_and_says_why_in_the_kernels_words() -> None:
    body = struct.pack("=i", -22) + bytes(16) + pack_text(1, "Invalid prefsrc address")

    assert Answer(sequence=7, errno=22, text="Invalid prefsrc address") == as_answer(Message(ERROR, 0, 7, 0, body))


def test_an_acknowledgement_is_an_answer_without_an_error_and_another_message_is_none() -> None:
    assert Answer(sequence=7, errno=0, text="") == as_answer(Message(ERROR, 0, 7, 0, bytes(20)))
    assert as_answer(Message(20, 0, 7, 0, bytes(20))) is None
    assert as_answer(Message(ERROR, 0, 7, 0, b"")) is None


def test_a_dump_that_fails_says_so_at_its_end() -> None:
    assert Answer(sequence=7, errno=2, text="") == as_answer(Message(DONE, 2, 7, 0, struct.pack("=i", -2)))
