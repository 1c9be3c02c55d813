"""A FIFO that is written to, whoever reads it or does not (I/O: os, asyncio)."""

import asyncio
import os
import stat
from collections import deque
from collections.abc import Callable

MOST_LINES = 1_000  # that wait here for room in the pipe
_WRITABLE_BY_ALL = 0o002


class NoFifo(OSError):
    """The path cannot be used. The text says why, and what to do."""


class Pipe:
    """Writes whole lines, keeps those for which there is no room, and counts those that it had to leave out."""

    def __init__(self, path: str, report: Callable[[str], None]) -> None:
        """Have it closed.

        Args:
            path: of the FIFO.
            report: writes a warning into the log.
        """
        self.lost = 0
        self._path = path
        self._report = report
        self._descriptor = -1
        self._users = 0
        self._waiting: deque[bytes] = deque()
        self._unsaid = 0
        self._complaint = ""

    def open(self) -> None:
        """Open it for one more action; what stands in the way is reported, and tried again with the next line."""
        self._users += 1
        if self._descriptor < 0:
            self._try_to_open()

    def close(self) -> None:
        """Close it for one action; the last one says what nobody has read."""
        self._users -= 1
        if self._users or self._descriptor < 0:
            return
        if self._waiting:
            self._lose(len(self._waiting))
            self._waiting.clear()
        self._say_what_was_lost()
        asyncio.get_running_loop().remove_writer(self._descriptor)
        os.close(self._descriptor)
        self._descriptor = -1

    def write(self, line: bytes) -> None:
        """Write a line, after those that wait. It is never written in part: pipe(7), up to PIPE_BUF bytes."""
        if self._descriptor < 0:
            self._try_to_open()
        if self._descriptor < 0:
            self._lose(1)
            return
        self._waiting.append(line)
        if len(self._waiting) == 1:
            self._flush()
        if len(self._waiting) > MOST_LINES:
            self._waiting.popleft()
            self._lose(1)

    def _flush(self) -> None:
        loop = asyncio.get_running_loop()
        while self._waiting:
            try:
                os.write(self._descriptor, self._waiting[0])
            except BlockingIOError:
                loop.add_writer(self._descriptor, self._flush)
                return
            self._waiting.popleft()
        loop.remove_writer(self._descriptor)
        self._say_what_was_lost()

    def _try_to_open(self) -> None:
        try:
            self._descriptor = opened(self._path)
        except OSError as error:
            text = str(error) if isinstance(error, NoFifo) else f"{self._path}: {error.strerror}"
            if text != self._complaint:
                self._report(text)
            self._complaint = text
        else:
            self._complaint = ""

    def _lose(self, number: int) -> None:
        self.lost += number
        if not self._unsaid and self._descriptor >= 0:
            self._report(f"{self._path}: nobody reads it fast enough; lines are left out, oldest first")
        self._unsaid += number

    def _say_what_was_lost(self) -> None:
        if self._unsaid:
            self._report(f"{self._path}: {self._unsaid} lines were left out")
            self._unsaid = 0


def opened(path: str) -> int:
    """Return a descriptor of a FIFO. Both ends are opened, so that a reader that goes ends nothing (fifo(7)).

    Raises:
        NoFifo: it is none, or others could write into it.
        OSError: it cannot be opened.
    """
    _make(path)
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
    except PermissionError as error:
        raise NoFifo(f"{path} is not ours to write into; run `chown stayalived {path}`, or remove it") from error
    status = os.fstat(descriptor)
    mode = stat.S_IMODE(status.st_mode)
    problem = ""
    if not stat.S_ISFIFO(status.st_mode):
        problem = "is no FIFO; remove it, or name another path"
    elif status.st_uid not in {0, os.geteuid()}:
        problem = f"belongs to uid {status.st_uid}; run `chown stayalived {path}`"
    elif mode & _WRITABLE_BY_ALL:
        problem = f"has mode {mode:04o}: anybody could write into it; run `chmod o-w {path}`"
    if problem:
        os.close(descriptor)
        raise NoFifo(f"{path} {problem}")
    return descriptor


def _make(path: str) -> None:
    """Make the FIFO where it is not there and where this user may."""
    try:
        os.mkfifo(path, 0o644)
    except FileExistsError:
        return
    except OSError as error:
        remedy = f"run `mkfifo -m 0644 {path} && chown stayalived {path}`, or restart the daemon, which makes it"
        raise NoFifo(f"{path} cannot be made: {error.strerror}; {remedy}") from error
