"""Imports plugins in processes of their own before they are imported in earnest (I/O: forks).

What an import raises costs only the types of its distribution. What ends its process cannot be caught there, nor what
hangs in code that holds the interpreter: a configuration could not be read any more, and nobody would know for whom.
"""

import os
import signal
from collections.abc import Mapping, Sequence
from contextlib import suppress
from importlib.metadata import EntryPoint
from typing import NoReturn

from stayalived.plugin.calls import IMPORT_LIMIT
from stayalived.timing import for_people, in_seconds

EXIT_UNCATCHABLE = 70
"""Something was raised that is neither an error nor an exit."""


def fatal(entries: Mapping[str, Sequence[EntryPoint]]) -> dict[str, str]:
    """Import the plugins of some distributions, each in a child and all at the same time.

    Args:
        entries: the entry points by distribution.

    Returns:
        why the import of a distribution cannot be survived, by its name; those that raise are not among them.
    """
    trials = {name: _begin(points) for name, points in entries.items()}
    codes = {name: os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for name, child in trials.items()}
    return {name: _told(code) for name, code in codes.items() if code != 0}


def _begin(entries: Sequence[EntryPoint]) -> int:
    child = os.fork()
    return child or _try(entries)


def _try(entries: Sequence[EntryPoint]) -> NoReturn:
    code = EXIT_UNCATCHABLE
    try:
        # The alarm's own action ends the process, whatever it is doing.
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.setitimer(signal.ITIMER_REAL, in_seconds(IMPORT_LIMIT))
        os.closerange(0, os.sysconf("SC_OPEN_MAX"))  # it is nobody's pipe end, and what it prints is printed later
        for descriptor in range(3):
            os.dup2(os.open(os.devnull, os.O_RDWR), descriptor)
        for entry in entries:
            with suppress(Exception, SystemExit):  # told by the import in earnest
                entry.load()
        code = 0
    finally:
        os._exit(code)


def _told(code: int) -> str:
    if code == -signal.SIGALRM:
        return f"took longer than {for_people(IMPORT_LIMIT)}"
    return f"ended the process ({f'exit status {code}' if code > 0 else f'signal {-code}'})"
