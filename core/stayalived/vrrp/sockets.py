"""Raw sockets of IP protocol 112: one to hear each group on each interface, one for each pair of ends to speak. I/O."""

import select
import socket
import struct
import time
from collections.abc import Iterator
from dataclasses import dataclass

from stayalived.addresses import Family
from stayalived.errors import KernelProblem
from stayalived.timing import Instant
from stayalived.vrrp import datagrams
from stayalived.vrrp.datagrams import SO_RXQ_OVFL, SO_TIMESTAMPNS
from stayalived.vrrp.effects import Listen, SendAdvert, Unlisten
from stayalived.vrrp.events import DatagramReceived, SocketOverflowed
from stayalived.vrrp.packet import PROTOCOL, TTL

RECEIVE_BUFFER = 1024 * 1024
"""Bytes that wait in one listening socket; about 1,300 adverts, five rounds of 250 virtual routers."""

READS = 2048
"""Packets taken from one socket in one go: more than fit its buffer, so only a flood is cut off and read later."""

TRAFFIC_CLASS = 0xC0
"""Internetwork control (RFC 2474 4.2.2.2), as keepalived sets it."""

_LONGEST = 65535
_ANCILLARY = 256
# Linux names that the socket module of Python 3.11 lacks: include/uapi/linux/in.h, in6.h, asm-generic/socket.h.
_SO_RCVBUFFORCE = 33
_IP_MULTICAST_ALL, _IPV6_MULTICAST_ALL = 49, 29
_IPV6_RECVPKTINFO, _IPV6_RECVHOPLIMIT = 49, 51
_ON, _OFF = 1, 0
_GROUP_MEMBERSHIP = struct.Struct("=4s4si")  # struct ip_mreqn
_GROUP_MEMBERSHIP_6 = struct.Struct("=16sI")  # struct ipv6_mreq
_ANY = bytes(4)
_AF = {Family.IPV4: socket.AF_INET, Family.IPV6: socket.AF_INET6}

Key = tuple[str, Family, str]


@dataclass(slots=True)
class _Ear:
    """A listening socket, how many packets it has lost, and when it was last found empty."""

    key: Key
    index: int
    socket: socket.socket
    lost: int
    emptied: int


class Sockets:
    """All raw sockets of the vrrp process. Its descriptor is readable when one of them is."""

    def __init__(self) -> None:
        """Start without a socket.

        Raises:
            OSError: no descriptor is free.
        """
        self._epoll = select.epoll()
        self._ears: dict[Key, _Ear] = {}
        self._by_descriptor: dict[int, _Ear] = {}
        self._mouths: dict[tuple[str, int, str, str], socket.socket] = {}

    def fileno(self) -> int:
        """Return the descriptor to watch."""
        return self._epoll.fileno()

    def listen(self, effect: Listen) -> None:
        """Join a group on an interface and hear it; harmless when that is so already.

        Raises:
            KernelProblem: it cannot be heard.
        """
        key = (effect.interface, effect.family, effect.group)
        known = self._ears.get(key)
        if known is not None and known.index == effect.index:
            return
        self._close_ear(key)
        try:
            sock = _open_ear(effect)
        except OSError as error:
            raise _refused(f"listen to {effect.group} on {effect.interface}", error) from error
        ear = _Ear(key, effect.index, sock, 0, time.monotonic_ns())
        self._ears[key] = self._by_descriptor[sock.fileno()] = ear
        self._epoll.register(sock.fileno(), select.EPOLLIN)

    def unlisten(self, effect: Unlisten) -> None:
        """Leave a group and close its socket; harmless when it is not heard."""
        self._close_ear((effect.interface, effect.family, effect.group))

    def forget(self, interface: str) -> None:
        """Close every socket of an interface that is gone: one of the same name is another interface."""
        for key in [key for key in self._ears if key[0] == interface]:
            self._close_ear(key)
        for place in [place for place in self._mouths if place[0] == interface]:
            self._mouths.pop(place).close()

    def send(self, effect: SendAdvert) -> None:
        """Send an advert.

        Raises:
            KernelProblem: it did not leave.
        """
        place = (effect.interface, effect.index, effect.source, effect.destination)
        try:
            mouth = self._mouths.get(place)
            if mouth is None:
                mouth = self._mouths[place] = _open_mouth(effect)
            mouth.send(effect.data)
        except OSError as error:
            if place in self._mouths:
                self._mouths.pop(place).close()
            what = f"send to {effect.destination} from {effect.source or 'no address'} on {effect.interface}"
            raise _refused(what, error) from error

    def received(self) -> Iterator[DatagramReceived | SocketOverflowed]:
        """Return what waits in all sockets, each packet with the moment at which the kernel received it."""
        for descriptor, _ in self._epoll.poll(0):
            ear = self._by_descriptor.get(descriptor)  # what was done about an earlier packet may have closed it
            if ear is not None:
                yield from self._read(ear)

    def close(self) -> None:
        """Close everything."""
        for key in list(self._ears):
            self._close_ear(key)
        for mouth in self._mouths.values():
            mouth.close()
        self._mouths.clear()
        self._epoll.close()

    def _read(self, ear: _Ear) -> Iterator[DatagramReceived | SocketOverflowed]:
        interface, family, _ = ear.key
        lost = ear.lost
        for _ in range(READS):
            if self._ears.get(ear.key) is not ear:
                return
            try:
                packet, ancillary, _, origin = ear.socket.recvmsg(_LONGEST, _ANCILLARY)
            except BlockingIOError:
                ear.emptied = time.monotonic_ns()
                break
            remarks = datagrams.read_remarks(ancillary)
            lost = max(lost, remarks.lost)
            if family is Family.IPV4:
                header, data = datagrams.split_ipv4(packet)
            else:
                header, data = datagrams.read_ipv6(origin[0], ancillary), packet
            yield DatagramReceived(
                interface=interface,
                family=family,
                source=header.source,
                destination=header.destination,
                ttl=header.ttl,
                data=data,
                at=_moment(remarks.arrived, ear.emptied),
            )
        if lost != ear.lost:
            missed, ear.lost = lost - ear.lost, lost
            yield SocketOverflowed(interface=interface, family=family, lost=missed)

    def _close_ear(self, key: Key) -> None:
        ear = self._ears.pop(key, None)
        if ear is not None:
            del self._by_descriptor[ear.socket.fileno()]
            self._epoll.unregister(ear.socket.fileno())
            ear.socket.close()


