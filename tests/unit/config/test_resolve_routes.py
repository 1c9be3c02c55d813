import pytest

from configuration_kit import good, plugins
from stayalived.addresses import Family, VirtualAddress
from stayalived.config.decode import Decoder
from stayalived.config.desk import Desk
from stayalived.config.findings import Findings
from stayalived.config.names import Names
from stayalived.config.resolve_rules import Preferences, RuleRoom
from stayalived.config.virtual_routers import NextHop, Route, Rule
from unit.config.instance_kit import V4, V6, instance, router, routers

ALL = VirtualAddress("0.0.0.0", 0)
TEN = VirtualAddress("10.0.0.0", 8)


def route(text: str) -> Route:
    (found,) = router(f"virtual_routes = [{{ {text} }}]").routes
    return found


def rule(text: str) -> Rule:
    (found,) = router(f"virtual_rules = [{{ {text} }}]").rules
    return found


def test_a_default_route_by_a_gateway() -> None:
    assert route('to = "default", via = "192.0.2.254"') == Route(
        family=Family.IPV4, destination=ALL, gateway="192.0.2.254"
    )


def test_a_route_with_everything() -> None:
    text = 'to = "10.0.0.0/8", via = "192.0.2.254", dev = "eth1", src = "192.0.2.1", table = "blue", metric = 9'
    text += ', scope = "site", type = "UNICAST", onlink = true, mtu = 1400, no_track = true'

    assert route(text) == Route(
        family=Family.IPV4,
        destination=TEN,
        gateway="192.0.2.254",
        interface="eth1",
        source="192.0.2.1",
        table=100,
        metric=9,
        scope=200,
        onlink=True,
        mtu=1400,
        tracked=False,
    )


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ('dev = "eth0"', 1),
        ('type = "local", dev = "lo"', 2),
        ('type = "blackhole"', 6),
        ('type = "unreachable"', 7),
        ('type = "prohibit"', 8),
        ('type = "throw"', 9),
    ],
)
def test_a_type_is_the_kernel_s_number(text: str, kind: int) -> None:
    assert route(f'to = "10.0.0.0/8", {text}').kind == kind


@pytest.mark.parametrize(("text", "behind"), [("", False), (', mode = "prepend"', False), (', mode = "append"', True)])
def test_a_mode_is_a_place_among_the_routes_of_others(text: str, behind: bool) -> None:
    assert route(f'to = "10.0.0.0/8", type = "blackhole"{text}').behind == behind


@pytest.mark.parametrize(
    ("text", "scope"),
    [
        ('to = "10.0.0.0/8", dev = "eth0"', 253),
        ('to = "10.0.0.0/8", via = "192.0.2.9"', 0),
        ('to = "10.0.0.0/8", nexthops = [{ via = "192.0.2.9" }]', 0),
        ('to = "10.0.0.0/8", type = "local", dev = "lo"', 254),
        ('to = "10.0.0.0/8", type = "blackhole"', 0),
        ('to = "2001:db8:1::/48", dev = "eth0"', 0),
    ],
)
def test_a_scope_that_nobody_names_is_that_of_ip(text: str, scope: int) -> None:
    assert route(text).scope == scope


def test_a_local_route_is_in_the_table_of_such_routes_unless_it_says_otherwise() -> None:
    text = 'to = "10.0.0.0/8", type = "local", dev = "lo"'

    assert [route(f"{text}{more}").table for more in ("", ', table = "main"')] == [255, 254]


def test_an_ipv6_route_has_the_metric_that_the_kernel_will_report() -> None:
    found = [
        route(f'to = "2001:db8:1::/48", dev = "eth0"{more}').metric for more in ("", ", metric = 0", ", metric = 7")
    ]

    assert found == [1024, 1024, 7]


@pytest.mark.parametrize(
    "text",
    [
        'to = "default", via = "fe80::1", dev = "eth0"',
        'to = "default", dev = "eth0", src = "2001:db8::1"',
        'to = "default", nexthops = [{ via = "fe80::1", dev = "eth0" }]',
        'to = "::/0", dev = "eth0"',
    ],
)
def test_the_family_of_a_default_route_is_that_of_what_it_names(text: str) -> None:
    found = route(text)

    assert (found.family, found.destination) == (Family.IPV6, VirtualAddress("::", 0))


def test_a_default_route_that_names_no_address_is_of_ipv4() -> None:
    assert route('to = "default", dev = "eth0"').family is Family.IPV4


