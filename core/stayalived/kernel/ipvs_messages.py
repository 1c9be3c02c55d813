"""Services and destinations as the kernel's generic netlink family `IPVS` writes them. Pure.

Layout: include/uapi/linux/ip_vs.h; what is done with it: net/netfilter/ipvs/ip_vs_ctl.c. Addresses and ports are in
network byte order, all other numbers in the machine's own, with one surprise: the netmask of an IPv4 service is a mask
in network order, that of an IPv6 service a prefix length in the machine's.

A destination is always written whole. What `IPVS_CMD_SET_DEST` is not given, the kernel refuses or sets to zero, and
forwarding method zero is NAT: nothing that is not meant to change may be left out.
"""

import ipaddress
import socket
import struct

from stayalived.addresses import Endpoint, Family
from stayalived.errors import Bug
from stayalived.ipvs.model import (
    AddDestination,
    AddService,
    Connections,
    DeleteDestination,
    DeleteService,
    Destination,
    EditDestination,
    EditService,
    Operation,
    Service,
    ServiceKey,
)
from stayalived.kernel.generic import Request, attribute, attributes

NEW_SERVICE, SET_SERVICE, DEL_SERVICE, GET_SERVICE, NEW_DEST, SET_DEST, DEL_DEST, GET_DEST = range(1, 9)

CMD_ATTR_SERVICE, CMD_ATTR_DEST = 1, 2

SVC_AF, SVC_PROTOCOL, SVC_ADDR, SVC_PORT, SVC_FWMARK, SVC_SCHED_NAME, SVC_FLAGS, SVC_TIMEOUT, SVC_NETMASK = range(1, 10)

DEST_ADDR, DEST_PORT, DEST_FWD_METHOD, DEST_WEIGHT, DEST_U_THRESH, DEST_L_THRESH = range(1, 7)
DEST_ACTIVE_CONNS, DEST_INACT_CONNS = 7, 8
DEST_ADDR_FAMILY = 11
DEST_TUN_TYPE, DEST_TUN_PORT, DEST_TUN_FLAGS = 13, 14, 15

PERSISTENT = 0x01
ONE_PACKET = 0x04
SCHEDULER_FLAGS = {"flag-1": 0x08, "flag-2": 0x10, "flag-3": 0x20}
"""As `ipvsadm -b` calls them; sh-fallback, sh-port, mh-fallback and mh-port are other names of the first two."""

METHODS = {0: "NAT", 2: "TUN", 3: "DR", 1: "LOCAL", 4: "BYPASS"}
"""IP_VS_CONN_F_FWD_MASK: names that this project gives (the first three), and two that only others may have set."""

TUNNELS = ("ipip", "gue", "gre")
CHECKSUMS = ("", "csum", "remcsum")

_PROTOCOLS = {"tcp": socket.IPPROTO_TCP, "udp": socket.IPPROTO_UDP}
_PROTOCOL_NAMES = {number: name for name, number in _PROTOCOLS.items()}
_FAMILIES = {Family.IPV4: socket.AF_INET, Family.IPV6: socket.AF_INET6}
_METHOD_NUMBERS = {name: number for number, name in METHODS.items()}
_FLAGS_MASK = PERSISTENT | ONE_PACKET | sum(SCHEDULER_FLAGS.values())

_U8, _U16, _U32, _BE16, _BE32 = (struct.Struct(layout) for layout in ("=B", "=H", "=I", "!H", "!I"))
_PAIR = struct.Struct("=II")  # struct ip_vs_flags: flags, mask


class NotOurs(ValueError):
    """A service that this project's model cannot hold: a protocol other than TCP and UDP. It is somebody else's."""


