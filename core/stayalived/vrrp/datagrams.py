"""What a raw socket hands over, taken apart. Pure.

An IPv4 socket gives the IP header with the message; an IPv6 one gives the message alone, and what stood in the header
as ancillary data (RFC 3542).
"""

import ipaddress
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

SOL_SOCKET, SO_TIMESTAMPNS = 1, 35
IPPROTO_IPV6, IPV6_PKTINFO, IPV6_HOPLIMIT = 41, 50, 52
_IPV6_HEADER = 40
IPV4_HEADER = 20
"""Bytes of an IPv4 header without options."""

_KNOWN_ADDRESSES = 4096
_TIMESPEC = struct.Struct("@ll")
_INT = struct.Struct("@i")
_IPV4 = struct.Struct("!BBHHHBBH")
_IPV6_LENGTH = 16

Ancillary = Sequence[tuple[int, int, bytes]]

Message6 = tuple[str, bytes, bytes, bytes]
"""A message over IPv6 as a socket gives it: sender's address, the message, values of IPV6_PKTINFO and IPV6_HOPLIMIT."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """Who sent a packet to whom, with which time to live. All empty when the packet is cut short."""

    source: str
    destination: str
    ttl: int


NOTHING = Header(source="", destination="", ttl=0)


@lru_cache(maxsize=_KNOWN_ADDRESSES)
def text_of(packed: bytes) -> str:
    """Return an address of 4 or 16 bytes as text."""
    return str(ipaddress.ip_address(packed))


def split_ipv4(packet: bytes) -> tuple[Header, bytes]:
    """Return the header of an IPv4 packet and its payload; options are passed over.

    A packet that is too short for its own header gives `NOTHING` and no payload: whoever counts errors sees it.
    """
    length = (packet[0] & 0x0F) * 4 if packet else 0
    if length < IPV4_HEADER or len(packet) < length:
        return NOTHING, b""
    header = Header(source=text_of(packet[12:16]), destination=text_of(packet[16:20]), ttl=packet[8])
    return header, packet[length:]


def read_ipv6(source: str, ancillary: Ancillary) -> Header:
    """Return what stood in the IPv6 header of a message.

    Args:
        source: the address that `recvmsg` gave, with or without a zone.
        ancillary: must hold IPV6_HOPLIMIT and IPV6_PKTINFO; without them the result is `NOTHING`.
    """
    destination, hop_limit = "", -1
    for level, kind, value in ancillary:
        if level == IPPROTO_IPV6 and kind == IPV6_PKTINFO and len(value) >= _IPV6_LENGTH:
            destination = text_of(value[:_IPV6_LENGTH])
        elif level == IPPROTO_IPV6 and kind == IPV6_HOPLIMIT and len(value) == _INT.size:
            (hop_limit,) = _INT.unpack(value)
    if not destination or hop_limit < 0:
        return NOTHING
    return Header(source=source.partition("%")[0], destination=destination, ttl=hop_limit)


def trim_ipv4(packet: bytes) -> bytes:
    """Return an IPv4 packet out of a frame as a raw socket would show it: without padding.

    What the kernel would have dropped (a wrong header checksum, a fragment, a packet cut short) becomes nothing, which
    whoever takes it apart counts.
    """
    header, _ = split_ipv4(packet)
    length = int.from_bytes(packet[2:4])
    whole = header is not NOTHING and int.from_bytes(packet[: (packet[0] & 0x0F) * 4]) % 0xFFFF == 0
    fragment = int.from_bytes(packet[6:8]) & 0x3FFF  # RFC 791 3.1: more fragments, offset
    return packet[:length] if whole and not fragment and IPV4_HEADER <= length <= len(packet) else b""


def read_ipv6_packet(packet: bytes) -> Message6:
    """Return an IPv6 packet out of a frame as a socket would show its message; an empty one where it is cut short."""
    length = int.from_bytes(packet[4:6])
    if len(packet) < _IPV6_HEADER + length:
        return "", b"", b"", b""
    data = packet[_IPV6_HEADER : _IPV6_HEADER + length]
    return text_of(packet[8:24]), data, packet[24:40] + bytes(4), _INT.pack(packet[7])


def split_message6(message: Message6) -> tuple[Header, bytes]:
    """Return what stood in the header of a message over IPv6, and the message."""
    source, data, packet_info, hop_limit = message
    remarks = ((IPPROTO_IPV6, IPV6_PKTINFO, packet_info), (IPPROTO_IPV6, IPV6_HOPLIMIT, hop_limit))
    return read_ipv6(source, remarks), data


def message6(source: str, data: bytes, ancillary: Ancillary) -> Message6:
    """Return a message over IPv6 with its remarks in their places; empty ones where the kernel gave none."""
    if len(ancillary) == 3 and ancillary[1][1] == IPV6_PKTINFO and ancillary[2][1] == IPV6_HOPLIMIT:
        return source, data, ancillary[1][2], ancillary[2][2]  # the order of net/ipv6/datagram.c
    found = {kind: value for level, kind, value in ancillary if level == IPPROTO_IPV6}
    return source, data, found.get(IPV6_PKTINFO, b""), found.get(IPV6_HOPLIMIT, b"")


def ipv4_packet(*, source: str, destination: str, ttl: int, data: bytes) -> bytes:
    """Return a message in an IPv4 header as a raw socket shows it; the simulator and tests make packets with it."""
    ends = ipaddress.IPv4Address(source).packed + ipaddress.IPv4Address(destination).packed
    head = _IPV4.pack(0x45, 0xC0, IPV4_HEADER + len(data), 0, 0, ttl, 112, 0)
    checksum = 0xFFFF - int.from_bytes(head + ends) % 0xFFFF
    return head[:-2] + checksum.to_bytes(2) + ends + data


def ipv6_message(*, source: str, destination: str, ttl: int, data: bytes) -> Message6:
    """Return a message over IPv6 as a socket shows it; the simulator and tests make messages with it."""
    return source, data, ipaddress.IPv6Address(destination).packed + bytes(4), _INT.pack(ttl)


def read_arrival(ancillary: Ancillary) -> int | None:
    """Return when the kernel received a packet, by the wall clock (ns); None where it does not say it whole."""
    for level, kind, value in ancillary:
        if level == SOL_SOCKET and kind == SO_TIMESTAMPNS and len(value) == _TIMESPEC.size:
            seconds, nanoseconds = _TIMESPEC.unpack(value)
            return int(seconds) * 1_000_000_000 + int(nanoseconds)
    return None
