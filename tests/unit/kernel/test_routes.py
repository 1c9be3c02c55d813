"""Messages about routes: what is asked for, and what is made of what is read."""

import struct

import pytest

from namespaces.network_steps import route
from stayalived.addresses import Family, VirtualAddress
from stayalived.config.virtual_routers import NextHop, Route
from stayalived.kernel.netlink_messages import Message, messages
from stayalived.kernel.routes import add_route, delete_route, dump_routes, identity, read_route

INDEXES = {"eth0": 2, "eth1": 3}
NAMES = {2: "eth0", 3: "eth1"}
HEAD = struct.Struct("=BBBBBBBBI")

ROUTES = (
    route("198.51.100.0/24", "192.0.2.254", "eth0", source="192.0.2.9", table=1000, metric=5, mtu=1400, scope=200),
    route("0.0.0.0/0", "2001:db8::1", "eth1", onlink=True, scope=253),
    route("10.0.0.0/8", kind=6, table=255, scope=253),
    route("2001:db8:1::/64", "fe80::1", "eth0", metric=5),
    route("::/0", kind=7),
    route(
        "2001:db8:2::/48",
        next_hops=(NextHop(gateway="fe80::1", interface="eth0", weight=256), NextHop(interface="eth1")),
    ),
)


def sent(data: bytes) -> Message:
    (message,) = messages(data)
    return message


@pytest.mark.parametrize("wanted", ROUTES, ids=lambda wanted: str(wanted.destination))
def test_a_route_reads_back_as_it_was_asked_for(wanted: Route) -> None:
    assert wanted == read_route(sent(add_route(wanted, INDEXES, 1)), NAMES)
    assert wanted.key == read_route(sent(delete_route(wanted, INDEXES, 1)), NAMES).key  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("wanted", "added", "deleted"),
    [
        (route("10.0.0.0/8", "192.0.2.254"), 0, 255),
        (route("10.0.0.0/8", interface="eth0"), 253, 255),
        (route("10.0.0.0/8", next_hops=(NextHop(gateway="192.0.2.7"),)), 0, 255),
        (route("10.0.0.0/8", kind=2, interface="eth0"), 254, 255),
        (route("10.0.0.0/8", kind=6), 0, 255),
        (route("10.0.0.0/8", interface="eth0", scope=200), 200, 200),
        (route("2001:db8::/64", interface="eth0"), 0, 0),
    ],
)
def test_the_scope_that_is_not_written_is_that_of_ip_route(wanted: Route, added: int, deleted: int) -> None:
    scopes = [HEAD.unpack_from(make(wanted, INDEXES, 1), 16)[6] for make in (add_route, delete_route)]

    assert [added, deleted] == scopes


@pytest.mark.parametrize(("table", "short"), [(254, 254), (255, 255), (256, 252), (4_000_000_000, 252)])
def test_a_table_beyond_a_byte_stands_in_its_attribute(table: int, short: int) -> None:
    request = add_route(route("10.0.0.0/8", kind=6, table=table), {}, 1)

    read = read_route(sent(request), {})

    assert (short, table) == (HEAD.unpack_from(request, 16)[4], read.table if read else None)


def test_only_our_protocol_is_ours() -> None:
    request = bytearray(add_route(route("10.0.0.0/8", kind=6), {}, 1))
    request[16 + 5] = 4  # RTPROT_STATIC

    assert read_route(sent(bytes(request)), {}) is None


def test_an_interface_without_a_name_is_written_by_its_index() -> None:
    read = read_route(sent(add_route(route("10.0.0.0/8", interface="eth0"), INDEXES, 1)), {})

    assert read is not None
    assert read.interface == "#2"


def test_next_hops_that_are_cut_short_end_by_themselves() -> None:
    request = sent(add_route(ROUTES[-1], INDEXES, 1))
    broken = request.body.replace(struct.pack("=H", 28), struct.pack("=H", 3), 1)

    read = read_route(Message(request.kind, 0, 1, 0, broken), NAMES)

    assert read is not None
    assert read.next_hops == ()


def test_a_dump_asks_for_our_routes_of_one_family() -> None:
    head = HEAD.unpack_from(dump_routes(Family.IPV6, 1), 16)

    assert (10, 18) == (head[0], head[5])


def test_the_kernel_counts_the_metric_of_ipv6_from_1024() -> None:
    assert identity(route("2001:db8::/64", metric=1024)) == identity(route("2001:db8::/64"))
    assert (Family.IPV4, VirtualAddress("10.0.0.0", 8), 254, 0) == identity(route("10.0.0.0/8"))
