"""Drives bodies of steps on one epoll of its own, without a task for any of them. I/O.

A session is registered once for both directions, edge-triggered; closing its socket is what unregisters it. The epoll's
own descriptor is readable when there is something to do: the asyncio loop watches that one alone.
"""

import select
from collections.abc import Callable
from typing import Protocol

from stayalived.checker.probes import LocalFault, Outcome, PluginFault
from stayalived.checker.schedule import Wheel
from stayalived.checker.session import OpenSession, Session, timed_out
from stayalived.errors import KernelProblem, PluginFailure
from stayalived.plugin.checks import Connect, LocalFailure, NetworkFailure, Receive, Steps, Target
from stayalived.plugin.steps import STEP_TYPES, check_step, check_verdict
from stayalived.timing import Duration, Instant, after, elapsed

MOST_EVENTS = 64
"""Events taken from the kernel at a time, each perhaps half a ms of a handshake; what else there is comes between."""

MOST_EXPIRED = 256

MOST_STEPS = 64
"""Steps of one body done at a time: a server that floods must not keep the loop to itself."""

_BOTH = select.EPOLLIN | select.EPOLLOUT | select.EPOLLRDHUP | select.EPOLLET
_READABLE = select.EPOLLIN | select.EPOLLHUP | select.EPOLLERR | select.EPOLLRDHUP
_ENDING = select.EPOLLHUP | select.EPOLLRDHUP
_TROUBLE = select.EPOLLHUP | select.EPOLLERR


class Watched(Protocol):
    """Who has the loop: the watchdog names it when it keeps it."""

    def enter(self, label: str, now: Instant) -> None:
        """A check's code gets the loop."""
        ...

    def leave(self) -> Instant:
        """It has given the loop back. Returns the moment."""
        ...


class Run:
    """One run of one body."""

    __slots__ = ("answer", "descriptor", "label", "limit_at", "number", "session", "started", "step_until", "steps")

    def __init__(self, number: int, steps: Steps, session: Session, label: str, now: Instant) -> None:
        """Begin nothing yet."""
        self.number = number
        self.steps = steps
        self.label = label
        self.session = session
        self.answer: bytes | None = None  # that the body has not been given yet, to let others have the loop
        self.descriptor = -1
        self.started = now
        self.limit_at = after(now, session.target.limit)
        self.step_until = now

    @property
    def deadline(self) -> Instant:
        """When this run has taken too long."""
        return min(self.step_until, self.limit_at)


