"""Makes probes: bodies of steps on the stepper's epoll, coroutines as tasks, both on one asyncio loop. I/O."""

import asyncio
import errno
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from stayalived.checker.echo import no_ping
from stayalived.checker.net import Ping, ProbeNet, RunProgram
from stayalived.checker.probes import LocalFault, Outcome, PluginFault, ProbeEnded, ProbeIdentity, StartProbe
from stayalived.checker.programs import no_programs
from stayalived.checker.session import OpenSession, Session
from stayalived.checker.sockets import OWN_SIDE
from stayalived.checker.stepper import Stepper, describe
from stayalived.checker.watchdog import Watchdog, labelled
from stayalived.errors import KernelProblem, PluginFailure
from stayalived.plugin.checks import Check, LocalFailure, NetworkFailure, Target, Verdict
from stayalived.plugin.steps import check_verdict
from stayalived.timing import Duration, Instant, elapsed, for_people, in_seconds, seconds

GRACE = seconds(1)
"""How long a cancelled check may take to end before it is counted as one that does not."""

STILL_RUNNING = "its last run has not ended although it was cancelled"

_LACKS = frozenset(OWN_SIDE) - {errno.EPERM, errno.EACCES, errno.EAGAIN, errno.EADDRINUSE}


@dataclass(slots=True)
class _Known:
    """A probe that was started once: its check and target, made once."""

    check: Check
    target: Target
    label: str
    in_steps: bool


@dataclass(slots=True)
class _Task:
    """One run of a coroutine."""

    known: _Known
    net: ProbeNet
    started: Instant
    task: "asyncio.Task[Verdict]"
    timer: asyncio.TimerHandle
    expired: bool = False
    told: bool = False


