"""What a key's type allows: as a test, and in a person's words. Reads msgspec's description of the types."""

import re
from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import inspect

from stayalived.config.findings import Value, listed
from stayalived.config.secret import Secret

DURATION = "seconds"  # `unit` of a number that is a time


def about(
    text: str,
    *,
    default: str = "",
    choices: tuple[str, ...] = (),
    unit: str = "",
    restart: bool = False,
    hidden: bool = False,
    **bounds: float,
) -> msgspec.Meta:
    """Return what is known of a key: its meaning for the reference, its bounds for the decoder.

    Args:
        text: what it means, one sentence.
        default: what holds when it is left out, where the type's own default does not say it.
        choices: the words that are allowed.
        unit: `seconds` for a time.
        restart: a reload that changes it is refused.
        hidden: no message repeats what stands there, for it may be a secret.
        bounds: msgspec's own: `ge`, `le`, `min_length`, …
    """
    extra = {"default": default, "choices": choices, "unit": unit, "restart": restart, "hidden": hidden}
    limits: dict[str, Any] = bounds  # mypy knows the names of msgspec's own arguments, not ours
    return msgspec.Meta(description=text, extra=extra, **limits)


def bare(wanted: inspect.Type) -> inspect.Type:
    """Return a type without the remarks around it."""
    while isinstance(wanted, inspect.Metadata):
        wanted = wanted.type
    return wanted


def remarks(wanted: inspect.Type) -> Mapping[str, Any]:
    """Return what `about` noted of a type, by its arguments' names and `description`; empty where nothing."""
    found: dict[str, Any] = dict.fromkeys(("description", "default", "unit"), "")
    found |= {"choices": (), "restart": False, "hidden": False}
    while isinstance(wanted, inspect.Metadata):
        found |= {key: value for key, value in (wanted.extra or {}).items() if value}
        found |= {key: value for key, value in (wanted.extra_json_schema or {}).items() if value}
        wanted = wanted.type
    if isinstance(wanted, inspect.UnionType):  # the remarks may stand inside: Annotated[int, …] | None
        for branch in wanted.types:
            found |= {key: value for key, value in remarks(branch).items() if value}
    return found


def branch_of(value: Value, wanted: inspect.UnionType) -> inspect.Type | None:
    """Return the alternative that a value of this shape is meant for, None when there is none."""
    return next((branch for branch in alternatives(wanted) if _shaped(value, bare(branch))), None)


def alternatives(wanted: inspect.UnionType) -> list[inspect.Type]:
    """Return the alternatives that a person can write: without None, and without those that only mean "left out"."""
    silent = (inspect.NoneType,)
    return [branch for branch in wanted.types if not isinstance(bare(branch), silent)]


def _shaped(value: Value, wanted: inspect.Type) -> bool:
    match wanted:
        case inspect.BoolType():
            return isinstance(value, bool)
        case inspect.IntType():
            return isinstance(value, int) and not isinstance(value, bool)
        case inspect.FloatType():
            return isinstance(value, int | float) and not isinstance(value, bool)
        case inspect.StrType():
            return isinstance(value, str)
        case inspect.ListType() | inspect.VarTupleType():
            return isinstance(value, list)
        case inspect.DictType() | inspect.StructType():
            return isinstance(value, Mapping)
        case inspect.LiteralType():
            return value in wanted.values
        case inspect.EnumType():
            return value in {member.value for member in wanted.cls}
        case _:
            return True  # left to the decoder: any value, or a type that only it knows


def accepts(value: Value, wanted: inspect.Type) -> bool:
    """Return whether a value is of a bare type and within its bounds, what is inside lists and tables left aside."""
    if not _shaped(value, wanted):
        return False
    match wanted:
        case inspect.IntType() | inspect.FloatType():
            assert isinstance(value, int | float)
            return _within(value, wanted)
        case inspect.StrType():
            assert isinstance(value, str)
            fits = wanted.pattern is None or re.search(wanted.pattern, value) is not None
            return fits and _long_enough(len(value), wanted)
        case inspect.ListType() | inspect.VarTupleType():
            assert isinstance(value, list)
            return _long_enough(len(value), wanted)
        case _:
            return True


def _within(value: float, wanted: inspect.IntType | inspect.FloatType) -> bool:
    return (
        (wanted.ge is None or value >= wanted.ge)
        and (wanted.gt is None or value > wanted.gt)
        and (wanted.le is None or value <= wanted.le)
        and (wanted.lt is None or value < wanted.lt)
    )


def _long_enough(length: int, wanted: inspect.StrType | inspect.ListType | inspect.VarTupleType) -> bool:
    return (wanted.min_length or 0) <= length and (wanted.max_length is None or length <= wanted.max_length)


def described(wanted: inspect.Type) -> str:
    """Return what a type allows: `a whole number from 1 to 255`."""
    notes = remarks(wanted)
    if notes["choices"]:
        return listed([f'"{choice}"' for choice in notes["choices"]])
    plain = bare(wanted)
    match plain:
        case inspect.UnionType():
            return listed([described(branch) for branch in alternatives(plain)])
        case inspect.IntType():
            return f"a whole number{_range(plain)}"
        case inspect.FloatType():
            return f"{'seconds, a number' if notes['unit'] == DURATION else 'a number'}{_range(plain)}"
        case inspect.StrType():
            return _text(plain)
        case inspect.ListType() | inspect.VarTupleType():
            return _list_of(plain)
        case _:
            return _plainly(plain)


def _plainly(wanted: inspect.Type) -> str:
    match wanted:
        case inspect.BoolType():
            return "true or false"
        case inspect.LiteralType():
            return listed([f'"{value}"' for value in wanted.values])
        case inspect.EnumType():
            return listed([f'"{member.value}"' for member in wanted.cls])
        case inspect.CustomType() if wanted.cls is Secret:
            return 'text, { file = "…" } or { env = "…" }'
        case inspect.DictType() | inspect.StructType():
            return "a table"
        case _:
            return "another value"


def _text(wanted: inspect.StrType) -> str:
    if wanted.max_length is not None:
        return f"text of {wanted.min_length or 0} to {wanted.max_length} characters"
    return "text that is not empty" if wanted.min_length else "text"


def _list_of(wanted: inspect.ListType | inspect.VarTupleType) -> str:
    inside = bare(wanted.item_type)
    several = alternatives(inside) if isinstance(inside, inspect.UnionType) else [inside]
    of = listed([word for branch in several if (word := _members(bare(branch)))])
    plain = f"a list of {of}" if of else "a list"
    return f"{plain} that is not empty" if wanted.min_length else plain


def _members(wanted: inspect.Type) -> str:
    """Return what the members of a list are called together."""
    match wanted:
        case inspect.StrType():
            return "text"
        case inspect.IntType() | inspect.FloatType():
            return "numbers"
        case inspect.DictType() | inspect.StructType():
            return "tables"
        case _:
            return ""


def _range(wanted: inspect.IntType | inspect.FloatType) -> str:
    low, high = wanted.ge, wanted.le
    if wanted.gt is not None:
        above = f" above {_number(wanted.gt)}"
        return above if high is None else f"{above}, at most {_number(high)}"
    if low is None:
        return "" if high is None else f" of at most {_number(high)}"
    return f" of at least {_number(low)}" if high is None else f" from {_number(low)} to {_number(high)}"


def _number(value: float) -> str:
    return f"{int(value)}" if value == int(value) else f"{value:g}"
