"""The source tree as the architecture tests see it: modules, imports, sizes. Reads files and imports nothing."""

import ast
import functools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

TOP = Path(__file__).parents[2]
HERE = Path(__file__).parent
ROOTS = {"stayalived": TOP / "core", "stayalived_plugins": TOP / "plugins"}

OUTSIDE = frozenset(
    {
        "asyncio", "ctypes", "fcntl", "grp", "mmap", "multiprocessing", "os", "pwd", "pyroute2", "resource", "select",
        "selectors", "shutil", "signal", "socket", "ssl", "subprocess", "tempfile", "threading", "time",
    }
)  # fmt: skip
"""What reaches out of the process: a module that imports one of these is I/O and stands in `outside.toml`."""


@dataclass(frozen=True)
class Function:
    """A function or method, by its dotted name within the module."""

    name: str
    length: int


@dataclass(frozen=True)
class Module:
    """One file below core/ or plugins/."""

    name: str
    path: Path
    text: str
    tree: ast.Module

    @property
    def length(self) -> int:
        return self.text.count("\n")

    @property
    def docstring(self) -> str:
        return ast.get_docstring(self.tree) or ""

    @functools.cached_property
    def imports(self) -> frozenset[str]:
        """Dotted names of all that is imported, inside of functions too."""
        return frozenset(imported(self.tree))

    @functools.cached_property
    def imports_at_load(self) -> frozenset[str]:
        """Dotted names of what is imported when the module is."""
        return frozenset(name for statement in self.tree.body for name in imported(statement, into_functions=False))

    def functions(self) -> Iterator[Function]:
        yield from _functions(self.tree, "")


def imported(node: ast.AST, *, into_functions: bool = True) -> Iterator[str]:
    """Yield the dotted names that the imports below a node ask for."""
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and not into_functions:
        return
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        yield node.module or ""
        yield from (f"{node.module}.{alias.name}" for alias in node.names)
    for child in ast.iter_child_nodes(node):
        yield from imported(child, into_functions=into_functions)


def _functions(node: ast.AST, prefix: str) -> Iterator[Function]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
            yield Function(f"{prefix}{child.name}", (child.end_lineno or child.lineno) - child.lineno + 1)
        inside = isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
        yield from _functions(child, f"{prefix}{child.name}." if inside else prefix)


@functools.cache
def modules() -> dict[str, Module]:
    """Return all modules by dotted name; a package by the name of its folder."""
    found = {}
    for package, root in ROOTS.items():
        for path in sorted((root / package).rglob("*.py")):
            parts = path.relative_to(root).with_suffix("").parts
            name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
            text = path.read_text(encoding="utf-8")
            found[name] = Module(name, path, text, ast.parse(text, str(path)))
    return found


def core() -> dict[str, Module]:
    """Return the modules below core/."""
    return {name: module for name, module in modules().items() if name.split(".")[0] == "stayalived"}


def bundled() -> dict[str, Module]:
    """Return the modules below plugins/."""
    return {name: module for name, module in modules().items() if name.split(".")[0] == "stayalived_plugins"}


def outside_of(module: Module) -> list[str]:
    """Return which of `OUTSIDE` a module imports."""
    return sorted({name.split(".")[0] for name in module.imports} & OUTSIDE)


def reached_by(name: str) -> set[str]:
    """Return the modules of ours that are loaded when this one is, itself included."""
    known = modules()
    reached: set[str] = set()
    waiting = [name]
    while waiting:
        current = waiting.pop()
        if current in known and current not in reached:
            reached.add(current)
            waiting.extend(known[current].imports_at_load)
    return reached


def files_of_tests() -> list[Path]:
    """Return every Python file below tests/ but those of this folder."""
    return [path for path in sorted((TOP / "tests").rglob("*.py")) if HERE not in path.parents]


def public_files() -> Iterator[Path]:
    """Yield every text file of the project; `.git` is a file where this is one of several work trees."""
    hidden = re.compile(r"/(\.git|\.[a-z]+_cache|__pycache__|build|dist|\.hypothesis|[^/]*\.egg-info)/|/\.git$")
    for path in sorted(TOP.rglob("*")):
        if path.is_file() and not hidden.search(f"/{path.relative_to(TOP)}"):
            yield path
