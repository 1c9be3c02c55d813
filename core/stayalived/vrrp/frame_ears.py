"""Sockets that hear frames which come from our own virtual MACs. I/O.

The kernel gives what comes from the hardware address of a macvlan in private mode to that macvlan alone
(drivers/net/macvlan.c, macvlan_handle_frame), so what another director says from the same virtual MAC is not heard on
the interface underneath. No group may be joined on the macvlan of a backup: IGMP would leave from the virtual MAC, and
every switch would look for the master here. A packet socket hears without joining. One is enough for all macvlans, and
one it must be: see `kernel.neighbours` for what it takes to close many.
"""

import socket
from collections.abc import Iterator
from itertools import chain

from stayalived.addresses import Family
from stayalived.kernel import filters
from stayalived.kernel.frames import ETHERTYPE_IPV4, ETHERTYPE_IPV6
from stayalived.vrrp import datagrams
from stayalived.vrrp.arrivals import MANY, Arrivals, Packet
from stayalived.vrrp.events import (
    DatagramReceived,
    MessagesReceived,
    PacketsReceived,
    Received,
    SocketOverflowed,
    datagram,
)
from stayalived.vrrp.packet import PROTOCOL

RECEIVE_BUFFER = 4 * 1024 * 1024
"""Bytes that wait; about 5,000 adverts."""

PREFIX = 5
"""Bytes of a virtual MAC before the number of the virtual router (RFC 9568 7.3)."""

_ETHERTYPES = {Family.IPV4: ETHERTYPE_IPV4, Family.IPV6: ETHERTYPE_IPV6}
_PLACE_OF_PROTOCOL = {Family.IPV4: 9, Family.IPV6: 6}
_KIND = socket.SOCK_DGRAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC


class FrameEar:
    """Hears adverts from the virtual MACs of one family, on the macvlans that it is told of.

    Attributes:
        interfaces: names of the macvlans.
        socket: to be watched.
        is_closed: nothing is heard any more.
    """

    def __init__(self, family: Family, prefix: bytes) -> None:
        """Hear nothing yet.

        Args:
            family: IPv4 or IPv6.
            prefix: the first five bytes of the virtual MACs.

        Raises:
            OSError: it cannot be heard.
        """
        self.interfaces: set[str] = set()
        self.is_closed = False
        self._family = family
        # Python cannot bind a packet socket to all interfaces; so it hears everything until it has a filter.
        self.socket = socket.socket(socket.AF_PACKET, _KIND, socket.htons(_ETHERTYPES[family]))
        try:
            filters.attach_nothing(self.socket)
            self._arrivals = Arrivals(self.socket, RECEIVE_BUFFER)
            for _ in self._arrivals.packets():
                pass
            filters.attach(self.socket, *_adverts_from(family, prefix))
        except OSError:
            self.socket.close()
            raise

    def close(self) -> None:
        """Close the socket."""
        self.is_closed = True
        self.socket.close()

    def received(self) -> Iterator[Received]:
        """Return what waits, by interface. The first packet tells whether this process stood still meanwhile."""
        packets = self._arrivals.packets()
        first = next(packets, None)
        if first is None:
            return
        if self._arrivals.is_late(first):
            yield from self._one_by_one(chain((first,), packets))
            return
        found: dict[str, list[bytes]] = {}
        for packet in (first, *packets):
            found.setdefault(packet[3][0], []).append(packet[0])
        for interface in self.interfaces & found.keys():
            yield self._together(interface, found[interface])
        if sum(map(len, found.values())) >= MANY and not self.is_closed:
            missed = self._arrivals.missed()
            for interface in sorted(self.interfaces) if missed else ():
                yield SocketOverflowed(interface=interface, family=self._family, lost=missed)

    def _together(self, interface: str, packets: list[bytes]) -> Received:
        if self._family is Family.IPV4:
            return PacketsReceived(interface=interface, packets=list(map(datagrams.trim_ipv4, packets)))
        return MessagesReceived(interface=interface, messages=list(map(datagrams.read_ipv6_packet, packets)))

    def _one_by_one(self, packets: Iterator[Packet]) -> Iterator[DatagramReceived]:
        """Return packets one by one, each with the moment at which the kernel received it."""
        for packet in packets:
            interface = packet[3][0]
            if interface in self.interfaces:
                header, data = self._split(packet[0])
                yield datagram(interface, self._family, header, data, self._arrivals.moment(packet))
            if self.is_closed:
                return

    def _split(self, packet: bytes) -> tuple[datagrams.Header, bytes]:
        if self._family is Family.IPV4:
            return datagrams.split_ipv4(datagrams.trim_ipv4(packet))
        return datagrams.split_message6(datagrams.read_ipv6_packet(packet))


def _adverts_from(family: Family, prefix: bytes) -> tuple[filters.Instruction, ...]:
    """Return the program that lets VRRP from virtual MACs through."""
    return (
        (filters.LOAD_BYTE, 0, 0, _PLACE_OF_PROTOCOL[family]),
        (filters.IF_EQUAL, 0, 5, PROTOCOL),
        (filters.LOAD_WORD, 0, 0, filters.LINK_LAYER + 6),
        (filters.IF_EQUAL, 0, 3, int.from_bytes(prefix[:4])),
        (filters.LOAD_BYTE, 0, 0, filters.LINK_LAYER + 10),
        (filters.IF_EQUAL, 0, 1, prefix[4]),
        (filters.RETURN, 0, 0, filters.EVERYTHING),
        (filters.RETURN, 0, 0, 0),
    )
