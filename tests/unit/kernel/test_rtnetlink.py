"""Messages of rtnetlink: what we write, and what we make of what is read."""

import struct

from hypothesis import given
from hypothesis import strategies as st

from stayalived.addresses import VirtualAddress
from stayalived.kernel.rtnetlink import (
    DELETE_ADDRESS,
    NEW_ADDRESS,
    NEW_LINK,
    AddressSeen,
    Answer,
    DumpEnded,
    LinkSeen,
    add_address,
    delete_address,
    read,
)

AF_INET, AF_INET6, AF_BRIDGE = 2, 10, 7


def message(kind: int, body: bytes, *, flags: int = 0, sequence: int = 1) -> bytes:
    return struct.pack("=IHHII", 16 + len(body), kind, flags, sequence, 0) + body + bytes(-len(body) % 4)


def attribute(kind: int, value: bytes) -> bytes:
    return struct.pack("=HH", 4 + len(value), kind) + value + bytes(-len(value) % 4)


def link_body(*, family: int = 0, flags: int = 0x1 | 0x40) -> bytes:
    head = struct.pack("=BxHiII", family, 1, 7, flags, 0)
    downs = attribute(48, struct.pack("=I", 3))
    return (
        head + attribute(3, b"eth0\0") + attribute(1, b"\2\0\0\0\0\1") + attribute(4, struct.pack("=I", 1500)) + downs
    )


def address_body(family: int, prefix: int, *attributes: bytes, flags: int = 0) -> bytes:
    return struct.pack("=BBBBI", family, prefix, flags, 0, 7) + b"".join(attributes)


def test_what_is_added_reads_back_as_what_was_meant() -> None:
    four, six = VirtualAddress.parse("192.0.2.9/28"), VirtualAddress.parse("2001:db8::9/64")

    sent = add_address(7, four, 1, ack=False) + add_address(7, six, 2, ack=True)

    expected = [AddressSeen(index=7, address=four, gone=False), AddressSeen(index=7, address=six, gone=False)]
    assert expected == list(read(sent))


def test_what_is_deleted_reads_back_as_gone() -> None:
    address = VirtualAddress.parse("2001:db8::9/128")

    expected = [AddressSeen(index=7, address=address, gone=True)]
    assert expected == list(read(delete_address(7, address, 1, ack=True)))


def test_an_ipv6_address_is_kept_from_being_a_source() -> None:
    lifetimes = attribute(6, struct.pack("=IIII", 0, 0xFFFFFFFF, 0, 0))

    assert lifetimes in add_address(7, VirtualAddress.parse("2001:db8::9/128"), 1, ack=True)
    assert lifetimes in add_address(7, VirtualAddress.parse("2001:db8::9/64"), 1, ack=True)
    assert lifetimes not in add_address(7, VirtualAddress.parse("192.0.2.9/32"), 1, ack=True)


def test_a_link_is_read() -> None:
    expected = LinkSeen(index=7, name="eth0", up=True, mac=b"\2\0\0\0\0\1", mtu=1500, arp=True, downs=3, gone=False)

    assert [expected] == list(read(message(NEW_LINK, link_body())))


def test_a_link_without_carrier_is_not_up() -> None:
    (seen,) = read(message(NEW_LINK, link_body(flags=0x1)))

    assert isinstance(seen, LinkSeen)
    assert not seen.up


def test_the_message_of_a_bridge_about_its_port_says_nothing_of_the_link() -> None:
    assert list(read(message(17, link_body(family=AF_BRIDGE)))) == []


def test_on_a_point_to_point_link_the_address_is_our_end() -> None:
    body = address_body(AF_INET, 32, attribute(1, bytes((192, 0, 2, 2))), attribute(2, bytes((192, 0, 2, 1))))

    expected = [AddressSeen(index=7, address=VirtualAddress("192.0.2.1", 32), gone=False)]
    assert expected == list(read(message(NEW_ADDRESS, body)))


def test_a_tentative_address_counts_as_gone_until_it_is_not() -> None:
    packed = attribute(1, VirtualAddress.parse("2001:db8::9").packed)
    tentative = address_body(AF_INET6, 64, packed, attribute(8, struct.pack("=I", 0x40)))
    settled = address_body(AF_INET6, 64, packed, attribute(8, struct.pack("=I", 0x80)))

    seen = list(read(message(NEW_ADDRESS, tentative) + message(NEW_ADDRESS, settled)))

    assert [True, False] == [item.gone for item in seen if isinstance(item, AddressSeen)]


def test_an_address_that_failed_its_detection_counts_as_gone() -> None:
    body = address_body(AF_INET6, 64, attribute(1, VirtualAddress.parse("2001:db8::9").packed), flags=0x08)

    assert [True] == [item.gone for item in read(message(NEW_ADDRESS, body)) if isinstance(item, AddressSeen)]


def test_an_address_without_an_address_is_passed_over() -> None:
    assert list(read(message(DELETE_ADDRESS, address_body(AF_INET, 24)))) == []


def test_an_answer_has_the_number_of_the_error_and_the_kernels_words() -> None:
    header = struct.pack("=IHHII", 60, NEW_ADDRESS, 5, 42, 0)
    body = struct.pack("=i", -99) + header + attribute(1, b"Invalid address\0")

    assert [Answer(sequence=42, errno=99, text="Invalid address")] == list(read(message(2, body)))


def test_the_end_of_a_dump_and_its_interruption_are_told() -> None:
    done = message(3, bytes(4), sequence=5)
    interrupted = message(NEW_ADDRESS, address_body(AF_INET, 24), flags=0x10, sequence=5)

    assert [DumpEnded(sequence=5, interrupted=True), DumpEnded(sequence=5, interrupted=False)] == list(
        read(interrupted + done)
    )


def test_messages_of_other_kinds_are_passed_over() -> None:
    assert list(read(message(1, b"") + message(24, bytes(12)))) == []


@given(st.binary(max_size=64))
def test_a_datagram_that_is_cut_short_is_read_as_far_as_it_goes(rest: bytes) -> None:
    whole = message(NEW_LINK, link_body())
    oversized = struct.pack("=I", 4096) + rest

    assert len(list(read(whole + oversized))) == 1
