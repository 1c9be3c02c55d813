"""The files of a configuration: found, read, parsed and merged by name (I/O: reads files)."""

import math
import os
import stat
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path as FilePath

import tomli

from stayalived.config.findings import Findings, Path, Table, Value, dotted
from stayalived.config.problems import Problem
from stayalived.config.scan import Scan

DEFAULT_DIRECTORY = FilePath("/etc/stayalived/conf.d")
MAX_FILE = 64 * 1024 * 1024  # bytes; 10,000 virtual servers take about 5 MiB
HOST = "host"
SET_TWICE = ("Cannot overwrite", "Cannot declare", "Cannot mutate", "Duplicate inline table key")  # tomli's words
READINGS = 5  # of one file, until it does not change meanwhile


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One file: its name as people know it, its text, and what it says."""

    name: str
    text: str
    data: Table


def read(paths: Sequence[FilePath]) -> tuple[list[Source], list[Problem]]:
    """Read files, and of directories every `*.toml` in lexical order.

    Hidden files and the lock files of editors are skipped.

    Returns:
        the files that could be read, and what is wrong with the others.
    """
    sources: list[Source] = []
    problems: list[Problem] = []
    for path in paths:
        for file, name in _files(path, problems):
            source = _source(file, name, problems)
            if source is not None:
                sources.append(source)
    return sources, problems


def _files(path: FilePath, problems: list[Problem]) -> list[tuple[FilePath, str]]:
    try:
        if not stat.S_ISDIR(path.stat().st_mode):
            return [(path, str(path))]
        names = sorted(entry.name for entry in path.iterdir() if _wanted(entry))
    except (OSError, ValueError) as error:
        problems.append(_unreadable(str(path), error))
        return []
    if not names:
        problems.append(Problem(path="", file=str(path), expected="no *.toml file in this directory", warning=True))
    return [(path / name, name) for name in names]


def _wanted(entry: FilePath) -> bool:
    return entry.suffix == ".toml" and not entry.name.startswith((".", "#"))


def _unreadable(name: str, error: Exception) -> Problem:
    reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return Problem(path="", file=name, expected=f"cannot be read: {reason}")


def _source(path: FilePath, name: str, problems: list[Problem]) -> Source | None:
    try:
        found = path.stat()
        if not stat.S_ISREG(found.st_mode):
            problems.append(Problem(path="", file=name, expected="is no regular file"))
            return None
        if found.st_size > MAX_FILE:
            problems.append(
                Problem(path="", file=name, found=f"{found.st_size} bytes", expected=f"at most {MAX_FILE} are read")
            )
            return None
        raw = steady(path)
    except OSError as error:
        problems.append(_unreadable(name, error))
        return None
    if raw is None:
        text = "changes while it is read; try again when it is written"
        problems.append(Problem(path="", file=name, expected=text))
        return None
    if not raw.strip():
        text = "is empty; if it is still being written, try again"
        problems.append(Problem(path="", file=name, expected=text, warning=True))
    return parse(name, raw, problems)


def steady(path: FilePath, load: Callable[[FilePath], bytes] = FilePath.read_bytes) -> bytes | None:
    """Return a file's content as it was at one moment: what an editor wrote meanwhile is read again.

    Args:
        path: of the file.
        load: reads it.

    Returns:
        None when it changed during each of `READINGS` readings.

    Raises:
        OSError: it cannot be read.
    """
    before = _version(path.stat())
    for _ in range(READINGS):
        raw = load(path)
        after = _version(path.stat())
        if before == after and len(raw) == before[0]:
            return raw
        before = after
    return None


def _version(status: os.stat_result) -> tuple[int, int, int, int]:
    return status.st_size, status.st_mtime_ns, status.st_ino, status.st_dev


def parse(name: str, raw: bytes, problems: list[Problem]) -> Source | None:
    """Parse one file's bytes; what is wrong goes to `problems`, with line and column."""
    try:
        text = raw.decode()
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        problems.append(Problem(path="", file=name, line=line, expected="is not UTF-8; save it as UTF-8"))
        return None
    try:
        return Source(name=name, text=text, data=tomli.loads(text, parse_float=_finite))
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
