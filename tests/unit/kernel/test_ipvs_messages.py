import struct

import pytest

from stayalived.addresses import Endpoint, Family
from stayalived.errors import Bug
from stayalived.ipvs.model import (
    AddDestination,
    AddService,
    DeleteService,
    Destination,
    EditDestination,
    Service,
    ServiceKey,
)
from stayalived.kernel.generic import attribute, attributes, frame, replies
from stayalived.kernel.ipvs_messages import (
    CMD_ATTR_DEST,
    CMD_ATTR_SERVICE,
    DEST_ADDR_FAMILY,
    DEST_TUN_PORT,
    DEST_TUN_TYPE,
    NEW_DEST,
    NEW_SERVICE,
    SET_DEST,
    SVC_FWMARK,
    SVC_NETMASK,
    SVC_PROTOCOL,
    NotOurs,
    destination_attribute,
    read_destination,
    read_service,
    request_for,
    service_attribute,
)
from uml.cases import MARK6, NAT, ONE, ONE6, RR, TUNNEL, WEB, WEB6, changed

STICKY = Service(scheduler="sh", flags=("flag-1", "flag-2"), timeout=300, granularity=24)


def inner(data: bytes, kind: int) -> dict[int, memoryview]:
    return attributes(attributes(memoryview(data))[kind])


def counted(destination: bytes) -> memoryview:
    """Return a destination as the kernel lists it: with its connections."""
    body = bytes(attributes(memoryview(destination))[CMD_ATTR_DEST])
    return memoryview(body + attribute(7, struct.pack("=I", 3)) + attribute(8, struct.pack("=I", 4)))


@pytest.mark.parametrize(
    ("key", "service"), [(WEB, RR), (WEB, STICKY), (WEB6, Service(scheduler="wlc", timeout=5, granularity=64)),
                         (MARK6, Service(scheduler="rr", one_packet=True, granularity=128))]
)  # fmt: skip
def test_a_service_comes_back_as_it_went(key: ServiceKey, service: Service) -> None:
    data = attributes(memoryview(service_attribute(key, service)))[CMD_ATTR_SERVICE]

    assert (key, service) == read_service(data)


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
    found, same, connections = read_destination(counted(destination_attribute(endpoint, destination)), endpoint.family)

    assert (endpoint, destination) == (found, same)
    assert (3, 4) == (connections.active, connections.inactive)


def test_a_mask_is_in_network_order_and_a_prefix_in_the_machine_s() -> None:
    four = inner(service_attribute(WEB, STICKY), CMD_ATTR_SERVICE)[SVC_NETMASK]
    six = inner(service_attribute(WEB6, Service(scheduler="rr", granularity=64)), CMD_ATTR_SERVICE)[SVC_NETMASK]

    assert b"\xff\xff\xff\x00" == bytes(four)
    assert struct.pack("=I", 64) == bytes(six)


def test_the_port_of_a_tunnel_is_in_network_order() -> None:
    found = inner(destination_attribute(ONE, changed(TUNNEL, tunnel="gue", tunnel_port=6080)), CMD_ATTR_DEST)

    assert struct.pack("!H", 6080) == bytes(found[DEST_TUN_PORT])


def test_a_mark_has_neither_protocol_nor_address() -> None:
    found = inner(service_attribute(MARK6), CMD_ATTR_SERVICE)

    assert SVC_FWMARK in found
    assert SVC_PROTOCOL not in found


def test_only_tunnels_speak_of_tunnels() -> None:
    assert DEST_TUN_TYPE not in inner(destination_attribute(ONE, NAT), CMD_ATTR_DEST)


def test_an_edit_is_not_a_deletion() -> None:
    assert SET_DEST == request_for(EditDestination(WEB, ONE, NAT)).command
    assert NEW_DEST == request_for(AddDestination(WEB, ONE, NAT)).command
    assert NEW_SERVICE == request_for(AddService(WEB, RR)).command


def test_a_deletion_names_the_service_and_no_settings() -> None:
    assert service_attribute(WEB) == request_for(DeleteService(WEB)).payload


def test_an_old_kernel_says_no_family_of_a_destination() -> None:
    whole = attributes(counted(destination_attribute(ONE, NAT)))
    without = b"".join(attribute(kind, bytes(value)) for kind, value in whole.items() if kind != DEST_ADDR_FAMILY)

    endpoint, _, _ = read_destination(memoryview(without), Family.IPV4)

    assert ONE == endpoint


def test_a_tunnel_of_a_newer_kernel_is_a_number() -> None:
    whole = attributes(counted(destination_attribute(ONE, TUNNEL)))
    values = {**whole, DEST_TUN_TYPE: memoryview(b"\x09")}
    newer = b"".join(attribute(kind, bytes(value)) for kind, value in values.items())

    assert "9" == read_destination(memoryview(newer), Family.IPV4)[1].tunnel


def test_another_protocol_is_somebody_else_s() -> None:
    values = {**inner(service_attribute(WEB, RR), CMD_ATTR_SERVICE), SVC_PROTOCOL: struct.pack("=H", 132)}

    with pytest.raises(NotOurs, match="132"):
        read_service(memoryview(b"".join(attribute(kind, bytes(value)) for kind, value in values.items())))


def test_attributes_are_padded_to_four_bytes() -> None:
    data = attribute(1, b"abcde") + attribute(2, b"x")

    assert len(data) == 12 + 8
    assert {1: b"abcde", 2: b"x"} == {kind: bytes(value) for kind, value in attributes(memoryview(data)).items()}


@pytest.mark.parametrize("data", [b"\x02\x00\x01\x00", b"\x20\x00\x01\x00abcd"])
def test_bytes_that_are_no_attributes_are_a_bug(data: bytes) -> None:
    with pytest.raises(Bug):
        attributes(memoryview(data))


def test_messages_of_one_datagram_are_told_apart() -> None:
    request = request_for(DeleteService(WEB))
    datagram = frame(20, request, 7, 4) + frame(20, request, 8, 4)

    assert [(20, 7), (20, 8)] == [(reply.type, reply.sequence) for reply in replies(datagram)]


def test_bytes_that_are_no_messages_are_a_bug() -> None:
    with pytest.raises(Bug):
        list(replies(b"\x01" + bytes(15)))