def request_for(operation: Operation) -> Request:
    """Return the request that carries out an operation."""
    match operation:
        case AddService(key, service):
            return Request(NEW_SERVICE, service_attribute(key, service))
        case EditService(key, service):
            return Request(SET_SERVICE, service_attribute(key, service))
        case DeleteService(key):
            return Request(DEL_SERVICE, service_attribute(key))
        case AddDestination(key, endpoint, destination):
            return Request(NEW_DEST, service_attribute(key) + destination_attribute(endpoint, destination))
        case EditDestination(key, endpoint, destination):
            return Request(SET_DEST, service_attribute(key) + destination_attribute(endpoint, destination))
        case DeleteDestination(key, endpoint):
            return Request(DEL_DEST, service_attribute(key) + destination_attribute(endpoint))


def service_attribute(key: ServiceKey, service: Service | None = None) -> bytes:
    """Return IPVS_CMD_ATTR_SERVICE: what names a service, and its settings where they are wanted."""
    parts = [attribute(SVC_AF, _U16.pack(_FAMILIES[key.family]))]
    if key.endpoint is None:
        parts.append(attribute(SVC_FWMARK, _U32.pack(key.fwmark)))
    else:
        parts.append(attribute(SVC_PROTOCOL, _U16.pack(_PROTOCOLS[key.protocol])))
        parts.append(attribute(SVC_ADDR, _address(key.endpoint)))
        parts.append(attribute(SVC_PORT, _BE16.pack(key.endpoint.port)))
    if service is not None:
        parts.append(attribute(SVC_SCHED_NAME, service.scheduler.encode() + b"\0"))
        parts.append(attribute(SVC_FLAGS, _PAIR.pack(_flags_of(service), _FLAGS_MASK)))
        parts.append(attribute(SVC_TIMEOUT, _U32.pack(service.timeout)))
        parts.append(attribute(SVC_NETMASK, _netmask(key.family, service.granularity)))
    return attribute(CMD_ATTR_SERVICE, b"".join(parts))


def destination_attribute(endpoint: Endpoint, destination: Destination | None = None) -> bytes:
    """Return IPVS_CMD_ATTR_DEST: what names a destination, and its settings where they are wanted."""
    parts = [
        attribute(DEST_ADDR_FAMILY, _U16.pack(_FAMILIES[endpoint.family])),
        attribute(DEST_ADDR, _address(endpoint)),
        attribute(DEST_PORT, _BE16.pack(endpoint.port)),
    ]
    if destination is not None:
        parts.append(attribute(DEST_FWD_METHOD, _U32.pack(_METHOD_NUMBERS[destination.method])))
        parts.append(attribute(DEST_WEIGHT, _U32.pack(destination.weight & 0xFFFFFFFF)))
        parts.append(attribute(DEST_U_THRESH, _U32.pack(destination.upper_threshold)))
        parts.append(attribute(DEST_L_THRESH, _U32.pack(destination.lower_threshold)))
        if destination.method == "TUN":
            parts.append(attribute(DEST_TUN_TYPE, _U8.pack(TUNNELS.index(destination.tunnel))))
            parts.append(attribute(DEST_TUN_PORT, _BE16.pack(destination.tunnel_port)))
            parts.append(attribute(DEST_TUN_FLAGS, _U16.pack(CHECKSUMS.index(destination.tunnel_checksum))))
    return attribute(CMD_ATTR_DEST, b"".join(parts))


def read_service(data: memoryview) -> tuple[ServiceKey, Service]:
    """Return the service of an IPVS_CMD_ATTR_SERVICE.

    Raises:
        NotOurs: its protocol is one that this project does not balance.
    """
    found = attributes(data)
    family = _family(found[SVC_AF])
    if SVC_FWMARK in found:
        key = ServiceKey(family, "", None, _number(_U32, found[SVC_FWMARK]))
    else:
        protocol = _number(_U16, found[SVC_PROTOCOL])
        if protocol not in _PROTOCOL_NAMES:
            raise NotOurs(f"IPVS service of protocol {protocol}")
        endpoint = _endpoint(family, found[SVC_ADDR], _number(_BE16, found[SVC_PORT]))
        key = ServiceKey(family, _PROTOCOL_NAMES[protocol], endpoint)
    return key, _read_settings(family, found)