class Stepper:
    """All runs of bodies of steps that are under way."""

    def __init__(
        self,
        ended: Callable[[int, Outcome, Duration], None],
        clock: Callable[[], Instant],
        watched: Watched,
        open_session: OpenSession = Session,
    ) -> None:
        """Open the epoll.

        Args:
            ended: told the number, the outcome and the duration of each run that ends.
            clock: the monotonic clock.
            watched: told whose code has the loop.
            open_session: makes the session of a run.
        """
        self._ended = ended
        self._open_session = open_session
        self._clock = clock
        self._watched = watched
        self._epoll = select.epoll()
        self._runs: dict[int, Run] = {}
        self._by_descriptor: dict[int, Run] = {}
        self._limits: Wheel[int] = Wheel()

    def __len__(self) -> int:
        return len(self._runs)

    def fileno(self) -> int:
        """Return the descriptor that is readable when `poll` has something to do."""
        return self._epoll.fileno()

    @property
    def deadline(self) -> Instant | None:
        """When `expire` has something to look at."""
        return self._limits.deadline

    def start(self, number: int, steps: Steps, target: Target, label: str) -> None:
        """Start a run. Its end may be told before this returns."""
        now = self._clock()
        run = Run(number, steps, self._open_session(target), label, now)
        self._runs[number] = run
        self._advance(run, None, now)
        if number in self._runs:
            self._limits.file(number, run.deadline)

    def abandon(self, number: int) -> None:
        """End a run without telling; harmless when there is none."""
        run = self._runs.get(number)
        if run is not None:
            self._close(run)

    def poll(self) -> None:
        """Go on with every run whose socket has become ready."""
        now = self._clock()
        for run, descriptor, events in [
            (self._by_descriptor[descriptor], descriptor, events)
            for descriptor, events in self._epoll.poll(0, MOST_EVENTS)
            if descriptor in self._by_descriptor
        ]:
            # A run that ended meanwhile may have left its descriptor's number to a new one, whose event this is not.
            if self._by_descriptor.get(descriptor) is run:
                run.session.notice(events & _READABLE, events & _ENDING, events & _TROUBLE)
                now = self._go_on(run, now)

    def expire(self, now: Instant) -> None:
        """End the runs that have taken too long."""
        for number in self._limits.take(now, MOST_EXPIRED):
            run = self._runs[number]
            if run.deadline > now:
                self._limits.file(number, run.deadline)  # a later step has pushed it back since
            elif _may_be_silent(run):
                self._advance(run, b"", now)
                if number in self._runs:
                    self._limits.file(number, run.deadline)
            else:
                self._end(run, timed_out(run.session.step, _patience(run)))

    def close(self) -> None:
        """End all runs without telling and close the epoll."""
        for run in list(self._runs.values()):
            self._close(run)
        self._epoll.close()

    def _go_on(self, run: Run, now: Instant) -> Instant:
        """Go on with a run after an event and return the moment after it: each look at the clock serves two runs."""
        answer, run.answer = run.answer, None
        try:
            if answer is None:
                answer = run.session.go_on()
        except (NetworkFailure, KernelProblem) as failure:
            self._fail(run, failure)
            return self._clock()
        return now if answer is None else self._advance(run, answer, now)

    def _advance(self, run: Run, answer: bytes | None, now: Instant) -> Instant:
        """Give the body the answers it waits for until a step has to wait for the network, or the body ends."""
        session, steps = run.session, run.steps
        timeout = session.target.connect_timeout
        self._watched.enter(run.label, now)
        try:
            for _ in range(MOST_STEPS):
                step = next(steps) if answer is None else steps.send(answer)
                if type(step) not in STEP_TYPES:
                    step = check_step(step)
                answer = session.begin(step)
                if type(step) is Connect:
                    self._register(run)
                if answer is None:
                    break
            else:
                run.answer = answer
                self._epoll.modify(run.descriptor, _BOTH)  # tells anew what is ready, though edge-triggered
            run.step_until = after(now, timeout)
        except StopIteration as stop:
            self._conclude(run, stop.value)
        except (NetworkFailure, KernelProblem, LocalFailure) as failure:
            self._fail(run, failure)
        except PluginFailure as failure:
            self._end(run, PluginFault(text=str(failure)))
        except BaseException as error:  # noqa: BLE001  (whatever a plugin raises is its own loss)
            self._end(run, PluginFault(text=describe(error)))
        finally:
            now = self._watched.leave()
        return now

    def _conclude(self, run: Run, value: object) -> None:
        """Take the body's verdict."""
        try:
            verdict = check_verdict(value)
        except PluginFailure as error:
            self._end(run, PluginFault(text=str(error)))
        else:
            self._end(run, verdict)

    def _fail(self, run: Run, failure: NetworkFailure | KernelProblem | LocalFailure) -> None:
        """End a run at a step that failed."""
        outcome = failure.verdict if isinstance(failure, NetworkFailure) else LocalFault(text=str(failure))
        self._end(run, outcome)

    def _register(self, run: Run) -> None:
        """Watch the socket that a run has just opened."""
        assert run.session.socket is not None
        self._forget_socket(run)
        run.descriptor = run.session.socket.fileno()
        self._by_descriptor[run.descriptor] = run
        try:
            self._epoll.register(run.descriptor, _BOTH)
        except OSError as error:  # ENOSPC, ENOMEM: epoll_ctl(2)
            raise KernelProblem("epoll", error.errno or 0, "raise fs.epoll.max_user_watches") from error

    def _forget_socket(self, run: Run) -> None:
        """Take out what a run was known by; a closed socket's number may be somebody else's by now."""
        if self._by_descriptor.get(run.descriptor) is run:
            del self._by_descriptor[run.descriptor]

    def _end(self, run: Run, outcome: Outcome) -> None:
        """Close a run and tell its outcome."""
        self._close(run)
        try:
            run.steps.close()
        except BaseException as error:  # noqa: BLE001  (as above: a `finally` of the plugin's)
            outcome = PluginFault(text=describe(error))
        self._ended(run.number, outcome, elapsed(run.started, self._clock()))

    def _close(self, run: Run) -> None:
        """Forget a run and close its socket."""
        del self._runs[run.number]
        self._limits.drop(run.number)
        self._forget_socket(run)
        run.session.close()


def describe(error: BaseException) -> str:
    """Return what a plugin raised as text: its type, and the first words it says."""
    words = str(error)[:200]
    return f"{type(error).__name__}: {words}" if words else type(error).__name__


def _may_be_silent(run: Run) -> bool:
    """Return whether the step that was waited for takes silence for an answer; the limit of the whole run does not."""
    step = run.session.step
    return isinstance(step, Receive) and step.or_nothing and run.step_until < run.limit_at


def _patience(run: Run) -> Duration:
    """Return how long the run was waited for in the place where it ended."""
    return run.session.target.limit if run.limit_at <= run.step_until else run.session.target.connect_timeout
