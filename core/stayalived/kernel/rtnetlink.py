"""Messages of rtnetlink(7) about links and addresses, packed and read by hand. Pure.

A thousand addresses take 20 ms this way; adverts cannot wait for the 165 to 370 ms that pyroute2 needs for them.
Layouts: include/uapi/linux/netlink.h, rtnetlink.h, if_link.h, if_addr.h.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address

from stayalived.addresses import Family, VirtualAddress

NEW_LINK, DELETE_LINK, GET_LINK = 16, 17, 18
NEW_ADDRESS, DELETE_ADDRESS, GET_ADDRESS = 20, 21, 22
ERROR, DONE = 2, 3

GROUP_LINK, GROUP_IPV4_ADDRESS, GROUP_IPV6_ADDRESS = 1, 5, 9

REQUEST, ACK, CREATE, EXCLUSIVE, DUMP = 0x001, 0x004, 0x400, 0x200, 0x300
DUMP_INTERRUPTED = 0x10

KEEPALIVED_PROTOCOL = 18
"""Owner mark of an address (RTPROT_KEEPALIVED); kernels before 5.18 skip the attribute."""

_HEADER = struct.Struct("=IHHII")
_ADDRESS = struct.Struct("=BBBBI")
_LINK = struct.Struct("=BxHiII")
_ATTRIBUTE = struct.Struct("=HH")
_NUMBER = struct.Struct("=I")
_SIGNED = struct.Struct("=i")
_CACHE_INFO = struct.Struct("=IIII")

_AF_UNSPEC, _AF_INET, _AF_INET6 = 0, 2, 10
_FAMILIES = {_AF_INET: Family.IPV4, _AF_INET6: Family.IPV6}
_AF = {family: number for number, family in _FAMILIES.items()}

_IFA_ADDRESS, _IFA_LOCAL, _IFA_CACHEINFO, _IFA_FLAGS, _IFA_PROTO = 1, 2, 6, 8, 11
_IFA_F_NODAD, _IFA_F_DADFAILED, _IFA_F_TENTATIVE = 0x02, 0x08, 0x40
_IFLA_ADDRESS, _IFLA_IFNAME, _IFLA_MTU, _IFLA_EXT_MASK, _IFLA_CARRIER_DOWN_COUNT = 1, 3, 4, 29, 48
_IFF_UP, _IFF_RUNNING, _IFF_NOARP = 0x1, 0x40, 0x80
_RTEXT_FILTER_SKIP_STATS = 8
_NLMSGERR_ATTR_MSG = 1
_ATTRIBUTE_TYPE = 0x3FFF  # without NLA_F_NESTED and NLA_F_NET_BYTEORDER
_FOREVER = 0xFFFFFFFF


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


@dataclass(frozen=True, slots=True, kw_only=True)
class AddressSeen:
    """An address as one message describes it. One that is still tentative counts as gone: nobody may use it yet."""

    index: int
    address: VirtualAddress
    gone: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """Verdict of the kernel on one request; `errno` 0 is a success."""

    sequence: int
    errno: int
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DumpEnded:
    """The last message of a dump; or `interrupted`: what was read does not fit together."""

    sequence: int
    interrupted: bool


Seen = LinkSeen | AddressSeen | Answer | DumpEnded


def add_address(index: int, address: VirtualAddress, sequence: int, *, ack: bool) -> bytes:
    """Return the request that puts an address on an interface, without duplicate address detection."""
    body = _address_head(index, address, _IFA_F_NODAD if address.family is Family.IPV6 else 0)
    body += _attribute(_IFA_PROTO, bytes((KEEPALIVED_PROTOCOL,)))
    if address.family is Family.IPV6:
        # A preferred lifetime of zero keeps the kernel from choosing the virtual address as a source (RFC 6724 rule 3):
        # a director's own checks would leave with it and, with direct routing, the answers never come back.
        body += _attribute(_IFA_CACHEINFO, _CACHE_INFO.pack(0, _FOREVER, 0, 0))
    return _message(NEW_ADDRESS, REQUEST | CREATE | EXCLUSIVE | (ACK if ack else 0), sequence, body)


def delete_address(index: int, address: VirtualAddress, sequence: int, *, ack: bool) -> bytes:
    """Return the request that takes exactly this address with this prefix off an interface."""
    return _message(DELETE_ADDRESS, REQUEST | (ACK if ack else 0), sequence, _address_head(index, address, 0))


def dump_links(sequence: int) -> bytes:
    """Return the request for all links, without their statistics."""
    mask = _attribute(_IFLA_EXT_MASK, _NUMBER.pack(_RTEXT_FILTER_SKIP_STATS))
    return _message(GET_LINK, REQUEST | DUMP, sequence, _LINK.pack(_AF_UNSPEC, 0, 0, 0, 0) + mask)


def dump_addresses(sequence: int) -> bytes:
    """Return the request for all addresses of both families."""
    return _message(GET_ADDRESS, REQUEST | DUMP, sequence, _ADDRESS.pack(_AF_UNSPEC, 0, 0, 0, 0))


def read(data: bytes) -> Iterator[Seen]:
    """Return what the messages of one datagram say, in order; those about other things are passed over."""
    place = 0
    while place + _HEADER.size <= len(data):
        length, kind, flags, sequence, _ = _HEADER.unpack_from(data, place)
        if length < _HEADER.size or place + length > len(data):
            return
        if flags & DUMP_INTERRUPTED:
            yield DumpEnded(sequence=sequence, interrupted=True)
        seen = _read_message(kind, sequence, data[place + _HEADER.size : place + length])
        if seen is not None:
            yield seen
        place += length + 3 & ~3


def _read_message(kind: int, sequence: int, body: bytes) -> Seen | None:
    if kind in {NEW_LINK, DELETE_LINK}:
        return _read_link(body, gone=kind == DELETE_LINK)
    if kind in {NEW_ADDRESS, DELETE_ADDRESS}:
        return _read_address(body, gone=kind == DELETE_ADDRESS)
    if kind == ERROR:
        return _read_answer(body)
    if kind == DONE:
        return DumpEnded(sequence=sequence, interrupted=False)
    return None


def _read_link(body: bytes, *, gone: bool) -> LinkSeen | None:
    family, _, index, flags, _ = _LINK.unpack_from(body)
    if family != _AF_UNSPEC:  # AF_BRIDGE: a port joined or left a bridge, the link itself lives on
        return None
    attributes = _attributes(body, _LINK.size)
    downs = attributes.get(_IFLA_CARRIER_DOWN_COUNT)
    mtu = attributes.get(_IFLA_MTU)
    return LinkSeen(
        index=index,
        name=attributes.get(_IFLA_IFNAME, b"").rstrip(b"\0").decode(errors="surrogateescape"),
        up=bool(flags & _IFF_UP and flags & _IFF_RUNNING),
        mac=attributes.get(_IFLA_ADDRESS, b""),
        mtu=_NUMBER.unpack(mtu)[0] if mtu else 0,
        arp=not flags & _IFF_NOARP,
        downs=_NUMBER.unpack(downs)[0] if downs else 0,
        gone=gone,
    )


def _read_address(body: bytes, *, gone: bool) -> AddressSeen | None:
    number, prefix, short_flags, _, index = _ADDRESS.unpack_from(body)
    attributes = _attributes(body, _ADDRESS.size)
    # On a point-to-point link IFA_ADDRESS is the other end's; IPv6 without a peer has no IFA_LOCAL.
    packed = attributes.get(_IFA_LOCAL) or attributes.get(_IFA_ADDRESS)
    if number not in _FAMILIES or not packed:
        return None
    long_flags = attributes.get(_IFA_FLAGS)
    flags = _NUMBER.unpack(long_flags)[0] if long_flags else short_flags
    text = str(IPv4Address(packed) if number == _AF_INET else IPv6Address(packed))
    unusable = bool(flags & (_IFA_F_TENTATIVE | _IFA_F_DADFAILED))
    return AddressSeen(index=index, address=VirtualAddress(text, prefix), gone=gone or unusable)


def _read_answer(body: bytes) -> Answer:
    (error,) = _SIGNED.unpack_from(body)
    sequence = _HEADER.unpack_from(body, 4)[3]
    attributes = _attributes(body, 4 + _HEADER.size)  # NETLINK_CAP_ACK: the request is not echoed but for its header
    text = attributes.get(_NLMSGERR_ATTR_MSG, b"").rstrip(b"\0").decode(errors="replace")
    return Answer(sequence=sequence, errno=-error, text=text)


def _address_head(index: int, address: VirtualAddress, flags: int) -> bytes:
    packed = address.packed
    head = _ADDRESS.pack(_AF[address.family], address.prefix, flags, 0, index)
    return head + _attribute(_IFA_LOCAL, packed) + _attribute(_IFA_ADDRESS, packed)


def _message(kind: int, flags: int, sequence: int, body: bytes) -> bytes:
    return _HEADER.pack(_HEADER.size + len(body), kind, flags, sequence, 0) + body


def _attribute(kind: int, value: bytes) -> bytes:
    return _ATTRIBUTE.pack(_ATTRIBUTE.size + len(value), kind) + value + bytes(-len(value) % 4)


def _attributes(body: bytes, start: int) -> dict[int, bytes]:
    found: dict[int, bytes] = {}
    place = start
    while place + _ATTRIBUTE.size <= len(body):
        length, kind = _ATTRIBUTE.unpack_from(body, place)
        if length < _ATTRIBUTE.size:
            break
        found[kind & _ATTRIBUTE_TYPE] = body[place + _ATTRIBUTE.size : place + length]
        place += length + 3 & ~3
    return found
