"""Services and destinations as messages of the kernel's generic netlink family `IPVS`, and back. Pure.

Layout: `ipvs_attributes`; what the kernel does with it: net/netfilter/ipvs/ip_vs_ctl.c.

A destination is always written whole. What `IPVS_CMD_SET_DEST` is not given, the kernel refuses or sets to zero, and
forwarding method zero is NAT: nothing that is not meant to change may be left out.
"""

import ipaddress
import socket
import struct
from functools import lru_cache
from typing import Any

from pyroute2.netlink import nla_slot, nlmsg

from stayalived.addresses import Endpoint, Family
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
from stayalived.kernel.ipvs_attributes import DestinationAttribute, Kinds, Request, ServiceAttribute, encode_inside

NEW_SERVICE, SET_SERVICE, DEL_SERVICE, GET_SERVICE, NEW_DEST, SET_DEST, DEL_DEST, GET_DEST = range(1, 9)

PERSISTENT = 0x01
ONE_PACKET = 0x04
SCHEDULER_FLAGS = {"flag-1": 0x08, "flag-2": 0x10, "flag-3": 0x20}
"""As `ipvsadm -b` calls them; sh-fallback, sh-port, mh-fallback and mh-port are other names of the first two."""

METHODS = {0: "NAT", 2: "TUN", 3: "DR", 1: "LOCAL", 4: "BYPASS"}
"""IP_VS_CONN_F_FWD_MASK: names that this project gives (the first three), and two that only others may have set."""

TUNNELS = ("ipip", "gue", "gre")
CHECKSUMS = ("", "csum", "remcsum")

ENCODED_KEPT = 1024
"""Services, and settings of destinations, whose bytes are kept: they are the same in one request after the other."""

_GENL_VERSION = 1
_PROTOCOLS = {"tcp": socket.IPPROTO_TCP, "udp": socket.IPPROTO_UDP, "sctp": socket.IPPROTO_SCTP}
_PROTOCOL_NAMES = {number: name for name, number in _PROTOCOLS.items()}
_FAMILIES = {Family.IPV4: socket.AF_INET, Family.IPV6: socket.AF_INET6}
_METHOD_NUMBERS = {name: number for number, name in METHODS.items()}
_FLAGS_MASK = PERSISTENT | ONE_PACKET | sum(SCHEDULER_FLAGS.values())
_U32, _BE32 = struct.Struct("=I"), struct.Struct("!I")


class NotOurs(ValueError):
    """A service of a protocol that this project's model has no name for. It is somebody else's."""


def request_for(operation: Operation) -> Request:
    """Return the request that carries out an operation."""
    match operation:
        case AddService(key, service):
            return make_request(NEW_SERVICE, encode_service(key, service))
        case EditService(key, service):
            return make_request(SET_SERVICE, encode_service(key, service))
        case DeleteService(key):
            return make_request(DEL_SERVICE, encode_service(key))
        case AddDestination(key, endpoint, destination):
            return make_request(NEW_DEST, encode_service(key), encode_destination(endpoint, destination))
        case EditDestination(key, endpoint, destination):
            return make_request(SET_DEST, encode_service(key), encode_destination(endpoint, destination))
        case DeleteDestination(key, endpoint):
            return make_request(DEL_DEST, encode_service(key), encode_destination(endpoint))


def request_services() -> Request:
    """Return the request, to be sent as a dump, for all services."""
    return make_request(GET_SERVICE)


def request_destinations(key: ServiceKey) -> Request:
    """Return the request, to be sent as a dump, for the destinations of a service."""
    return make_request(GET_DEST, encode_service(key))


