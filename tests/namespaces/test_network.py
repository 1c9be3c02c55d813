"""Routes, rules, drops and macvlans on a real kernel: the cases of `network_cases`, and what iproute2 sees."""

import errno
import json

import pytest

from namespaces.lab import Lab
from namespaces.network_cases import CASES
from namespaces.network_steps import GIVEN, Case, address, changes, expected_of, play, route, rule
from stayalived.addresses import Family, VirtualAddress
from stayalived.config.virtual_routers import FOREVER, NextHop, PlacedAddress, Route, Rule
from stayalived.kernel.api import Change, Item, Verb
from stayalived.kernel.commands import command
from stayalived.kernel.netlink import Netlink
from stayalived.kernel.netlink_messages import attributes_of
from stayalived.kernel.network import Network
from stayalived.kernel.rtnetlink import dump_addresses


class Inside:
    """A kernel whose calls are made in the namespace of a host: sysctls are those of the caller's."""

    def __init__(self, host, kernel) -> None:  # noqa: ANN001
        self._host, self._kernel = host, kernel

    def __getattr__(self, name: str):  # noqa: ANN204
        def call(*arguments):  # noqa: ANN002, ANN202
            with self._host.inside():
                return getattr(self._kernel, name)(*arguments)

        return call


class Real:
    """The world of a case: a host on a real segment."""

    def __init__(self, lab: Lab, *given: str) -> None:
        self.host = lab.host("tic", *given)
        for scope in ("all", "eth0"):  # a new namespace takes them over from the first one
            self.host.sysctl(f"net.ipv4.conf.{scope}.promote_secondaries", 0)
        with self.host.inside():
            self.netlink = lab.keep(Netlink())
            self.network = lab.keep(Network(self.netlink))
        self.kernel = Inside(self.host, self.network)

    def set_link(self, *, up: bool) -> None:
        self.host.link(up=up)

    def disable_ipv6(self) -> None:
        self.host.sysctl("net.ipv6.conf.eth0.disable_ipv6", 1)

    def delete_address(self, address: str) -> None:
        self.host.run(["ip", "address", "delete", address, "dev", "eth0"])

    def held(self, interface: str) -> set[str]:
        return self.host.addresses(interface)

    def barriers(self) -> set[str]:
        listed = json.loads(self.host.run(["nft", "-j", "list", "ruleset"]).stdout)["nftables"]
        return {element for thing in listed if "set" in thing for element in thing["set"].get("elem", ())}

    def ip(self, *words: str) -> str:
        return self.host.run(["ip", *words]).stdout

    def apply(self, verb: Verb, *items) -> list[int]:  # noqa: ANN002
        problems = self.kernel.apply(changes(verb, items, self.kernel))
        return [problem.errno if problem else 0 for problem in problems]


@pytest.fixture
def world(lab: Lab) -> Real:
    return Real(lab, *GIVEN)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_network_of_the_kernel(lab: Lab, case: Case) -> None:
    assert expected_of(case) == play(case, Real(lab, *case.given))


HOP = NextHop(gateway="192.0.2.7")


