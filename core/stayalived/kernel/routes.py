"""Messages of rtnetlink(7) about routes. Pure. Layouts: include/uapi/linux/rtnetlink.h."""

import struct
from collections.abc import Iterable, Iterator, Mapping
from ipaddress import ip_address

from stayalived.addresses import Family, VirtualAddress
from stayalived.config.virtual_routers import NextHop, Route
from stayalived.kernel.netlink_messages import (
    APPEND,
    CREATE,
    DUMP,
    REQUEST,
    Message,
    as_number,
    attributes_of,
    pack_attribute,
    pack_message,
    pack_nested,
    pack_number,
)
from stayalived.kernel.rtnetlink import AF, FAMILIES, KEEPALIVED_PROTOCOL

NEW_ROUTE, DELETE_ROUTE, GET_ROUTE = 24, 25, 26
GROUP_IPV4_ROUTE, GROUP_IPV6_ROUTE = 7, 11

UNICAST, LOCAL, BLACKHOLE, UNREACHABLE, PROHIBIT, THROW = 1, 2, 6, 7, 8, 9

DEFAULT_IPV6_METRIC = 1024
"""What the kernel makes of an IPv6 metric of 0 (IP6_RT_PRIO_USER)."""

PROTOCOL_PLACE = 5
"""Where the protocol stands in the body of a message."""

Indexes = Mapping[str, int]
Names = Mapping[int, str]

_ROUTE = struct.Struct("=BBBBBBBBI")
_NEXT_HOP = struct.Struct("=HBBi")
_VIA = struct.Struct("=H")

_RTA_DST, _RTA_OIF, _RTA_GATEWAY, _RTA_PRIORITY, _RTA_PREFSRC, _RTA_METRICS, _RTA_MULTIPATH = 1, 4, 5, 6, 7, 8, 9
_RTA_TABLE, _RTA_VIA = 15, 18
_RTAX_MTU = 2
_RTNH_F_ONLINK = 4
_SCOPE_UNIVERSE, _SCOPE_LINK, _SCOPE_HOST, _SCOPE_NOWHERE = 0, 253, 254, 255
_COMPATIBLE = 252  # RT_TABLE_COMPAT: see RTA_TABLE
_SHORT = 0xFF


def identity(route: Route) -> tuple[Family, VirtualAddress, int, int]:
    """Return the key of a route as the kernel counts metrics: what a route that was read is compared by."""
    if route.family is Family.IPV6 and not route.metric:
        return route.family, route.destination, route.table, DEFAULT_IPV6_METRIC
    return route.key


def add_route(route: Route, indexes: Indexes, sequence: int) -> bytes:
    """Return the request that puts a route in front of those of others with the same key, or behind them.

    Without EXCLUSIVE: a foreign route of the same key must not pass for ours.

    Args:
        route: the route.
        indexes: of all interfaces that it names.
        sequence: number of the request.
    """
    place = APPEND if route.behind else 0
    return pack_message(NEW_ROUTE, REQUEST | CREATE | place, sequence, _body(route, indexes, _scope_of(route)))


def delete_route(route: Route, indexes: Indexes, sequence: int) -> bytes:
    """Return the request that removes a route, if it is ours."""
    scope = route.scope or (_SCOPE_NOWHERE if route.family is Family.IPV4 else _SCOPE_UNIVERSE)
    return pack_message(DELETE_ROUTE, REQUEST, sequence, _body(route, indexes, scope))


def dump_routes(family: Family, sequence: int) -> bytes:
    """Return the request for our routes of a family; the kernel leaves out the others (NETLINK_GET_STRICT_CHK)."""
    head = _ROUTE.pack(AF[family], 0, 0, 0, 0, KEEPALIVED_PROTOCOL, 0, 0, 0)
    return pack_message(GET_ROUTE, REQUEST | DUMP, sequence, head)


