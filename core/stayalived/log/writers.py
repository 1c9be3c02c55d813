"""Where the log goes: stderr, a file, syslog or journald (I/O). Opened before rights are dropped.

A writer may block, in the log child's writing thread; nobody else waits for it.
"""

import contextlib
import os
import select
import socket
import stat
from pathlib import Path
from typing import Protocol

from stayalived.log.lines import FACILITIES, journal_datagram, syslog_datagram, text_line
from stayalived.log.record import Record

SYSLOG = "/dev/log"
JOURNAL = "/run/systemd/journal/socket"
STDERR = 2
FILE_MODE = 0o640


class Writer(Protocol):
    """Takes one line after the other."""

    def write(self, child: str, record: Record) -> None:
        """Write one line; raise OSError when it did not get there."""
        ...

    def reopen(self) -> None:
        """Open the target anew; raise OSError and go on with the old one when that fails."""
        ...

    def close(self) -> None:
        """Give back what was opened."""
        ...


class StreamWriter:
    """Writes to a descriptor: one record is one write, so lines of others on the same stream do not cut it."""

    def __init__(self, descriptor: int = STDERR) -> None:
        """Use colour when the descriptor is a terminal and NO_COLOR (no-color.org) is not set."""
        self._descriptor = descriptor
        self._colour = os.isatty(descriptor) and not os.environ.get("NO_COLOR")

    def write(self, child: str, record: Record) -> None:
        """Write one line."""
        _write_whole(self._descriptor, text_line(child, record, colour=self._colour))

    def reopen(self) -> None:
        """There is nothing to open: the descriptor is what we were born with."""

    def close(self) -> None:
        """The descriptor stays its owner's."""


class FileWriter:
    """Appends to a file, which it makes, readable by its group.

    Args:
        path: of the file; its folder must exist.
        owner: user and group that the file is given to when root opens it, so that it can be opened again later.
    """

    def __init__(self, path: Path, owner: tuple[int, int] | None = None) -> None:
        """Open the file."""
        self._path = path
        self._descriptor = self._open()
        if owner is not None and os.geteuid() == 0:
            os.fchown(self._descriptor, *owner)

    def write(self, child: str, record: Record) -> None:
        """Append one line."""
        _write_whole(self._descriptor, text_line(child, record))

    def reopen(self) -> None:
        """Go on in the file that now has the path, if it is another one than before."""
        fresh = self._open()
        old, self._descriptor = self._descriptor, fresh
        os.close(old)

    def close(self) -> None:
        """Close the file."""
        os.close(self._descriptor)

    def _open(self) -> int:
        try:
            flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
            descriptor = os.open(self._path, flags, FILE_MODE)
        except PermissionError as error:
            remedy = "let logrotate make it with `create 0640 stayalived stayalived`"
            raise PermissionError(error.errno, f"{error.strerror}: {remedy}", str(self._path)) from error
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            os.close(descriptor)
            raise OSError(f"{self._path} is no regular file; name a file, or use stderr, syslog or journald")
        return descriptor


class _SocketWriter:
    """A datagram socket to a local service, connected again when the service was restarted."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._socket = self._connect()

    def reopen(self) -> None:
        """Connect anew."""
        fresh = self._connect()
        self._socket.close()
        self._socket = fresh

    def close(self) -> None:
        """Close the connection."""
        self._socket.close()

    def send(self, data: bytes) -> None:
        """Send a datagram; once more on a new connection if the service has gone from the old one."""
        try:
            self._socket.send(data)
        except (ConnectionError, BrokenPipeError):
            self.reopen()
            self._socket.send(data)

    def _connect(self) -> socket.socket:
        fresh = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        try:
            fresh.connect(self._path)
        except OSError:
            fresh.close()
            raise
        return fresh


class SyslogWriter(_SocketWriter):
    """Sends to the local syslog."""

    def __init__(self, facility: str, path: str = SYSLOG) -> None:
        """Connect."""
        if facility not in FACILITIES:
            raise ValueError(f"{facility!r} is no syslog facility; one of {', '.join(FACILITIES)} is")
        super().__init__(path)
        self._facility = facility

    def write(self, child: str, record: Record) -> None:
        """Send one line."""
        self.send(syslog_datagram(child, record, self._facility))


class JournalWriter(_SocketWriter):
    """Sends to journald, each field as a field of its own."""

    def __init__(self, path: str = JOURNAL) -> None:
        """Connect."""
        super().__init__(path)

    def write(self, child: str, record: Record) -> None:
        """Send one line."""
        self.send(journal_datagram(child, record))


def open_writer(target: str, facility: str, owner: tuple[int, int] | None = None) -> Writer:
    """Open where the log shall go.

    Args:
        target: `stderr`, `syslog`, `journald` or `file:PATH`, as `[global] log` says it.
        facility: of syslog.
        owner: user and group for a file.

    Raises:
        OSError: it cannot be opened.
        ValueError: there is no such target or facility.
    """
    if target == "stderr":
        return StreamWriter()
    if target == "syslog":
        return SyslogWriter(facility)
    if target == "journald":
        return JournalWriter()
    kind, _, path = target.partition(":")
    if kind == "file" and path:
        return FileWriter(Path(path), owner)
    raise ValueError(f"log = {target!r}; stderr, syslog, journald or file:PATH is allowed")


def _write_whole(descriptor: int, data: bytes) -> None:
    """Write all of it: a pipe or a terminal may take a part; a descriptor that others made non-blocking, nothing."""
    rest = memoryview(data)
    while rest:
        with contextlib.suppress(BlockingIOError):
            rest = rest[os.write(descriptor, rest) :]
            continue
        _wait_until_writable(descriptor)


def _wait_until_writable(descriptor: int) -> None:
    poller = select.poll()
    poller.register(descriptor, select.POLLOUT)
    poller.poll()
