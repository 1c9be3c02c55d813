"""Sockets that speak VRRP, one for each pair of ends on each interface. I/O."""

import socket
import struct
from ipaddress import ip_address

from stayalived.addresses import Family
from stayalived.kernel import filters
from stayalived.vrrp.effects import SendAdvert
from stayalived.vrrp.packet import PROTOCOL

TRAFFIC_CLASS = 0xC0
"""Internetwork control (RFC 2474 4.2.2.2), as keepalived sets it."""

_OFF = 0
_IP_MTU_DISCOVER, _NO_DISCOVERY = 10, 0  # include/uapi/linux/in.h
_ANY = bytes(4)
_GROUP_MEMBERSHIP = struct.Struct("=4s4si")  # struct ip_mreqn
_AF = {Family.IPV4: socket.AF_INET, Family.IPV6: socket.AF_INET6}


class Mouth:
    """A socket that speaks; to a multicast group it is connected, to a peer it is not.

    A connected socket is told what ICMP says of its peer: one that speaks no VRRP yet would cost us the next advert.
    """

    __slots__ = ("_peer", "_socket")

    def __init__(self, advert: SendAdvert) -> None:
        """Open a socket for adverts such as this one.

        Raises:
            OSError: it cannot be opened.
        """
        kind = socket.SOCK_RAW | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC
        self._socket = socket.socket(_AF[advert.family], kind, PROTOCOL)
        self._peer: tuple[str, int] | tuple[str, int, int, int] | None = None
        try:
            self._settle(advert)
        except OSError:
            self._socket.close()
            raise

    @property
    def is_connected(self) -> bool:
        """Whether the socket knows whom it speaks to."""
        return self._peer is None

    def fileno(self) -> int:
        """Return its descriptor."""
        return self._socket.fileno()

    def send(self, data: bytes) -> None:
        """Send a message.

        Raises:
            OSError: it did not leave.
        """
        if self._peer is None:
            self._socket.send(data)
        else:
            self._socket.sendto(data, self._peer)

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()

    def _settle(self, advert: SendAdvert) -> None:
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, advert.interface.encode())
        filters.attach_nothing(self._socket)  # a raw socket is given whatever comes in, and nobody would read it
        place: tuple[str, int] | tuple[str, int, int, int] = (advert.destination, 0)
        if advert.family is Family.IPV4:
            self._settle_ipv4(advert)
        else:
            self._settle_ipv6(advert)
            place = (advert.destination, 0, 0, advert.index)
        if ip_address(advert.destination).is_multicast:
            self._socket.connect(place)
        else:
            self._peer = place

    def _settle_ipv4(self, advert: SendAdvert) -> None:
        sock = self._socket
        sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, advert.ttl)
        sock.setsockopt(socket.IPPROTO_IP, socket.IP_TTL, advert.ttl)
        sock.setsockopt(socket.IPPROTO_IP, socket.IP_TOS, TRAFFIC_CLASS)
        sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_LOOP, _OFF)
        sock.setsockopt(socket.IPPROTO_IP, _IP_MTU_DISCOVER, _NO_DISCOVERY)  # without DF, as keepalived's leave
        outgoing = _GROUP_MEMBERSHIP.pack(_ANY, _ANY, advert.index)
        sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, outgoing)
        sock.bind((advert.source, 0))

    def _settle_ipv6(self, advert: SendAdvert) -> None:
        sock = self._socket
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_HOPS, advert.ttl)
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_UNICAST_HOPS, advert.ttl)
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_TCLASS, TRAFFIC_CLASS)
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_LOOP, _OFF)
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_IF, advert.index)
        sock.bind((advert.source, 0, 0, advert.index))
