"""Frames as they cross a segment, with the kernel's time stamps and the name of the host that sent them.

No thread reads in the background: the kernel stamps a frame when it arrives and keeps it in a large buffer until the
test asks. A frame that did not fit makes the next look fail.
"""

import ctypes
import errno
import select
import socket
import struct
from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address
from typing import Any

from namespaces.waiting import wait_until

BUFFER = 64 * 1024 * 1024
ETH_P_ALL, ETH_P_IP, ETH_P_ARP, ETH_P_IPV6 = 0x0003, 0x0800, 0x0806, 0x86DD
ARP_REQUEST = b"\0\1"
IPPROTO_VRRP = 112
SO_ATTACH_FILTER, SO_TIMESTAMPNS, SO_RCVBUFFORCE = 26, 35, 33
SOL_PACKET, PACKET_STATISTICS = 263, 6
PACKET_OUTGOING = 4

# Classic BPF (linux/filter.h): ARP, VRRP over IPv4, VRRP or ICMPv6 over IPv6; nothing of the traffic of clients.
_LOAD_HALF, _LOAD_BYTE, _IF_EQUAL, _RETURN = 0x28, 0x30, 0x15, 0x06
_CONTROL_ONLY = (
    (_LOAD_HALF, 0, 0, 12),
    (_IF_EQUAL, 7, 0, ETH_P_ARP),
    (_IF_EQUAL, 0, 2, ETH_P_IP),
    (_LOAD_BYTE, 0, 0, 23),
    (_IF_EQUAL, 4, 5, IPPROTO_VRRP),
    (_IF_EQUAL, 0, 4, ETH_P_IPV6),
    (_LOAD_BYTE, 0, 0, 20),
    (_IF_EQUAL, 1, 0, IPPROTO_VRRP),
    (_IF_EQUAL, 0, 1, socket.IPPROTO_ICMPV6),
    (_RETURN, 0, 0, 0x40000),
    (_RETURN, 0, 0, 0),
)


def packet_socket() -> socket.socket:
    """Return a socket that hears every interface of the namespace that the calling thread is in."""
    return socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))


@dataclass(frozen=True, slots=True, kw_only=True)
class VrrpHeader:
    """The first bytes of an advert and of the packet around it, decoded without the code under test."""

    version: int
    virtual_router_id: int
    priority: int
    source: str
    destination: str
    ttl: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Packet:
    """One frame. `time` is the wall clock in ns; `sender` the host whose cable it came in by."""

    time: int
    sender: str
    data: bytes

    @property
    def ethertype(self) -> int:
        return int.from_bytes(self.data[12:14])

    def scapy(self) -> Any:
        """Return the frame as scapy decodes it."""
        from scapy.layers.l2 import Ether

        return Ether(self.data)

    def vrrp(self) -> VrrpHeader | None:
        """Return the head of the advert in the frame, or None when it is none."""
        if self.ethertype == ETH_P_IP and self.data[23] == IPPROTO_VRRP:
            body = self.data[14 + (self.data[14] & 15) * 4 :]
            source, destination = IPv4Address(self.data[26:30]), IPv4Address(self.data[30:34])
            ttl = self.data[22]
        elif self.ethertype == ETH_P_IPV6 and self.data[20] == IPPROTO_VRRP:
            body = self.data[54:]
            source, destination = IPv6Address(self.data[22:38]), IPv6Address(self.data[38:54])
            ttl = self.data[21]
        else:
            return None
        return VrrpHeader(
            version=body[0] >> 4,
            virtual_router_id=body[1],
            priority=body[2],
            source=str(source),
            destination=str(destination),
            ttl=ttl,
        )

    def gratuitous(self) -> str:
        """Return the address that the frame claims by gratuitous ARP or unsolicited advertisement, else nothing.

        With what a kernel answers to the gratuitous ARP of a rival nobody claims anything: that is a reply.
        """
        is_request = self.ethertype == ETH_P_ARP and self.data[20:22] == ARP_REQUEST
        if is_request and self.data[28:32] == self.data[38:42]:
            return str(IPv4Address(self.data[28:32]))
        neighbour_advert = self.ethertype == ETH_P_IPV6 and self.data[20] == socket.IPPROTO_ICMPV6
        if neighbour_advert and self.data[54] == 136 and not self.data[58] & 0x40:
            return str(IPv6Address(self.data[62:78]))
        return ""

    def is_chatter(self) -> bool:
        """Tell whether the kernel says this of its own accord: router solicitations, listener reports (MLD)."""
        if self.ethertype != ETH_P_IPV6:
            return False
        # MLD stands behind a hop-by-hop header of 8 bytes (RFC 3810 5).
        place = 62 if self.data[20] == socket.IPPROTO_HOPOPTS else 54 if self.data[20] == socket.IPPROTO_ICMPV6 else 0
        return bool(place) and self.data[place] in {131, 132, 133, 143}


