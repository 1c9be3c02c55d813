"""Changes of addresses, routes and rules in the words of ip(8), for people. Pure."""

from collections.abc import Iterable

from stayalived.addresses import Family
from stayalived.config.virtual_routers import NextHop, PlacedAddress, Route, Rule
from stayalived.kernel import routes, rules
from stayalived.kernel.api import Change, Verb

ROUTE_KINDS = {
    routes.LOCAL: "local",
    routes.BLACKHOLE: "blackhole",
    routes.UNREACHABLE: "unreachable",
    routes.PROHIBIT: "prohibit",
    routes.THROW: "throw",
}
RULE_ACTIONS = {rules.BLACKHOLE: "blackhole", rules.UNREACHABLE: "unreachable", rules.PROHIBIT: "prohibit"}
SCOPES = {200: "site", 253: "link", 254: "host"}

_MAIN = 254


def command(change: Change) -> str:
    """Return the command line that does the same: `ip address add 192.0.2.1/24 dev eth0`."""
    item, verb = change.item, change.verb
    if isinstance(item, PlacedAddress):
        return " ".join(_address(item, verb))
    if isinstance(item, Route):
        return " ".join(_route(item, verb))
    if isinstance(item, Rule):
        return " ".join(_rule(item, verb))
    return f"nft {verb} element {item.address}"


def _address(item: PlacedAddress, verb: Verb) -> Iterable[str]:
    yield from ("ip address", verb)
    yield from (item.address.address, "peer", item.peer) if item.peer else (str(item.address),)
    if verb is Verb.ADD:
        yield from _options(("broadcast", item.broadcast), ("label", item.label), ("scope", SCOPES.get(item.scope)))
    yield from ("dev", item.interface)


def _route(item: Route, verb: Verb) -> Iterable[str]:
    yield from (_program(item.family), "route", "append" if verb is Verb.ADD and item.behind else verb)
    if item.kind in ROUTE_KINDS:
        yield ROUTE_KINDS[item.kind]
    yield str(item.destination) if item.destination.prefix else "default"
    yield from _way(item.family, item.gateway, item.interface, onlink=item.onlink)
    table = item.table if item.table != _MAIN else 0
    yield from _options(("src", item.source), ("table", table), ("metric", item.metric), ("mtu", item.mtu))
    yield from _options(("scope", SCOPES.get(item.scope)))
    for hop in item.next_hops:
        yield "nexthop"
        yield from _hop(item.family, hop)


def _hop(family: Family, hop: NextHop) -> Iterable[str]:
    yield from _way(family, hop.gateway, hop.interface, onlink=False)
    yield from ("weight", str(hop.weight))
    if hop.onlink:
        yield "onlink"


def _way(family: Family, gateway: str, interface: str, *, onlink: bool) -> Iterable[str]:
    other = "inet6 " if family is Family.IPV4 and ":" in gateway else ""
    yield from _options(("via", f"{other}{gateway}" if gateway else ""), ("dev", interface))
    if onlink:
        yield "onlink"


def _rule(item: Rule, verb: Verb) -> Iterable[str]:
    yield from (_program(item.family), "rule", verb)
    if item.inverted:
        yield "not"
    yield from ("from", str(item.source) if item.source else "all")
    mask = f"/{item.mark_mask:#x}" if item.mark_mask else ""
    yield from _options(
        ("to", item.destination),
        ("fwmark", f"{item.mark:#x}{mask}" if item.mark or mask else ""),
        ("iif", item.input_interface),
        ("oif", item.output_interface),
        ("tos", f"{item.tos:#x}" if item.tos else ""),
        ("table", item.table if item.action == rules.TO_TABLE else ""),
        ("goto", item.goto if item.action == rules.GOTO else ""),
    )
    if item.action in RULE_ACTIONS:
        yield RULE_ACTIONS[item.action]
    yield from ("preference", str(item.preference))


def _options(*pairs: tuple[str, object]) -> Iterable[str]:
    for word, value in pairs:
        if value:
            yield from (word, str(value))


def _program(family: Family) -> str:
    return "ip -6" if family is Family.IPV6 else "ip"
