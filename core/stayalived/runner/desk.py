"""The runner without a supervisor: for a command that has programs run for one check. I/O: selectors.

The same engine and the same hands as the runner's, so that a program gets the same user, limits and refusals.
"""

import selectors
from collections.abc import Callable, Sequence
from typing import Self

from stayalived.child.base import read_clock
from stayalived.child.events import ChildEffect, ChildEvent, Commit, Prepare, Received, Tell
from stayalived.config.model import Configuration
from stayalived.messages.control import Start as Beginning
from stayalived.messages.notify import Cancel, Ran, Run
from stayalived.messages.routes import topic_of
from stayalived.runner.engine import Inspect, Inspected, Kill, RunnerEffect, RunnerEngine, RunnerEvent, Start, Terminate
from stayalived.runner.guardian import Guardian
from stayalived.runner.programs import Programs
from stayalived.timing import Instant, earliest, elapsed, in_seconds


class RunnerDesk:
    """Starts the programs of one configuration for one sender."""

    def __init__(self, configuration: Configuration, sender: str, answer: Callable[[Ran], None]) -> None:
        """Begin with no program.

        Args:
            configuration: names the programs that may be started.
            sender: who asks: `checker/DIST`.
            answer: told how each program ended.
        """
        self._sender = sender
        self._answer = answer
        self._selector = selectors.DefaultSelector()
        self._engine = RunnerEngine()
        self._programs: Programs | None = None  # with a process beside it, which most checks do not need
        self._post(Prepare(generation=1, configuration=configuration))
        self._post(Commit(generation=1, start=Beginning.FIRST))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._selector.close()

    def watch(self, fd: int, callback: Callable[[], None]) -> None:
        """Call back whenever the descriptor is readable."""
        self._selector.register(fd, selectors.EVENT_READ, callback)

    def unwatch(self, fd: int) -> None:
        """Do not any more."""
        self._selector.unregister(fd)

    def ask(self, message: Run | Cancel) -> None:
        """Take in a request."""
        self._post(Received(topic=topic_of(type(message)).name, key="", sender=self._sender, message=message))

    def turn(self, until: Instant) -> None:
        """Wait for the next thing to happen, but not beyond a moment, and deal with it."""
        due = earliest((self._engine.deadline, until))
        patience = max(0.0, in_seconds(elapsed(read_clock(), due))) if due is not None else None
        for key, _ in self._selector.select(patience):
            if key.fd in self._selector.get_map():  # an earlier callback of this turn may have unwatched it
                key.data()
        self._carry_out(self._engine.wake(read_clock()))

    def _post(self, event: ChildEvent | RunnerEvent) -> None:
        self._carry_out(self._engine.handle(event, read_clock()))

    def _carry_out(self, effects: Sequence[ChildEffect | RunnerEffect]) -> None:
        for effect in effects:
            match effect:
                case Inspect(generation=generation):
                    self._post(Inspected(generation=generation, problems=()))  # a refusal comes when it is run
                case Start():
                    self._hands().start(effect)
                case Terminate(token=token):
                    self._hands().terminate(token)
                case Kill(token=token):
                    self._hands().kill(token)
                case Tell(message=Ran() as ran):
                    self._answer(ran)

    def _hands(self) -> Programs:
        if self._programs is None:
            self._programs = Programs(self, self._post, Guardian())
        return self._programs
