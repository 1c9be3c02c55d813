"""Every line of docs/interop.md names the test that holds it."""

import re
from pathlib import Path

TOP = Path(__file__).parents[2]
PAGE = TOP / "docs" / "interop.md"
NAMED = re.compile(r"<!-- (\w+): (\w+) -->")
CONSOLE = re.compile(r"```console\n.*?```\n", re.DOTALL)


def statements(text: str) -> list[str]:
    """The items of lists and rows of tables that say something, with their continuation lines."""
    lines = CONSOLE.sub("", text).splitlines()
    items = re.findall(r"^- .*(?:\n  .*)*", "\n".join(lines), re.MULTILINE)
    rows = [line for line in lines if line.startswith("| ") and "---" not in line]
    headers = [lines[place - 1] for place, line in enumerate(lines) if line.startswith("|---")]
    return items + [row for row in rows if row not in headers and not row.startswith("| |")]


def test_every_statement_names_a_test() -> None:
    unheld = [statement for statement in statements(PAGE.read_text()) if not NAMED.search(statement)]

    assert unheld == []


def test_every_test_that_is_named_exists() -> None:
    named = set(NAMED.findall(PAGE.read_text()))
    missing = [
        (module, name)
        for module, name in named
        if f"def {name}(" not in (TOP / "tests" / "namespaces" / f"{module}.py").read_text()
    ]

    assert missing == []
    assert len(named) > 10
