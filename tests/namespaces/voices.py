"""Adverts that somebody says who runs no router, made without the code under test."""

import socket
from collections.abc import Sequence

from scapy.layers.inet import IP
from scapy.layers.vrrp import VRRPv3
from scapy.utils import checksum

from namespaces.lab import Host

GROUP = "224.0.0.18"
VRRP = 112


def advert(
    addresses: Sequence[str], *, priority: int, source: str, to: str = GROUP, number: int = 1, pseudo: bool = True
) -> bytes:
    """Return a message of version 3 over IPv4 with 0.2 s between adverts.

    Args:
        addresses: the virtual ones, without prefix.
        priority: of whoever is said to say it.
        source: address that it will be sent from.
        to: address that it will be sent to.
        number: of the virtual router.
        pseudo: whether the checksum counts the pseudo-header (RFC 5798 5.2.8) or not (RFC 9568 5.2.8).
    """
    body = VRRPv3(vrid=number, priority=priority, adv=20, addrlist=list(addresses))
    data = bytes(IP(src=source, dst=to, proto=VRRP, ttl=255) / body)[20:]
    if pseudo:
        return data
    return data[:6] + checksum(data[:6] + bytes(2) + data[8:]).to_bytes(2) + data[8:]


def say(host: Host, message: bytes, to: str = GROUP) -> None:
    """Send a message from a host's `eth0`, to all that speak VRRP or to one."""
    with host.inside(), socket.socket(socket.AF_INET, socket.SOCK_RAW, VRRP) as sock:
        sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, 255)
        sock.setsockopt(socket.IPPROTO_IP, socket.IP_TTL, 255)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"eth0")
        sock.sendto(message, (to, 0))
