"""Operations as the bytes of requests, and destinations out of the bytes of a dump: without an object for each. Pure.

pyroute2 makes some twenty objects of each message. With tens of thousands of destinations that is seconds of work where
this is a tenth of one. What is written here is compared with what `ipvs_messages` writes over pyroute2, byte by byte.
"""

import ipaddress
import struct
from functools import lru_cache

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
    ServiceKey,
)
from stayalived.kernel.ipvs_messages import (
    CHECKSUMS,
    DEL_DEST,
    DEL_SERVICE,
    ENCODED_KEPT,
    METHODS,
    NEW_DEST,
    NEW_SERVICE,
    SET_DEST,
    SET_SERVICE,
    TUNNELS,
    encode_service,
    encode_settings,
)
from stayalived.kernel.netlink_messages import attributes_of, pack_attribute

_GENERIC = struct.Struct("=BBH")  # struct genlmsghdr: command, version, nothing
_VERSION = 1
_SERVICE, _DESTINATION = 1, 2  # IPVS_CMD_ATTR_*
_SERVICE_FAMILY, _SERVICE_PROTOCOL, _SERVICE_ADDRESS, _SERVICE_PORT = range(1, 5)  # IPVS_SVC_ATTR_*
_SERVICE_NAME = struct.Struct("=HHHxxHHHxxHH16sHH2sxx")  # each an attribute of its own
_PROTOCOLS = {"tcp": 6, "udp": 17, "sctp": 132}
_NAME = struct.Struct("=HHHxxHH16sHH2sxx")  # address family, address, port: each an attribute of its own
_NETWORK_16 = struct.Struct("!H")
_U8, _U16, _U32, _U64 = (struct.Struct(f"={code}") for code in "BHIQ")
_ADDRESS, _PORT, _METHOD, _WEIGHT, _UPPER, _LOWER, _ACTIVE, _INACTIVE = range(1, 9)  # IPVS_DEST_ATTR_*
_FAMILY, _STATS64, _TUNNEL, _TUNNEL_PORT, _TUNNEL_FLAGS = 11, 12, 13, 14, 15
_NEW, _BYTES_IN, _BYTES_OUT = 6, 9, 10  # IPVS_STATS_ATTR_*: CPS, INBPS, OUTBPS
_FAMILIES = {Family.IPV4: 2, Family.IPV6: 10}  # AF_INET, AF_INET6


def pack_operation(operation: Operation) -> bytes:
    """Return the request that carries out an operation, from behind the netlink header."""
    match operation:
        case AddDestination(key, endpoint, destination):
            return _head(NEW_DEST, key) + _destination(endpoint, encode_settings(destination))
        case EditDestination(key, endpoint, destination):
            return _head(SET_DEST, key) + _destination(endpoint, encode_settings(destination))
        case DeleteDestination(key, endpoint):
            return _head(DEL_DEST, key) + _destination(endpoint, b"")
        case AddService(key, service):
            return _generic(NEW_SERVICE) + pack_attribute(_SERVICE, encode_service(key, service))
        case EditService(key, service):
            return _generic(SET_SERVICE) + pack_attribute(_SERVICE, encode_service(key, service))
        case DeleteService(key):
            return _head(DEL_SERVICE, key)


def read_packed_destination(body: bytes, service: Family) -> tuple[Endpoint, Destination, Connections]:
    """Return the destination that a message of a dump describes, in a service of the given family.

    Args:
        body: the message from behind the netlink header.
        service: the family of its service.
    """
    found = attributes_of(attributes_of(body, _GENERIC.size)[_DESTINATION])
    said = found.get(_FAMILY)
    # Kernels before 3.18 do not say it: there a destination has the family of its service.
    family = service if said is None else _family(said)
    settings = tuple(found.get(kind, b"") for kind in _SETTINGS)
    connections = _connections(found[_ACTIVE], found[_INACTIVE], found.get(_STATS64, b""))
    return _endpoint(family, found[_ADDRESS], found[_PORT]), _settings(settings), connections


