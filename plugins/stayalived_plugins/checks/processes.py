"""Which processes there are: one look at /proc for all checks that ask within a moment. I/O."""

import os
import time
from collections import Counter
from collections.abc import Iterator

from stayalived.plugin import LocalFailure

LONGEST_NAME = 15
"""Bytes of a process's name, TASK_COMM_LEN of linux/sched.h less its end: the kernel cuts longer ones."""

FRESH_FOR = 0.5
"""Seconds for which one look serves all who ask."""

MOST_READ = 4096
"""Bytes of a command line that are compared."""

DEAD = b"ZX"  # states in proc(5): zombie, dead
_HIDDEN = (
    "/proc hides the processes of other users (ProtectProc= of the service, or hidepid= of the mount): "
    "take ProtectProc=invisible out of the unit's strict.conf, or mount /proc without hidepid"
)


class Census:
    """The processes of this machine by name and by command line, as they were at most `FRESH_FOR` seconds ago."""

    def __init__(self, proc: str = "/proc") -> None:
        """Look at nothing yet."""
        self._proc = proc
        self._looked_at = float("-inf")
        self._names: Counter[bytes] = Counter()
        self._lines: Counter[bytes] | None = None

    def names(self) -> Counter[bytes]:
        """Return how many processes have each name.

        Raises:
            LocalFailure: /proc shows our own processes only.
        """
        self._look()
        return self._names

    def lines(self) -> Counter[bytes]:
        """Return how many processes have each command line: arguments that each end in a NUL. Raises as `names`."""
        self._look()
        if self._lines is None:
            found = (_read(f"{self._proc}/{number}/cmdline") for number in self._numbers())
            self._lines = Counter(line for line in found if line)  # a zombie's is empty, a kernel thread's too
        return self._lines

    def _look(self) -> None:
        now = time.monotonic()
        if now - self._looked_at <= FRESH_FOR:
            return
        stats = {number: _read(f"{self._proc}/{number}/stat") for number in self._numbers()}
        if not stats.get("1"):
            raise LocalFailure(_HIDDEN)
        self._names = Counter(name for stat in stats.values() for name in _name_of(stat))
        self._lines = None
        self._looked_at = now

    def _numbers(self) -> Iterator[str]:
        with os.scandir(self._proc) as entries:
            yield from [entry.name for entry in entries if entry.name.isdecimal()]


def _name_of(stat: bytes) -> Iterator[bytes]:
    """Yield the name in the line of a process that lives; a name may hold blanks and brackets (proc(5))."""
    _, _, rest = stat.partition(b"(")
    name, bracket, after = rest.rpartition(b")")
    if bracket and after[1:2] not in DEAD:
        yield name


def _read(path: str) -> bytes:
    """Return the beginning of a file of /proc, nothing for a process that has ended meanwhile or is hidden."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except (FileNotFoundError, PermissionError):
        return b""
    try:
        return os.read(descriptor, MOST_READ)
    except ProcessLookupError:
        return b""
    finally:
        os.close(descriptor)


CENSUS = Census()
