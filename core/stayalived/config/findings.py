"""What is found wrong while a configuration is read, before anybody looks for the line it stands on."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, time
from typing import Protocol

import msgspec

from stayalived.config.problems import Problem

Path = tuple[str | int, ...]
"""Where a value stands in the merged configuration: keys of tables, numbers in lists."""

Value = object
Table = Mapping[str, Value]

SHOWN = 60  # characters of a value that a message repeats
_PLAIN = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-")


class Place(Protocol):
    """A line of a file."""

    @property
    def file(self) -> str:
        """Name of the file, as people know it."""
        ...

    @property
    def line(self) -> int:
        """Line, from 1."""
        ...

    @property
    def column(self) -> int:
        """Column, from 1."""
        ...


class Finder(Protocol):
    """Knows where a key stands."""

    def find(self, path: Path, file: str = "") -> Place | None:
        """Return the place of a path or of the nearest table around it, None when nothing of it is in a file.

        With `file`, only that file is looked at.
        """
        ...


def dotted(path: Path) -> str:
    """Return a path as people write it: `vrrp_instance.tic.track[0].weight`."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
            continue
        quoted = part if part and _PLAIN.issuperset(part) else msgspec.json.encode(part).decode()
        text += f".{quoted}" if text else quoted
    return text


def shown(value: Value) -> str:
    """Return a value as a message repeats it: short, on one line, in TOML's spelling."""
    if isinstance(value, Mapping):
        return "a table"
    if isinstance(value, list | tuple):
        return "a list" if value else "an empty list"
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value}" if abs(value) < 1 << 64 else "a number of more than 64 bits"
    if isinstance(value, float) and value.is_integer():
        return f"{value:g}"
    text = msgspec.json.encode(value).decode()
    return text if len(text) <= SHOWN else f"{text[: SHOWN - 1]}…"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing found, at a path that nobody has looked up yet.

    `file` limits the search to one file; `first` names the file that set the same key before it. `unknown`: there is no
    such key, whatever its value.
    """

    path: Path
    problem: Problem
    file: str = ""
    first: str = ""
    unknown: bool = False


@dataclass(slots=True)
class Findings:
    """Collects everything that is wrong, so that all of it can be shown at once."""

    entries: list[Finding] = field(default_factory=list)
    errors: int = 0  # how many of them make the configuration unusable

    def error(self, path: Path, expected: str, *, found: str = "") -> None:
        """Note what makes the configuration unusable. `found` is what stands there, already fit to be shown."""
        self.errors += 1
        self.entries.append(Finding(path, Problem(path=dotted(path), expected=expected, found=found)))

    def warn(self, path: Path, expected: str, *, found: str = "") -> None:
        """Note what a person should know though the configuration can be used."""
        self.entries.append(Finding(path, Problem(path=dotted(path), expected=expected, found=found, warning=True)))

    def unknown(self, path: Path, expected: str) -> None:
        """Note a key that does not exist."""
        self.errors += 1
        self.entries.append(Finding(path, Problem(path=dotted(path), expected=expected), unknown=True))

    def clash(self, path: Path, first: str, second: str) -> None:
        """Note that two files set the same key."""
        self.errors += 1
        self.entries.append(Finding(path, Problem(path=dotted(path), expected="set twice"), second, first))

    def add(self, problems: Iterable[Problem]) -> None:
        """Take over problems that know their place already, or have none."""
        for problem in problems:
            self.errors += not problem.warning
            self.entries.append(Finding((), problem))

    def problems(self, finder: Finder) -> list[Problem]:
        """Return everything found with its place, in the order of the files and lines."""
        located = [_located(entry, finder) for entry in self.entries]
        return sorted(dict.fromkeys(located), key=lambda problem: (problem.file, problem.line, problem.column))


def _located(entry: Finding, finder: Finder) -> Problem:
    problem = entry.problem
    place = finder.find(entry.path, entry.file) if entry.path else None
    if place is None:
        return problem
    before = finder.find(entry.path, entry.first) if entry.first else None
    if before is not None:
        text = f"set twice, first in {before.file}:{before.line}; keep one of them"
        problem = msgspec.structs.replace(problem, expected=text)
    return msgspec.structs.replace(problem, file=place.file, line=place.line, column=place.column)


def listed(names: Sequence[str], *, last: str = "or") -> str:
    """Return names as a sentence has them: `a, b or c`."""
    if len(names) < 2:
        return "".join(names)
    return f"{', '.join(names[:-1])} {last} {names[-1]}"
