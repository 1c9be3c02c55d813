"""What tells the neighbours where a virtual address lives now: gratuitous ARP and unsolicited advertisements. I/O.

The frames are made by pure functions; `NeighbourSender` puts them on the wire.
"""

import errno
import ipaddress
import socket
from collections.abc import Callable
from pathlib import Path

from stayalived.errors import KernelProblem
from stayalived.timing import Instant, elapsed, seconds

ETHERTYPE_ARP = 0x0806
ETHERTYPE_IPV6 = 0x86DD

FORWARDING_AGE = seconds(5)
"""How old what is known of an interface's IPv6 forwarding may be."""

_MAC_LENGTH = 6
_BROADCAST = b"\xff" * _MAC_LENGTH
_ALL_NODES_MAC = bytes.fromhex("333300000001")  # RFC 2464 7
_ALL_NODES = ipaddress.IPv6Address("ff02::1").packed
_ARP_REQUEST = bytes.fromhex("0001080006040001")  # Ethernet, IPv4, lengths 6 and 4, opcode 1
_ICMPV6 = 58
_NEIGHBOUR_ADVERT = 136
_HOP_LIMIT = 255  # RFC 4861 7.1.2: any other proves that a router forwarded it
_ROUTER, _OVERRIDE = 0x80, 0x20
_TARGET_LINK_LAYER = bytes((2, 1))  # RFC 4861 4.6.1: type 2, one unit of eight bytes


def gratuitous_arp(mac: bytes, address: str) -> bytes:
    """Return the frame that claims an IPv4 address for a hardware address.

    It is keepalived's form: a broadcast request whose sender and target are the address and whose target hardware
    address is the broadcast one.

    Raises:
        ValueError: the hardware address is not Ethernet's, or the address is not IPv4.
    """
    packed = ipaddress.IPv4Address(address).packed
    _check(mac)
    head = _BROADCAST + mac + ETHERTYPE_ARP.to_bytes(2)
    return head + _ARP_REQUEST + mac + packed + _BROADCAST + packed


def neighbour_advert(mac: bytes, address: str, *, router: bool) -> bytes:
    """Return the frame that claims an IPv6 address for a hardware address (RFC 4861 4.4 and 7.2.6).

    Args:
        mac: hardware address of the interface.
        address: the virtual address: source of the packet and target of the advertisement.
        router: this host forwards; a wrong flag makes neighbours drop or take up a default route.

    Raises:
        ValueError: the hardware address is not Ethernet's, or the address is not IPv6.
    """
    packed = ipaddress.IPv6Address(address).packed
    _check(mac)
    flags = _OVERRIDE | (_ROUTER if router else 0)
    head = bytes((_NEIGHBOUR_ADVERT, 0))
    tail = bytes((flags, 0, 0, 0)) + packed + _TARGET_LINK_LAYER + mac
    length = len(head) + 2 + len(tail)
    pseudo_header = packed + _ALL_NODES + length.to_bytes(4) + _ICMPV6.to_bytes(4)
    # RFC 1071: the sum with end-around carry is the remainder of division by 0xFFFF; none of these words is all zero.
    checksum = 0xFFFF - int.from_bytes(pseudo_header + head + b"\0\0" + tail) % 0xFFFF
    header = bytes((0x60, 0, 0, 0)) + length.to_bytes(2) + bytes((_ICMPV6, _HOP_LIMIT)) + packed + _ALL_NODES
    return _ALL_NODES_MAC + mac + ETHERTYPE_IPV6.to_bytes(2) + header + head + checksum.to_bytes(2) + tail


class NeighbourSender:
    """Sends both kinds of frames over one packet socket that receives nothing."""

    def __init__(self) -> None:
        """Open the socket in the network namespace of the calling thread.

        Raises:
            PermissionError: CAP_NET_RAW is missing.
        """
        kind = socket.SOCK_RAW | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC
        self._socket = socket.socket(socket.AF_PACKET, kind, 0)
        self._forwarding: dict[str, tuple[Instant, bool]] = {}

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()

    def send_gratuitous_arp(self, interface: str, mac: bytes, address: str) -> None:
        """Broadcast that an IPv4 address is here.

        Raises:
            KernelProblem: the frame did not leave.
        """
        self._send(interface, ETHERTYPE_ARP, address, lambda: gratuitous_arp(mac, address))

    def send_neighbour_advert(self, interface: str, mac: bytes, address: str, now: Instant) -> None:
        """Tell all nodes that an IPv6 address is here.

        Raises:
            KernelProblem: the frame did not leave.
        """
        router = self._forwards(interface, now)
        self._send(interface, ETHERTYPE_IPV6, address, lambda: neighbour_advert(mac, address, router=router))

    def _send(self, interface: str, ethertype: int, address: str, build: Callable[[], bytes]) -> None:
        action = f"announce {address} on {interface}"
        try:
            self._socket.sendto(build(), (interface, ethertype))
        except ValueError as error:
            raise KernelProblem(action, errno.EINVAL, str(error)) from error
        except OSError as error:
            raise KernelProblem(action, error.errno or errno.EIO) from error

    def _forwards(self, interface: str, now: Instant) -> bool:
        known = self._forwarding.get(interface)
        if known is None or elapsed(known[0], now) > FORWARDING_AGE:
            try:
                on = Path(f"/proc/sys/net/ipv6/conf/{interface}/forwarding").read_text(encoding="ascii") != "0\n"
            except OSError:  # the interface, or IPv6, is gone: a host that forwards nothing
                on = False
            known = self._forwarding[interface] = (now, on)
        return known[1]


def _check(mac: bytes) -> None:
    if len(mac) != _MAC_LENGTH:
        raise ValueError(f"hardware address {mac.hex(':')!r} has {len(mac)} bytes where Ethernet has {_MAC_LENGTH}")
