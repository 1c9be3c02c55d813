import ast
import re
from pathlib import Path

import pytest

from architecture.tree import TOP, bundled, core, files_of_tests, modules, public_files

ASSERTING = re.compile(r"assert|expect|check|raises|fail|verify|must|invariant")
UNFINISHED = re.compile(r"#\s*(TO" + "DO|FIX" + r"ME|XXX)\b")
SKIPPED = re.compile(r"pytest\.(mark\.)?(sk" + "ip|xf" + "ail|importorsk" + "ip)")
IGNORED = re.compile(r"#\s*(type:\s*ignore|noqa)")
REASONED = re.compile(r"#\s*(type:\s*ignore\[[\w, -]+\]|noqa:\s*[A-Z0-9, ]+?)\s+[#(]\s*\S")
ELSEWHERE = re.compile("/(" + "|".join(("wo" + "rk", "fa" + "rm")) + r")/[\w.]")
TEXTS = {".py", ".md", ".toml", ".service", ".conf", ".sh", ".yml", ""}


def places(paths: list[Path], pattern: re.Pattern[str]) -> list[str]:
    return [
        f"{path.relative_to(TOP)}:{number}: {line.strip()}"
        for path in paths
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if pattern.search(line)
    ]


def sources() -> list[Path]:
    return [module.path for module in modules().values()]


def test_nothing_is_left_unfinished() -> None:
    assert places(sources() + files_of_tests(), UNFINISHED) == []


def test_no_test_is_skipped() -> None:
    assert places(files_of_tests(), SKIPPED) == []


def calls(tree: ast.AST) -> list[ast.Call]:
    return [node for node in ast.walk(tree) if isinstance(node, ast.Call)]


def test_no_test_sleeps() -> None:
    guilty = [
        f"{path.relative_to(TOP)}:{call.lineno}"
        for path in files_of_tests()
        for call in calls(ast.parse(path.read_text(encoding="utf-8")))
        if ast.unparse(call.func) in {"time.sleep", "sleep"}
    ]

    assert guilty == []


def asserts(function: ast.AST, helpers: frozenset[str] = frozenset()) -> bool:
    return any(
        isinstance(node, ast.Assert | ast.With | ast.AsyncWith)
        or (
            isinstance(node, ast.Call)
            and (ASSERTING.search(name := ast.unparse(node.func)) or name.split(".")[-1] in helpers)
        )
        for node in ast.walk(function)
    )


def functions_of_tests() -> list[tuple[Path, ast.FunctionDef | ast.AsyncFunctionDef]]:
    return [
        (path, node)
        for path in files_of_tests()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]


def test_every_test_asserts_something() -> None:
    functions = functions_of_tests()
    helpers = frozenset(node.name for _, node in functions if asserts(node))
    guilty = [
        f"{path.relative_to(TOP)}:{node.lineno} {node.name}"
        for path, node in functions
        if node.name.startswith("test_") and path.name.startswith("test_") and not asserts(node, helpers)
    ]

    assert guilty == []


def test_no_error_is_swallowed_silently() -> None:
    guilty = [
        f"{module.name}:{node.lineno}"
        for module in modules().values()
        for node in ast.walk(module.tree)
        if isinstance(node, ast.ExceptHandler) and len(node.body) == 1 and isinstance(node.body[0], ast.Pass)
    ]

    assert guilty == []


def test_what_a_tool_is_told_to_overlook_has_a_reason() -> None:
    unreasoned = [place for place in places(sources(), IGNORED) if not REASONED.search(place)]

    assert unreasoned == []


def test_every_module_but_a_package_says_what_it_is_for() -> None:
    silent = [
        name
        for name, module in {**core(), **bundled()}.items()
        if not module.docstring and module.path.name != "__init__.py"
    ]

    assert silent == []


def test_nothing_names_a_place_of_the_machine_that_it_was_written_on() -> None:
    texts = [path for path in public_files() if path.suffix in TEXTS and path.stat().st_size < 1_000_000]

    assert places(texts, ELSEWHERE) == []


def test_changelog_fragments_have_a_kind() -> None:
    fragment = re.compile(r"[a-z0-9-]+\.(feature|fix|change|removal)\.md")

    assert [path.name for path in (TOP / "changelog.d").iterdir() if not fragment.fullmatch(path.name)] == []


def parts_of_dev() -> set[str]:
    (line,) = re.findall(r"^parts='([^']*)'", (TOP / "dev").read_text(), re.MULTILINE)
    return set(line.split())


def test_dev_runs_every_folder_of_tests() -> None:
    folders = {path.relative_to(TOP / "tests").parts[0] for path in files_of_tests() if path.name.startswith("test_")}

    assert folders - parts_of_dev() == set()


@pytest.mark.parametrize(
    "name", ["unit", "properties", "plugins", "docs", "fuzz", "conformance", "simulation", "namespaces", "uml"]
)
def test_no_part_of_the_tests_is_empty(name: str) -> None:
    assert any((TOP / "tests" / name).rglob("test_*.py"))
