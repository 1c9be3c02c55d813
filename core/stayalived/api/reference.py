"""Writes the tables of `docs/status.md` from the document that `status --json` prints.

python -m stayalived.api.reference docs/status.md     writes the part below the marker anew
"""

import sys
from collections.abc import Iterable, Iterator

import msgspec
from msgspec import inspect

from stayalived.api.document import (
    Check,
    Child,
    Daemon,
    Document,
    Group,
    Instance,
    Router,
    Row,
    Server,
    Service,
    Strays,
)
from stayalived.pages import Page, table

ROWS: tuple[type[Row], ...] = (Document, Daemon, Child, Instance, Router, Group, Strays, Service, Server, Check)

_WORDS: dict[type[inspect.Type], str] = {
    inspect.StrType: "text",
    inspect.IntType: "whole number",
    inspect.FloatType: "number",
    inspect.BoolType: "true or false",
    inspect.NoneType: "null",
}


def generated() -> str:
    """Return everything below the marker."""
    return sections(ROWS)


def sections(rows: Iterable[type[Row]]) -> str:
    """Return a section with a table for each kind of row."""
    return "\n".join(line for row in rows for line in _section(row))


def _section(row: type[Row]) -> Iterator[str]:
    yield f"## {row.__name__}\n"
    yield f"{row.__doc__}\n"
    kinds = kinds_of_fields(row)
    yield from table(("field", "is", ""), ((f"`{name}`", kinds[name], text) for name, text in explained(row)))


def kinds_of_fields(row: type[msgspec.Struct]) -> dict[str, str]:
    """Return of what kind each field of a row is."""
    return {known.encode_name: _described(known.type) for known in _fields(row)}


def explained(row: type[msgspec.Struct]) -> list[tuple[str, str]]:
    """Return the fields of a row with what each means."""
    return [(known.encode_name, _meaning(known.type)) for known in _fields(row)]


def reachable() -> list[type[msgspec.Struct]]:
    """Return every row that is part of the document."""
    found: list[type[msgspec.Struct]] = [Document]
    for row in found:
        found.extend(inside for known in _fields(row) for inside in _rows_in(known.type) if inside not in found)
    return found


def _fields(row: type[msgspec.Struct]) -> tuple[inspect.Field, ...]:
    described = inspect.type_info(row)
    assert isinstance(described, inspect.StructType)
    return described.fields


def _rows_in(wanted: inspect.Type) -> list[type[msgspec.Struct]]:
    match wanted:
        case inspect.Metadata():
            return _rows_in(wanted.type)
        case inspect.UnionType():
            return [row for branch in wanted.types for row in _rows_in(branch)]
        case inspect.ListType():
            return _rows_in(wanted.item_type)
        case inspect.StructType():
            return [wanted.cls]
        case _:
            return []


def _meaning(wanted: inspect.Type) -> str:
    if not isinstance(wanted, inspect.Metadata):
        return ""
    return str((wanted.extra_json_schema or {}).get("description", "")) or _meaning(wanted.type)


def _described(wanted: inspect.Type) -> str:
    match wanted:
        case inspect.Metadata():
            return _described(wanted.type)
        case inspect.UnionType():
            return " or ".join(_described(branch) for branch in wanted.types)
        case inspect.ListType():
            return f"list of {_described(wanted.item_type)}"
        case inspect.DictType():
            return f"object: {_described(wanted.key_type)} to {_described(wanted.value_type)}"
        case inspect.StructType():
            name = wanted.cls.__name__
            return f"[{name}](#{name.lower()})"
        case _:
            return _WORDS[type(wanted)]


PAGE = Page(path="docs/status.md", module="stayalived.api.reference", generated=generated)

if __name__ == "__main__":
    PAGE.main(sys.argv[1:])
