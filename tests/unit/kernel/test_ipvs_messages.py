import struct
from typing import Any

import pytest
from pyroute2.netlink import NLM_F_ACK, NLM_F_REQUEST
from pyroute2.netlink.marshal import Marshal

from stayalived.addresses import Endpoint, Family
from stayalived.ipvs.model import (
    AddDestination,
    AddService,
    DeleteDestination,
    DeleteService,
    Destination,
    EditDestination,
    EditService,
    Operation,
    Service,
    ServiceKey,
)
from stayalived.kernel.ipvs_attributes import Reply, Request
from stayalived.kernel.ipvs_messages import (
    DEL_DEST,
    DEL_SERVICE,
    GET_DEST,
    GET_SERVICE,
    NEW_DEST,
    NEW_SERVICE,
    SET_DEST,
    SET_SERVICE,
    NotOurs,
    encode_destination,
    encode_service,
    read_destination,
    read_service,
    request_destinations,
    request_for,
    request_services,
)
from uml.cases import CALLS, MARK6, NAMES, NAT, ONE, ONE6, RR, TUNNEL, WEB, WEB6, changed

STICKY = Service(scheduler="sh", flags=("flag-1", "flag-2"), timeout=300, granularity=24)
FAMILY = 20
CMD_ATTR_SERVICE, CMD_ATTR_DEST = 1, 2
SVC_AF, SVC_PROTOCOL, SVC_ADDR, SVC_PORT, SVC_FWMARK, SVC_SCHED_NAME, SVC_FLAGS, SVC_TIMEOUT, SVC_NETMASK = range(1, 10)
DEST_ADDR, DEST_PORT, DEST_FWD_METHOD, DEST_WEIGHT, DEST_U_THRESH, DEST_L_THRESH = range(1, 7)
DEST_ACTIVE_CONNS, DEST_INACT_CONNS = 7, 8
DEST_ADDR_FAMILY = 11
DEST_TUN_TYPE, DEST_TUN_PORT, DEST_TUN_FLAGS = 13, 14, 15
"""include/uapi/linux/ip_vs.h"""


def attribute(kind: int, value: bytes) -> bytes:
    """Write one attribute, as include/uapi/linux/netlink.h lays it out: what pyroute2 writes is compared with it."""
    return struct.pack("=HH", 4 + len(value), kind) + value + bytes(-len(value) % 4)


def inner(data: bytes) -> dict[int, bytes]:
    """Return attributes by type."""
    found = {}
    while data:
        length, kind = struct.unpack_from("=HH", data)
        found[kind] = data[4:length]
        data = data[length + 3 & ~3 :]
    return found


def joined(values: dict[int, bytes]) -> bytes:
    return b"".join(attribute(kind, value) for kind, value in values.items())


def message(kind: int, value: bytes, command: int = NEW_SERVICE) -> bytes:
    """Write one message of a dump."""
    body = struct.pack("=BBH", command, 1, 0) + attribute(kind, value)
    return struct.pack("=IHHII", 16 + len(body), FAMILY, 2, 7, 0) + body


def received(data: bytes) -> Any:
    """Return the message as the connection decodes it."""
    marshal = Marshal()
    marshal.msg_map[FAMILY] = Reply
    (reply,) = marshal.parse(data)
    return reply


def listed_service(value: bytes) -> Any:
    return received(message(CMD_ATTR_SERVICE, value))


def listed_destination(value: bytes) -> Any:
    """Return a destination as the kernel lists it: with its connections, and statistics that nobody reads."""
    counters = {DEST_ACTIVE_CONNS: struct.pack("=I", 3), DEST_INACT_CONNS: struct.pack("=I", 4), 10: bytes(96)}
    return received(message(CMD_ATTR_DEST, value + joined(counters), NEW_DEST))


@pytest.mark.parametrize(
    ("key", "service"), [(WEB, RR), (WEB, STICKY), (WEB6, Service(scheduler="wlc", timeout=5, granularity=64)),
                         (MARK6, Service(scheduler="rr", one_packet=True, granularity=128)),
                         (NAMES, Service(scheduler="mh", timeout=60, engine="sip")), (CALLS, RR)]
)  # fmt: skip
def test_a_service_comes_back_as_it_went(key: ServiceKey, service: Service) -> None:
    assert (key, service) == read_service(listed_service(encode_service(key, service)))


@pytest.mark.parametrize(
    ("endpoint", "destination"),
    [
        (ONE, changed(NAT, weight=0, upper_threshold=9, lower_threshold=3)),
        (ONE6, Destination(method="DR", weight=2**31 - 1)),
        (ONE6, changed(TUNNEL, tunnel="gue", tunnel_port=6080, tunnel_checksum="remcsum")),
        (ONE, changed(TUNNEL, tunnel="gre", tunnel_checksum="csum")),
    ],
)
def test_a_destination_comes_back_as_it_went(endpoint: Endpoint, destination: Destination) -> None:
    reply = listed_destination(encode_destination(endpoint, destination))

    found, same, connections = read_destination(reply, endpoint.family)

    assert (endpoint, destination) == (found, same)
    assert (3, 4) == (connections.active, connections.inactive)


def test_a_mask_is_in_network_order_and_a_prefix_in_the_machine_s() -> None:
    four = inner(encode_service(WEB, STICKY))[SVC_NETMASK]
    six = inner(encode_service(WEB6, Service(scheduler="rr", granularity=64)))[SVC_NETMASK]

    assert b"\xff\xff\xff\x00" == four
    assert struct.pack("=I", 64) == six


