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
    SO_TIMESTAMPNS,
    SOL_SOCKET,
    Header,
    ipv4_packet,
    ipv6_message,
    message6,
    read_arrival,
    read_ipv6,
    read_ipv6_packet,
    split_ipv4,
    split_message6,
    trim_ipv4,
)

GROUP = bytes.fromhex("ff020000000000000000000000000012")
PKTINFO = (IPPROTO_IPV6, IPV6_PKTINFO, GROUP + bytes(4))
HOP_LIMIT = (IPPROTO_IPV6, IPV6_HOPLIMIT, struct.pack("@i", 255))


def packet_with(options: bytes = b"", ttl: int = 255) -> bytes:
    words = 5 + len(options) // 4
    head = bytes((0x40 | words, 0xC0, 0, 0, 0, 0, 0, 0, ttl, 112, 0, 0))
    return head + bytes((192, 0, 2, 1)) + bytes((224, 0, 0, 18)) + options + b"message"


def test_an_ipv4_packet_is_header_and_message() -> None:
    header, data = split_ipv4(packet_with(ttl=254))

    assert header == Header(source="192.0.2.1", destination="224.0.0.18", ttl=254)
    assert data == b"message"


def test_options_of_an_ipv4_header_are_passed_over() -> None:
    _, data = split_ipv4(packet_with(options=b"\x94\x04\0\0"))

    assert data == b"message"


@pytest.mark.parametrize("packet", [b"", b"\x45", packet_with()[:19], b"\x44" + packet_with()[1:], b"\x4f" + bytes(30)])
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


@pytest.mark.parametrize("length", [0, 3, 15])
def test_ancillary_data_that_is_cut_short_was_not_given(length: int) -> None:
    assert read_ipv6("fe80::1", [(IPPROTO_IPV6, IPV6_PKTINFO, bytes(length)), HOP_LIMIT]) == NOTHING
    assert read_ipv6("fe80::1", [PKTINFO, (IPPROTO_IPV6, IPV6_HOPLIMIT, bytes(length))]) == NOTHING
    assert read_arrival([(SOL_SOCKET, SO_TIMESTAMPNS, bytes(length))]) is None


def test_the_kernel_says_when_a_packet_arrived_or_says_nothing() -> None:
    stamp = (SOL_SOCKET, SO_TIMESTAMPNS, struct.pack("@ll", 5, 7))

    assert read_arrival([PKTINFO, stamp]) == 5_000_000_007
    assert read_arrival([PKTINFO]) is None


def test_a_packet_that_is_made_is_taken_apart_into_what_it_was_made_of() -> None:
    ends = {"source": "192.0.2.1", "destination": "224.0.0.18", "ttl": 255}

    packet = ipv4_packet(**ends, data=b"message")

    assert split_ipv4(packet) == (Header(**ends), b"message")
    assert int.from_bytes(packet[:20]) % 0xFFFF == 0  # the checksum of the header (RFC 791 3.1)


def test_a_message_that_is_made_is_taken_apart_into_what_it_was_made_of() -> None:
    ends = {"source": "fe80::1", "destination": "ff02::12", "ttl": 255}

    assert split_message6(ipv6_message(**ends, data=b"message")) == (Header(**ends), b"message")


def test_a_packet_of_a_frame_loses_its_padding() -> None:
    packet = ipv4_packet(source="192.0.2.1", destination="224.0.0.18", ttl=255, data=b"message")

    assert trim_ipv4(packet + bytes(19)) == packet


@pytest.mark.parametrize(
    "spoilt",
    [
        {10: 1},  # the checksum of the header
        {8: 1},  # the TTL, which the checksum covers
        {6: 0x20, 10: -0x20},  # more fragments, with the right checksum
        {2: 1, 10: -1},  # longer than it is
    ],
)
def test_what_the_kernel_would_have_dropped_is_nothing(spoilt: dict[int, int]) -> None:
    packet = bytearray(ipv4_packet(source="192.0.2.1", destination="224.0.0.18", ttl=255, data=b"message"))
    for place, by in spoilt.items():
        packet[place] = (packet[place] + by) % 256

    assert trim_ipv4(bytes(packet)) == b""


def test_an_ipv6_packet_of_a_frame_is_what_a_socket_shows_of_it() -> None:
    ends = {"source": "fe80::1", "destination": "ff02::12", "ttl": 254}
    source, destination = (bytes.fromhex(text) for text in (f"fe80{1:028x}", f"ff02{0x12:028x}"))
    packet = bytes((0x6C, 0, 0, 0, 0, 7, 112, 254)) + source + destination + b"message"

    assert read_ipv6_packet(packet + bytes(3)) == ipv6_message(**ends, data=b"message")
    assert split_message6(read_ipv6_packet(packet[:-1])) == (NOTHING, b"")


@pytest.mark.parametrize("before", [[], [(SOL_SOCKET, SO_TIMESTAMPNS, bytes(16))], [(1, 2, b""), (3, 4, b"")]])
def test_remarks_of_a_message_find_their_places(before: list[tuple[int, int, bytes]]) -> None:
    assert message6("fe80::1", b"m", [*before, PKTINFO, HOP_LIMIT]) == ("fe80::1", b"m", PKTINFO[2], HOP_LIMIT[2])


def test_a_message_without_remarks_is_nothing() -> None:
    assert split_message6(message6("fe80::1", b"m", [])) == (NOTHING, b"m")
