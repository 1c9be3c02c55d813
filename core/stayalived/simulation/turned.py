"""An engine that is fed and woken by the world: what supervisors and children have in common in virtual time."""

from collections import deque
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol

from stayalived.timing import Instant

if TYPE_CHECKING:
    from stayalived.simulation.node import Node


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


class Turned:
    """An engine that is fed and woken by the world; the base of supervisors and children.

    Attributes:
        alive: whether the process exists.
        stands_until: up to this moment of the world it does nothing: it is at work, stopped, or not scheduled.
        rested: it has stood still, for another reason than its own work, since somebody last looked.
    """

    def __init__(self, node: "Node", name: str) -> None:
        """Make it; `engine` is set by the one who inherits."""
        self.node = node
        self.name = name
        self.label = f"{node.name}/{name}"
        self.engine: AnyEngine
        self.alive = True
        self.stands_until = Instant(0)
        self.rested = False
        self._waking: Instant | None = None
        self._queue: deque[Any] = deque()
        self._busy = False

    @property
    def stands(self) -> bool:
        """Whether the process does nothing now."""
        return self.node.world.now < self.stands_until

    @property
    def may_work(self) -> bool:
        """Whether there is a process that does something."""
        return self.alive and not self.stands

    def post(self, event: Any) -> None:
        """Hand an event to the engine and carry out what it answers, then the events that came of it."""
        self._queue.append(event)
        if not self._busy:
            self._turn()

    def stand(self, until: Instant, *, working: bool = False) -> None:
        """Do nothing up to a moment; what comes meanwhile waits.

        Args:
            until: moment of the world.
            working: it is busy with what it was asked to do.
        """
        self.rested = self.rested or not working
        if until > self.stands_until:
            self.stands_until = until
            self.node.at(until, self._go_on)

    def drain(self) -> None:
        """Hand in what waits outside of the engine."""

    def handle(self, event: Any) -> None:
        """Let the engine handle one event."""
        self._do(self.engine.handle(event, self.node.now))

    def wake(self) -> None:
        """Let the engine do what is due."""
        self._do(self.engine.wake(self.node.now))

    def carry_out(self, effect: Any) -> None:
        """Do what the engine asks for."""
        raise AssertionError(f"{self.label} cannot {effect}")

    def _go_on(self) -> None:
        if self.alive and not self.stands:
            self.drain()
            self._turn()

    def _turn(self) -> None:
        """Handle what waits, then plan when to wake."""
        self._busy = True
        while self._queue and self.alive and not self.stands:
            self.handle(self._queue.popleft())
        self._busy = False
        self.node.touch()
        if not self.alive:
            self._queue.clear()
        self._plan_to_wake()

    def _wake(self, planned: Instant) -> None:
        if not self.alive or self._waking != planned:
            return
        self._waking = None
        if self.stands:
            return  # `_go_on` plans anew
        deadline = self.engine.deadline
        if deadline is not None and deadline <= self.node.now:
            self.drain()
            if self.may_work:
                self._busy = True
                self.wake()
                self._busy = False
        self._turn()

    def _plan_to_wake(self) -> None:
        deadline = self.engine.deadline if self.alive and not self.stands else None
        if deadline is None:
            self._waking = None
            return
        moment = max(self.node.in_world(deadline), self.node.world.now)
        if self._waking is None or moment < self._waking:
            self._waking = moment
            self.node.at(moment, lambda: self._wake(moment))

    def _do(self, effects: Sequence[Any]) -> None:
        for effect in effects:
            if not self.alive:
                return
            self.carry_out(effect)
