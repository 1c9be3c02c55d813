"""Ethernet frames that vrrp sends by itself: who has an address now, and adverts from a virtual MAC. Pure."""

import struct
from ipaddress import IPv4Address, IPv6Address, ip_address

ETHERTYPE_IPV4 = 0x0800
ETHERTYPE_ARP = 0x0806
ETHERTYPE_IPV6 = 0x86DD

_MAC_LENGTH = 6
_BROADCAST = b"\xff" * _MAC_LENGTH
_ALL_NODES = IPv6Address("ff02::1")
_ARP_REQUEST = bytes.fromhex("0001080006040001")  # Ethernet, IPv4, lengths 6 and 4, opcode 1
_ICMPV6 = 58
_NEIGHBOUR_ADVERT = 136
_HOP_LIMIT = 255  # RFC 4861 7.1.2: any other proves that a router forwarded it
_ROUTER, _OVERRIDE = 0x80, 0x20
_TARGET_LINK_LAYER = bytes((2, 1))  # RFC 4861 4.6.1: type 2, one unit of eight bytes

_VRRP = 112
_TTL = 255  # RFC 9568 5.1.1.3
_INTERNETWORK_CONTROL = 0xC0  # precedence of TOS, class selector 6
_IPV6_CONTROL = 0x6 << 28 | _INTERNETWORK_CONTROL << 20  # version and traffic class
_IPV4 = struct.Struct(">BBHHHBBH4s4s")
_IPV6 = struct.Struct(">IHBB16s16s")
_LOW_23_BITS = 0x7FFFFF


def frame_for(mac: bytes, address: str, *, router: bool) -> bytes:
    """Return the frame that claims an address of either family for a hardware address.

    Args:
        mac: hardware address, source of the frame.
        address: the virtual address.
        router: for IPv6: this host forwards.

    Raises:
        ValueError: the hardware address is not Ethernet's, or the address is none.
    """
    return neighbour_advert(mac, address, router=router) if ":" in address else gratuitous_arp(mac, address)


def gratuitous_arp(mac: bytes, address: str) -> bytes:
    """Return the frame that claims an IPv4 address for a hardware address.

    It is keepalived's form: a broadcast request whose sender and target are the address and whose target hardware
    address is the broadcast one.

    Raises:
        ValueError: the hardware address is not Ethernet's, or the address is not IPv4.
    """
    packed = IPv4Address(address).packed
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
    packed = IPv6Address(address).packed
    _check(mac)
    flags = _OVERRIDE | (_ROUTER if router else 0)
    head = bytes((_NEIGHBOUR_ADVERT, 0))
    tail = bytes((flags, 0, 0, 0)) + packed + _TARGET_LINK_LAYER + mac
    length = len(head) + 2 + len(tail)
    pseudo_header = packed + _ALL_NODES.packed + length.to_bytes(4) + _ICMPV6.to_bytes(4)
    message = head + _checksum(pseudo_header + head + b"\0\0" + tail) + tail
    header = _IPV6.pack(0x6 << 28, length, _ICMPV6, _HOP_LIMIT, packed, _ALL_NODES.packed)
    return group_mac(_ALL_NODES) + mac + ETHERTYPE_IPV6.to_bytes(2) + header + message


def advert(mac: bytes, source: str, group: str, message: bytes, *, identification: int = 0) -> bytes:
    """Return the frame around an advert that leaves from a virtual MAC (RFC 9568 7.2 and 7.3).

    Args:
        mac: the virtual router's hardware address.
        source: address of the interface that it leaves by.
        group: multicast group, of the same family.
        message: the VRRP message with its checksum.
        identification: of the IPv4 packet; Don't Fragment is clear, as in keepalived's.

    Raises:
        ValueError: the addresses do not go together, or the group is none.
    """
    origin, destination = ip_address(source), ip_address(group)
    _check(mac)
    head = group_mac(destination) + mac
    if isinstance(origin, IPv4Address) and isinstance(destination, IPv4Address):
        length = _IPV4.size + len(message)
        fields = (length, identification, 0, _TTL, _VRRP, 0, origin.packed, destination.packed)
        bare = _IPV4.pack(0x45, _INTERNETWORK_CONTROL, *fields)
        return head + ETHERTYPE_IPV4.to_bytes(2) + bare[:10] + _checksum(bare) + bare[12:] + message
    if isinstance(origin, IPv6Address) and isinstance(destination, IPv6Address):
        rest = (len(message), _VRRP, _TTL, origin.packed, destination.packed)
        return head + ETHERTYPE_IPV6.to_bytes(2) + _IPV6.pack(_IPV6_CONTROL, *rest) + message
    raise ValueError(f"{source} and {group} are of different families")


def group_mac(group: IPv4Address | IPv6Address) -> bytes:
    """Return the hardware address that stands for a multicast group (RFC 1112 6.4, RFC 2464 7).

    Raises:
        ValueError: the address is not multicast.
    """
    if not group.is_multicast:
        raise ValueError(f"{group} is no multicast address")
    if isinstance(group, IPv4Address):
        return bytes.fromhex("01005e") + (int(group) & _LOW_23_BITS).to_bytes(3)
    return bytes.fromhex("3333") + group.packed[-4:]


def _checksum(data: bytes) -> bytes:
    """Return the Internet checksum (RFC 1071): the sum with end-around carry is the remainder of division by 0xFFFF.

    No data here is all zero, of which the remainder would say the opposite.
    """
    return (0xFFFF - int.from_bytes(data) % 0xFFFF).to_bytes(2)


def _check(mac: bytes) -> None:
    if len(mac) != _MAC_LENGTH:
        raise ValueError(f"hardware address {mac.hex(':')!r} has {len(mac)} bytes where Ethernet has {_MAC_LENGTH}")
