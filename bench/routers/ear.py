"""What is on the wire, with the kernel's time stamps. I/O.

One AF_PACKET socket for each link, on the bridge, where each frame passes once. Nobody reads it before the measurement
is over: frames wait in its buffer, so all that the ear costs meanwhile is a reference to each frame. An ear that is
read as it fills costs as much as a daemon.
"""

import ctypes
import socket
import struct
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from namespaces.capture import ETH_P_ALL, ETH_P_ARP, SO_ATTACH_FILTER, Capture, Packet, packet_socket
from namespaces.lab import Segment

_LOAD_HALF, _LOAD_BYTE, _LOAD_WORD, _IF_EQUAL, _RETURN = 0x28, 0x30, 0x20, 0x15, 0x06
_VRRP = 112
_IPV4_TYPE, _IPV6_TYPE = b"\x08\x00", b"\x86\xdd"

Key = tuple[int, int]
"""A virtual router: its link and its number."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """An advert. `sender` is the hardware address that it came from."""

    time: int
    router: Key
    priority: int
    sender: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """All that was on the wire.

    Attributes:
        adverts: in the order of time on each link.
        announcements: moments of gratuitous ARPs and unsolicited neighbour advertisements, by address.
    """

    adverts: list[Said]
    announcements: Mapping[str, list[int]]

    def by_router(self, sender: Mapping[int, bytes]) -> dict[Key, list[Said]]:
        """Return the adverts of one host, given its hardware address on each link, by virtual router."""
        found: dict[Key, list[Said]] = defaultdict(list)
        for said in self.adverts:
            if said.sender == sender[said.router[0]]:
                found[said.router].append(said)
        return found


class Ear:
    """Keeps adverts and announcements of some links from now on.

    Args:
        segments: the links.
        only: hardware address, by link, of the one whose adverts alone are kept; all frames of everybody when empty.
    """

    def __init__(self, segments: Iterable[Segment], only: Mapping[int, bytes] | None = None) -> None:
        self._captures: list[Capture] = []
        for place, segment in enumerate(segments):
            with segment.inside():
                sock = packet_socket()
                sock.bind((Segment.BRIDGE, ETH_P_ALL))
            capture = segment.lab.keep(Capture(sock, {Segment.BRIDGE: Segment.BRIDGE}))
            if only is not None:
                _attach(sock, only[place])
                capture.packets()
            self._captures.append(capture)

    def heard(self) -> Heard:
        """Read everything.

        Raises:
            AssertionError: the kernel had to drop frames, so nothing can be said of what was on the wire.
        """
        adverts: list[Said] = []
        announcements: dict[str, list[int]] = defaultdict(list)
        for link, capture in enumerate(self._captures):
            for packet in capture.packets():
                said = _advert(link, packet)
                if said is not None:
                    adverts.append(said)
                elif address := packet.gratuitous():
                    announcements[address].append(packet.time)
        return Heard(adverts=adverts, announcements=announcements)

    def close(self) -> None:
        """Hear no more."""
        for capture in self._captures:
            capture.close()


def _advert(link: int, packet: Packet) -> Said | None:
    data = packet.data
    if data[12:14] == _IPV4_TYPE and data[23] == _VRRP:
        body = 14 + (data[14] & 15) * 4
    elif data[12:14] == _IPV6_TYPE and data[20] == _VRRP:
        body = 54
    else:
        return None
    return Said(time=packet.time, router=(link, data[body + 1]), priority=data[body + 2], sender=data[6:12])


def _attach(sock: socket.socket, mac: bytes) -> None:
    """Let only what one hardware address sends through, but no ARP: a BACKUP may have to ask for addresses."""
    instructions = (
        (_LOAD_WORD, 0, 0, 6),
        (_IF_EQUAL, 0, 5, int.from_bytes(mac[:4])),
        (_LOAD_HALF, 0, 0, 10),
        (_IF_EQUAL, 0, 3, int.from_bytes(mac[4:])),
        (_LOAD_HALF, 0, 0, 12),
        (_IF_EQUAL, 1, 0, ETH_P_ARP),
        (_RETURN, 0, 0, 0x40000),
        (_RETURN, 0, 0, 0),
    )
    program = b"".join(struct.pack("=HBBI", *instruction) for instruction in instructions)
    memory = ctypes.create_string_buffer(program)
    sock.setsockopt(
        socket.SOL_SOCKET, SO_ATTACH_FILTER, struct.pack("@HP", len(instructions), ctypes.addressof(memory))
    )