class Prober:
    """Carries out `StartProbe` and `AbandonProbe` and tells `ProbeEnded`. To be made and used inside a running loop."""

    def __init__(
        self,
        make: Callable[[ProbeIdentity], Check],
        ended: Callable[[ProbeEnded], None],
        clock: Callable[[], Instant],
        watchdog: Watchdog,
        run: RunProgram = no_programs,
        ping: Ping = no_ping,
        open_session: OpenSession = Session,
        grown: Callable[[], None] = lambda: None,
    ) -> None:
        """Join the stepper's epoll to the loop.

        Args:
            make: returns the check of an identity; raises `PluginFailure` when there is none.
            ended: told each result; it may start further probes.
            clock: the monotonic clock.
            watchdog: told whose code has the loop.
            run: has the runner start a program.
            ping: sends an ICMP echo request.
            open_session: makes what a probe talks through.
            grown: told of each check that was made.
        """
        self._grown = grown
        self._make = make
        self._net = partial(ProbeNet, run, ping, open_session)
        self._tell = ended
        self._clock = clock
        self._watchdog = watchdog
        self._loop = asyncio.get_running_loop()
        self._known: dict[int, _Known] = {}
        self._tasks: dict[int, _Task] = {}
        self._stepper = Stepper(self._ended, clock, watchdog, open_session)
        self._loop.add_reader(self._stepper.fileno(), self._stepper.poll)
        self._timer: asyncio.TimerHandle | None = None
        self._timer_at = Instant(0)

    def start(self, effect: StartProbe, target: Target | None = None) -> None:
        """Make a probe now; of the identity's target, or of another one (the test kit's)."""
        number = effect.probe
        self._watchdog.watch()
        try:
            known = self._known.get(number) or self._learn(effect, target or effect.identity.aim())
            if known.in_steps:
                steps = known.check.steps(known.target)
                self._stepper.start(number, steps, known.target, known.label)
                self._set_timer()
            elif number in self._tasks:
                self._ended(number, PluginFault(text=STILL_RUNNING), Duration(0))
            else:
                self._start_task(number, known)
        except BaseException as error:  # noqa: BLE001  (whatever a plugin raises is its own loss)
            text = str(error) if isinstance(error, PluginFailure) else describe(error)
            self._ended(number, PluginFault(text=text), Duration(0))

    def abandon(self, number: int) -> None:
        """End a probe, tell nothing, and forget it."""
        self._stepper.abandon(number)
        run = self._tasks.pop(number, None)
        if run is not None:
            run.timer.cancel()
            run.net.close()
            run.task.cancel()
        self._known.pop(number, None)

    def close(self) -> None:
        """End everything and leave the loop."""
        for number in list(self._known):
            self.abandon(number)
        if self._timer is not None:
            self._timer.cancel()
        self._loop.remove_reader(self._stepper.fileno())
        self._stepper.close()

    def _learn(self, effect: StartProbe, target: Target) -> _Known:
        """Make the check of a probe, once."""
        self._watchdog.enter(str(effect.identity))
        try:
            check = self._make(effect.identity)
        finally:
            self._watchdog.leave()
        in_steps = type(check).steps is not Check.steps
        known = _Known(check, target, str(effect.identity), in_steps)
        self._known[effect.probe] = known
        self._grown()
        return known

    def _ended(self, number: int, outcome: Outcome, latency: Duration) -> None:
        self._tell(ProbeEnded(probe=number, outcome=outcome, latency=latency))

    # --------------------------------------------------------------------------------------------- bodies of steps

    def _set_timer(self) -> None:
        """Wake when the first of the stepper's runs may have taken too long."""
        deadline = self._stepper.deadline
        if deadline is None or (self._timer is not None and self._timer_at <= deadline):
            return
        if self._timer is not None:  # set for a run that may take longer than the one that has begun now
            self._timer.cancel()
        self._timer_at = deadline
        self._timer = self._loop.call_at(in_seconds(Duration(deadline)), self._on_time)

    def _on_time(self) -> None:
        self._timer = None
        self._stepper.expire(self._clock())
        self._set_timer()

    # ------------------------------------------------------------------------------------------------- coroutines

    def _start_task(self, number: int, known: _Known) -> None:
        """Run a coroutine as a task, with a limit."""
        net = self._net()
        task = self._loop.create_task(self._guarded(known, net), name=known.label)
        timer = self._loop.call_later(in_seconds(known.target.limit), self._expire, number)
        self._tasks[number] = _Task(known, net, self._clock(), task, timer)
        task.add_done_callback(lambda task: self._task_done(number, task))

    async def _guarded(self, known: _Known, net: ProbeNet) -> Verdict:
        async def body() -> Verdict:
            return await known.check.probe(known.target, net)

        return await labelled(body, known.label, self._watchdog)

    def _expire(self, number: int) -> None:
        """Cancel a coroutine that has taken too long."""
        run = self._tasks[number]
        run.expired = True
        run.timer = self._loop.call_later(in_seconds(GRACE), self._give_up, number)
        run.task.cancel()

    def _give_up(self, number: int) -> None:
        """Count a coroutine that does not end when it is cancelled. It keeps its place, so that there is only one."""
        run = self._tasks[number]
        run.told = True
        run.net.close()
        self._ended(number, PluginFault(text=STILL_RUNNING), elapsed(run.started, self._clock()))

    def _task_done(self, number: int, task: "asyncio.Task[Verdict]") -> None:
        """Take a coroutine's result."""
        outcome = None if task.cancelled() else _outcome_of(task)
        run = self._tasks.get(number)
        if run is None or run.task is not task:
            return  # abandoned
        del self._tasks[number]
        run.net.close()
        run.timer.cancel()
        if run.expired:
            outcome = Verdict.failed("probe", f"no verdict within {for_people(run.known.target.limit)}")
        elif outcome is None:
            outcome = PluginFault(text="cancelled itself")
        if not run.told:
            self._ended(number, outcome, elapsed(run.started, self._clock()))


def _outcome_of(task: "asyncio.Task[Verdict]") -> Outcome:
    """Return what a coroutine's end means."""
    error = task.exception()
    match error:
        case None:
            try:
                return check_verdict(task.result())
            except PluginFailure as failure:
                return PluginFault(text=str(failure))
        case NetworkFailure():
            return error.verdict
        case KernelProblem() | LocalFailure():
            return LocalFault(text=str(error))
        case PluginFailure():
            return PluginFault(text=str(error))
        case OSError() if error.errno in _LACKS:
            return LocalFault(text=describe(error))
        case _:
            return PluginFault(text=describe(error))
