"""Messages of rtnetlink(7) about links and addresses, packed and read by hand. Pure.

A thousand addresses take 20 ms this way; adverts cannot wait for the 165 to 370 ms that pyroute2 needs for them.
Layouts: include/uapi/linux/rtnetlink.h, if_link.h, if_addr.h.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address

from stayalived.addresses import Family, VirtualAddress
from stayalived.config.virtual_routers import FOREVER, PlacedAddress
from stayalived.kernel.netlink_messages import (
    CREATE,
    DUMP,
    EXCLUSIVE,
    REQUEST,
    Message,
    as_number,
    as_text,
    attributes_of,
    messages,
    pack_attribute,
    pack_message,
    pack_number,
    pack_text,
)

NEW_LINK, DELETE_LINK, GET_LINK = 16, 17, 18
NEW_ADDRESS, DELETE_ADDRESS, GET_ADDRESS = 20, 21, 22

GROUP_LINK, GROUP_IPV4_ADDRESS, GROUP_IPV6_ADDRESS = 1, 5, 9

KEEPALIVED_PROTOCOL = 18
"""Owner mark of an address (RTPROT_KEEPALIVED); kernels before 5.18 skip the attribute."""

AF_UNSPEC, AF_INET, AF_INET6 = 0, 2, 10
FAMILIES = {AF_INET: Family.IPV4, AF_INET6: Family.IPV6}
AF = {family: number for number, family in FAMILIES.items()}

LINK = struct.Struct("=BxHiII")

_ADDRESS = struct.Struct("=BBBBI")
_CACHE_INFO = struct.Struct("=IIII")

_IFA_ADDRESS, _IFA_LOCAL, _IFA_LABEL, _IFA_BROADCAST = 1, 2, 3, 4
_IFA_CACHEINFO, _IFA_FLAGS, _IFA_PROTO = 6, 8, 11
_IFA_F_NODAD, _IFA_F_DADFAILED, _IFA_F_TENTATIVE = 0x02, 0x08, 0x40
_SHORT_FLAGS = 0xFF
_IFLA_ADDRESS, _IFLA_IFNAME, _IFLA_MTU, _IFLA_LINK, _IFLA_LINKINFO = 1, 3, 4, 5, 18
_IFLA_EXT_MASK, _IFLA_LINK_NETNSID, _IFLA_CARRIER_DOWN_COUNT = 29, 37, 48
_IFLA_INFO_KIND = 1
_IFF_UP, _IFF_RUNNING, _IFF_NOARP = 0x1, 0x40, 0x80
_RTEXT_FILTER_SKIP_STATS = 8
_OWNER = pack_attribute(_IFA_PROTO, bytes((KEEPALIVED_PROTOCOL,)))


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkSeen:
    """A link as one message describes it; `downs` counts how often it lost its carrier."""

    index: int
    name: str
    up: bool
    mac: bytes
    mtu: int
    arp: bool
    downs: int
    gone: bool
    parent: int = 0
    kind: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AddressSeen:
    """An address as one message describes it. One that is still tentative counts as gone: nobody may use it yet."""

    index: int
    address: VirtualAddress
    gone: bool


Seen = LinkSeen | AddressSeen


def add_address(placed: PlacedAddress, index: int, sequence: int) -> bytes:
    """Return the request that puts an address with its attributes on an interface."""
    wanted = placed.flags
    body = b""
    if placed.address.family is Family.IPV6:
        wanted |= 0 if placed.duplicate_detection else _IFA_F_NODAD
        body += _lifetime(placed.preferred_lifetime)
    else:
        if placed.label:
            body += pack_text(_IFA_LABEL, placed.label)
        if placed.broadcast:
            body += pack_attribute(_IFA_BROADCAST, IPv4Address(placed.broadcast).packed)
    if wanted > _SHORT_FLAGS:
        body += pack_number(_IFA_FLAGS, wanted)
    head = _address_head(placed, index, wanted & _SHORT_FLAGS)
    return pack_message(NEW_ADDRESS, REQUEST | CREATE | EXCLUSIVE, sequence, head + body + _OWNER)


def delete_address(placed: PlacedAddress, index: int, sequence: int) -> bytes:
    """Return the request that takes exactly this address with this prefix off an interface, whatever its attributes."""
    return pack_message(DELETE_ADDRESS, REQUEST, sequence, _address_head(placed, index, 0))


def dump_links(sequence: int) -> bytes:
    """Return the request for all links, without their statistics."""
    mask = pack_number(_IFLA_EXT_MASK, _RTEXT_FILTER_SKIP_STATS)
    return pack_message(GET_LINK, REQUEST | DUMP, sequence, LINK.pack(AF_UNSPEC, 0, 0, 0, 0) + mask)


def dump_addresses(sequence: int, index: int = 0) -> bytes:
    """Return the request for all addresses of both families; with an index those of one interface."""
    return pack_message(GET_ADDRESS, REQUEST | DUMP, sequence, _ADDRESS.pack(AF_UNSPEC, 0, 0, 0, index))


def read(data: bytes) -> Iterator[Seen]:
    """Return what the messages of one datagram say, in order; those about other things are passed over."""
    for message in messages(data):
        seen = read_message(message)
        if seen is not None:
            yield seen


def read_message(message: Message) -> Seen | None:
    """Return what one message says, or None when it is about something else."""
    if message.kind in {NEW_LINK, DELETE_LINK}:
        return _read_link(message.body, gone=message.kind == DELETE_LINK)
    if message.kind in {NEW_ADDRESS, DELETE_ADDRESS}:
        return _read_address(message.body, gone=message.kind == DELETE_ADDRESS)
    return None


def _read_link(body: bytes, *, gone: bool) -> LinkSeen | None:
    family, _, index, flags, _ = LINK.unpack_from(body)
    if family != AF_UNSPEC:  # AF_BRIDGE: a port joined or left a bridge, the link itself lives on
        return None
    attributes = attributes_of(body, LINK.size)
    kind = as_text(attributes_of(attributes.get(_IFLA_LINKINFO, b"")).get(_IFLA_INFO_KIND))
    # IFLA_LINK is a veth's other end, and the index of another namespace where there is an IFLA_LINK_NETNSID.
    below = kind != "veth" and _IFLA_LINK_NETNSID not in attributes
    return LinkSeen(
        index=index,
        name=as_text(attributes.get(_IFLA_IFNAME)),
        up=bool(flags & _IFF_UP and flags & _IFF_RUNNING),
        mac=attributes.get(_IFLA_ADDRESS, b""),
        mtu=as_number(attributes.get(_IFLA_MTU)),
        arp=not flags & _IFF_NOARP,
        downs=as_number(attributes.get(_IFLA_CARRIER_DOWN_COUNT)),
        gone=gone,
        parent=as_number(attributes.get(_IFLA_LINK)) if below else 0,
        kind=kind,
    )


def _read_address(body: bytes, *, gone: bool) -> AddressSeen | None:
    number, prefix, short_flags, _, index = _ADDRESS.unpack_from(body)
    attributes = attributes_of(body, _ADDRESS.size)
    # On a point-to-point link IFA_ADDRESS is the other end's; IPv6 without a peer has no IFA_LOCAL.
    packed = attributes.get(_IFA_LOCAL) or attributes.get(_IFA_ADDRESS)
    if number not in FAMILIES or not packed:
        return None
    flags = as_number(attributes.get(_IFA_FLAGS), short_flags)
    text = str(IPv4Address(packed) if number == AF_INET else IPv6Address(packed))
    unusable = bool(flags & (_IFA_F_TENTATIVE | _IFA_F_DADFAILED))
    return AddressSeen(index=index, address=VirtualAddress(text, prefix), gone=gone or unusable)


def _address_head(placed: PlacedAddress, index: int, flags: int) -> bytes:
    address = placed.address
    packed = other = address.packed
    prefix = address.prefix
    if placed.peer:
        # With a peer the prefix, and IFA_ADDRESS, are those of the other end (devinet.c, inet_rtm_newaddr).
        text, _, length = placed.peer.partition("/")
        other, prefix = ip_address(text).packed, int(length or address.family.bits)
    head = _ADDRESS.pack(AF[address.family], prefix, flags, placed.scope, index)
    return head + pack_attribute(_IFA_LOCAL, packed) + pack_attribute(_IFA_ADDRESS, other)


def _lifetime(preferred: int) -> bytes:
    """Return how long an address may be chosen as a source; it is valid without an end.

    A preferred lifetime of zero keeps the kernel from choosing the virtual address as a source (RFC 6724 rule 3): a
    director's own checks would leave with it and, with direct routing, the answers never come back.
    """
    return b"" if preferred == FOREVER else pack_attribute(_IFA_CACHEINFO, _CACHE_INFO.pack(preferred, FOREVER, 0, 0))
