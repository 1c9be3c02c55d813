"""Where the receiving threads of the log child meet its one writing thread (I/O: threads and their locks).

A reader that stops reading stalls the writing thread and nobody else: what comes meanwhile waits up to a bound, the
rest is counted, and the count is written once there is room again.
"""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable

from stayalived.log.limits import Limiter
from stayalived.log.pipe import NO_RECORD, from_log_record
from stayalived.log.record import Record
from stayalived.log.writers import Writer
from stayalived.timing import Instant, elapsed, in_seconds

WAITING_LINES = 20_000  # lines that wait for a slow reader
WAITING_CHARACTERS = 16 * 1024 * 1024  # of their texts together
OWN_NAME = "log"


def monotonic() -> Instant:
    """Return the present moment."""
    return Instant(time.monotonic_ns())


class Collector(logging.Handler):
    """The `sub_handler` of all receivers: limits, keeps what waits, and writes it from a thread of its own.

    Args:
        writer: where lines go. Only the writing thread calls it.
        level: lines below it are not written.
        clock: for the rate limit.
    """

    def __init__(self, writer: Writer, level: int = logging.NOTSET, clock: Callable[[], Instant] = monotonic) -> None:
        """Start the writing thread."""
        super().__init__(level)
        self._writer = writer
        self._clock = clock
        self._limiter = Limiter()
        self._waiting: deque[tuple[str, Record]] = deque()
        self._characters = 0
        self._lost = 0
        self._reopen = False
        self._ending = False
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._write_all, name="log writer", daemon=True)
        self._thread.start()

    def emit(self, record: logging.LogRecord) -> None:
        """Take in one record; called by the receiving threads, never blocks for the writer."""
        child = record.processName or OWN_NAME
        crossed = from_log_record(record)
        with self._changed:
            if crossed.dropped:
                self._keep(child, _own(crossed, f"{crossed.dropped} lines were lost here: the log pipe was full"))
            if crossed.level >= self.level and self._admitted(child, crossed):
                self._keep(child, crossed)
            self._changed.notify()

    def reopen(self) -> None:
        """Open the target anew before the next line: a file may have been rotated."""
        with self._changed:
            self._reopen = True
            self._changed.notify()

    def finish(self, limit: float) -> bool:
        """Write what waits, for `limit` seconds at most, and end; return whether all was written."""
        with self._changed:
            self._ending = True
            self._changed.notify()
        self._thread.join(limit)
        return not self._thread.is_alive()

    def _admitted(self, child: str, record: Record) -> bool:
        kind = record.fields.get("class")
        if kind is None:
            return True
        self._tell_held_back()
        # O11: who writes garbage writes it as fast as it can, and one line about it says all.
        admit = self._limiter.admit_once if kind == NO_RECORD else self._limiter.admit
        return admit(f"{child}: {kind}", self._clock())

    def _tell_held_back(self) -> None:
        for kind, count in self._limiter.due(self._clock()):
            child, _, name = kind.partition(": ")
            self._keep(child, _fresh(f"{count} more lines of class {name!r} were held back"))

    def _keep(self, child: str, record: Record) -> None:
        size = len(record.text) + len(record.exception)
        if len(self._waiting) >= WAITING_LINES or self._characters + size > WAITING_CHARACTERS:
            self._lost += 1
            return
        self._waiting.append((child, record))
        self._characters += size

    def _write_all(self) -> None:
        """Write until the end; the body of the writing thread."""
        unwritten = 0
        problem = ""
        while (taken := self._take()) is not None:
            try:
                if unwritten:
                    self._writer.write(OWN_NAME, _fresh(f"{unwritten} lines could not be written: {problem}"))
                    unwritten = 0
                self._writer.write(*taken)
            except OSError as error:  # counted; written as soon as the target takes lines again
                unwritten += 1
                problem = str(error)
        self._writer.close()

    def _take(self) -> tuple[str, Record] | None:
        """Return the next line, waiting for it; None at the end."""
        with self._changed:
            while True:
                if self._reopen:
                    self._reopen = False
                    self._reopen_now()
                self._tell_held_back()
                if self._waiting:
                    return self._next()
                if self._ending:
                    return None
                self._changed.wait(self._patience())

    def _next(self) -> tuple[str, Record]:
        child, record = self._waiting.popleft()
        self._characters -= len(record.text) + len(record.exception)
        if self._lost and len(self._waiting) < WAITING_LINES:
            text = f"{self._lost} lines of all children were lost: whoever reads this log is too slow"
            self._waiting.append((OWN_NAME, _fresh(text)))
            self._characters += len(text)
            self._lost = 0
        return child, record

    def _reopen_now(self) -> None:
        try:
            self._writer.reopen()
        except OSError as error:
            text = f"the log stays where it was, it could not be opened again: {error}"
            self._keep(OWN_NAME, _fresh(text, logging.ERROR))

    def _patience(self) -> float | None:
        deadline = self._limiter.deadline
        return None if deadline is None else max(in_seconds(elapsed(self._clock(), deadline)), 0.0)


def _fresh(text: str, level: int = logging.WARNING) -> Record:
    return Record(name=__name__, level=level, text=text, created=time.time_ns(), pid=0)


def _own(beside: Record, text: str) -> Record:
    """Return a line of our own at the moment of another."""
    return Record(name=__name__, level=logging.WARNING, text=text, created=beside.created, pid=beside.pid)
