"""The loop of a child that runs tasks: the same as `Shell`, on asyncio. I/O."""

import asyncio
from collections.abc import Callable
from typing import Any

from stayalived.child.base import Effect, Event, ShellBase, read_clock
from stayalived.child.bootstrap import PARENT_DEATH_SIGNAL, Context
from stayalived.child.events import ChildEffect, ChildEvent
from stayalived.engine import Engine
from stayalived.timing import Instant, earliest


class AsyncShell(ShellBase[Event, Effect]):
    """Runs an engine inside asyncio until it has finished. `perform` may create tasks; they call `post`."""

    def __init__(
        self,
        engine: Engine[ChildEvent | Event, ChildEffect | Effect],
        context: Context,
        perform: Callable[[Effect], None],
    ) -> None:
        """Join an engine to its pipe; see `ShellBase`."""
        super().__init__(engine, context, perform)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._over: asyncio.Future[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._timer_at: Instant | None = None
        self._watching_room = False
        self._watching_link = False

    def post(self, event: ChildEvent | Event) -> None:
        """Hand an event to the engine now and carry out its effects. To be called in the loop's own thread."""
        super().post(event)
        self._settle()

    async def run(self) -> None:
        """Say hello, then serve the engine until `Finished` was carried out.

        Raises:
            BaseException: what a callback raised; a task's own exception is its creator's to look at.
        """
        self._loop = asyncio.get_running_loop()
        self._over = self._loop.create_future()
        self._loop.set_exception_handler(self._on_exception)
        self._loop.add_signal_handler(PARENT_DEATH_SIGNAL, self._on_parent_death_signal)
        self._loop.add_reader(self.link.fileno(), self._on_readable)
        self._watching_link = True
        self._say_hello()
        self._settle()
        try:
            await self._over
        finally:
            self._unwatch_link()
            if self._timer is not None:
                self._timer.cancel()
            self.link.flush()

    def _on_readable(self) -> None:
        self._read_link()
        self._settle()

    def _on_room(self) -> None:
        self.link.flush()
        self._settle()

    def _on_time(self) -> None:
        self._timer = self._timer_at = None
        now = read_clock()
        due = self._engine_deadline
        if due is not None and now >= due:
            self._wake_engine()
        self._do_own(now)
        self._settle()

    def _settle(self) -> None:
        """After anything that may have changed it: end, wait for room in the pipe, set the timer anew."""
        if self._loop is None or self._over is None or self._busy:
            return
        if self.link.closed:
            self._unwatch_link()
            self._lose_supervisor()  # it may have been a send that found the pipe closed
        if self.finished:
            if not self._over.done():
                self._over.set_result(None)
            return
        if not self.link.closed and (self.link.waiting > 0) != self._watching_room:
            self._watching_room = not self._watching_room
            if self._watching_room:
                self._loop.add_writer(self.link.fileno(), self._on_room)
            else:
                self._loop.remove_writer(self.link.fileno())
        self._set_timer(earliest((self._engine_deadline, self._own_deadline)))

    def _set_timer(self, moment: Instant | None) -> None:
        if moment == self._timer_at or self._loop is None:
            return
        if self._timer is not None:
            self._timer.cancel()
        self._timer_at = moment
        # asyncio's clock is CLOCK_MONOTONIC in seconds, the same one that engines are given in nanoseconds.
        self._timer = None if moment is None else self._loop.call_at(in_seconds_of(moment), self._on_time)

    def _unwatch_link(self) -> None:
        if self._watching_link and self._loop is not None:
            self._loop.remove_reader(self.link.fileno())
            self._loop.remove_writer(self.link.fileno())
            self._watching_link = self._watching_room = False

    def _on_exception(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """A callback of ours that raises is a bug: end `run` with it. What a task left behind is only reported."""
        exception = context.get("exception")
        if isinstance(exception, Exception) and "future" not in context and self._over is not None:
            if not self._over.done():
                self._over.set_exception(exception)
            return
        loop.default_exception_handler(context)


def in_seconds_of(moment: Instant) -> float:
    """Return a moment as asyncio's `call_at` wants it."""
    return moment / 1_000_000_000
