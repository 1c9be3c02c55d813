import string
from collections.abc import Callable
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from configuration_kit import PaperNames, ask_table, plugins
from stayalived.config.decode import fields_of
from stayalived.config.files import Source, parse
from stayalived.config.findings import Path
from stayalived.config.general import GlobalTable
from stayalived.config.holdings import AddressTable, NextHopTable, RouteTable, RuleTable
from stayalived.config.model import Configuration, decode, encode
from stayalived.config.needs import needs_of
from stayalived.config.places import Places
from stayalived.config.problems import Problem
from stayalived.config.resolve import Surroundings, resolve
from stayalived.config.services import RealServerTable, VirtualServerTable
from stayalived.config.vrrp import AuthenticationTable, InstanceTable, PeerTable, SyncGroupTable, VmacTable

WORDS = [
    "192.0.2.1:80",
    "192.0.2.2",
    "2001:db8::1/64",
    "tic",
    "tic:80",
    "[2001:db8::1]:80",
    "knock",
    "echo",
    "shout",
    "rr",
    "sh",
    "picky",
    "tcp",
    "udp",
    "DR",
    "TUN",
    "gue",
    "MASTER",
    "eth0",
    "224.0.0.1",
    "ff02::12",
    "up",
    "default",
    "10.0.0.0/8",
    "2001:db8::/32",
    "0x7/0xff",
    "blue",
    "link",
    "forever",
    "PASS",
    "secret",
    "blackhole",
    "ipv6",
    "02:00:00:00:00:01",
    "+",
    "a",
]
SCALARS = st.one_of(
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.integers(-1, 300),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=8),
    st.datetimes(),
    st.dates(),
    st.times(),
    st.sampled_from(WORDS),
)
MODELS = (
    GlobalTable,
    InstanceTable,
    AddressTable,
    RouteTable,
    NextHopTable,
    RuleTable,
    PeerTable,
    AuthenticationTable,
    VmacTable,
    SyncGroupTable,
    VirtualServerTable,
    RealServerTable,
)
KEYS = sorted(
    {key for model in MODELS for key in fields_of(model)}
    | {"type", "on", "volume", "password", "file", "env", "connect_ip", "bindto", "word", "", "ü", "use_ipvlan"}
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.sampled_from(KEYS), inner, max_size=4)),
    max_leaves=6,
)
Data = dict[str, Any]


def tables(model: type, good: Data) -> st.SearchStrategy[Data]:
    """A table of a kind: right in the main, with some keys that are not."""
    known = st.sampled_from(sorted(fields_of(model)))
    odd = st.dictionaries(st.one_of(known, st.sampled_from(KEYS)), VALUES, max_size=3)
    return st.builds(lambda changed: {**good, **changed}, odd)


def exactly(_model: type, good: Data) -> st.SearchStrategy[Data]:
    """A table as it should be."""
    return st.just(good)


LISTS: dict[str, tuple[type, list[Data]]] = {
    "virtual_ipaddress_excluded": (
        AddressTable,
        [
            {"address": "192.0.2.7/24", "dev": "eth1", "brd": "+", "scope": "link"},
            {"address": "2001:db8::7/64", "nodad": False, "preferred_lft": "forever", "no_track": True},
        ],
    ),
    "virtual_routes": (
        RouteTable,
        [
            {"to": "default", "via": "192.0.2.254", "table": "blue"},
            {"to": "2001:db8::/32", "nexthops": [{"via": "fe80::1", "dev": "eth0", "weight": 2}]},
            {"to": "10.0.0.0/8", "type": "blackhole"},
        ],
    ),
    "virtual_rules": (
        RuleTable,
        [{"from": "10.0.0.0/8", "table": 7}, {"fwmark": "0x7/0xff", "family": "ipv6", "goto": 20000}],
    ),
    "unicast_peer": (PeerTable, [{"address": "tic"}, {"address": "192.0.2.9", "min_ttl": 254}]),
}


def instances(make: Callable[[type, Data], st.SearchStrategy[Data]]) -> st.SearchStrategy[Data]:
    """An instance of one family or both, which may hold whatever an instance can."""
    optional: dict[str, st.SearchStrategy[Any]] = {
        key: st.lists(st.sampled_from(good), max_size=2, unique_by=str).flatmap(
            lambda chosen, model=model: st.tuples(*(make(model, table) for table in chosen)).map(list)
        )
        for key, (model, good) in LISTS.items()
    }
    optional["use_vmac"] = st.one_of(st.booleans(), make(VmacTable, {"mac": "02:00:00:00:01"}))
    optional["authentication"] = make(AuthenticationTable, {"auth_type": "PASS", "auth_pass": "secret"})
    optional["strict_mode"] = st.booleans()
    required = {
        "interface": st.just("eth0"),
        "virtual_router_id": st.integers(1, 255),
        "virtual_ipaddress": st.sampled_from([["192.0.2.1"], ["fe80::1", "2001:db8::1"], ["192.0.2.2", "2001:db8::2"]]),
    }
    return st.fixed_dictionaries(required, optional=optional).flatmap(lambda table: make(InstanceTable, table))


NAMES = st.sampled_from(["a", "b", "a b", ""])
SERVERS = st.dictionaries(NAMES, tables(RealServerTable, {"address": "192.0.2.9"}), max_size=2)
TREES = st.fixed_dictionaries(
    {},
    optional={
        "global": st.one_of(tables(GlobalTable, {}), VALUES),
        "check": st.one_of(st.dictionaries(NAMES, st.one_of(VALUES, st.just({"type": "knock"})), max_size=2), VALUES),
        "vrrp_instance": st.dictionaries(NAMES, instances(tables), max_size=2),
        "vrrp_sync_group": st.dictionaries(NAMES, tables(SyncGroupTable, {"group": ["a", "b"]}), max_size=2),
        "virtual_server": st.dictionaries(
            NAMES,
            st.builds(
                lambda table, servers: {"real_server": servers, **table},
                tables(VirtualServerTable, {"address": "192.0.2.1:80", "protocol": "tcp", "check": "knock"}),
                SERVERS,
            ),
            max_size=2,
        ),
        "host": st.one_of(VALUES, st.dictionaries(st.just("tic"), VALUES, max_size=1)),
        "zebra": VALUES,
    },
)