class Capture:
    """Frames that came into a namespace since the capture was opened.

    Args:
        sock: comes from `packet_socket`, called inside the namespace.
        senders: names of hosts by interface; frames of other interfaces are left out. It may grow.
        everything: all frames, not only ARP, VRRP and ICMPv6.
        outgoing: keep the frames that leave by these interfaces, and not those that come in.
    """

    def __init__(
        self, sock: socket.socket, senders: Mapping[str, str], *, everything: bool = False, outgoing: bool = False
    ) -> None:
        self._socket, self._senders, self._outgoing = sock, senders, outgoing
        self._packets: list[Packet] = []
        sock.setblocking(False)
        sock.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, BUFFER)
        sock.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        if not everything:
            program = b"".join(struct.pack("=HBBI", *instruction) for instruction in _CONTROL_ONLY)
            memory = ctypes.create_string_buffer(program)
            attachment = struct.pack("@HP", len(_CONTROL_ONLY), ctypes.addressof(memory))
            sock.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, attachment)
        while select.select([sock], [], [], 0)[0]:  # what came before the filter and the stamps were in place
            sock.recv(1)

    def close(self) -> None:
        """Stop capturing; what was read stays."""
        self._socket.close()

    def packets(self) -> list[Packet]:
        """Return all frames until now, in the order of their arrival.

        Raises:
            AssertionError: the kernel had to drop frames, so nothing can be said of what was on the wire.
        """
        self._read()
        return list(self._packets)

    def wait_for(self, condition: Callable[[Packet], object], *, within: float, what: str, since: int = 0) -> Packet:
        """Return the first frame that fulfils the condition and is not older than `since` (wall clock, ns).

        Raises:
            TooLate: none came in time.
        """
        newer = self._newer(since)

        def first() -> Packet | None:
            self._read()
            return next((packet for packet in newer if condition(packet)), None)

        found = wait_until(first, within=within, what=what, descriptor=self._socket.fileno())
        assert found is not None
        return found

    def adverts(self, sender: str = "", since: int = 0) -> list[Packet]:
        """Return the adverts until now, of one host or of all."""
        self._read()
        return [packet for packet in self._newer(since) if sender in ("", packet.sender) and packet.vrrp()]

    def _read(self) -> None:
        while packet := self._next():
            if packet.sender:
                self._packets.append(packet)
        statistics = self._socket.getsockopt(SOL_PACKET, PACKET_STATISTICS, 8)
        assert struct.unpack("@II", statistics)[1] == 0, "the capture overflowed"

    def _newer(self, since: int) -> Iterator[Packet]:
        """Yield what is not older than `since`; after the last one it goes on when more has been read."""
        return _Following(self._packets, bisect_left(self._packets, since, key=lambda packet: packet.time))

    def _next(self) -> Packet | None:
        try:
            data, ancillary, _, origin = self._socket.recvmsg(65536, 256)
        except BlockingIOError:
            return None
        except OSError as error:
            if error.errno == errno.ENETDOWN:  # one of the interfaces went down: told once, the frames go on
                return self._next()
            raise
        stamp = next(value for level, kind, value in ancillary if (level, kind) == (socket.SOL_SOCKET, SO_TIMESTAMPNS))
        seconds, nanoseconds = struct.unpack("@qq", stamp)
        wanted = (origin[2] == PACKET_OUTGOING) == self._outgoing
        sender = self._senders.get(origin[0], "") if wanted else ""
        return Packet(time=seconds * 10**9 + nanoseconds, sender=sender, data=data)


class _Following(Iterator[Packet]):
    """Goes through a list that grows: after its end it goes on with what was added, and looks at nothing twice."""

    def __init__(self, packets: list[Packet], place: int) -> None:
        self._packets, self._place = packets, place

    def __next__(self) -> Packet:
        if self._place >= len(self._packets):
            raise StopIteration
        self._place += 1
        return self._packets[self._place - 1]
