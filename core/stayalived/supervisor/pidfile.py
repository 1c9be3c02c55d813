"""The locked pid file (P05): one daemon for each run-dir. I/O.

The lock is of the open file description (OFD, fcntl(2)), and children that hold something of the host's inherit it on
purpose: after the supervisor is killed a new start waits until they have released it, so one host never holds two sets
of addresses. Nobody else has it: what a plugin forked and forgot would keep the run-dir locked for ever.
"""

import contextlib
import fcntl
import os
import struct
import time
from collections.abc import Callable
from pathlib import Path

from stayalived.errors import StayalivedError
from stayalived.messages.routes import IPVS, RUNNER, VRRP
from stayalived.timing import Duration, in_seconds, milliseconds

NAME = "stayalived.pid"
HOLDERS = frozenset({VRRP, IPVS, RUNNER})
"""Roles that inherit the lock: of addresses, of the IPVS table, of programs."""

_F_OFD_SETLK = 37  # include/uapi/asm-generic/fcntl.h; Python names it from 3.9 on, but not on every platform
_ENDED = frozenset("ZX")  # proc_pid_stat(5), third field, behind the name in parentheses: zombie, dead
_RETRY = milliseconds(50)
_WHOLE_FILE = struct.pack("hhqqi4x", fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0)


class AlreadyRunning(StayalivedError):
    """Another daemon, or the children of one that was killed, hold the run-dir."""


class NoRunDir(StayalivedError):
    """The run-dir cannot be made or written to. The text says what to do."""


class PidFile:
    """The pid file of this daemon, locked until `release` or until its last process is gone."""

    def __init__(self, path: Path, descriptor: int) -> None:
        """Take over a locked file; see `acquire`."""
        self.path = path
        self.descriptor = descriptor

    def release(self) -> None:
        """Remove the file, if it is still ours, and let go of it."""
        with contextlib.suppress(FileNotFoundError):  # somebody tidied up before us
            if _is_same(self.path, self.descriptor):
                self.path.unlink()
        os.close(self.descriptor)


def acquire(run_dir: Path, wait: Duration, sleep: Callable[[float], None] = time.sleep) -> PidFile:
    """Make `run_dir` if it is not there, lock the pid file in it, and write this process's id into that.

    Args:
        run_dir: folder of the daemon.
        wait: how long to wait for the children of a daemon that is gone.
        sleep: waits between two attempts.

    Raises:
        AlreadyRunning: it was locked all that time, or by a daemon that is alive.
        NoRunDir: the file cannot be opened.
    """
    try:
        run_dir.mkdir(mode=0o755, parents=True, exist_ok=True)
        return _acquire(run_dir, wait, sleep)
    except OSError as error:
        what = f"{error.filename or run_dir}: {error.strerror}"
        raise NoRunDir(f"{what}; start as root, or name a folder that you may write to: --run-dir") from error


def _acquire(run_dir: Path, left: Duration, sleep: Callable[[float], None]) -> PidFile:
    path = run_dir / NAME
    while True:
        descriptor = _lock(path)
        if descriptor is not None:
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
            return PidFile(path, descriptor)
        owner = read(run_dir)
        if left <= 0 or _is_alive(owner):
            raise AlreadyRunning(f"already running (pid {owner}) with run-dir {run_dir}")
        sleep(in_seconds(_RETRY))
        left = Duration(left - _RETRY)


def read(run_dir: Path) -> int:
    """Return the process id in the pid file, or 0 when there is none."""
    try:
        text = (run_dir / NAME).read_text(encoding="ascii", errors="replace").strip()
    except FileNotFoundError:
        return 0
    return int(text) if text.isdigit() else 0


def _lock(path: Path) -> int | None:
    """Open and lock the file; None when somebody else has it."""
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o644)
        try:
            fcntl.fcntl(descriptor, _F_OFD_SETLK, _WHOLE_FILE)
        except BlockingIOError:
            os.close(descriptor)
            return None
        if _is_same(path, descriptor):
            return descriptor
        os.close(descriptor)  # its last owner unlinked it between our open and our lock: that lock guards nothing


def _is_same(path: Path, descriptor: int) -> bool:
    try:
        there = path.stat()
    except FileNotFoundError:
        return False
    ours = os.fstat(descriptor)
    return (there.st_dev, there.st_ino) == (ours.st_dev, ours.st_ino)


def _is_alive(pid: int) -> bool:
    """Whether there is such a process, and it has not ended: a zombie holds nothing, whoever forgets to reap it."""
    if not pid:
        return False
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:  # mounted with hidepid= it shows nobody else's
        return _can_be_signalled(pid)
    except ProcessLookupError:
        return False
    return text.rpartition(")")[2].split()[0] not in _ENDED


def _can_be_signalled(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    return True
