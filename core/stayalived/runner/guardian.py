"""Ends what the runner has started when the runner itself dies (I/O: a process, a pipe, signals).

PR_SET_PDEATHSIG, which every program gets as well, does not do it: it reaches the leader of a process group alone, and
the kernel forgets it when an exec adds capabilities (commit_creds, kernel/cred.c), as one of root's does here. What is
left running would have no limit of time any more, and a check would run beside the successor of itself.
"""

import contextlib
import logging
import os
import select
import signal
import struct
import time
from typing import Protocol

from stayalived.child.bootstrap import close_others
from stayalived.runner.engine import TERM_PATIENCE
from stayalived.timing import in_seconds

_NUMBER = struct.Struct("=i")  # a process group that was started; negative: one that has ended
_CHUNK = _NUMBER.size * 1024
_log = logging.getLogger("stayalived.runner")


class Guard(Protocol):
    """Who is told of each program."""

    def started(self, pid: int) -> None:
        """A program runs in a process group of this number."""
        ...

    def ended(self, pid: int) -> None:
        """It has ended; to be told before its number may be somebody else's."""
        ...


class Guardian:
    """A process beside the runner that knows which process groups are to be ended when the runner is gone: `pid`."""

    def __init__(self) -> None:
        """Fork it. It ends by itself once this process has ended."""
        reader, self._writer = os.pipe2(os.O_CLOEXEC)
        os.set_blocking(self._writer, False)
        self.pid = os.fork()
        if self.pid == 0:
            _live(reader)
        os.close(reader)

    def started(self, pid: int) -> None:
        """A program runs in a process group of this number."""
        self._tell(pid)

    def ended(self, pid: int) -> None:
        """It has ended; to be told before its number may be somebody else's."""
        self._tell(-pid)

    def _tell(self, number: int) -> None:
        try:
            os.write(self._writer, _NUMBER.pack(number))
        except OSError as error:  # killed, or stopped for so long that the pipe is full
            _log.warning("nobody would end the programs if this process died: %s", error)


def _live(reader: int) -> None:
    """Be the guardian until the pipe ends; then end what still runs. Never returns."""
    try:
        close_others({reader})  # the runner's end of its pipe above all: it would hide the runner's death
        living: set[int] = set()
        while data := os.read(reader, _CHUNK):  # whole numbers, for they are written whole (pipe(7))
            for (number,) in _NUMBER.iter_unpack(data):
                living.add(number) if number > 0 else living.discard(-number)
        _end(living)
    finally:
        os._exit(0)


def _end(groups: set[int]) -> None:
    """Send TERM to process groups, and KILL to what is left of them when their leaders are gone or time is over."""
    leaders = select.poll()
    waiting = 0
    for group in groups:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(group, signal.SIGTERM)
            leaders.register(os.pidfd_open(group), select.POLLIN)
            waiting += 1
    give_up = time.monotonic() + in_seconds(TERM_PATIENCE)
    while waiting and (left := give_up - time.monotonic()) > 0:
        for handle, _ in leaders.poll(left * 1000):
            leaders.unregister(handle)
            waiting -= 1
    for group in groups:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(group, signal.SIGKILL)
