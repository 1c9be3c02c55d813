"""What a raw socket hands over is taken apart."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stayalived.vrrp.datagrams import (
    IPPROTO_IPV6,
    IPV6_HOPLIMIT,
    IPV6_PKTINFO,
    NOTHING,
    SO_RXQ_OVFL,
    SO_TIMESTAMPNS,
    SOL_SOCKET,
    Header,
    Remarks,
    read_ipv6,
    read_remarks,
    split_ipv4,
)

GROUP = bytes.fromhex("ff020000000000000000000000000012")
PKTINFO = (IPPROTO_IPV6, IPV6_PKTINFO, GROUP + bytes(4))
HOP_LIMIT = (IPPROTO_IPV6, IPV6_HOPLIMIT, struct.pack("@i", 255))


def ipv4_packet(options: bytes = b"", ttl: int = 255) -> bytes:
    words = 5 + len(options) // 4
    head = bytes((0x40 | words, 0xC0, 0, 0, 0, 0, 0, 0, ttl, 112, 0, 0))
    return head + bytes((192, 0, 2, 1)) + bytes((224, 0, 0, 18)) + options + b"message"


def test_an_ipv4_packet_is_header_and_message() -> None:
    header, data = split_ipv4(ipv4_packet(ttl=254))

    assert header == Header(source="192.0.2.1", destination="224.0.0.18", ttl=254)
    assert data == b"message"


def test_options_of_an_ipv4_header_are_passed_over() -> None:
    _, data = split_ipv4(ipv4_packet(options=b"\x94\x04\0\0"))

    assert data == b"message"


@pytest.mark.parametrize("packet", [b"", b"\x45", ipv4_packet()[:19], b"\x44" + ipv4_packet()[1:], b"\x4f" + bytes(30)])
def test_an_ipv4_packet_that_is_cut_short_or_lies_about_its_length_is_nothing(packet: bytes) -> None:
    assert split_ipv4(packet) == (NOTHING, b"")


@given(st.binary(max_size=80))
def test_whatever_comes_is_split_or_nothing(packet: bytes) -> None:
    _, data = split_ipv4(packet)

    assert len(data) <= max(0, len(packet) - 20)


def test_the_header_of_ipv6_comes_beside_the_message() -> None:
    header = read_ipv6("fe80::1%eth0", [PKTINFO, HOP_LIMIT])

    assert header == Header(source="fe80::1", destination="ff02::12", ttl=255)


@pytest.mark.parametrize("ancillary", [[], [PKTINFO], [HOP_LIMIT]])
def test_without_the_header_an_ipv6_message_is_nothing(ancillary: list[tuple[int, int, bytes]]) -> None:
    assert read_ipv6("fe80::1", ancillary) == NOTHING


def test_remarks_are_arrival_and_losses() -> None:
    stamp = (SOL_SOCKET, SO_TIMESTAMPNS, struct.pack("@ll", 5, 7))
    lost = (SOL_SOCKET, SO_RXQ_OVFL, struct.pack("@I", 3))

    assert read_remarks([stamp, lost]) == Remarks(arrived=5_000_000_007, lost=3)
    assert read_remarks([PKTINFO]) == Remarks(arrived=None, lost=0)