def read_route(message: Message, names: Names) -> Route | None:
    """Return the route that a message is about, or None when it is not ours.

    Args:
        message: of kind `NEW_ROUTE` or `DELETE_ROUTE`.
        names: of interfaces by index; one that is not among them is written `#INDEX`.
    """
    number, length, _, _, short_table, protocol, scope, kind, flags = _ROUTE.unpack_from(message.body)
    if protocol != KEEPALIVED_PROTOCOL or number not in FAMILIES:
        return None
    attributes = attributes_of(message.body, _ROUTE.size)
    return Route(
        family=FAMILIES[number],
        destination=_destination(FAMILIES[number], attributes.get(_RTA_DST), length),
        kind=kind,
        gateway=_gateway(attributes),
        interface=_name(as_number(attributes.get(_RTA_OIF)), names),
        source=_text(attributes.get(_RTA_PREFSRC)),
        table=as_number(attributes.get(_RTA_TABLE), short_table),
        metric=as_number(attributes.get(_RTA_PRIORITY)),
        scope=scope,
        onlink=bool(flags & _RTNH_F_ONLINK),
        mtu=as_number(attributes_of(attributes.get(_RTA_METRICS, b"")).get(_RTAX_MTU)),
        next_hops=tuple(_next_hops(attributes.get(_RTA_MULTIPATH, b""), names)),
    )


def _destination(family: Family, packed: bytes | None, length: int) -> VirtualAddress:
    return VirtualAddress(str(ip_address(packed or bytes(family.bits // 8))), length)


def _body(route: Route, indexes: Indexes, scope: int) -> bytes:
    destination = route.destination
    table = route.table if route.table <= _SHORT else _COMPATIBLE
    flags = _RTNH_F_ONLINK if route.onlink else 0
    head = (AF[route.family], destination.prefix, 0, 0, table, KEEPALIVED_PROTOCOL, scope, route.kind, flags)
    return _ROUTE.pack(*head) + b"".join(_attributes(route, indexes))


def _attributes(route: Route, indexes: Indexes) -> Iterable[bytes]:
    if route.destination.prefix:
        yield pack_attribute(_RTA_DST, route.destination.packed)
    if route.gateway:
        yield _pack_gateway(route.family, route.gateway)
    if route.interface:
        yield pack_number(_RTA_OIF, indexes[route.interface])
    if route.source:
        yield pack_attribute(_RTA_PREFSRC, ip_address(route.source).packed)
    if route.metric:
        yield pack_number(_RTA_PRIORITY, route.metric)
    if route.mtu:
        yield pack_nested(_RTA_METRICS, (pack_number(_RTAX_MTU, route.mtu),))
    if route.next_hops:
        hops = b"".join(_pack_next_hop(route.family, hop, indexes) for hop in route.next_hops)
        yield pack_attribute(_RTA_MULTIPATH, hops)
    yield pack_number(_RTA_TABLE, route.table)


def _scope_of(route: Route) -> int:
    """Return the scope; what is not written is as ip-route(8) has it."""
    if route.scope or route.family is Family.IPV6:
        return route.scope
    if route.kind == LOCAL:
        return _SCOPE_HOST
    if route.kind == UNICAST and not route.gateway and not route.next_hops:
        return _SCOPE_LINK
    return _SCOPE_UNIVERSE


def _pack_gateway(family: Family, gateway: str) -> bytes:
    address = ip_address(gateway)
    if address.version == family:
        return pack_attribute(_RTA_GATEWAY, address.packed)
    return pack_attribute(_RTA_VIA, _VIA.pack(AF[Family(address.version)]) + address.packed)  # IPv4 by way of IPv6


def _pack_next_hop(family: Family, hop: NextHop, indexes: Indexes) -> bytes:
    gateway = _pack_gateway(family, hop.gateway) if hop.gateway else b""
    index = indexes[hop.interface] if hop.interface else 0
    flags = _RTNH_F_ONLINK if hop.onlink else 0
    return _NEXT_HOP.pack(_NEXT_HOP.size + len(gateway), flags, hop.weight - 1, index) + gateway


def _next_hops(packed: bytes, names: Names) -> Iterator[NextHop]:
    place = 0
    while place + _NEXT_HOP.size <= len(packed):
        length, flags, hops, index = _NEXT_HOP.unpack_from(packed, place)
        if length < _NEXT_HOP.size:
            return
        attributes = attributes_of(packed[: place + length], place + _NEXT_HOP.size)
        onlink = bool(flags & _RTNH_F_ONLINK)
        yield NextHop(gateway=_gateway(attributes), interface=_name(index, names), weight=hops + 1, onlink=onlink)
        place += length + 3 & ~3


def _gateway(attributes: Mapping[int, bytes]) -> str:
    return _text(attributes.get(_RTA_GATEWAY)) or _text(attributes.get(_RTA_VIA, b"")[_VIA.size :])


def _text(packed: bytes | None) -> str:
    return str(ip_address(packed)) if packed else ""


def _name(index: int, names: Names) -> str:
    return names.get(index, f"#{index}") if index else ""
