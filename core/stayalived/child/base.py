"""What both shells of a child share: its half of the pipe, its engine, its log. I/O.

`Shell` turns it with epoll, `AsyncShell` with asyncio.
"""

import logging
import os
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from stayalived.child.bootstrap import Context
from stayalived.child.conversation import ALIVE_INTERVAL, Conversation
from stayalived.child.events import (
    AnswerPrepared,
    ChildEffect,
    ChildEvent,
    Finished,
    Forget,
    Prepare,
    Received,
    Report,
    Stop,
    Tell,
)
from stayalived.child.link import Link, read_blob
from stayalived.child.origin import Origin
from stayalived.child.repeats import Repeats
from stayalived.config.model import decode_globals
from stayalived.config.reading import Reader
from stayalived.engine import Engine
from stayalived.messages.codec import BadFrame, Frame
from stayalived.messages.routes import API, LOG, role_of
from stayalived.timing import Duration, Instant, after, earliest, seconds

ORPHAN_LIMIT = seconds(5)
"""How long a child may take to release everything once the supervisor is gone; then it exits as it is."""

BRIEF = frozenset({API, LOG})
"""Roles that need no more of a configuration than `[global]`."""

Event = TypeVar("Event")
Effect = TypeVar("Effect")


def read_clock() -> Instant:
    """Return the present moment of CLOCK_MONOTONIC."""
    return Instant(time.monotonic_ns())


def read_wall_offset() -> int:
    """Return what to add to a moment of `read_clock` to have nanoseconds of the wall clock."""
    return time.time_ns() - time.monotonic_ns()


class ShellBase(Generic[Event, Effect]):
    """Feeds an engine with what comes through the pipe and carries out what every child's engine may ask for."""

    def __init__(
        self,
        engine: Engine[ChildEvent | Event, ChildEffect | Effect],
        context: Context,
        perform: Callable[[Effect], None],
    ) -> None:
        """Join an engine to its pipe.

        Args:
            engine: the role's engine.
            context: what the child was born with.
            perform: carries out the role's own effects; `Tell`, `Report`, `AnswerPrepared`, `Forget` and `Finished`
                never reach it. It may `post` events: they are handled after the effects at hand.
        """
        self.context = context
        self.link = Link(context.link)
        self._engine = engine
        self._perform = perform
        brief = role_of(context.name) in BRIEF
        self._conversation = Conversation(decode_globals if brief else Reader().decode)
        self._log = logging.getLogger(f"stayalived.{role_of(context.name)}")
        self._events: deque[ChildEvent | Event] = deque()
        self._busy = False
        self._repeats = Repeats()
        self._origin = Origin.of(context.host_id)
        self._supervisor = os.getppid()
        self._next_alive = read_clock()
        self._give_up: Instant | None = None
        self.finished = False

    def post(self, event: ChildEvent | Event) -> None:
        """Hand an event to the engine now and carry out its effects; one posted meanwhile is handled afterwards."""
        self._events.append(event)
        if self._busy:
            return
        self._busy = True
        try:
            while self._events:
                self._carry_out(self._engine.handle(self._events.popleft(), read_clock()))
        finally:
            self._busy = False

    def _wake_engine(self) -> None:
        """Let the engine do what is due, with the events that come of it."""
        self._busy = True
        try:
            self._carry_out(self._engine.wake(read_clock()))
        finally:
            self._busy = False
        if self._events:
            self.post(self._events.popleft())

    @property
    def _engine_deadline(self) -> Instant | None:
        return self._engine.deadline

    @property
    def _own_deadline(self) -> Instant | None:
        """When the shell itself has something to do: a sign of life, a count of lines, or the end of an orphan."""
        return earliest((None if self.link.closed else self._next_alive, self._give_up, self._repeats.deadline))

    def _do_own(self, now: Instant) -> None:
        """Send the sign of life when it is due, count lines that were held back, end an orphan that takes too long."""
        if self._give_up is not None and now >= self._give_up:
            self._log.error("the supervisor is gone and not everything could be released in time")
            self.finished = True
        if now >= self._next_alive and not self.link.closed:
            self.link.send(self._conversation.alive())
            self._next_alive = after(now, ALIVE_INTERVAL)
        held_back = self._repeats.count(now)
        if held_back:
            self._log.warning("%s", held_back)

    def _say_hello(self) -> None:
        self.link.send(self._conversation.hello(os.getpid(), self.context.user))

    def _read_link(self) -> None:
        """Take in what has come through the pipe; end-of-file becomes `Stop`."""
        for frame, descriptors in self.link.receive():
            try:
                self._take_in(frame, descriptors)
            except BadFrame as error:
                self._log.warning("dropped a frame of the supervisor: %s", error)
        if self.link.closed:
            self._lose_supervisor()

    def _take_in(self, frame: Frame, descriptors: Sequence[int]) -> None:
        blobs = [read_blob(descriptor) for descriptor in descriptors]
        event = self._conversation.frames_in(frame, blobs[0] if blobs else None)
        if isinstance(event, Prepare):
            self.link.allow_keys(_keys_of(event))
        if event is not None and not self.finished:
            self.post(self._origin.stamp(event) if isinstance(event, Received) else event)

    def _on_parent_death_signal(self) -> None:
        """PR_SET_PDEATHSIG fired, or somebody sent the same signal: only the first means that the parent is gone."""
        if os.getppid() != self._supervisor:
            self._lose_supervisor()

    def _lose_supervisor(self) -> None:
        if self._give_up is None and not self.finished:
            self._give_up = after(read_clock(), Duration(ORPHAN_LIMIT))
            self.post(Stop())

    def _carry_out(self, effects: Sequence[ChildEffect | Effect]) -> None:
        for effect in effects:
            if isinstance(effect, Report):
                self._write(effect)
            elif isinstance(effect, AnswerPrepared | Tell | Forget | Finished):
                frame = self._conversation.frame_for(effect)
                if frame is not None:
                    self.link.send(frame)
                self.finished = self.finished or isinstance(effect, Finished)
            else:
                self._perform(effect)

    def _write(self, report: Report) -> None:
        """Write a line, unless its class was written already; a line without text makes its class writable again."""
        if report.once and not report.text:
            self._repeats.forget(report.once)
        elif not report.once or self._repeats.admit(report.once, read_clock()):
            self._log.log(report.level, "%s", report.text, extra={"fields": report.fields})


def _keys_of(prepare: Prepare) -> int:
    """Return how many keys a configuration gives rise to at most, for the bound of the outbox."""
    configuration = prepare.configuration
    servers = sum(1 + len(service.real_servers) for service in configuration.virtual_servers)
    checks = sum(len(server.checks) for service in configuration.virtual_servers for server in service.real_servers)
    routers = sum(1 + len(instance.routers) for instance in configuration.instances)
    return servers + checks + routers + len(configuration.tracked_checks)
