"""A bound for the tasks of one loop, so that a check that leaves tasks behind fails before its process does. I/O."""

import asyncio
from typing import Any

from stayalived.errors import PluginFailure

MOST_TASKS = 10_000
"""Tasks that may exist at a time; probes of coroutines are among them."""


class TaskLimit:
    """Makes the tasks of a loop and counts those that have not ended."""

    def __init__(self, most: int = MOST_TASKS) -> None:
        """Allow so many tasks at a time."""
        self.count = 0
        self._most = most

    def install(self, loop: asyncio.AbstractEventLoop) -> None:
        """Make all further tasks of a loop; whoever asks for one too many gets a `PluginFailure`."""
        loop.set_task_factory(self._make)

    def _make(self, loop: asyncio.AbstractEventLoop, body: Any, /, **options: Any) -> "asyncio.Task[Any]":
        if self.count >= self._most:
            body.close()
            raise PluginFailure(f"{self._most} tasks run already: a check of this distribution leaves tasks behind")
        task = asyncio.Task(body, loop=loop, **options)
        self.count += 1
        task.add_done_callback(self._ended)
        return task

    def _ended(self, _: "asyncio.Task[Any]") -> None:
        self.count -= 1
