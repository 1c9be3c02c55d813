"""The file that what people want of real servers is kept in across restarts. I/O, and no decision."""

import os
from pathlib import Path

from stayalived.supervisor.events import WishesRead

NAME = "weights.json"
MOST_BYTES = 4 << 20
"""Longest file that is read: more than the bound of levels can take."""


def read(folder: Path) -> WishesRead:
    """Return what the file in a folder holds; a file that is not there holds nothing."""
    path = folder / NAME
    try:
        with path.open("rb") as file:
            data = file.read(MOST_BYTES + 1)
    except FileNotFoundError:
        return WishesRead()
    except OSError as error:
        return WishesRead(problem=f"{path}: {error.strerror}")
    if len(data) > MOST_BYTES:
        return WishesRead(problem=f"{path}: longer than {MOST_BYTES} bytes")
    return WishesRead(data=data)


def write(folder: Path, data: bytes) -> None:
    """Put a file in place of the one before, whole or not at all; makes the folder if it is not there.

    Raises:
        OSError: it cannot be written; the one before is as it was.
    """
    folder.mkdir(mode=0o755, parents=True, exist_ok=True)
    fresh = folder / f".{NAME}.new"
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, 0o644)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(descriptor)  # rename(2) alone may leave an empty file after a loss of power
    fresh.replace(folder / NAME)