def test_several_ways_share_a_route() -> None:
    text = '{ via = "192.0.2.8", weight = 256 }, { via = "192.0.2.9", dev = "eth1", onlink = true }, { dev = "tun0" }'

    found = route(f'to = "10.0.0.0/8", nexthops = [{text}]')

    assert found.next_hops == (
        NextHop(gateway="192.0.2.8", weight=256),
        NextHop(gateway="192.0.2.9", interface="eth1", onlink=True),
        NextHop(interface="tun0"),
    )


def test_routes_and_rules_go_with_the_router_of_their_family_else_with_the_first() -> None:
    text = 'virtual_routes = [{ to = "::/0", dev = "eth0" }, { to = "10.0.0.0/8", dev = "eth0" }]\n'
    text += 'virtual_rules = [{ from = "2001:db8::/32" }, { from = "10.0.0.0/8" }]'

    alone = router(text)
    four, six = routers(text, addresses=f"{V4}, {V6}")

    assert [each.family for each in (*alone.routes, *alone.rules)] == [6, 4, 6, 4]
    assert [each.family for each in (*four.routes, *four.rules)] == [4, 4]
    assert [each.family for each in (*six.routes, *six.rules)] == [6, 6]


def test_routes_to_one_place_differ_by_metric_or_table() -> None:
    ways = ('dev = "a"', 'dev = "b", metric = 1', 'dev = "c", table = 7')
    text = ", ".join(f'{{ to = "default", {way} }}' for way in ways)

    assert len({each.key for each in router(f"virtual_routes = [{text}]").routes}) == 3


def test_a_rule_with_everything() -> None:
    text = 'from = "10.0.0.0/8", to = "198.51.100.0/24", iif = "eth0", oif = "eth1", fwmark = "0x10/0xff", tos = "0x10"'
    text += ', not = true, table = "blue", preference = 77, no_track = true'

    assert rule(text) == Rule(
        family=Family.IPV4,
        preference=77,
        table=100,
        source=TEN,
        destination=VirtualAddress("198.51.100.0", 24),
        input_interface="eth0",
        output_interface="eth1",
        mark=0x10,
        mark_mask=0xFF,
        tos=0x10,
        inverted=True,
        tracked=False,
    )


def test_a_rule_that_says_nothing_looks_up_in_main() -> None:
    assert rule("") == Rule(family=Family.IPV4, preference=16384, table=254)


@pytest.mark.parametrize(
    ("text", "action"), [('"nop"', 3), ('"blackhole"', 6), ('"Unreachable"', 7), ('"prohibit"', 8)]
)
def test_a_type_of_a_rule_needs_no_table(text: str, action: int) -> None:
    found = rule(f"type = {text}")

    assert (found.action, found.table) == (action, 0)


def test_a_rule_may_go_on_with_a_later_one() -> None:
    found = rule("goto = 20000")

    assert (found.action, found.goto, found.table) == (2, 20000, 0)


def test_a_mark_alone_is_compared_whole() -> None:
    found = [rule(f"fwmark = {text}") for text in ("7", '"7"', '"0x7"', '"0/0x1"')]

    assert [(each.mark, each.mark_mask) for each in found] == [*[(7, 0xFFFFFFFF)] * 3, (0, 1)]


def test_all_is_no_selector() -> None:
    found = rule('from = "all", to = "ANY", family = "IPv6"')

    assert (found.source, found.destination, found.family) == (None, None, Family.IPV6)


def test_preferences_count_down_for_each_family_over_all_instances_past_those_that_are_written() -> None:
    first = 'virtual_rules = [{ }, { family = "ipv6" }, { preference = 16383 }]'
    second = 'virtual_rules = [{ from = "10.0.0.0/8" }, { from = "2001:db8::/32" }, { to = "10.0.0.0/8" }]'

    found = good(instance(first) + instance(second, addresses='"192.0.2.2"', name="tac", number=52)).instances

    assert [each.preference for each in found[0].routers[0].rules] == [16384, 16384, 16383]
    assert [each.preference for each in found[1].routers[0].rules] == [16382, 16382, 16381]


def test_a_rule_for_which_no_preference_is_left_is_refused() -> None:
    findings = Findings()
    desk = Desk(findings, Decoder(findings), plugins().catalogue, Names(), "tic", "tic", str)
    room = RuleRoom(desk, Preferences(frozenset(range(2, 16385))), ("vrrp_instance", "tic"))

    first, *others = room.take([{}, {}])

    assert (first.preference, others) == (1, [])
    assert [str(entry.problem) for entry in findings.entries] == [
        "vrrp_instance.tic.virtual_rules[1].preference: more than 16384 rules have none; write the preferences of some"
    ]