@lru_cache(maxsize=ENCODED_KEPT)
def encode_service(key: ServiceKey, service: Service | None = None) -> bytes:
    """Return what is inside IPVS_CMD_ATTR_SERVICE: what names a service, and its settings where they are wanted."""
    parts: list[tuple[str, Any]] = [("IPVS_SVC_ATTR_AF", _FAMILIES[key.family])]
    if key.endpoint is None:
        parts.append(("IPVS_SVC_ATTR_FWMARK", key.fwmark))
    else:
        parts += (
            ("IPVS_SVC_ATTR_PROTOCOL", _PROTOCOLS[key.protocol]),
            ("IPVS_SVC_ATTR_ADDR", _packed(key.endpoint)),
            ("IPVS_SVC_ATTR_PORT", key.endpoint.port),
        )
    if service is not None:
        parts += (
            ("IPVS_SVC_ATTR_SCHED_NAME", service.scheduler),
            ("IPVS_SVC_ATTR_FLAGS", {"flags": _flags_of(service), "mask": _FLAGS_MASK}),
            ("IPVS_SVC_ATTR_TIMEOUT", service.timeout),
            ("IPVS_SVC_ATTR_NETMASK", _netmask(key.family, service.granularity)),
        )
        if service.engine:
            parts.append(("IPVS_SVC_ATTR_PE_NAME", service.engine))
    return encode_inside(ServiceAttribute(), parts)


def encode_destination(endpoint: Endpoint, destination: Destination | None = None) -> bytes:
    """Return what is inside IPVS_CMD_ATTR_DEST: what names a destination, and its settings where they are wanted."""
    name = encode_inside(
        DestinationAttribute(),
        (
            ("IPVS_DEST_ATTR_ADDR_FAMILY", _FAMILIES[endpoint.family]),
            ("IPVS_DEST_ATTR_ADDR", _packed(endpoint)),
            ("IPVS_DEST_ATTR_PORT", endpoint.port),
        ),
    )
    return name if destination is None else name + _encode_settings(destination)


def read_service(reply: nlmsg) -> tuple[ServiceKey, Service]:
    """Return the service that a reply describes.

    Raises:
        NotOurs: its protocol is one that this project does not balance.
    """
    found = _slots(reply.get_attr("IPVS_CMD_ATTR_SERVICE"))
    family = _family(found["IPVS_SVC_ATTR_AF"].value)
    if "IPVS_SVC_ATTR_FWMARK" in found:
        key = ServiceKey(family, "", None, found["IPVS_SVC_ATTR_FWMARK"].value)
    else:
        protocol = found["IPVS_SVC_ATTR_PROTOCOL"].value
        if protocol not in _PROTOCOL_NAMES:
            raise NotOurs(f"IPVS service of protocol {protocol}")
        endpoint = _endpoint(family, found["IPVS_SVC_ATTR_ADDR"].value, found["IPVS_SVC_ATTR_PORT"].value)
        key = ServiceKey(family, _PROTOCOL_NAMES[protocol], endpoint)
    return key, _read_settings(family, found)


def read_destination(reply: nlmsg, service: Family) -> tuple[Endpoint, Destination, Connections]:
    """Return the destination that a reply describes, in a service of the given family."""
    found = _slots(reply.get_attr("IPVS_CMD_ATTR_DEST"))
    # Kernels before 3.18 do not say it: there a destination has the family of its service.
    said = found.get("IPVS_DEST_ATTR_ADDR_FAMILY")
    family = service if said is None else _family(said.value)
    method = METHODS.get(found["IPVS_DEST_ATTR_FWD_METHOD"].value & 0x7, "BYPASS")
    tunnelled = method == "TUN"
    return (
        _endpoint(family, found["IPVS_DEST_ATTR_ADDR"].value, found["IPVS_DEST_ATTR_PORT"].value),
        Destination(
            method=method,
            weight=found["IPVS_DEST_ATTR_WEIGHT"].value,
            upper_threshold=found["IPVS_DEST_ATTR_U_THRESH"].value,
            lower_threshold=found["IPVS_DEST_ATTR_L_THRESH"].value,
            tunnel=_name(TUNNELS, _optional(found, "IPVS_DEST_ATTR_TUN_TYPE")) if tunnelled else "",
            tunnel_port=_optional(found, "IPVS_DEST_ATTR_TUN_PORT") if tunnelled else 0,
            tunnel_checksum=_name(CHECKSUMS, _optional(found, "IPVS_DEST_ATTR_TUN_FLAGS")) if tunnelled else "",
        ),
        Connections(
            active=found["IPVS_DEST_ATTR_ACTIVE_CONNS"].value,
            inactive=found["IPVS_DEST_ATTR_INACT_CONNS"].value,
        ),
    )


