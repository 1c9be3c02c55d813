"""What actions keep running beside the events that they tell: opened, shared, closed (I/O)."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Hashable, Mapping, Sequence
from pathlib import Path
from typing import cast

from stayalived.config.model import Action, Configuration
from stayalived.errors import Bug
from stayalived.messages.notify import Event
from stayalived.notify.actions import FORMER_LIFE
from stayalived.notify.events import OF_ITS_OWN
from stayalived.plugin.notifiers import Notifier, Room, Shared
from stayalived.plugin.programs import Outcome, Program
from stayalived.timing import in_seconds, seconds

KEPT = "notify"
"""The folder of `state_dir` that belongs to this process."""

CLOSE_PATIENCE = seconds(3)
Run = Callable[[int, Program], Awaitable[Outcome]]
_log = logging.getLogger("stayalived.notify")


class Rooms:
    """A room for each type of action, and what of the actions is open."""

    def __init__(self, run: Run) -> None:
        """Have nothing open.

        Args:
            run: has the runner start a program, for a token.
        """
        self.run = run
        self.configuration: Configuration | None = None
        self._rooms: dict[str, _Room] = {}
        self._open: dict[Action, Notifier] = {}
        self._leaving: dict[Action, asyncio.TimerHandle] = {}

    def use(self, made: Mapping[Action, Notifier], configuration: Configuration) -> None:
        """Open the actions that are new, and close those that are gone when their last events are told."""
        self.configuration = configuration
        for action, notifier in made.items():
            leaving = self._leaving.pop(action, None)
            if leaving is not None:
                leaving.cancel()
            if action not in self._open:
                self._open[action] = notifier
                self._begin(action, notifier)
        loop = asyncio.get_running_loop()
        for action in self._open.keys() - made.keys() - self._leaving.keys():
            self._leaving[action] = loop.call_later(in_seconds(FORMER_LIFE), self._leave, action)

    def restate(self, events: Sequence[Event]) -> None:
        """Say to the actions in force where everybody stands."""
        for action, notifier in self._open.items():
            if action in self._leaving:
                continue
            try:
                for event in events:
                    notifier.restate(event)
            except Exception as error:  # noqa: BLE001  (a stranger's code may raise anything)
                _log.warning("action %s of %s, after a reload: %s", action.type, action.distribution, error)

    async def close(self) -> None:
        """Close everything, within `CLOSE_PATIENCE`."""
        for leaving in self._leaving.values():
            leaving.cancel()
        closing = [asyncio.ensure_future(_close(action, notifier)) for action, notifier in self._open.items()]
        self._open.clear()
        if closing:
            _, late = await asyncio.wait(closing, timeout=in_seconds(CLOSE_PATIENCE))
            for task in late:
                task.cancel()

    def _begin(self, action: Action, notifier: Notifier) -> None:
        room = self._rooms.setdefault(action.type, _Room(self, action.type))
        try:
            notifier.open(room)
        except Exception as error:  # noqa: BLE001  (a stranger's code may raise anything)
            _log.warning("action %s of %s: %s", action.type, action.distribution, error)

    def _leave(self, action: Action) -> None:
        del self._leaving[action]
        self._closing = asyncio.ensure_future(_close(action, self._open.pop(action)))


async def _close(action: Action, notifier: Notifier) -> None:
    try:
        await notifier.close()
    except Exception as error:  # noqa: BLE001  (a stranger's code may raise anything)
        _log.warning("action %s of %s, at its end: %s", action.type, action.distribution, error)


class _Room(Room):
    """What the actions of one type use together."""

    def __init__(self, rooms: Rooms, name: str) -> None:
        self._rooms = rooms
        self._name = name
        self._shared: dict[Hashable, object] = {}

    @property
    def configuration(self) -> Configuration:
        """The configuration in force."""
        if self._rooms.configuration is None:
            raise Bug("an action was opened before there was a configuration")
        return self._rooms.configuration

    @property
    def folder(self) -> Path:
        """Folder of this type for what must outlive the process."""
        return Path(self.configuration.globals.state_dir) / KEPT / self._name

    def share(self, key: Hashable, make: Callable[[], Shared]) -> Shared:
        """Return what all actions of this type share under a key."""
        if key not in self._shared:
            self._shared[key] = make()
        return cast("Shared", self._shared[key])

    def report(self, text: str) -> None:
        """Write a warning into the log."""
        _log.warning("%s: %s", self._name, text)

    async def run(self, program: Program) -> Outcome:
        """Have the runner start a program; return when it has ended."""
        return await self._rooms.run(OF_ITS_OWN, program)