@pytest.mark.parametrize(
    ("item", "seen"),
    [
        (address("192.0.2.9/32"), "inet 192.0.2.9/32 scope global eth0 valid_lft forever preferred_lft forever"),
        (
            address("192.0.2.9/28", label="eth0:v", scope=253, broadcast="192.0.2.15"),
            "inet 192.0.2.9/28 brd 192.0.2.15 scope link eth0:v",
        ),
        (address("198.51.100.1/32", peer="198.51.100.2/31"), "inet 198.51.100.1 peer 198.51.100.2/31 scope global"),
        (address("192.0.2.9/28", flags=0x200), "scope global noprefixroute"),
        (address("2001:db8::9/64"), "scope global nodad deprecated"),
        (address("2001:db8::9/64", preferred_lifetime=FOREVER), "preferred_lft forever"),
        (
            address("2001:db8::9/64", preferred_lifetime=3600, flags=0x10),
            "nodad home valid_lft forever preferred_lft 3600sec",
        ),
        (address("2001:db8::9/64", flags=0x100 | 0x200), "nodad deprecated mngtmpaddr noprefixroute"),
        (address("2001:db8::9/128", peer="2001:db8:1::9/64"), "inet6 2001:db8::9 peer 2001:db8:1::9/64"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_addresses_are_as_iproute2_shows_them(world: Real, item: PlacedAddress, seen: str) -> None:
    added = world.apply(Verb.ADD, item)
    shown = world.ip("-d", "address", "show", "dev", "eth0", "to", f"{item.address.address}")
    removed = world.apply(Verb.REMOVE, item)

    assert ([0], [0]) == (added, removed)
    assert seen in " ".join(shown.split())
    assert GIVEN_HELD == world.held("eth0")


GIVEN_HELD = set(GIVEN)


def test_addresses_bear_the_mark_of_their_owner(world: Real) -> None:
    world.apply(Verb.ADD, address("192.0.2.9/32"), address("2001:db8::9/128", flags=0x200))

    bodies = [message.body for message in world.netlink.connection.dump(dump_addresses)]
    marks = {attributes_of(body, 8).get(1): attributes_of(body, 8).get(11) for body in bodies}

    assert bytes((18,)) == marks[VirtualAddress.parse("192.0.2.9").packed]
    assert bytes((18,)) == marks[VirtualAddress.parse("2001:db8::9").packed]


def test_duplicate_detection_is_done_where_it_was_asked_for(lab: Lab) -> None:
    world = Real(lab)
    world.host.sysctl("net.ipv6.conf.eth0.accept_dad", 1)
    world.host.sysctl("net.ipv6.conf.eth0.dad_transmits", 1)

    world.apply(Verb.ADD, address("2001:db8::9/64", duplicate_detection=True), address("2001:db8::a/64"))

    assert "tentative" in world.ip("-6", "address", "show", "dev", "eth0", "to", "2001:db8::9")
    assert "tentative" not in world.ip("-6", "address", "show", "dev", "eth0", "to", "2001:db8::a")


@pytest.mark.parametrize(
    ("item", "seen"),
    [
        (
            route("198.51.100.0/24", "192.0.2.254", "eth0", table=1000, metric=5, mtu=1400, source="192.0.2.1"),
            "198.51.100.0/24 via 192.0.2.254 dev eth0 table 1000 proto keepalived src 192.0.2.1 metric 5 mtu 1400",
        ),
        (route("198.51.100.0/24", interface="eth0"), "198.51.100.0/24 dev eth0 proto keepalived scope link"),
        (route("0.0.0.0/0", "192.0.2.254"), "default via 192.0.2.254 dev eth0 proto keepalived"),
        (route("198.51.100.0/24", "2001:db8::7", "eth0"), "via inet6 2001:db8::7 dev eth0 proto keepalived"),
        (route("198.51.100.0/24", interface="eth0", scope=200), "dev eth0 proto keepalived scope site"),
        (route("198.51.100.7/32", interface="lo", kind=2, table=255), "local 198.51.100.7 dev lo table local"),
        (route("198.51.100.0/24", kind=6), "blackhole 198.51.100.0/24 proto keepalived"),
        (route("10.0.0.0/8", "203.0.113.1", "eth0", onlink=True), "via 203.0.113.1 dev eth0 proto keepalived onlink"),
        (
            route(
                "10.0.0.0/8",
                next_hops=(
                    NextHop(gateway="203.0.113.1", interface="eth0", weight=5, onlink=True),
                    HOP,
                ),
            ),
            "proto keepalived nexthop via 203.0.113.1 dev eth0 weight 5 onlink nexthop via 192.0.2.7 dev eth0 weight 1",
        ),
        (
            route("2001:db8:1::/64", "2001:db8::7", table=300, metric=7, mtu=1300),
            "2001:db8:1::/64 via 2001:db8::7 dev eth0 table 300 proto keepalived metric 7 mtu 1300",
        ),
        (route("::/0", "fe80::1", "eth0"), "default via fe80::1 dev eth0 proto keepalived metric 1024"),
        (route("2001:db8:1::/64", kind=7), "unreachable 2001:db8:1::/64 dev lo proto keepalived"),
        (
            route(
                "2001:db8:1::/64",
                next_hops=(NextHop(gateway="2001:db8::7", weight=2), NextHop(gateway="fe80::1", interface="eth0")),
            ),
            "2001:db8:1::/64 proto keepalived metric 1024",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_routes_are_as_iproute2_shows_them_and_read_back(world: Real, item: Route, seen: str) -> None:
    added = world.apply(Verb.ADD, item)
    family = "-6" if item.family is Family.IPV6 else "-4"
    shown = world.ip(family, "route", "show", "table", "all")
    (read,) = world.kernel.routes()
    removed = world.apply(Verb.REMOVE, item)

    assert ([0], [0], []) == (added, removed, world.kernel.routes())
    assert seen in " ".join(shown.split())
    assert (item.kind, item.mtu, item.source, item.onlink) == (read.kind, read.mtu, read.source, read.onlink)
    assert [(hop.gateway, hop.weight) for hop in item.next_hops] == [
        (hop.gateway, hop.weight) for hop in read.next_hops
    ]


@pytest.mark.parametrize(
    ("item", "seen"),
    [
        (
            rule(
                100,
                source=VirtualAddress.parse("192.0.2.0/24"),
                destination=VirtualAddress.parse("10.0.0.0/8"),
                input_interface="eth0",
                output_interface="eth1",
                mark=1,
                mark_mask=0xFF,
                tos=0x10,
                inverted=True,
                table=1000,
            ),
            "not from 192.0.2.0/24 to 10.0.0.0/8 tos 0x10 fwmark 0x1/0xff iif eth0 oif eth1 [detached] lookup 1000",
        ),
        (rule(100, action=2, goto=32766), "100: from all goto 32766 proto keepalived"),
        (rule(100, action=6), "100: from all blackhole proto keepalived"),
        (rule(100, Family.IPV6, mark=3, table=50), "100: from all fwmark 0x3 lookup 50 proto keepalived"),
        (
            rule(100, Family.IPV6, source=VirtualAddress.parse("2001:db8::/64"), action=7),
            "100: from 2001:db8::/64 unreachable proto keepalived",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_rules_are_as_iproute2_shows_them_and_read_back(world: Real, item: Rule, seen: str) -> None:
    added = world.apply(Verb.ADD, item)
    shown = world.ip("-6" if item.family is Family.IPV6 else "-4", "rule", "show")
    read = world.kernel.rules()
    removed = world.apply(Verb.REMOVE, item)

    assert ([0], [0], []) == (added, removed, world.kernel.rules())
    assert seen in " ".join(shown.split())
    assert [item] == [one if item.action == 1 else readdress(one, table=item.table) for one in read]


def readdress(item: Rule, **more) -> Rule:  # noqa: ANN003
    import msgspec

    return msgspec.structs.replace(item, **more)


def test_what_belongs_to_others_does_not_pass_for_ours_and_stays(world: Real) -> None:
    world.ip("route", "add", "default", "via", "192.0.2.254")
    world.ip("-6", "route", "add", "2001:db8:1::/64", "via", "2001:db8::fe")
    world.ip("rule", "add", "preference", "100", "table", "1000")
    ours = (route("0.0.0.0/0", "192.0.2.253"), rule(100, table=2000))

    before = (world.kernel.routes(), world.kernel.rules())
    added = world.apply(Verb.ADD, *ours)
    taken = world.ip("route", "get", "203.0.113.1")
    removed = world.apply(Verb.REMOVE, *ours, route("2001:db8:1::/64", "2001:db8::fe"), rule(100, table=1000))

    assert (([], []), [0, 0], [0, 0, 0, 0]) == (before, added, removed)
    assert "via 192.0.2.253" in taken
    assert "default via 192.0.2.254" in world.ip("route", "show", "default")
    assert "via 2001:db8::fe" in world.ip("-6", "route", "show", "2001:db8:1::/64")
    assert "lookup 1000" in world.ip("rule", "show", "preference", "100")


@pytest.mark.parametrize(("behind", "taken"), [(False, "192.0.2.253"), (True, "192.0.2.254")])
def test_a_route_is_tried_before_those_of_others_or_after_them(world: Real, behind: bool, taken: str) -> None:
    world.ip("route", "add", "default", "via", "192.0.2.254")

    added = world.apply(Verb.ADD, route("0.0.0.0/0", "192.0.2.253", behind=behind))

    assert [0] == added
    assert f"via {taken} " in world.ip("route", "get", "203.0.113.1")


def test_a_refusal_names_the_thing_as_ip_does_and_what_to_do(world: Real) -> None:
    items = (
        route("10.0.0.0/8", "203.0.113.1"),
        route("2001:db8:9::/64", interface="eth7"),
        rule(100, action=2, goto=50),
    )

    texts = [str(problem) for problem in world.kernel.apply(changes(Verb.ADD, items, world.kernel))]

    assert texts[0].startswith("ip route add 10.0.0.0/8 via 203.0.113.1: Network is unreachable; Nexthop has invalid")
    assert texts[0].endswith("an address of its subnet comes first, or `onlink`")
    assert texts[1].startswith("ip -6 route add 2001:db8:9::/64 dev eth7: No such device; there is no such interface")
    assert texts[2].startswith("ip rule add from all goto 50 preference 100: Invalid argument; Backward goto")


def test_without_the_right_every_thing_is_refused_and_named(world: Real) -> None:
    def refused() -> None:
        import os

        with Netlink() as netlink:
            network = Network(netlink)
            items = (address("192.0.2.9/32"), route("10.0.0.0/8", "192.0.2.254"), rule(100, table=1000))
            wanted = changes(Verb.ADD, items, network)
            os.setresuid(65534, 65534, 65534)
            for problem in network.apply(wanted):
                print(problem, flush=True)  # noqa: T201

    process = world.host.fork(refused)

    assert process.wait(within=5.0) == 0
    lines = process.log().splitlines()
    assert all(line.endswith("Operation not permitted; vrrp needs CAP_NET_ADMIN") for line in lines)
    assert ["ip address add 192.0.2.9/32 dev eth0", "ip route add 10.0.0.0/8", "ip rule add from all"] == [
        line[:36].split(" via")[0].split(" table")[0].split(":")[0] for line in lines
    ]


def test_hundreds_go_in_one_call_and_the_refused_one_is_told_in_its_place(world: Real) -> None:
    many = [address(f"10.0.{number // 200}.{number % 200 + 1}/32") for number in range(350)]
    many[123] = address("ff02::1/128")
    many[300] = address("::1/128")

    results = world.apply(Verb.ADD, *many)

    assert {123: errno.EADDRNOTAVAIL, 300: errno.EADDRNOTAVAIL} == {
        place: number for place, number in enumerate(results) if number
    }
    assert len(world.held("eth0")) == 348 + len(GIVEN)
    assert {0} == set(world.apply(Verb.REMOVE, *many))
    assert GIVEN_HELD == world.held("eth0")


def test_a_route_finds_its_interface_by_the_index_that_it_was_given(world: Real) -> None:
    item = route("10.0.0.0/8", interface="eth0")
    index = world.kernel.interfaces()["eth0"].index

    (problem,) = world.kernel.apply([Change(verb=Verb.ADD, item=item, index=index)])

    assert problem is None
    assert "10.0.0.0/8 dev eth0" in world.ip("route", "show")


TYPED = (
    address("192.0.2.9/28", label="eth0:v", scope=253, broadcast="192.0.2.15"),
    address("198.51.100.1/31", peer="198.51.100.2/31"),
    route("0.0.0.0/0", "192.0.2.254"),
    route("10.0.0.0/8", "192.0.2.7", "eth0", source="192.0.2.1", table=1000, metric=5, mtu=1400),
    route("10.0.0.0/8", "203.0.113.1", "eth0", onlink=True),
    route("10.0.0.0/8", "2001:db8::7", "eth0"),
    route("10.0.0.0/8", interface="eth0", scope=200),
    route("10.0.0.0/8", kind=8),
    route("10.0.0.0/8", kind=6, behind=True),
    route("10.0.0.0/8", next_hops=(NextHop(gateway="203.0.113.1", interface="eth0", weight=5, onlink=True), HOP)),
    route("2001:db8:1::/64", "fe80::1", "eth0", metric=7),
    rule(100, source=VirtualAddress.parse("192.0.2.0/24"), mark=1, mark_mask=0xFF, tos=0x10, inverted=True, table=9),
    rule(100, action=2, goto=32766),
    rule(100, Family.IPV6, action=6, destination=VirtualAddress.parse("2001:db8::/64"), input_interface="eth0"),
)


@pytest.mark.parametrize("item", TYPED, ids=lambda item: type(item).__name__)
def test_who_types_the_words_of_a_change_gets_the_same(world: Real, item: Item) -> None:
    def shown() -> str:
        listing = (("address", "show", "dev", "eth0"), ("route", "show", "table", "all"), ("rule", "show"))
        lines = "".join(world.ip(family, *words) for words in listing for family in ("-4", "-6"))
        return " ".join(line for line in lines.replace(" proto keepalived", "").split() if not line.endswith("sec"))

    before = shown()
    assert [0] == world.apply(Verb.ADD, item)
    ours = shown()
    assert [0] == world.apply(Verb.REMOVE, item)
    world.host.run(command(Change(verb=Verb.ADD, item=item)).split())
    typed = shown()
    world.host.run(command(Change(verb=Verb.REMOVE, item=item)).split())

    assert before != ours
    assert ours == typed
    assert before == shown()
