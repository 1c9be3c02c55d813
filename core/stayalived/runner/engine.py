"""The runner's engine (pure): which program runs when, for how long, and how each request is answered exactly once.

A program goes through these states; `_enter` alone changes one:

| from | cue | to |
|---|---|---|
| WAITING | its lane and a place are free | RUNNING |
| WAITING | cancelled, or the daemon stops | ENDED |
| RUNNING | its limit is over, cancelled, or the daemon stops: TERM | TERMINATING |
| TERMINATING | it is still there: KILL | KILLED |
| KILLED | it is still there (it hangs inside the kernel): answered, forgotten | ENDED |
| RUNNING, TERMINATING, KILLED | it ended | ENDED |
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from stayalived.child.events import (
    Abort,
    AnswerPrepared,
    ChildEffect,
    ChildEvent,
    Commit,
    Finished,
    Prepare,
    Received,
    Stop,
    Tell,
)
from stayalived.config.problems import Problem
from stayalived.messages.notify import Cancel, Ran, Run
from stayalived.runner.lanes import LANE_DEPTH, Job, Lanes, State
from stayalived.runner.requests import Permit, Permits, flaw
from stayalived.timing import NO_TIME, Duration, Instant, after, earliest, elapsed, for_people, seconds

TERM_PATIENCE: Duration = seconds(2)  # from TERM to KILL
STOP_PATIENCE: Duration = seconds(1)  # the same, while the daemon stops (N09), and for one that is cancelled
STOPS = "the daemon stops"
KILL_PATIENCE: Duration = seconds(5)  # from KILL to giving up on a program that the kernel does not let go


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """Start a program; answer with `Ended`, also when it could not be started."""

    token: int
    run: Run
    user: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Terminate:
    """Send TERM to a program's process group; kill what is left of the group when the program has ended."""

    token: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Kill:
    """Send KILL to a program's process group."""

    token: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Inspect:
    """Look whether these commands could be run; answer with `Inspected`."""

    generation: int
    script_user: str
    commands: frozenset[Permit]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """A program ended; `problem` says why it could not be started, else it is empty. Status -1: ended by a signal."""

    token: int
    status: int
    signal: int
    output: bytes
    problem: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Inspected:
    """What is wrong with the commands of a configuration: warnings, for a script may be put right later."""

    generation: int
    problems: tuple[Problem, ...]


RunnerEvent = Ended | Inspected
RunnerEffect = Start | Terminate | Kill | Inspect


