"""Calls into strangers' code: one by one, limited in time, counted. I/O: clock and alarm.

pluggy would stop at the first implementation that raises; here each has its own fate. The time limit is an alarm
signal: it interrupts Python code, not a library that holds the interpreter. For that there is the process around it.
"""

import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import FrameType

from stayalived.errors import PluginFailure
from stayalived.timing import NO_TIME, Duration, after, elapsed, for_people, in_seconds, seconds
from stayalived.timing import Instant as _Instant

CALL_LIMIT = seconds(1)
"""How long an observer may take for one event."""

IMPORT_LIMIT = seconds(20)
"""How long the import of one plugin may take."""


class _Overrun(BaseException):  # not an Exception: a plugin's `except Exception` must not swallow it
    """The time is over."""


def _now() -> _Instant:
    return _Instant(time.monotonic_ns())


@contextmanager
def time_limit(limit: Duration) -> Iterator[None]:
    """Interrupt what runs inside after `limit`. Main thread only; an alarm of somebody else goes on afterwards.

    Raises:
        TimeoutError: it took longer.
    """

    def ring(_number: int, _frame: FrameType | None) -> None:
        raise _Overrun

    before = signal.signal(signal.SIGALRM, ring)
    begin = _now()
    rest, _ = signal.setitimer(signal.ITIMER_REAL, in_seconds(limit))
    try:
        yield
    except _Overrun:
        raise TimeoutError(f"took longer than {for_people(limit)}") from None
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
        if rest:
            due = after(begin, seconds(rest))
            signal.setitimer(signal.ITIMER_REAL, max(in_seconds(elapsed(_now(), due)), 0.001))


@dataclass(slots=True)
class Count:
    """What the calls into one distribution came to."""

    calls: int = 0
    failures: int = 0
    longest: Duration = NO_TIME


@dataclass(frozen=True, slots=True)
class Observer:
    """One implementation of an observing hook."""

    distribution: str
    function: Callable[..., object]


@dataclass(frozen=True, slots=True)
class Answer:
    """What one observer said; with a failure its value means nothing."""

    distribution: str
    value: object
    failure: PluginFailure | None = None


@dataclass(slots=True)
class Observers:
    """All implementations of one hook, in the order of their distributions' names."""

    hook: str
    observers: tuple[Observer, ...] = ()
    limit: Duration = CALL_LIMIT
    counts: dict[str, Count] = field(default_factory=dict)

    def call(self, **arguments: object) -> list[Answer]:
        """Call each with these arguments by name and return their answers. What one raises costs only its own."""
        return [self._call(observer, arguments) for observer in self.observers]

    def _call(self, observer: Observer, arguments: dict[str, object]) -> Answer:
        count = self.counts.setdefault(observer.distribution, Count())
        count.calls += 1
        begin = _now()
        try:
            with time_limit(self.limit):
                value = observer.function(**arguments)
        except (Exception, SystemExit) as error:  # noqa: BLE001  (a stranger's code may raise anything)
            count.failures += 1
            text = f"plugin {observer.distribution}: {self.hook}: {type(error).__name__}: {error}"
            failure = PluginFailure(text)
            failure.__cause__ = error
            return Answer(observer.distribution, None, failure)
        finally:
            count.longest = max(count.longest, elapsed(begin, _now()))
        return Answer(observer.distribution, value)