def read_destination(data: memoryview, service: Family) -> tuple[Endpoint, Destination, Connections]:
    """Return the destination of an IPVS_CMD_ATTR_DEST in a service of the given family."""
    found = attributes(data)
    # Kernels before 3.18 do not say it: there a destination has the family of its service.
    family = _family(found[DEST_ADDR_FAMILY]) if DEST_ADDR_FAMILY in found else service
    method = METHODS.get(_number(_U32, found[DEST_FWD_METHOD]) & 0x7, "BYPASS")
    tunnelled = method == "TUN"
    return (
        _endpoint(family, found[DEST_ADDR], _number(_BE16, found[DEST_PORT])),
        Destination(
            method=method,
            weight=_number(_U32, found[DEST_WEIGHT]),
            upper_threshold=_number(_U32, found[DEST_U_THRESH]),
            lower_threshold=_number(_U32, found[DEST_L_THRESH]),
            tunnel=_name(TUNNELS, _U8, found.get(DEST_TUN_TYPE)) if tunnelled else "",
            tunnel_port=_optional(_BE16, found.get(DEST_TUN_PORT)) if tunnelled else 0,
            tunnel_checksum=_name(CHECKSUMS, _U16, found.get(DEST_TUN_FLAGS)) if tunnelled else "",
        ),
        Connections(
            active=_number(_U32, found[DEST_ACTIVE_CONNS]),
            inactive=_number(_U32, found[DEST_INACT_CONNS]),
        ),
    )


def _read_settings(family: Family, found: dict[int, memoryview]) -> Service:
    flags, _mask = _PAIR.unpack(found[SVC_FLAGS])
    persistent = bool(flags & PERSISTENT)
    return Service(
        scheduler=bytes(found[SVC_SCHED_NAME]).rstrip(b"\0").decode("ascii", "replace"),
        flags=tuple(name for name, bit in SCHEDULER_FLAGS.items() if flags & bit),
        timeout=_number(_U32, found[SVC_TIMEOUT]) if persistent else 0,
        # Without persistence nobody looks at the mask, so one that somebody left there is no difference.
        granularity=_prefix(family, found[SVC_NETMASK]) if persistent else family.bits,
        one_packet=bool(flags & ONE_PACKET),
    )


def _flags_of(service: Service) -> int:
    flags = sum(SCHEDULER_FLAGS[name] for name in service.flags)
    return flags | (PERSISTENT if service.timeout else 0) | (ONE_PACKET if service.one_packet else 0)


def _netmask(family: Family, prefix: int) -> bytes:
    if family is Family.IPV6:
        return _U32.pack(prefix)
    return _BE32.pack((0xFFFFFFFF << (32 - prefix)) & 0xFFFFFFFF)


def _prefix(family: Family, data: memoryview) -> int:
    return _number(_U32, data) if family is Family.IPV6 else _number(_BE32, data).bit_count()


def _address(endpoint: Endpoint) -> bytes:
    """Return the address in the 16 bytes of union nf_inet_addr."""
    return ipaddress.ip_address(endpoint.address).packed.ljust(16, b"\0")


def _endpoint(family: Family, address: memoryview, port: int) -> Endpoint:
    packed = bytes(address[: family.bits // 8])
    return Endpoint(str(ipaddress.ip_address(packed)), port)


def _family(data: memoryview) -> Family:
    return Family.IPV6 if _number(_U16, data) == socket.AF_INET6 else Family.IPV4


def _number(layout: struct.Struct, data: memoryview) -> int:
    if len(data) < layout.size:
        raise Bug(f"IPVS attribute of {len(data)} bytes where {layout.size} are needed")
    return int(layout.unpack_from(data)[0])


def _optional(layout: struct.Struct, data: memoryview | None) -> int:
    return 0 if data is None else _number(layout, data)


def _name(names: tuple[str, ...], layout: struct.Struct, data: memoryview | None) -> str:
    """Return the name of a numbered setting; a number without one, of a newer kernel, as text."""
    number = _optional(layout, data)
    return names[number] if number < len(names) else str(number)