def _moment(arrived: int | None, emptied: int) -> Instant:
    """Return the monotonic moment of a time stamp of the wall clock.

    The packet cannot have come before its socket was last found empty: that bounds what a step of the wall clock, or a
    suspension, which the monotonic clock does not count, can do.
    """
    now = time.monotonic_ns()
    if arrived is None:
        return Instant(now)
    return Instant(max(emptied, min(now, now - (time.time_ns() - arrived))))


def _open_ear(effect: Listen) -> socket.socket:
    kind = socket.SOCK_RAW | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC
    sock = socket.socket(_AF[effect.family], kind, PROTOCOL)
    try:
        # Bound before the group is joined, so that not even the first packet comes from elsewhere.
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, effect.interface.encode())
        _enlarge(sock)
        sock.setsockopt(socket.SOL_SOCKET, SO_RXQ_OVFL, _ON)
        sock.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, _ON)
        group = socket.inet_pton(_AF[effect.family], effect.group)
        # MULTICAST_ALL off: else a socket hears every group that any process joined.
        if effect.family is Family.IPV4:
            sock.bind((effect.group, 0))
            sock.setsockopt(socket.IPPROTO_IP, _IP_MULTICAST_ALL, _OFF)
            membership = _GROUP_MEMBERSHIP.pack(group, _ANY, effect.index)
            sock.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, membership)
        else:
            sock.bind((effect.group, 0, 0, effect.index))
            sock.setsockopt(socket.IPPROTO_IPV6, _IPV6_MULTICAST_ALL, _OFF)
            sock.setsockopt(socket.IPPROTO_IPV6, _IPV6_RECVPKTINFO, _ON)
            sock.setsockopt(socket.IPPROTO_IPV6, _IPV6_RECVHOPLIMIT, _ON)
            membership = _GROUP_MEMBERSHIP_6.pack(group, effect.index)
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_JOIN_GROUP, membership)
    except OSError:
        sock.close()
        raise
    return sock


def _open_mouth(effect: SendAdvert) -> socket.socket:
    """Return a socket that is connected, and so hears nothing: no host sends from a multicast address."""
    kind = socket.SOCK_RAW | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC
    sock = socket.socket(_AF[effect.family], kind, PROTOCOL)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, effect.interface.encode())
        if effect.family is Family.IPV4:
            sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, TTL)
            sock.setsockopt(socket.IPPROTO_IP, socket.IP_TTL, TTL)
            sock.setsockopt(socket.IPPROTO_IP, socket.IP_TOS, TRAFFIC_CLASS)
            sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_LOOP, _OFF)
            outgoing = _GROUP_MEMBERSHIP.pack(_ANY, _ANY, effect.index)
            sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, outgoing)
            sock.bind((effect.source, 0))
            sock.connect((effect.destination, 0))
        else:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_HOPS, TTL)
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_UNICAST_HOPS, TTL)
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_TCLASS, TRAFFIC_CLASS)
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_LOOP, _OFF)
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_IF, effect.index)
            sock.bind((effect.source, 0, 0, effect.index))
            sock.connect((effect.destination, 0, 0, effect.index))
    except OSError:
        sock.close()
        raise
    return sock


def _enlarge(sock: socket.socket) -> None:
    try:
        sock.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, RECEIVE_BUFFER)
    except PermissionError:  # a user namespace's NET_ADMIN is not enough: as much as net.core.rmem_max allows
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)


def _refused(action: str, error: OSError) -> KernelProblem:
    return KernelProblem(action, error.errno or 0)