def resolved(*data: Data) -> tuple[Configuration | None, list[str]]:
    sources = [Source(name=f"{number}.toml", text="", data=table) for number, table in enumerate(data)]
    around = Surroundings(plugins=plugins(), host_id="tic", host_name="tic", lookup=ask_table, numbers=PaperNames())
    configuration, problems = resolve(sources, around)
    assert (configuration is None) == any(not problem.warning for problem in problems)
    return configuration, [str(problem) for problem in problems]


@settings(max_examples=150, deadline=None)
@given(TREES)
def test_any_table_gives_a_configuration_that_travels_or_problems_and_nothing_else(tree: Data) -> None:
    configuration, problems = resolved(tree)

    if configuration is None:
        assert problems
    else:
        assert decode(encode(configuration)) == configuration
        assert needs_of(configuration).children[0] == "log"


@settings(max_examples=150, deadline=None)
@given(st.dictionaries(st.sampled_from("ab"), instances(exactly), min_size=1, max_size=2))
def test_what_a_router_of_any_instance_holds_is_placed_and_told_apart(found: dict[str, Data]) -> None:
    configuration, _ = resolved({"vrrp_instance": found})

    for instance in configuration.instances if configuration else ():
        for router in instance.routers:
            assert all(placed.interface for placed in router.held)
            assert len({placed.key for placed in router.held}) == len(router.held)
            assert {placed.address.family for placed in router.addresses} == {router.family}
            assert bool(router.group) != bool(router.peers)
            assert {peer.address.count(":") > 0 for peer in router.peers} <= {router.family == 6}
            assert len({rule.key for rule in router.rules}) == len(router.rules)
            assert len({route.key for route in router.routes}) == len(router.routes)
        held = [placed.address for router in instance.routers for placed in router.held]
        written = found[instance.name]
        assert len(held) == len(written["virtual_ipaddress"]) + len(written.get("virtual_ipaddress_excluded", []))


@settings(max_examples=50, deadline=None)
@given(TREES, TREES)
def test_any_two_files_join_or_clash(first: Data, second: Data) -> None:
    configuration, problems = resolved(first, second)

    assert problems or configuration is not None


@settings(max_examples=100, deadline=None)
@given(VALUES)
def test_every_value_at_the_place_of_a_check_is_answered(value: Any) -> None:
    server = {"one": {"address": "192.0.2.9", "check": value}}
    configuration, problems = resolved(
        {"virtual_server": {"w": {"address": "192.0.2.1:80", "protocol": "tcp", "real_server": server}}}
    )

    assert problems or configuration is not None


PLAIN_KEYS = st.text(string.ascii_letters + string.digits + "_-", min_size=1, max_size=5)
QUOTED = st.text(st.characters(codec="utf-8", exclude_characters='"\\\x7f', exclude_categories=("Cc",)), max_size=5)


def written(value: Any) -> str:
    """A value in one line of TOML."""
    if isinstance(value, dict):
        return "{ " + ", ".join(f'"{key}" = {written(below)}' for key, below in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(written(below) for below in value) + "]"
    return f'"{value}"' if isinstance(value, str) else str(value).lower()


SIMPLE = st.recursive(
    st.one_of(st.integers(), st.booleans(), QUOTED),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(QUOTED, inner, max_size=3)),
    max_leaves=5,
)


def paths_of(value: Any, path: Path, visit: Callable[[Path], None]) -> None:
    """Visit every path below a value."""
    visit(path)
    below = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inside in below:
        paths_of(inside, (*path, key), visit)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(PLAIN_KEYS, SIMPLE), max_size=5, unique_by=lambda pair: pair[0]))
def test_every_key_of_a_file_is_found_on_its_line(pairs: list[tuple[str, Any]]) -> None:
    text = "".join(f"{key} = {written(value)} # = [ {{\n" for key, value in pairs)
    source = parse("a.toml", text.encode(), [])
    assert source is not None
    places = Places([source], "tic")

    for line, (key, value) in enumerate(pairs, 1):
        found: list[Path] = []
        paths_of(value, (key,), found.append)
        assert {place.line if (place := places.find(path)) else 0 for path in found} == {line}


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(PLAIN_KEYS, SIMPLE), min_size=1, max_size=5, unique_by=lambda pair: pair[0]), st.data())
def test_a_key_that_is_set_twice_is_shown_with_the_line_of_the_first(
    pairs: list[tuple[str, Any]], data: st.DataObject
) -> None:
    again = data.draw(st.integers(0, len(pairs) - 1))
    value = data.draw(SIMPLE)
    lines = [f"{key} = {written(value)}\n" for key, value in [*pairs, (pairs[again][0], value)]]
    problems: list[Problem] = []

    parse("a.toml", "".join(lines).encode(), problems)

    (problem,) = problems
    assert (problem.line, problem.expected) == (
        len(pairs) + 1,
        f"set twice, first in line {again + 1}; keep one of them",
    )


@settings(max_examples=200, deadline=None)
@given(st.text("ab=.[]{},\"'#\n 1", max_size=30))
def test_any_text_is_a_file_or_one_problem(text: str) -> None:
    problems: list[Problem] = []

    assert (parse("a.toml", text.encode(), problems) is None) == (len(problems) == 1)
