"""A router that says why a packet goes nowhere, at once and to each: the kernel's own ones say it once in a second."""

import ctypes
import socket
import struct
from ipaddress import IPv4Address

from verdicts.behaviour import PROHIBITED, REJECTED, UNREACHABLE

INTERFACE = "eth0"
CODES = {IPv4Address(UNREACHABLE): 1, IPv4Address(PROHIBITED): 13, IPv4Address(REJECTED): 0}
"""RFC 1812 5.2.7.1: host unreachable, prohibited, net unreachable. Others hear nothing."""

_FILTER = struct.pack(
    "=HBBIHBBIHBBIHBBIHBBI",
    *(0x20, 0, 0, 16),  # linux/filter.h: load the destination,
    *(0x54, 0, 0, 0xFFFFFF00),  # its net,
    *(0x15, 0, 1, int(IPv4Address("203.0.113.0"))),  # and unless it is this one
    *(0x06, 0, 0, 65535),
    *(0x06, 0, 0, 0),  # let nothing pass: the floods of others would leave no room
)
_SO_ATTACH_FILTER = 26  # include/uapi/asm-generic/socket.h
_IPV4 = 0x0800  # include/uapi/linux/if_ether.h
_MOST = 65536


class Router:
    """Hears what a host that forwards nothing is given to forward. To be made in the namespace of that host."""

    def __init__(self) -> None:
        self._heard = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(_IPV4))
        code = ctypes.create_string_buffer(_FILTER)
        self._heard.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, struct.pack("HL", 5, ctypes.addressof(code)))
        self._heard.bind((INTERFACE, _IPV4))
        self._heard.setblocking(False)
        self._speaking = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)

    def fileno(self) -> int:
        """Return the descriptor that is readable when a packet has come."""
        return self._heard.fileno()

    def turn_back(self) -> None:
        """Answer one packet, where its destination has an answer."""
        packet = self._heard.recv(_MOST)
        code = CODES.get(IPv4Address(packet[16:20]))
        if code is not None:
            self._speaking.sendto(refusal(packet, code), (str(IPv4Address(packet[12:16])), 0))


def refusal(packet: bytes, code: int) -> bytes:
    """Return the message that a packet of IPv4 could not be delivered (RFC 792)."""
    quoted = packet[: (packet[0] & 15) * 4 + 8]
    body = struct.pack("!BBHI", 3, code, 0, 0) + quoted
    return body[:2] + _checksum(body) + body[4:]


def _checksum(data: bytes) -> bytes:
    """Return the checksum of the Internet (RFC 1071)."""
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return (~total & 0xFFFF).to_bytes(2, "big")
