"""Messages of rtnetlink: what we write, and what we make of what is read."""

import struct
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stayalived.addresses import VirtualAddress
from stayalived.config.virtual_routers import FOREVER, PlacedAddress
from stayalived.kernel.netlink_messages import attributes_of
from stayalived.kernel.rtnetlink import (
    DELETE_ADDRESS,
    NEW_ADDRESS,
    NEW_LINK,
    AddressSeen,
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


def placed(text: str, **more: Any) -> PlacedAddress:
    return PlacedAddress(address=VirtualAddress.parse(text), interface="eth0", **more)


def link_body(*attributes: bytes, family: int = 0, flags: int = 0x1 | 0x40) -> bytes:
    head = struct.pack("=BxHiII", family, 1, 7, flags, 0)
    downs = attribute(48, struct.pack("=I", 3))
    own = (attribute(3, b"eth0\0"), attribute(1, b"\2\0\0\0\0\1"), attribute(4, struct.pack("=I", 1500)), downs)
    return head + b"".join((*own, *attributes))


def address_body(family: int, prefix: int, *attributes: bytes, flags: int = 0) -> bytes:
    return struct.pack("=BBBBI", family, prefix, flags, 0, 7) + b"".join(attributes)


def test_what_is_added_reads_back_as_what_was_meant() -> None:
    four, six = placed("192.0.2.9/28", label="eth0:v", scope=253), placed("2001:db8::9/64", flags=0x200)

    sent = add_address(four, 7, 1) + add_address(six, 7, 2)

    expected = [
        AddressSeen(index=7, address=four.address, gone=False),
        AddressSeen(index=7, address=six.address, gone=False),
    ]
    assert expected == list(read(sent))


def test_what_is_deleted_reads_back_as_gone() -> None:
    item = placed("2001:db8::9/128")

    assert [AddressSeen(index=7, address=item.address, gone=True)] == list(read(delete_address(item, 7, 1)))


def test_an_address_with_a_peer_reads_back_with_the_prefix_of_the_peer() -> None:
    item = placed("198.51.100.1/24", peer="198.51.100.2/32")

    expected = AddressSeen(index=7, address=VirtualAddress("198.51.100.1", 32), gone=False)
    assert [expected] == list(read(add_address(item, 7, 1)))


def test_a_peer_without_a_prefix_has_that_of_a_single_address() -> None:
    (seen,) = read(add_address(placed("2001:db8::9/64", peer="2001:db8::a"), 7, 1))

    assert AddressSeen(index=7, address=VirtualAddress("2001:db8::9", 128), gone=False) == seen


def test_to_delete_an_address_its_attributes_are_not_asked_for() -> None:
    bare, full = placed("192.0.2.9/28"), placed("192.0.2.9/28", label="eth0:v", broadcast="192.0.2.15")

    assert delete_address(bare, 7, 1) == delete_address(full, 7, 1)


@pytest.mark.parametrize(
    ("item", "lifetime"),
    [
        (placed("2001:db8::9/128"), 0),
        (placed("2001:db8::9/64"), 0),
        (placed("2001:db8::9/64", preferred_lifetime=3600), 3600),
        (placed("2001:db8::9/64", preferred_lifetime=FOREVER), None),
        (placed("192.0.2.9/32"), None),
    ],
)
def test_an_ipv6_address_is_kept_from_being_a_source_unless_it_is_to_be_one(
    item: PlacedAddress, lifetime: int | None
) -> None:
    expected = {} if lifetime is None else {6: struct.pack("=IIII", lifetime, FOREVER, 0, 0)}

    found = attributes_of(add_address(item, 7, 1), 24)

    assert expected == {kind: value for kind, value in found.items() if kind == 6}


@pytest.mark.parametrize(
    ("item", "short", "long"),
    [
        (placed("192.0.2.9/32"), 0, None),
        (placed("2001:db8::9/64"), 0x02, None),
        (placed("2001:db8::9/64", duplicate_detection=True), 0, None),
        (placed("2001:db8::9/64", flags=0x10), 0x12, None),
        (placed("2001:db8::9/64", flags=0x200), 0x02, 0x202),
        (placed("192.0.2.9/32", flags=0x400), 0, 0x400),
    ],
)
def test_flags_that_a_byte_cannot_hold_have_an_attribute(item: PlacedAddress, short: int, long: int | None) -> None:
    sent = add_address(item, 7, 1)

    found = attributes_of(sent, 24).get(8)

    assert (short, long) == (sent[18], struct.unpack("=I", found)[0] if found else None)


def test_every_address_bears_the_mark_of_its_owner() -> None:
    assert {b"\x12"} == {attributes_of(add_address(placed(text), 7, 1), 24)[11] for text in ("192.0.2.9", "::1")}


def test_a_link_is_read() -> None:
    expected = LinkSeen(index=7, name="eth0", up=True, mac=b"\2\0\0\0\0\1", mtu=1500, arp=True, downs=3, gone=False)

    assert [expected] == list(read(message(NEW_LINK, link_body())))


KIND_MACVLAN = attribute(18, attribute(1, b"macvlan\0"))
PARENT = attribute(5, struct.pack("=I", 2))


@pytest.mark.parametrize(
    ("attributes", "parent", "kind"),
    [
        ((), 0, ""),
        ((PARENT, KIND_MACVLAN), 2, "macvlan"),
        ((PARENT, attribute(37, struct.pack("=I", 0)), KIND_MACVLAN), 0, "macvlan"),
        ((PARENT, attribute(18, attribute(1, b"veth\0"))), 0, "veth"),
        ((attribute(18, attribute(1, b"bridge\0")),), 0, "bridge"),
    ],
)
def test_a_link_has_a_kind_and_one_underneath_in_the_same_namespace(
    attributes: tuple[bytes, ...], parent: int, kind: str
) -> None:
    (seen,) = read(message(NEW_LINK, link_body(*attributes)))

    assert isinstance(seen, LinkSeen)
    assert (parent, kind) == (seen.parent, seen.kind)


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


def test_messages_of_other_kinds_are_passed_over() -> None:
    assert list(read(message(1, b"") + message(24, bytes(12)))) == []


@given(st.binary(max_size=64))
def test_a_datagram_that_is_cut_short_is_read_as_far_as_it_goes(rest: bytes) -> None:
    whole = message(NEW_LINK, link_body())
    oversized = struct.pack("=I", 4096) + rest

    assert len(list(read(whole + oversized))) == 1
