"""What a raw socket hands over, taken apart. Pure.

An IPv4 socket gives the IP header with the message; an IPv6 one gives the message alone, and what stood in the header
as ancillary data (RFC 3542).
"""

import ipaddress
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

SOL_SOCKET, SO_TIMESTAMPNS, SO_RXQ_OVFL = 1, 35, 40
IPPROTO_IPV6, IPV6_PKTINFO, IPV6_HOPLIMIT = 41, 50, 52
IPV4_HEADER = 20
"""Bytes of an IPv4 header without options."""

_KNOWN_ADDRESSES = 4096
_TIMESPEC = struct.Struct("@ll")
_INT = struct.Struct("@i")
_UNSIGNED = struct.Struct("@I")
_IPV6_LENGTH = 16

Ancillary = Sequence[tuple[int, int, bytes]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """Who sent a packet to whom, with which time to live. All empty when the packet is cut short."""

    source: str
    destination: str
    ttl: int


NOTHING = Header(source="", destination="", ttl=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Remarks:
    """What the kernel says about a packet: wall clock (ns) of its arrival, and packets lost on the socket so far."""

    arrived: int | None
    lost: int


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
        if level == IPPROTO_IPV6 and kind == IPV6_PKTINFO:
            destination = text_of(value[:_IPV6_LENGTH])
        elif level == IPPROTO_IPV6 and kind == IPV6_HOPLIMIT:
            (hop_limit,) = _INT.unpack(value)
    if not destination or hop_limit < 0:
        return NOTHING
    return Header(source=source.partition("%")[0], destination=destination, ttl=hop_limit)


def read_remarks(ancillary: Ancillary) -> Remarks:
    """Return what the kernel noted about a packet of either family."""
    arrived, lost = None, 0
    for level, kind, value in ancillary:
        if level == SOL_SOCKET and kind == SO_TIMESTAMPNS:
            seconds, nanoseconds = _TIMESPEC.unpack(value)
            arrived = seconds * 1_000_000_000 + nanoseconds
        elif level == SOL_SOCKET and kind == SO_RXQ_OVFL:
            (lost,) = _UNSIGNED.unpack(value)
    return Remarks(arrived=arrived, lost=lost)
