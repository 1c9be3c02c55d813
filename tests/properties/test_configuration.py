import string
from collections.abc import Callable
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from configuration_kit import ask_table, plugins
from stayalived.config.decode import fields_of
from stayalived.config.files import Source, parse
from stayalived.config.findings import Path
from stayalived.config.general import GlobalTable
from stayalived.config.model import Configuration, decode, encode
from stayalived.config.needs import needs_of
from stayalived.config.places import Places
from stayalived.config.problems import Problem
from stayalived.config.resolve import Surroundings, resolve
from stayalived.config.services import RealServerTable, VirtualServerTable
from stayalived.config.vrrp import InstanceTable

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
KEYS = sorted(
    {key for model in (GlobalTable, InstanceTable, VirtualServerTable, RealServerTable) for key in fields_of(model)}
    | {"type", "on", "volume", "password", "file", "env", "connect_ip", "bindto", "word", "", "ü", "use_vmac"}
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


NAMES = st.sampled_from(["a", "b", "a b", ""])
SERVERS = st.dictionaries(NAMES, tables(RealServerTable, {"address": "192.0.2.9"}), max_size=2)
TREES = st.fixed_dictionaries(
    {},
    optional={
        "global": st.one_of(tables(GlobalTable, {}), VALUES),
        "check": st.one_of(st.dictionaries(NAMES, st.one_of(VALUES, st.just({"type": "knock"})), max_size=2), VALUES),
        "vrrp_instance": st.dictionaries(
            NAMES,
            tables(
                InstanceTable,
                {"interface": "eth0", "virtual_router_id": 1, "virtual_ipaddress": ["192.0.2.1", "2001:db8::1"]},
            ),
            max_size=2,
        ),
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
    around = Surroundings(plugins=plugins(), host_id="tic", host_name="tic", lookup=ask_table)
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
