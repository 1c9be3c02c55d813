"""What the log child decides (pure): which configuration it accepts, and when its target is opened anew."""

from collections.abc import Sequence
from dataclasses import dataclass

from stayalived.child.events import Abort, AnswerPrepared, ChildEffect, ChildEvent, Commit, Finished, Prepare, Stop
from stayalived.config.model import Globals
from stayalived.config.problems import Problem
from stayalived.timing import Instant


@dataclass(frozen=True, slots=True, kw_only=True)
class UseLevel:
    """Write lines from this level upwards; `name` is a level of the logging module in lower case."""

    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Reopen:
    """Open the target anew: a file may have been rotated since the last commit."""


LogEffect = UseLevel | Reopen


class LogEngine:
    """Accepts a configuration that keeps the target; what it says was opened with rights that are gone by now.

    The target is what the first configuration says, not what was opened: `run --log` may have replaced that.
    """

    deadline: Instant | None = None

    def __init__(self) -> None:
        """Begin without a configuration."""
        self._target: str | None = None
        self._prepared: dict[int, Globals] = {}

    def handle(self, event: ChildEvent, now: Instant) -> Sequence[ChildEffect | LogEffect]:  # noqa: ARG002  (protocol)
        """Take in one event; nothing here depends on the time."""
        match event:
            case Prepare(generation=generation, configuration=configuration):
                return [self._answer(generation, configuration.globals)]
            case Commit(generation=generation):
                prepared = self._prepared.pop(generation)
                self._prepared.clear()
                self._target = prepared.log
                return [UseLevel(name=prepared.log_level), Reopen()]
            case Abort(generation=generation):
                self._prepared.pop(generation, None)
            case Stop():
                return [Finished()]
        return []

    def wake(self, now: Instant) -> Sequence[ChildEffect | LogEffect]:  # noqa: ARG002  (protocol)
        """Nothing is ever due."""
        return []

    def _answer(self, generation: int, wanted: Globals) -> AnswerPrepared:
        if self._target in {None, wanted.log}:
            self._prepared[generation] = wanted
            return AnswerPrepared(generation=generation)
        expected = f"{self._target!r} until the daemon is restarted: the log is opened before rights are dropped"
        return AnswerPrepared(
            generation=generation, problems=(Problem(path="global.log", found=repr(wanted.log), expected=expected),)
        )
