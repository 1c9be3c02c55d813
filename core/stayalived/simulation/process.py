"""One process in virtual time: a real engine with two pipes, which may be killed between any two events."""

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol

from stayalived.child.conversation import ALIVE_INTERVAL, Conversation
from stayalived.child.events import AnswerPrepared, Commit, Finished, Forget, Received, Report, Stop, Tell
from stayalived.messages.codec import Frame
from stayalived.messages.control import Message, Start
from stayalived.simulation.pipes import Pipe
from stayalived.supervisor import events as supervision
from stayalived.timing import Instant

if TYPE_CHECKING:
    from stayalived.simulation.node import Node

FORK_TIME = (0.002, 0.02)
"""Seconds from the fork of a child to its Hello: from the first word to the last that was measured."""


class AnyEngine(Protocol):
    """What every engine looks like from here."""

    @property
    def deadline(self) -> Instant | None:
        """See `stayalived.engine.Engine`."""
        ...

    def handle(self, event: Any, now: Instant, /) -> Sequence[Any]:
        """See `stayalived.engine.Engine`."""
        ...

    def wake(self, now: Instant, /) -> Sequence[Any]:
        """See `stayalived.engine.Engine`."""
        ...


class Role(Protocol):
    """What a role needs beside its engine: how it is made, and who carries out its own effects."""

    def make(self, process: "Process") -> AnyEngine:
        """Return a fresh engine for a process that was just forked."""
        ...

    def born(self, process: "Process") -> None:
        """Tell the engine what its shell tells first."""
        ...

    def perform(self, process: "Process", effect: Any) -> None:
        """Carry out an effect of the role."""
        ...

    def died(self, process: "Process") -> None:
        """Take away what dies with the process: its sockets."""
        ...


class Turned:
    """An engine that is fed and woken by the world; the base of supervisors and children."""

    def __init__(self, node: "Node", name: str) -> None:
        """Make it; `engine` is set by the one who inherits."""
        self.node = node
        self.name = name
        self.engine: AnyEngine
        self.alive = True
        self._waking: Instant | None = None
        self._queue: list[Any] = []
        self._busy = False

    @property
    def label(self) -> str:
        """Name in the history: `r0/vrrp`."""
        return f"{self.node.name}/{self.name}"

    def post(self, event: Any) -> None:
        """Hand an event to the engine and carry out what it answers, then the events that came of it."""
        self._queue.append(event)
        if self._busy:
            return
        self._busy = True
        while self._queue and self.alive:
            self._do(self.engine.handle(self._queue.pop(0), self.node.world.now))
        self._queue.clear()
        self._busy = False
        self._plan_to_wake()

    def _wake(self, planned: Instant) -> None:
        if not self.alive or self._waking != planned:
            return
        self._waking = None
        deadline = self.engine.deadline
        if deadline is not None and deadline <= self.node.world.now:
            self._busy = True
            self._do(self.engine.wake(self.node.world.now))
            self._busy = False
            if self._queue and self.alive:
                self.post(self._queue.pop(0))
        self._plan_to_wake()

    def _plan_to_wake(self) -> None:
        deadline = self.engine.deadline if self.alive else None
        if deadline is None:
            self._waking = None
        elif self._waking is None or deadline < self._waking:
            self._waking = moment = max(deadline, self.node.world.now)
            self.node.at(moment, lambda: self._wake(moment))

    def _do(self, effects: Sequence[Any]) -> None:
        for effect in effects:
            if not self.alive:
                return
            self.carry_out(effect)

    def carry_out(self, effect: Any) -> None:
        """Do what the engine asks for."""
        raise AssertionError(f"{self.label} cannot {effect}")


class Process(Turned):
    """One child: its engine, its half of the conversation, its two pipes."""

    def __init__(self, node: "Node", name: str, pid: int, start: Start, role: Role) -> None:
        """Be forked; the Hello comes a little later."""
        super().__init__(node, name)
        self.pid = pid
        self.start = start
        self.role = role
        self.reports: Counter[str] = Counter()
        self.told: dict[tuple[str, str], Message] = {}
        self.committed_at: Instant | None = None
        self._conversation = Conversation()
        world, counts = node.world, node.counts
        self.to_child = Pipe(world, f"{self.label}<", node.guarded(self._read), counts)
        self.to_supervisor = Pipe(world, f"{self.label}>", node.guarded(self._written), counts)
        node.pipes += [self.to_child, self.to_supervisor]
        self.engine = role.make(self)
        node.later(FORK_TIME, self._begin)

    def kill(self, signal: int = 9, status: int = 0) -> None:
        """Die now, between two events; frames already written are still read."""
        if not self.alive:
            return
        self.alive = False
        self.node.world.note(self.label, f"dies {signal}/{status}")
        self.node.last_words[self.name] = dict(self.told)
        self.role.died(self)
        self.to_child.abandon()
        supervisor = self.node.supervisor
        self.to_supervisor.end(self.node.guard(lambda: supervisor.post(supervision.EndOfFile(name=self.name))))
        self.node.children.pop(self.name, None)
        self.node.reap(self, status=status, signal=signal)

    def orphan(self) -> None:
        """See the end of the supervisor's pipe: release everything and end."""
        self.to_supervisor.abandon()
        if self.alive:
            self.post(Stop())

    def carry_out(self, effect: Any) -> None:
        """Send what is to be told, note what is to be logged, give the rest to the role."""
        if isinstance(effect, Report):
            self.reports[effect.text] += 1
        elif isinstance(effect, AnswerPrepared | Tell | Forget | Finished):
            if isinstance(effect, Tell):
                self.told[type(effect.message).__name__, effect.key] = effect.message
            frame = self._conversation.frame_for(effect)
            if frame is not None:
                self.node.world.note(self.label, f"tells {frame.topic} {frame.key}")
                self.to_supervisor.send(frame)
            if isinstance(effect, Finished):
                self.kill(signal=0)
        else:
            self.role.perform(self, effect)

    def _begin(self) -> None:
        if not self.alive:
            return
        self.role.born(self)
        self.to_supervisor.send(self._conversation.hello(self.pid))
        self._say_alive()

    def _say_alive(self) -> None:
        if self.alive:
            self.to_supervisor.send(self._conversation.alive())
            self.node.at(Instant(self.node.world.now + ALIVE_INTERVAL), self._say_alive)

    def _read(self, frame: Frame, blob: int | None) -> None:
        if not self.alive:
            return
        event = self._conversation.frames_in(frame, None if blob is None else self.node.blobs[blob])
        if isinstance(event, Received) and event.sender == self.name and event.message is not None:
            self.told[type(event.message).__name__, event.key] = event.message  # what it said before it died holds
        if isinstance(event, Commit) and self.committed_at is None:
            self.committed_at = self.node.world.now
        if event is not None:
            self.post(event)

    def _written(self, frame: Frame, blob: int | None) -> None:
        self.node.supervisor.post(supervision.FrameReceived(name=self.name, frame=frame, blob=blob))