def test_the_port_of_a_tunnel_is_in_network_order() -> None:
    found = inner(encode_destination(ONE, changed(TUNNEL, tunnel="gue", tunnel_port=6080)))

    assert struct.pack("!H", 6080) == found[DEST_TUN_PORT]


def test_a_mark_has_neither_protocol_nor_address() -> None:
    found = inner(encode_service(MARK6))

    assert SVC_FWMARK in found
    assert SVC_PROTOCOL not in found


def test_only_tunnels_speak_of_tunnels() -> None:
    assert DEST_TUN_TYPE not in inner(encode_destination(ONE, NAT))


def test_every_byte_of_a_service_is_where_the_kernel_looks_for_it() -> None:
    expected = {
        SVC_AF: struct.pack("=H", 2),
        SVC_PROTOCOL: struct.pack("=H", 6),
        SVC_ADDR: bytes((192, 0, 2, 1)) + bytes(12),
        SVC_PORT: struct.pack("!H", 80),
        SVC_SCHED_NAME: b"sh\0",
        SVC_FLAGS: struct.pack("=II", 0x01 | 0x08 | 0x10, 0x01 | 0x04 | 0x38),
        SVC_TIMEOUT: struct.pack("=I", 300),
        SVC_NETMASK: b"\xff\xff\xff\x00",
    }

    assert joined(expected) == encode_service(WEB, STICKY)


def test_every_byte_of_a_destination_is_where_the_kernel_looks_for_it() -> None:
    expected = {
        DEST_ADDR_FAMILY: struct.pack("=H", 2),
        DEST_ADDR: bytes((192, 0, 2, 10)) + bytes(12),
        DEST_PORT: struct.pack("!H", 80),
        DEST_FWD_METHOD: struct.pack("=I", 2),
        DEST_WEIGHT: struct.pack("=I", 7),
        DEST_U_THRESH: struct.pack("=I", 9),
        DEST_L_THRESH: struct.pack("=I", 3),
        DEST_TUN_TYPE: b"\x01",
        DEST_TUN_PORT: struct.pack("!H", 6080),
        DEST_TUN_FLAGS: struct.pack("=H", 2),
    }
    gue = Destination(
        method="TUN", weight=7, upper_threshold=9, lower_threshold=3,
        tunnel="gue", tunnel_port=6080, tunnel_checksum="remcsum",
    )  # fmt: skip

    assert joined(expected) == encode_destination(ONE, gue)


def test_a_weight_below_0_is_left_for_the_kernel_to_refuse() -> None:
    assert struct.pack("=i", -1) == inner(encode_destination(ONE, changed(NAT, weight=-1)))[DEST_WEIGHT]


@pytest.mark.parametrize(
    ("operation", "command", "parts"),
    [
        (AddService(WEB, RR), NEW_SERVICE, (encode_service(WEB, RR), b"")),
        (EditService(WEB, RR), SET_SERVICE, (encode_service(WEB, RR), b"")),
        (DeleteService(WEB), DEL_SERVICE, (encode_service(WEB), b"")),
        (AddDestination(WEB, ONE, NAT), NEW_DEST, (encode_service(WEB), encode_destination(ONE, NAT))),
        (EditDestination(WEB, ONE, NAT), SET_DEST, (encode_service(WEB), encode_destination(ONE, NAT))),
        (DeleteDestination(WEB, ONE), DEL_DEST, (encode_service(WEB), encode_destination(ONE))),
    ],
)
def test_a_request_is_its_command_and_what_it_is_about(
    operation: Operation, command: int, parts: tuple[bytes, bytes]
) -> None:
    numbered = zip((CMD_ATTR_SERVICE, CMD_ATTR_DEST), parts, strict=True)
    body = struct.pack("=BBH", command, 1, 0) + b"".join(attribute(kind, part) for kind, part in numbered if part)

    header = struct.pack("=IHHII", 16 + len(body), FAMILY, NLM_F_REQUEST | NLM_F_ACK, 7, 0)
    assert header + body == sent(request_for(operation))


def test_destinations_are_asked_for_by_service() -> None:
    services, destinations = sent(request_services()), sent(request_destinations(WEB))

    assert struct.pack("=BBH", GET_SERVICE, 1, 0) == services[16:]
    assert struct.pack("=BBH", GET_DEST, 1, 0) + attribute(CMD_ATTR_SERVICE, encode_service(WEB)) == destinations[16:]


def sent(request: Request) -> bytes:
    request["header"] = {"type": FAMILY, "flags": NLM_F_REQUEST | NLM_F_ACK, "sequence_number": 7}
    request.encode()
    return bytes(request.data)


def test_an_old_kernel_says_no_family_of_a_destination() -> None:
    values = inner(encode_destination(ONE, NAT))
    del values[DEST_ADDR_FAMILY]

    endpoint, _, _ = read_destination(listed_destination(joined(values)), Family.IPV4)

    assert ONE == endpoint


def test_a_tunnel_of_a_newer_kernel_is_a_number() -> None:
    values = {**inner(encode_destination(ONE, TUNNEL)), DEST_TUN_TYPE: b"\x09"}

    assert "9" == read_destination(listed_destination(joined(values)), Family.IPV4)[1].tunnel


def test_what_a_newer_kernel_adds_is_passed_over() -> None:
    values = {**inner(encode_service(WEB, RR)), 10: bytes(96), 12: bytes(176), 99: b"new"}

    assert (WEB, RR) == read_service(listed_service(joined(values)))


def test_another_protocol_is_somebody_else_s() -> None:
    values = {**inner(encode_service(WEB, RR)), SVC_PROTOCOL: struct.pack("=H", 50)}

    with pytest.raises(NotOurs, match="50"):
        read_service(listed_service(joined(values)))
