"""One process in virtual time: a real engine with two pipes, which may be killed between any two events or effects."""

from collections import Counter
from typing import TYPE_CHECKING, Any

from stayalived.child.conversation import ALIVE_INTERVAL, Conversation
from stayalived.child.events import (
    AnswerPrepared,
    Commit,
    Finished,
    Forget,
    Prepare,
    Received,
    Report,
    Stop,
    Tell,
)
from stayalived.config.model import Configuration
from stayalived.messages.codec import Frame
from stayalived.messages.control import Message, Start
from stayalived.simulation.pipes import Pipe
from stayalived.simulation.roles import Role
from stayalived.simulation.turned import Turned
from stayalived.supervisor import events as supervision
from stayalived.timing import Instant, after, seconds

if TYPE_CHECKING:
    from stayalived.simulation.node import Node

FORK_TIME = (0.002, 0.02)
"""Seconds from the fork of a child to its Hello: from the first word to the last that was measured."""

ORPHAN_LIMIT = seconds(5)
"""A child whose supervisor is gone ends as it is after so long (`child/base.py`)."""

SIGKILL = 9


class Process(Turned):
    """One child: its engine, its half of the conversation, its two pipes.

    Attributes:
        forked_at: moment of the world.
        told: the newest of each key that it has told, or its predecessor.
        retold: what it was told before its first commit of its predecessor's words.
        checks: what others have told it of tracked checks, by key.
        configuration: the one that it works for.
        doomed: it dies when it has carried out so many more effects; None: it does not.
    """

    def __init__(self, node: "Node", name: str, pid: int, start: Start, role: Role) -> None:
        """Be forked; the Hello comes a little later."""
        super().__init__(node, name)
        self.pid = pid
        self.forked_at = node.world.now
        self.start = start
        self.role = role
        self.supervisor = node.supervisor
        self.reports: Counter[str] = Counter()
        self.told: dict[tuple[str, str], Message] = {}
        self.retold: dict[tuple[str, str], Message] = {}
        self.checks: dict[str, Message | None] = {}
        self.configuration: Configuration | None = None
        self.committed_at: Instant | None = None
        self.doomed: int | None = None
        self._prepared: dict[int, Configuration] = {}
        self._conversation = Conversation()
        world, counts = node.world, node.counts
        self.to_child = Pipe(world, f"{self.label}<", node.guarded(self._read), counts)
        self.to_supervisor = Pipe(world, f"{self.label}>", node.guarded(self._written), counts)
        node.pipes += [self.to_child, self.to_supervisor]
        self.engine = role.make(self)
        node.later(FORK_TIME, self._begin)

    @property
    def is_doomed(self) -> bool:
        """Whether it has died in the middle of what it was to do."""
        return self.doomed is not None and self.doomed < 0

    @property
    def is_cut_off(self) -> bool:
        """Whether one of its pipes is full, so that it cannot be told what to do, or cannot answer."""
        return not (self.to_child.capacity and self.to_supervisor.capacity)

    def kill(self, signal: int = SIGKILL, status: int = 0) -> None:
        """Die now, between two events; frames already written are still read."""
        if not self.alive:
            return
        self.alive = False
        self.node.world.note(self.label, "dies", signal, status)
        self.node.touch()
        self.node.last_words[self.name] = dict(self.told)
        self.role.died(self)
        self.to_child.abandon()
        supervisor = self.supervisor
        self.to_supervisor.end(self.node.guard(lambda: supervisor.post(supervision.EndOfFile(name=self.name))))
        self.node.children.pop(self.name, None)
        self.node.reap(self, status=status, signal=signal)

    def vanish(self) -> None:
        """Be lost with the machine: nobody learns of it."""
        self.alive = False
        self.role.died(self)
        self.to_child.abandon()
        self.to_supervisor.abandon()

    def rouse(self) -> None:
        """Look at what has come in while the machine stood still."""
        self._go_on()

    def orphan(self) -> None:
        """See the end of the supervisor's pipe: release everything and end."""
        self.to_supervisor.abandon()
        if self.alive:
            self.node.at(after(self.node.world.now, ORPHAN_LIMIT), lambda: self.kill(signal=0))
            self.post(Stop())

    def drain(self) -> None:
        """Hand in what waits outside of the engine."""
        self.role.drain(self)

    def handle(self, event: Any) -> None:
        """Let the engine handle one event."""
        if isinstance(event, Prepare):
            self._prepared = {event.generation: event.configuration}
        elif isinstance(event, Received) and event.key.startswith("track:"):
            self.checks[event.key] = event.message
        elif isinstance(event, Commit):
            if self.committed_at is None:
                self.retold = dict(self.told)
                self.committed_at = self.node.now
            self.configuration = self._prepared.pop(event.generation)
        self.role.before(self, event)
        super().handle(event)
        self.role.after(self, event)

    def wake(self) -> None:
        """Let the engine do what is due."""
        self.role.before(self, None)
        super().wake()
        self.role.after(self, None)

    def carry_out(self, effect: Any) -> None:
        """Send what is to be told, note what is to be logged, give the rest to the role."""
        if self.doomed is not None:
            self.doomed -= 1
            if self.doomed < 0:
                self.kill()
                return
        if isinstance(effect, Report):
            self.reports[effect.text] += 1
            if effect.text:
                self.node.world.note(self.label, "logs", effect.text)
        elif isinstance(effect, AnswerPrepared | Tell | Forget | Finished):
            self._say(effect)
        else:
            self.role.perform(self, effect)

    def _say(self, effect: AnswerPrepared | Tell | Forget | Finished) -> None:
        if isinstance(effect, Tell):
            self.told[type(effect.message).__name__, effect.key] = effect.message
        elif isinstance(effect, Forget):
            self.told.pop((effect.message.__name__, effect.key), None)
        if isinstance(effect, Tell | Forget | Finished):
            self.role.perform(self, effect)
        frame = self._conversation.frame_for(effect)
        if frame is not None:
            self.node.world.note(self.label, "tells", frame.topic, frame.key)
            self.to_supervisor.send(frame)
        if isinstance(effect, Finished):
            self.kill(signal=0)

    def _begin(self) -> None:
        if not self.alive:
            return
        self.role.born(self)
        self.to_supervisor.send(self._conversation.hello(self.pid))
        self._say_alive()

    def _say_alive(self) -> None:
        if not self.alive:
            return
        if self.stands:
            self.node.at(self.stands_until, self._say_alive)
            return
        self.to_supervisor.send(self._conversation.alive())
        self.node.at(Instant(self.node.world.now + ALIVE_INTERVAL), self._say_alive)

    def _read(self, frame: Frame, blob: int | None) -> None:
        if not self.alive:
            return
        event = self._conversation.frames_in(frame, None if blob is None else self.node.blobs[blob])
        if isinstance(event, Received) and event.sender == self.name and event.message is not None:
            self.told[type(event.message).__name__, event.key] = event.message  # what it said before it died holds
        if event is not None:
            self.post(event)

    def _written(self, frame: Frame, blob: int | None) -> None:
        if self.supervisor.alive:
            self.supervisor.post(supervision.FrameReceived(name=self.name, frame=frame, blob=blob))
