"""Sockets that hear VRRP, one for each group or own address on each interface. I/O."""

import socket
import struct
from collections.abc import Iterator
from ipaddress import ip_address
from itertools import chain

from stayalived.addresses import Family
from stayalived.timing import Instant
from stayalived.vrrp import datagrams
from stayalived.vrrp.arrivals import MANY, Arrivals, Packet
from stayalived.vrrp.datagrams import Message6
from stayalived.vrrp.effects import Listen
from stayalived.vrrp.events import (
    DatagramReceived,
    MessagesReceived,
    PacketsReceived,
    Received,
    SocketOverflowed,
    datagram,
)
from stayalived.vrrp.packet import PROTOCOL

RECEIVE_BUFFER = 1024 * 1024
"""Bytes that wait in one socket; about 1,300 adverts, five rounds of 250 virtual routers."""

# Linux names that the socket module of Python 3.11 lacks: include/uapi/linux/in.h, in6.h.
_IP_MULTICAST_ALL, _IPV6_MULTICAST_ALL = 49, 29
_IPV6_RECVPKTINFO, _IPV6_RECVHOPLIMIT = 49, 51
_ON, _OFF = 1, 0
_GROUP_MEMBERSHIP = struct.Struct("=4s4si")  # struct ip_mreqn
_GROUP_MEMBERSHIP_6 = struct.Struct("=16sI")  # struct ipv6_mreq
_ANY = bytes(4)
_AF = {Family.IPV4: socket.AF_INET, Family.IPV6: socket.AF_INET6}
_KIND = socket.SOCK_RAW | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC


class Ear:
    """A listening socket.

    Attributes:
        interface: its name.
        index: its index; another one is another interface.
        socket: to be watched.
        is_closed: nothing is heard any more.
    """

    def __init__(self, effect: Listen) -> None:
        """Join a group on an interface, or listen to an own address.

        Raises:
            OSError: it cannot be heard.
        """
        self.interface, self.index = effect.interface, effect.index
        self.is_closed = False
        self._family = effect.family
        self.socket = socket.socket(_AF[effect.family], _KIND, PROTOCOL)
        try:
            # Bound before the group is joined, so that not even the first packet comes from elsewhere.
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, effect.interface.encode())
            self._arrivals = Arrivals(self.socket, RECEIVE_BUFFER)
            _listen(self.socket, effect)
        except OSError:
            self.socket.close()
            raise

    def close(self) -> None:
        """Leave the group and close the socket."""
        self.is_closed = True
        self.socket.close()

    def received(self) -> Iterator[Received]:
        """Return what waits. The first packet tells whether this process stood still meanwhile."""
        arrivals = self._arrivals
        packets = arrivals.packets()
        first = next(packets, None)
        if first is None:
            return
        if arrivals.is_late(first):
            yield from self._one_by_one(chain((first,), packets))
            return
        if self._family is Family.IPV4:
            found = [first[0], *arrivals.bare()]
            yield PacketsReceived(interface=self.interface, packets=found)
            count = len(found)
        else:
            messages = [_message6(packet) for packet in (first, *packets)]
            yield MessagesReceived(interface=self.interface, messages=messages)
            count = len(messages)
        if count >= MANY and not self.is_closed:
            missed = arrivals.missed()
            if missed:
                yield SocketOverflowed(interface=self.interface, family=self._family, lost=missed)

    def _one_by_one(self, packets: Iterator[Packet]) -> Iterator[DatagramReceived]:
        """Return packets one by one, each with the moment at which the kernel received it."""
        for packet in packets:
            yield self._datagram(packet, self._arrivals.moment(packet))
            if self.is_closed:  # what was done about this packet may have closed it
                return

    def _datagram(self, packet: Packet, at: Instant) -> DatagramReceived:
        if self._family is Family.IPV6:
            header, data = datagrams.split_message6(_message6(packet))
        else:
            header, data = datagrams.split_ipv4(packet[0])
        return datagram(self.interface, self._family, header, data, at)


def _message6(packet: Packet) -> Message6:
    return datagrams.message6(packet[3][0], packet[0], packet[1])


def _listen(sock: socket.socket, effect: Listen) -> None:
    if effect.family is Family.IPV4:
        sock.bind((effect.address, 0))
    else:
        sock.setsockopt(socket.IPPROTO_IPV6, _IPV6_RECVPKTINFO, _ON)
        sock.setsockopt(socket.IPPROTO_IPV6, _IPV6_RECVHOPLIMIT, _ON)
        sock.bind((effect.address, 0, 0, effect.index))
    if ip_address(effect.address).is_multicast:
        _join(sock, effect)


def _join(sock: socket.socket, effect: Listen) -> None:
    """Join a multicast group. MULTICAST_ALL off: else a socket hears every group that any process joined."""
    group = socket.inet_pton(_AF[effect.family], effect.address)
    if effect.family is Family.IPV4:
        sock.setsockopt(socket.IPPROTO_IP, _IP_MULTICAST_ALL, _OFF)
        membership = _GROUP_MEMBERSHIP.pack(group, _ANY, effect.index)
        sock.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, membership)
    else:
        sock.setsockopt(socket.IPPROTO_IPV6, _IPV6_MULTICAST_ALL, _OFF)
        membership = _GROUP_MEMBERSHIP_6.pack(group, effect.index)
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_JOIN_GROUP, membership)
