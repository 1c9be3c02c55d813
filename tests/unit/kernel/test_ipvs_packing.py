import itertools
import struct

import pytest
from pyroute2.netlink import NLM_F_REQUEST

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
from stayalived.kernel.ipvs_messages import encode_destination, read_destination, request_for
from stayalived.kernel.ipvs_packing import pack_operation, read_packed_destination
from unit.kernel.test_ipvs_messages import attribute, listed_destination

WEB = ServiceKey(Family.IPV4, "tcp", Endpoint("192.0.2.1", 80))
WEB6 = ServiceKey(Family.IPV6, "udp", Endpoint("2001:db8::1", 53))
MARK = ServiceKey(Family.IPV6, "", None, 7)
SERVICES = (Service(scheduler="rr"), Service(scheduler="sh", flags=("flag-1",), timeout=300, granularity=24))
ENDPOINTS = (Endpoint("192.0.2.10", 80), Endpoint("2001:db8::10", 0), Endpoint("::ffff:192.0.2.10", 65535))
DESTINATIONS = (
    Destination(method="NAT", weight=1),
    Destination(method="DR", weight=0, upper_threshold=9, lower_threshold=3),
    Destination(method="TUN", weight=2**31 - 1, tunnel="gue", tunnel_port=6080, tunnel_checksum="remcsum"),
    Destination(method="TUN", weight=5, tunnel="ipip"),
)
KEYS = (WEB, WEB6, MARK)
OPERATIONS: list[Operation] = [
    *(kind(key, service) for kind in (AddService, EditService) for key in KEYS for service in SERVICES),
    *(DeleteService(key) for key in KEYS),
    *(
        kind(key, endpoint, destination)
        for kind in (AddDestination, EditDestination)
        for key, endpoint, destination in itertools.product(KEYS, ENDPOINTS, DESTINATIONS)
    ),
    *(DeleteDestination(key, endpoint) for key in KEYS for endpoint in ENDPOINTS),
]


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: f"{operation}"[:40])
def test_what_is_packed_is_what_pyroute2_writes(operation: Operation) -> None:
    request = request_for(operation)
    request["header"] = {"type": 20, "flags": NLM_F_REQUEST, "sequence_number": 1}
    request.encode()

    assert bytes(request.data[16:]) == pack_operation(operation)


@pytest.mark.parametrize("destination", DESTINATIONS)
@pytest.mark.parametrize("endpoint", ENDPOINTS)
def test_what_is_read_is_what_pyroute2_reads(endpoint: Endpoint, destination: Destination) -> None:
    reply = listed_destination(encode_destination(endpoint, destination))

    found = read_packed_destination(bytes(reply.data[16:]), Family.IPV4)

    assert found == read_destination(reply, Family.IPV4)
    assert found[1] == destination


def test_rates_are_those_of_the_counters_of_64_bits() -> None:
    names = ("conns", "inpkts", "outpkts", "inbytes", "outbytes", "cps", "inpps", "outpps", "inbps", "outbps")
    counters = b"".join(attribute(kind, struct.pack("=Q", kind * 10**10)) for kind, _ in enumerate(names, 1))
    reply = listed_destination(encode_destination(ENDPOINTS[0], DESTINATIONS[0]) + attribute(12, counters))

    _, _, counted = read_packed_destination(bytes(reply.data[16:]), Family.IPV4)

    assert counted == Connections(active=3, inactive=4, new=6 * 10**10, bytes_in=9 * 10**10, bytes_out=10**11)
