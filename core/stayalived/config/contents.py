"""The files of a configuration: found, and read as they were at one moment (I/O: reads files)."""

import os
import stat
from collections.abc import Callable, Sequence
from pathlib import Path as FilePath

from stayalived.config.problems import Problem

MAX_FILE = 64 * 1024 * 1024  # bytes; 10,000 virtual servers take about 5 MiB
READINGS = 5  # of one file, until it does not change meanwhile

Contents = Sequence[tuple[str, bytes | None]]
"""Names and contents of files; one that cannot be read has none."""


def load(paths: Sequence[FilePath]) -> tuple[Contents, list[Problem]]:
    """Read files, and of directories every `*.toml` in lexical order, and parse nothing.

    Hidden files and the lock files of editors are skipped.

    Returns:
        their contents, and what is wrong with those that have none.
    """
    contents: list[tuple[str, bytes | None]] = []
    problems: list[Problem] = []
    for path in paths:
        for file, name in _files(path, problems):
            contents.append((name, _content(file, name, problems)))
    return contents, problems


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


def _content(path: FilePath, name: str, problems: list[Problem]) -> bytes | None:
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
    return raw


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
