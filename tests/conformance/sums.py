"""Checksums of RFC 1071, word by word: nobody's code but this file's, so that the project's own can be wrong."""

import dataclasses
import ipaddress
import struct

from conformance.steps import Packet


def total(data: bytes) -> int:
    """Return the sum of all 16-bit words with end-around carry."""
    added = 0
    for (word,) in struct.iter_unpack("!H", data + bytes(len(data) % 2)):
        added += word
        added = (added & 0xFFFF) + (added >> 16)
    return added


def adds_up(data: bytes) -> bool:
    """Tell whether a checksum within the data makes its sum all ones."""
    return total(data) == 0xFFFF


def pseudo_header(packet: Packet, length: int) -> bytes:
    """Return what stands in front of a VRRP message of this length for its checksum (RFC 793 3.1, RFC 8200 8.1)."""
    source, destination = (ipaddress.ip_address(text).packed for text in (packet.source, packet.destination))
    if len(source) == 4:
        return source + destination + struct.pack("!BBH", 0, 112, length)
    return source + destination + struct.pack("!IHBB", length, 0, 0, 112)


def sealed(packet: Packet, *, bare: bool = False) -> Packet:
    """Return the packet with a checksum that is right, for its version or without the pseudo-header."""
    data = packet.data
    bare = bare or (data[0] >> 4 == 2 and ":" not in packet.source)
    blank = data[:6] + b"\0\0" + data[8:]
    head = b"" if bare else pseudo_header(packet, len(data))
    text = (blank[:6] + struct.pack("!H", 0xFFFF - total(head + blank)) + blank[8:]).hex()
    return dataclasses.replace(packet, text=text)


def in_ipv4(packet: Packet) -> bytes:
    """Return a message in an IPv4 header without options, as a raw socket hands it over."""
    ends = b"".join(ipaddress.IPv4Address(text).packed for text in (packet.source, packet.destination))
    head = struct.pack("!BBHHHBBH", 0x45, 0xC0, 20 + len(packet.data), 0, 0, packet.ttl, 112, 0)
    return head + ends + packet.data


def ancillary(packet: Packet) -> tuple[bytes, bytes]:
    """Return what stands beside a message of IPv6: values of IPV6_PKTINFO and IPV6_HOPLIMIT (RFC 3542 6)."""
    return ipaddress.IPv6Address(packet.destination).packed + struct.pack("@i", 2), struct.pack("@i", packet.ttl)