_SETTINGS = (_METHOD, _WEIGHT, _UPPER, _LOWER, _TUNNEL, _TUNNEL_PORT, _TUNNEL_FLAGS)


@lru_cache(maxsize=ENCODED_KEPT)
def _settings(found: tuple[bytes, ...]) -> Destination:
    """Return the settings of a destination, of which many servers have the same."""
    method_bits, weight, upper, lower, tunnel, port, flags = found
    method = METHODS.get(_U32.unpack(method_bits)[0] & 0x7, "BYPASS")
    tunnelled = method == "TUN"
    return Destination(
        method=method,
        weight=_U32.unpack(weight)[0],
        upper_threshold=_U32.unpack(upper)[0],
        lower_threshold=_U32.unpack(lower)[0],
        tunnel=_name(TUNNELS, _number(_U8, tunnel)) if tunnelled else "",
        tunnel_port=_number(_NETWORK_16, port) if tunnelled else 0,
        tunnel_checksum=_name(CHECKSUMS, _number(_U16, flags)) if tunnelled else "",
    )


@lru_cache(maxsize=ENCODED_KEPT)
def _connections(active: bytes, inactive: bytes, counters: bytes) -> Connections:
    """Return what the kernel counts; of idle servers all of it is the same. Kernels before 4.1 tell no rates here."""
    rates = attributes_of(counters)
    return Connections(
        active=_U32.unpack(active)[0],
        inactive=_U32.unpack(inactive)[0],
        new=_number(_U64, rates.get(_NEW, b"")),
        bytes_in=_number(_U64, rates.get(_BYTES_IN, b"")),
        bytes_out=_number(_U64, rates.get(_BYTES_OUT, b"")),
    )


def _endpoint(family: Family, address: bytes, port: bytes) -> Endpoint:
    text = ".".join(map(str, address[:4])) if family is Family.IPV4 else str(ipaddress.IPv6Address(address))
    return Endpoint(text, _NETWORK_16.unpack(port)[0])


def _family(said: bytes) -> Family:
    return Family.IPV6 if _U16.unpack(said)[0] == _FAMILIES[Family.IPV6] else Family.IPV4


def _number(kind: struct.Struct, value: bytes) -> int:
    return int(kind.unpack(value)[0]) if value else 0


def _name(names: tuple[str, ...], number: int) -> str:
    """Return the name of a numbered setting; a number without one, of a newer kernel, as text."""
    return names[number] if number < len(names) else str(number)


@lru_cache(maxsize=ENCODED_KEPT)
def _head(command: int, key: ServiceKey) -> bytes:
    """Return the beginning of requests about one service: the same for all of its destinations."""
    return _generic(command) + pack_attribute(_SERVICE, _service_name(key))


def _service_name(key: ServiceKey) -> bytes:
    if key.endpoint is None:
        return encode_service(key)
    return _SERVICE_NAME.pack(
        *(6, _SERVICE_FAMILY, _FAMILIES[key.family]),
        *(6, _SERVICE_PROTOCOL, _PROTOCOLS[key.protocol]),
        *(20, _SERVICE_ADDRESS, _packed(key.endpoint.address)),
        *(6, _SERVICE_PORT, _NETWORK_16.pack(key.endpoint.port)),
    )


def _generic(command: int) -> bytes:
    return _GENERIC.pack(command, _VERSION, 0)


def _destination(endpoint: Endpoint, settings: bytes) -> bytes:
    name = _NAME.pack(
        *(6, _FAMILY, _FAMILIES[endpoint.family]),
        *(20, _ADDRESS, _packed(endpoint.address)),
        *(6, _PORT, _NETWORK_16.pack(endpoint.port)),
    )
    return pack_attribute(_DESTINATION, name + settings)


def _packed(address: str) -> bytes:
    """Return an address in the bytes of union nf_inet_addr, which struct fills up to 16."""
    return ipaddress.IPv6Address(address).packed if ":" in address else bytes(map(int, address.split(".")))
