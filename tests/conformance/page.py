"""Writes the tables of `docs/conformance.md` from the register.

python tests/conformance/page.py docs/conformance.md     writes the part below the marker anew
python tests/conformance/page.py                         prints it
"""

import sys
from collections.abc import Iterator
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[1]))

from conformance.catalogue import CASES, FILES, HOMES
from conformance.register import Register, Requirement, read_all
from stayalived.pages import Page, table

FOLDER = "../tests/conformance/cases"


def generated() -> str:
    """Return everything below the marker."""
    registers = read_all()
    lines = [*_summary(list(registers))]
    for register in registers:
        lines += _section(register)
    lines += _cases()
    return "\n".join(lines)


def _summary(registers: list[Register]) -> Iterator[str]:
    columns = (
        "",
        "requirements",
        "shown both ways",
        "shown, with a remark",
        "not ours",
        "otherwise on purpose",
        "not yet",
    )
    yield from table(columns, map(_numbers, registers))


def _numbers(register: Register) -> tuple[str, ...]:
    rows = register.requirements
    kinds = [_kind(row) for row in rows]
    title = f"[{register.title}](#{_anchor(register.title)})"
    names = ("both ways", "remark", "not ours", "deviation", "not yet")
    return title, str(len(rows)), *(str(kinds.count(name)) for name in names)


def _kind(row: Requirement) -> str:
    if row.needs:
        return "not yet"
    if row.deviation:
        return "deviation"
    if not row.evidence:
        return "not ours"
    return "remark" if row.reason else "both ways"


def _section(register: Register) -> Iterator[str]:
    yield f"## {register.title}\n"
    yield f"[Its text]({register.source}).\n"
    yield from table(("clause", "", "what is required", "how it is shown"), map(_row, register.requirements))


def _row(row: Requirement) -> tuple[str, str, str, str]:
    level = "" if row.level == "rule" else row.level
    says = row.says + (f" (Erratum {row.erratum}.)" if row.erratum else "")
    return row.name, level, says, "<br>".join(_shown(row))


def _shown(row: Requirement) -> Iterator[str]:
    if row.needs:
        yield f"**Not yet:** {row.needs}."
    if row.deviation:
        yield f"**Otherwise on purpose:** {row.deviation}"
    if row.reason:
        yield row.reason
    for sign, evidence in (("✓", row.positive), ("✗", row.negative)):
        for name in evidence:
            yield f"{sign} {_link(name)}"


def _link(evidence: str) -> str:
    path, found, function = evidence.partition("::")
    if found:
        return f"[{function.removeprefix('test_').replace('_', ' ')}](../{path})"
    return f"[{evidence}]({FOLDER}/{HOMES[evidence]}.py)"


def _cases() -> Iterator[str]:
    yield "## Cases\n"
    rows = []
    for file in FILES:
        name = file.__name__.rpartition(".")[2]
        about = (file.__doc__ or "").strip().replace("\n", " ")
        rows.append((f"[{name}.py]({FOLDER}/{name}.py)", about, str(sum(HOMES[case] == name for case in CASES))))
    yield from table(("file", "", "cases"), rows)


def _anchor(title: str) -> str:
    """Return what a heading is linked by."""
    kept = (letter for letter in title.lower() if letter.isalnum() or letter in " -")
    return "".join(kept).replace(" ", "-")


PAGE = Page(
    path="docs/conformance.md",
    module="conformance.page",
    generated=generated,
    script="tests/conformance/page.py",
)

if __name__ == "__main__":
    PAGE.main(sys.argv[1:])