def make_request(command: int, service: bytes = b"", destination: bytes = b"") -> Request:
    """Return a request, with what is inside its attributes."""
    parts = (("IPVS_CMD_ATTR_SERVICE", service), ("IPVS_CMD_ATTR_DEST", destination))
    request = Request()
    request["cmd"] = command
    request["version"] = _GENL_VERSION
    request["attrs"] = [part for part in parts if part[1]]
    return request


@lru_cache(maxsize=ENCODED_KEPT)
def _encode_settings(destination: Destination) -> bytes:
    parts: list[tuple[str, Any]] = [
        ("IPVS_DEST_ATTR_FWD_METHOD", _METHOD_NUMBERS[destination.method]),
        ("IPVS_DEST_ATTR_WEIGHT", destination.weight & 0xFFFFFFFF),
        ("IPVS_DEST_ATTR_U_THRESH", destination.upper_threshold),
        ("IPVS_DEST_ATTR_L_THRESH", destination.lower_threshold),
    ]
    if destination.method == "TUN":
        parts += (
            ("IPVS_DEST_ATTR_TUN_TYPE", TUNNELS.index(destination.tunnel)),
            ("IPVS_DEST_ATTR_TUN_PORT", destination.tunnel_port),
            ("IPVS_DEST_ATTR_TUN_FLAGS", CHECKSUMS.index(destination.tunnel_checksum)),
        )
    return encode_inside(DestinationAttribute(), parts)


def _slots(attribute: Kinds) -> dict[str, nla_slot]:
    """Return what is inside an attribute, by name. pyroute2 decodes a value when it is asked for."""
    return {slot.name: slot for slot in attribute["attrs"]}


def _read_settings(family: Family, found: dict[str, nla_slot]) -> Service:
    flags = found["IPVS_SVC_ATTR_FLAGS"].value["flags"]
    persistent = bool(flags & PERSISTENT)
    return Service(
        scheduler=found["IPVS_SVC_ATTR_SCHED_NAME"].value,
        flags=tuple(name for name, bit in SCHEDULER_FLAGS.items() if flags & bit),
        timeout=found["IPVS_SVC_ATTR_TIMEOUT"].value if persistent else 0,
        # Without persistence nobody looks at the mask, so one that somebody left there is no difference.
        granularity=_prefix(family, found["IPVS_SVC_ATTR_NETMASK"].value) if persistent else family.bits,
        engine=found["IPVS_SVC_ATTR_PE_NAME"].value if persistent and "IPVS_SVC_ATTR_PE_NAME" in found else "",
        one_packet=bool(flags & ONE_PACKET),
    )


def _flags_of(service: Service) -> int:
    flags = sum(SCHEDULER_FLAGS[name] for name in service.flags)
    return flags | (PERSISTENT if service.timeout else 0) | (ONE_PACKET if service.one_packet else 0)


def _netmask(family: Family, prefix: int) -> bytes:
    if family is Family.IPV6:
        return _U32.pack(prefix)
    return _BE32.pack((0xFFFFFFFF << (32 - prefix)) & 0xFFFFFFFF)


def _prefix(family: Family, data: bytes) -> int:
    number: int = (_U32 if family is Family.IPV6 else _BE32).unpack(data)[0]
    return number if family is Family.IPV6 else number.bit_count()


def _packed(endpoint: Endpoint) -> bytes:
    """Return the address in the 16 bytes of union nf_inet_addr."""
    return ipaddress.ip_address(endpoint.address).packed.ljust(16, b"\0")


def _endpoint(family: Family, address: bytes, port: int) -> Endpoint:
    return Endpoint(str(ipaddress.ip_address(address[: family.bits // 8])), port)


def _family(number: int) -> Family:
    return Family.IPV6 if number == socket.AF_INET6 else Family.IPV4


def _optional(found: dict[str, nla_slot], name: str) -> int:
    return found[name].value if name in found else 0


def _name(names: tuple[str, ...], number: int) -> str:
    """Return the name of a numbered setting; a number without one, of a newer kernel, as text."""
    return names[number] if number < len(names) else str(number)
