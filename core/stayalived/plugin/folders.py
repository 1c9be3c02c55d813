"""Folders that a process without rights may not pass, and what to do about them (I/O)."""

import os
import stat
import sys
from pathlib import Path

from stayalived.config.problems import Problem


def unreadable_folders() -> list[Problem]:
    """Return, for each folder of sys.path that we may not read, the first folder in the way, its mode and a remedy."""
    problems = []
    for entry in sys.path:
        blocking = in_the_way(Path(entry)) if entry else None
        if blocking is not None:
            problems.append(Problem(path="", expected=f"plugins cannot be read: {remedy(blocking)}"))
    return list(dict.fromkeys(problems))


def in_the_way(path: Path) -> Path | None:
    """Return the first folder on the way to a path that we may not pass, None when there is none."""
    for folder in reversed([path, *path.absolute().parents]):
        needed = os.X_OK | os.R_OK if folder == path else os.X_OK
        if folder.is_dir() and not os.access(folder, needed):
            return folder
    return None


def remedy(folder: Path) -> str:
    """Return what to do about a folder that we may not pass."""
    mode = stat.S_IMODE(folder.stat().st_mode)
    return (
        f"{folder} has mode {mode:04o} and this process runs as uid {os.geteuid()}; "
        f"`chmod o+rx {folder}`, or install stayalived with a Python outside of it"
    )
