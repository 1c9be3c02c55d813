"""The files of a configuration: parsed and merged by name. Pure, but for `read`, which has them read."""

import hashlib
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path as FilePath

import tomli

from stayalived.config.contents import Contents, load
from stayalived.config.findings import Findings, Path, Table, Value, dotted
from stayalived.config.origin import FileOrigin
from stayalived.config.problems import Problem
from stayalived.config.scan import Scan

DEFAULT_DIRECTORY = FilePath("/etc/stayalived/conf.d")
HOST = "host"
SET_TWICE = ("Cannot overwrite", "Cannot declare", "Cannot mutate", "Duplicate inline table key")  # tomli's words
DIGEST_SIZE = 16
NONE_KEPT: Mapping[str, FileOrigin] = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One file: its name as people know it, its text, and what it says.

    Attributes:
        digest: of its content.
        kept: what it was known as, for one that is as it was and was not parsed: it has no text and says nothing.
    """

    name: str
    text: str
    data: Table
    digest: bytes = b""
    kept: FileOrigin | None = None


def read(paths: Sequence[FilePath]) -> tuple[list[Source], list[Problem]]:
    """Read files, and of directories every `*.toml` in lexical order.

    Hidden files and the lock files of editors are skipped.

    Returns:
        the files that could be read, and what is wrong with the others.
    """
    contents, problems = load(paths)
    return parse_all(contents, problems), problems


def parse_all(contents: Contents, problems: list[Problem], kept: Mapping[str, FileOrigin] = NONE_KEPT) -> list[Source]:
    """Parse files but those that are kept; what is wrong with them goes to `problems`."""
    found = [
        Source(name=name, text="", data={}, digest=kept[name].digest, kept=kept[name])
        if name in kept
        else parse(name, raw, problems)
        for name, raw in contents
        if raw is not None
    ]
    places = {name: number for number, (name, _) in enumerate(contents)}
    problems.sort(key=lambda problem: places.get(problem.file, len(places)))  # in the order of the files
    return [source for source in found if source is not None]


def digest_of(raw: bytes) -> bytes:
    """Return what tells a file's content from any other."""
    return hashlib.blake2b(raw, digest_size=DIGEST_SIZE).digest()


def parse(name: str, raw: bytes, problems: list[Problem]) -> Source | None:
    """Parse one file's bytes; what is wrong goes to `problems`, with line and column."""
    try:
        text = raw.decode()
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        problems.append(Problem(path="", file=name, line=line, expected="is not UTF-8; save it as UTF-8"))
        return None
    try:
        return Source(name=name, text=text, data=tomli.loads(text, parse_float=_finite), digest=digest_of(raw))
    except tomli.TOMLDecodeError as error:
        problems.append(_no_toml(name, error))
    except RecursionError:
        problems.append(Problem(path="", file=name, expected="is nested too deeply"))
    return None


def _no_toml(name: str, error: tomli.TOMLDecodeError) -> Problem:
    scan = Scan(error.doc[: error.pos]) if error.msg.startswith(SET_TWICE) else None
    if scan is None or not scan.repeated:
        message = error.msg[:1].lower() + error.msg[1:]
        return Problem(path="", file=name, line=error.lineno, column=error.colno, expected=f"is no TOML: {message}")
    line, column = scan.again
    first, _ = scan.index[scan.repeated]
    text = f"set twice, first in line {first}; keep one of them"
    return Problem(path=dotted(scan.repeated), file=name, line=line, column=column, expected=text)


def _finite(text: str) -> float | str:
    """Return a number; `inf` and `nan` stay text, so that whoever wants a number refuses them."""
    value = float(text)
    return value if math.isfinite(value) else text


def merge(sources: Sequence[Source], host_id: str, findings: Findings) -> Table:
    """Merge files by name and lay `[host.ID]` over the result: its tables merge, everything else replaces."""
    common, differences = join(sources, findings)
    return overlay(common, differences.get(host_id, {}))


def join(sources: Sequence[Source], findings: Findings) -> tuple[Table, dict[str, Table]]:
    """Merge files by name. The same key set in two files is an error that shows both places.

    Returns:
        what all hosts share, and by the host's name what stands in `[host.NAME]`.
    """
    tree: Table = {}
    for number, source in enumerate(sources):
        tree = _join(tree, source.data, (), sources[:number], partial(findings.clash, second=source.name))
    hosts = tree.get(HOST, {})
    common = {key: value for key, value in tree.items() if key != HOST}
    if not isinstance(hosts, Mapping):
        findings.error((HOST,), "must be tables: [host.NAME]")
        return common, {}
    if HOST in tree and not hosts:
        findings.warn((HOST,), "is empty; write [host.NAME] for what differs on a machine")
    for name, differences in hosts.items():
        if not isinstance(differences, Mapping):
            findings.error((HOST, name), "must be a table of what differs on this host")
    return common, {name: table for name, table in hosts.items() if isinstance(table, Mapping)}


def hosts(sources: Sequence[Source]) -> list[str]:
    """Return the names that the files have a `[host.NAME]` for."""
    tables = [source.data.get(HOST) for source in sources]
    return sorted({str(name) for table in tables if isinstance(table, Mapping) for name in table})


def overlay(base: Table, differences: Table) -> Table:
    """Return `base` with the differences over it: tables merge, everything else replaces."""
    result = dict(base)
    for key, value in differences.items():
        under = result.get(key)
        result[key] = overlay(under, value) if isinstance(under, Mapping) and isinstance(value, Mapping) else value
    return result


def _join(tree: Table, data: Table, path: Path, earlier: Sequence[Source], clash: Callable[[Path, str], None]) -> Table:
    result = dict(tree)
    for key, value in data.items():
        here = (*path, key)
        under = result.get(key)
        if key not in result:
            result[key] = value
        elif isinstance(under, Mapping) and isinstance(value, Mapping):
            result[key] = _join(under, value, here, earlier, clash)
        else:
            clash(here, next(source.name for source in earlier if contains(source.data, here)))
    return result


def contains(data: Value, path: Path) -> bool:
    """Return whether a file's data holds this path."""
    for part in path:
        if isinstance(data, Mapping) and part in data:
            data = data[str(part)]
        elif isinstance(data, list) and isinstance(part, int) and part < len(data):
            data = data[part]
        else:
            return False
    return True