class RunnerEngine:
    """Runs the programs of a lane one after the other, within limits."""

    def __init__(self) -> None:
        """Begin without a configuration: requests wait for the first one."""
        self._permits: Permits | None = None
        self._prepared: dict[int, Permits] = {}
        self._early: deque[Received] = deque()
        self._senders: dict[str, Lanes] = {}
        self._live: dict[int, Job] = {}
        self._tokens = 0
        self._stopping = False
        self._effects: list[ChildEffect | RunnerEffect] = []

    @property
    def deadline(self) -> Instant | None:
        """When the first limit of a running program is over."""
        return earliest(job.due for job in self._live.values())

    def handle(self, event: ChildEvent | RunnerEvent, now: Instant) -> Sequence[ChildEffect | RunnerEffect]:
        """Take in one event."""
        match event:
            case Prepare(generation=generation, configuration=configuration):
                permits = self._prepared[generation] = Permits.of(configuration)
                self._emit(Inspect(generation=generation, script_user=permits.script_user, commands=permits.granted))
            case Inspected(generation=generation, problems=problems):
                self._emit(AnswerPrepared(generation=generation, problems=problems))
            case Commit(generation=generation):
                self._commit(self._prepared.pop(generation), now)
            case Abort(generation=generation):
                self._prepared.pop(generation, None)
            case Received(message=Run()) if self._permits is None and len(self._early) < LANE_DEPTH:
                self._early.append(event)
            case Received(message=Run() as run, sender=sender):
                self._take(run, sender, now)
            case Received(message=Cancel(identifier=identifier), sender=sender):
                self._cancel(sender, identifier, now)
            case Ended():
                self._end(event, now)
            case Stop():
                self._stop(now)
        return self._drain()

    def wake(self, now: Instant) -> Sequence[ChildEffect | RunnerEffect]:
        """End the programs whose limit is over."""
        due = [job for job in self._live.values() if job.due is not None and job.due <= now]
        for job in due:
            self._press(job, now)
        return self._drain()

    def _emit(self, effect: ChildEffect | RunnerEffect) -> None:
        self._effects.append(effect)

    def _drain(self) -> Sequence[ChildEffect | RunnerEffect]:
        effects, self._effects = self._effects, []
        return effects

    def _commit(self, permits: Permits, now: Instant) -> None:
        self._permits = permits
        self._prepared.clear()
        while self._early:
            early = self._early.popleft()
            assert isinstance(early.message, Run)
            self._take(early.message, early.sender, now)

    def _take(self, run: Run, sender: str, now: Instant) -> None:
        """Let a request wait in its lane, or refuse it."""
        self._tokens += 1
        job = Job(self._tokens, sender, run)
        lanes = self._senders.setdefault(sender, Lanes(sender))
        problem = self._refusal(run, lanes)
        if problem:
            self._answer(job, now, problem=problem)
            return
        lanes.append(job)
        self._start_next(lanes, now)

    def _refusal(self, run: Run, lanes: Lanes) -> str:
        if self._stopping:
            return STOPS
        if self._permits is None:
            return "the runner has no configuration yet"
        return lanes.full(run.lane) or flaw(run) or self._permits.objection(run, lanes.sender)

    def _start_next(self, lanes: Lanes, now: Instant) -> None:
        """Start what is first in a lane, as long as the sender has places."""
        assert self._permits is not None
        while (job := lanes.next()) is not None:
            job.began = now
            self._live[job.token] = job
            self._enter(job, State.RUNNING, after(now, Duration(job.run.limit)))
            self._emit(Start(token=job.token, run=job.run, user=job.run.user or self._permits.script_user))

    def _enter(self, job: Job, state: State, due: Instant | None) -> None:
        job.state = state
        job.due = due

    def _press(self, job: Job, now: Instant) -> None:
        """Do the next thing to a running program that has used up its time."""
        match job.state:
            case State.RUNNING:
                job.expired = True
                self._terminate(job, f"ran longer than {for_people(Duration(job.run.limit))}", TERM_PATIENCE, now)
            case State.TERMINATING:
                self._enter(job, State.KILLED, after(now, KILL_PATIENCE))
                self._emit(Kill(token=job.token))
            case State.KILLED:
                job.reason = f"{job.reason}; it survives KILL, most likely it hangs in the kernel"
                self._end(Ended(token=job.token, status=-1, signal=0, output=b""), now)

    def _terminate(self, job: Job, reason: str, patience: Duration, now: Instant) -> None:
        job.reason = reason
        self._enter(job, State.TERMINATING, after(now, patience))
        self._emit(Terminate(token=job.token))

    def _cancel(self, sender: str, identifier: int, now: Instant) -> None:
        """End a program before its limit, or take a request out of its lane; one that is over already is over."""
        lanes = self._senders.get(sender)
        job = lanes.find(identifier) if lanes is not None else None
        if job is None:
            return
        if job.state is State.RUNNING:
            self._terminate(job, "cancelled", STOP_PATIENCE, now)
        elif job.state is State.WAITING:
            self._withdraw(job, "cancelled", now)

    def _withdraw(self, job: Job, reason: str, now: Instant) -> None:
        """Answer a request that has not been started."""
        self._senders[job.sender].withdraw(job)
        self._enter(job, State.ENDED, None)
        self._answer(job, now, problem=reason)

    def _end(self, ended: Ended, now: Instant) -> None:
        """Answer a request whose program has ended, and start the next of its lane."""
        job = self._live.pop(ended.token, None)
        if job is None:  # it was answered when it survived KILL, and has ended at last
            return
        self._enter(job, State.ENDED, None)
        self._answer(job, now, ended.status, ended.signal, ended.output, ended.problem or job.reason)
        lanes = self._senders[job.sender]
        lanes.end(job)
        self._start_next(lanes, now)
        self._finish_when_idle()

    def _answer(
        self, job: Job, now: Instant, status: int = -1, signal: int = 0, output: bytes = b"", problem: str = ""
    ) -> None:
        """Send the one answer that a request gets."""
        ran = Ran(
            identifier=job.run.identifier,
            status=status,
            signal=signal,
            output=output,
            problem=problem,
            duration=NO_TIME if job.began is None else elapsed(job.began, now),
            void=bool(problem) and not job.expired,
        )
        self._emit(Tell(message=ran, to=job.sender, sequence=job.token))

    def _stop(self, now: Instant) -> None:
        """Withdraw what waits, end what runs (N09)."""
        self._stopping = True
        for lanes in self._senders.values():
            for job in lanes.all_waiting():
                self._withdraw(job, STOPS, now)
        for job in self._live.values():
            if job.state is State.RUNNING:
                self._terminate(job, STOPS, STOP_PATIENCE, now)
            elif job.state is State.TERMINATING and job.due is not None:
                job.due = min(job.due, after(now, STOP_PATIENCE))
        self._finish_when_idle()

    def _finish_when_idle(self) -> None:
        if self._stopping and not self._live:
            self._emit(Finished())
