"""Stories that are told side by side: each in a process of its own, a few at once, the longest first.

A story spends its time waiting for protocols, so many fit onto one processor. What it has seen so far it writes down
after each of its events: one that breaks off has told what came before.
"""

import ctypes
import os
import pickle
import select
import signal
import tempfile
from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any, Generic, NoReturn, TypeVar

from namespaces.processes import Process

PR_SET_PDEATHSIG = 1
ENDS_WITHIN = 20.0
"""Seconds in which a story that is told to end has cleaned up its lab."""

Told = TypeVar("Told")
Publish = Callable[[Told], None]


class Unfinished(AssertionError):
    """A story broke off. The text is what its process wrote."""


class Stories(Generic[Told]):
    """Tells stories and remembers what they told.

    Args:
        tellers: what tells each story, by name, the longest first. It is given a function that publishes what is known
            so far, anything that can be pickled.
        at_once: how many are told at a time.
    """

    def __init__(self, tellers: Iterable[tuple[str, Callable[[Publish[Told]], None]]], *, at_once: int) -> None:
        self._waiting = dict(tellers)
        self._at_once = at_once
        self._folder = tempfile.TemporaryDirectory(prefix="stayalived-stories-")
        self._running: dict[str, Process] = {}
        self._ended: dict[str, Process] = {}
        self._begin()

    def told(self, name: str) -> Told:
        """Wait for the end of a story and return what it published last.

        Raises:
            Unfinished: it broke off before it published anything.
        """
        while name not in self._ended:
            self._wait_for_one()
        path = self._path(name)
        if not path.exists():
            raise Unfinished(self.how_it_ended(name))
        # Our own fork wrote it, to a folder that nobody else can write to: packets and sets of any kind, as they are.
        told: Told = pickle.loads(path.read_bytes())
        return told

    def how_it_ended(self, name: str) -> str:
        """Return why a story broke off: the exception and what else its process wrote; nothing when it did not."""
        process = self._ended[name]
        return "" if process.status == 0 else f"the story {name} broke off:\n{process.log()}"

    def close(self) -> None:
        """End all that are still being told, and wait until their labs are gone."""
        for process in self._running.values():
            with suppress(ProcessLookupError):
                process.send(signal.SIGTERM)
        for process in self._running.values():
            try:
                process.wait(within=ENDS_WITHIN)
            finally:
                process.close()
        self._folder.cleanup()

    def _path(self, name: str) -> Path:
        return Path(self._folder.name) / f"{name}.pickle"

    def _begin(self) -> None:
        while self._waiting and len(self._running) < self._at_once:
            name = next(iter(self._waiting))
            tell = self._waiting.pop(name)
            self._running[name] = Process.fork(partial(self._live, name, tell), Path(self._folder.name), name)

    def _live(self, name: str, tell: Callable[[Publish[Told]], None]) -> None:
        """Tell one story, in its own process. Whatever ends it, its lab is cleaned up."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, _leave)
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
        fresh = self._path(name).with_suffix(".new")

        def publish(told: Told) -> None:
            fresh.write_bytes(pickle.dumps(told))
            fresh.replace(self._path(name))

        tell(publish)

    def _wait_for_one(self) -> None:
        """Wait until any story ends, and begin the next."""
        descriptors = {os.pidfd_open(process.pid): name for name, process in self._running.items()}
        try:
            ready, _, _ = select.select(list(descriptors), [], [])
        finally:
            for descriptor in descriptors:
                os.close(descriptor)
        for descriptor in ready:
            name = descriptors[descriptor]
            process = self._running.pop(name)
            process.wait(within=1.0)
            self._ended[name] = process
        self._begin()


def _leave(number: int, frame: Any) -> NoReturn:
    signal.signal(number, signal.SIG_IGN)  # once is enough
    raise SystemExit(number)
