"""Which of several checker processes makes a check of a bundled type: `[global] checker_processes`.

A process is `checker`, `checker#2`, … All checks of one target are one process's, so that what is one probe stays one.
The number cannot change at a reload, so a check moves to another process only when its target changes: then it begins
anew anyhow.
"""

import zlib

from stayalived.config.model import BUNDLED, Check
from stayalived.messages.routes import CHECKER, SHARD


def shard_names(processes: int) -> list[str]:
    """Return the names of the processes."""
    return [CHECKER, *(f"{CHECKER}{SHARD}{number}" for number in range(2, processes + 1))]


def distribution_of(name: str) -> str:
    """Return whose checks a process runs: `acme` for `checker/acme`, the bundled ones for `checker` and `checker#2`."""
    return name.partition("/")[2] or BUNDLED


def makes(name: str, check: Check, processes: int) -> bool:
    """Return whether a check is made by the process of this name, of so many."""
    if check.distribution != distribution_of(name):
        return False
    if processes == 1 or check.distribution != BUNDLED:
        return True
    number = int(name.partition(SHARD)[2] or 1)
    return _place(check) % processes == number - 1


def _place(check: Check) -> int:
    """Return a number that is the same for all checks of a target; of those that have none, for all that ask the same.

    The hash of Python differs from one start to the next; a process that is replaced has to find its checks again.
    """
    target = check.target
    return zlib.crc32(f"{target}".encode() if target.address else check.options)
