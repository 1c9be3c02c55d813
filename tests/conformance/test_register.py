"""The register is whole: each requirement is shown both ways or says why not, and names nothing that there is not."""

import ast
import functools
from pathlib import Path

import pytest

from conformance.catalogue import CASES
from conformance.register import LEVELS, Register, Requirement, read, read_all

TOP = Path(__file__).parents[2]
REGISTERS = {register.name: register for register in read_all()}
ROWS = [(name, row) for name, register in REGISTERS.items() for row in register.requirements]
MUSTS = ("MUST", "MUST NOT")

CLAUSES = {
    # How many rows with MUST or MUST NOT each clause has: a sentence that asks for two things is two rows.
    "rfc9568": {
        "5.1.1.2": 1, "5.1.1.3": 2, "5.1.2.2": 1, "5.1.2.3": 2, "5.2.2": 1, "5.2.4": 2, "5.2.5": 1, "5.2.6": 2,
        "5.2.9": 2, "6.1": 1, "6.4.2": 5, "6.4.3": 8, "7.1": 10, "7.2": 5, "7.4": 1, "8.1.2": 2, "8.1.3": 1,
        "8.2.2": 4, "8.2.3": 1, "8.4.2": 3,
    },
    "rfc3768": {
        "5.2.2": 1, "5.2.3": 2, "5.3.2": 1, "5.3.4": 2, "5.3.6": 1, "6.4.2": 3, "6.4.3": 4, "7.1": 10, "7.2": 4,
        "8.2": 2, "8.3": 1, "9.2": 1,
    },
}  # fmt: skip


def named(rows: list[tuple[str, Requirement]]) -> list[str]:
    return [f"{register} {row.name}" for register, row in rows]


@functools.cache
def functions_of(path: str) -> frozenset[str]:
    """Return the tests in a file, or nothing where there is no such file."""
    if not (TOP / path).exists():
        return frozenset()
    tree = ast.parse((TOP / path).read_text(encoding="utf-8"))
    return frozenset(node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


def exists(evidence: str) -> bool:
    path, found, function = evidence.partition("::")
    return function in functions_of(path) if found else evidence in CASES


def test_each_requirement_is_shown_both_ways_or_says_why_not() -> None:
    silent = [
        (name, row) for name, row in ROWS if not (row.positive and row.negative) and not (row.reason or row.not_yet)
    ]

    assert named(silent) == []


def test_what_a_requirement_is_shown_by_exists() -> None:
    missing = {evidence for _, row in ROWS for evidence in row.evidence if not exists(evidence)}

    assert missing == set()


def test_each_case_shows_something() -> None:
    used = {evidence for _, row in ROWS for evidence in row.evidence}

    assert sorted(CASES.keys() - used) == []


def test_nothing_shows_both_ways_at_once() -> None:
    both = [(name, row) for name, row in ROWS if set(row.positive) & set(row.negative)]

    assert named(both) == []


def test_nothing_is_left_over() -> None:
    left = {row.needs: [] for _, row in ROWS if row.needs}
    for name, row in ROWS:
        if row.needs:
            left[row.needs].append(f"{name} {row.name}")

    assert left == {}, "when the cases of these rows pass, take their key `needs` out of tests/conformance/requirements"


def test_a_deviation_is_shown() -> None:
    assert named([(name, row) for name, row in ROWS if row.deviation and not row.evidence]) == []


@pytest.mark.parametrize("register", REGISTERS.values(), ids=lambda register: register.name)
def test_levels_are_those_of_rfc_2119(register: Register) -> None:
    assert {row.level for row in register.requirements} <= set(LEVELS)


@pytest.mark.parametrize("name", CLAUSES)
def test_every_must_of_every_clause_is_there(name: str) -> None:
    counts: dict[str, int] = {}
    for row in REGISTERS[name].requirements:
        if row.level in MUSTS:
            counts[row.clause] = counts.get(row.clause, 0) + 1

    assert counts == CLAUSES[name]


@pytest.mark.parametrize("name", CLAUSES)
def test_rows_are_in_the_order_of_the_rfc(name: str) -> None:
    places = [(tuple(map(int, row.clause.split("."))), row.name[-1]) for row in REGISTERS[name].requirements]

    assert places == sorted(set(places))


def test_a_key_that_there_is_not_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "rfc1.toml"
    path.write_text('title = "one"\nsource = ""\n["1 a"]\nlevel = "MUST"\nsays = "this"\npolarity = ["a case"]\n')

    with pytest.raises(TypeError, match="polarity"):
        read(path)
