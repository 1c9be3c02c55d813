"""The supervisor's engine: brings configurations into force, keeps the children alive, ends in order.

It knows generations, frames and names of children; what they mean it does not know.
"""

from collections.abc import Sequence
from typing import assert_never

from stayalived.messages import control
from stayalived.messages.codec import BadFrame, Frame
from stayalived.messages.control import Message
from stayalived.messages.notify import Told
from stayalived.messages.routes import API, CONFIG, SUPERVISOR, Kind, pack, unpack
from stayalived.supervisor.changeover import Changeover
from stayalived.supervisor.events import (
    BadFrames,
    BlobId,
    ChildExited,
    ChildStarted,
    DropBlob,
    Effect,
    EndOfFile,
    Event,
    Exit,
    ForkFailed,
    FrameReceived,
    Order,
    Send,
    ShowProblems,
    SignalReceived,
    Started,
    TellSystemd,
    WishesRead,
)
from stayalived.supervisor.lifecycle import Child, State
from stayalived.supervisor.population import INFO, WARNING, Population
from stayalived.supervisor.shutdown import EXIT_CONFIGURATION, EXIT_MISSING_RIGHT, EXIT_OK, Shutdown
from stayalived.supervisor.switchboard import Fault
from stayalived.supervisor.wishes import VERBS, Wishes
from stayalived.timing import NO_TIME, Duration, Instant, after, earliest, elapsed, for_people, seconds

TICK = seconds(1)
STALL = seconds(2)
"""A longer gap between two turns is the supervisor's own absence, not the children's silence."""


class SupervisorEngine:
    """Decides; its shell does. `supervisor.events` lists what goes in and what comes out."""

    def __init__(
        self, *, run_dir: str, config_dir: str, wall_offset: int = 0, watchdog: Duration | None = None
    ) -> None:
        """Make an engine that waits for `Started`.

        Args:
            run_dir: for the status.
            config_dir: for the status.
            wall_offset: what to add to a moment to have nanoseconds of the wall clock, for people.
            watchdog: how often systemd wants a sign of life (half of WATCHDOG_USEC); None = never.
        """
        self._effects: list[Effect] = []
        self._population = Population(self._effects.append)
        self._changeover = Changeover(self._population, self._effects.append, self._tell_daemon)
        self._wishes = Wishes(self._population, self._effects.append, wall_offset)
        self._shutdown: Shutdown | None = None
        self._folders = (run_dir, config_dir)
        self._wall_offset = wall_offset
        self._watchdog = watchdog
        self._next_watchdog: Instant | None = None
        self._last_turn: Instant | None = None
        self._complained: set[tuple[str, Fault]] = set()
        self._over = False
        self._failure_code = EXIT_CONFIGURATION

    @property
    def deadline(self) -> Instant | None:
        """When `wake` has something to do."""
        if self._over:
            return None
        stop = self._shutdown.deadline if self._shutdown is not None else None
        return earliest((self._population.deadline, self._changeover.deadline, self._next_watchdog, self._tick, stop))

    @property
    def _tick(self) -> Instant | None:
        """A turn each second while there are children, so that an absence of our own is noticed."""
        if self._last_turn is None or not any(self._population.living()):
            return None
        return after(self._last_turn, TICK)

    @property
    def phase(self) -> str:
        """What the daemon is doing: starting, running, reloading or stopping."""
        if self._shutdown is not None:
            return "stopping"
        if self._changeover.accepted is None:
            return "starting"
        return "reloading" if self._changeover.attempt is not None else "running"

    def children(self) -> tuple[Child, ...]:
        """Return the children as they are, for tests and for the simulator."""
        return tuple(self._population.children.values())

    def handle(self, event: Event, now: Instant) -> Sequence[Effect]:
        """Take in one event and return what is to be done, in this order."""
        self._note_turn(now)
        match event:
            case Started():
                self._begin(now)
            case ChildStarted(name=name, pid=pid):
                self._on_started(name, pid)
            case ForkFailed(name=name, text=text):
                self._on_fork_failed(name, text, now)
            case ChildExited(name=name, pid=pid, status=status, signal=signal):
                self._on_exit(name, pid, status, signal, now)
            case FrameReceived(name=name, frame=frame, blob=blob):
                self._on_frame(name, frame, blob, now)
            case BadFrames(name=name, count=count):
                self._population.switchboard.count(name, Fault.NOT_A_FRAME, count)
            case EndOfFile(name=name):
                self._on_end_of_file(name, now)
            case SignalReceived(order=order):
                self._on_signal(order, now)
            case WishesRead(data=data, problem=problem):
                self._wishes.restore(data, problem, now)
            case _:
                assert_never(event)
        return self._settle(now)

    def wake(self, now: Instant) -> Sequence[Effect]:
        """Do what has become due by `now`."""
        self._note_turn(now)
        if self._next_watchdog is not None and self._watchdog and now >= self._next_watchdog:
            self._effects.append(TellSystemd(text="WATCHDOG=1"))
            self._next_watchdog = after(now, self._watchdog)
        self._population.fall_due(now)
        self._changeover.wake(now)
        if self._shutdown is not None:
            self._shutdown.enforce(now)
        return self._settle(now)

    def _begin(self, now: Instant) -> None:
        self._next_watchdog = after(now, self._watchdog) if self._watchdog else None
        self._changeover.ask(now)

    def _note_turn(self, now: Instant) -> None:
        """After an absence of our own, give every child the time to be heard that it would have had."""
        if self._last_turn is not None and elapsed(self._last_turn, now) > STALL and any(self._population.living()):
            gap = elapsed(self._last_turn, now)
            if self._changeover.accepted is not None:  # else it was busy with imports for its children
                self._population.report(WARNING, f"the supervisor did not run for {for_people(gap)}")
            for child in self._population.living():
                child.heard_at = now
                child.limit = after(child.limit, gap) if child.limit is not None else None
        self._last_turn = now

    def _settle(self, now: Instant) -> Sequence[Effect]:
        """Go on with a stop, complain about who misbehaves, and return what has come together."""
        if self._changeover.failed_start is not None and self._shutdown is None:
            self._effects.append(ShowProblems(problems=self._changeover.failed_start))
            self._stop(now, leave=False, code=self._failure_code)
        if self._shutdown is not None and not self._over and self._shutdown.advance(now):
            self._over = True
            self._effects.append(Exit(code=self._shutdown.code))
        for sender, fault in sorted(self._population.switchboard.faults.keys() - self._complained):
            self._complained.add((sender, fault))
            self._population.report(WARNING, f"dropped a frame of {sender}: {fault}; more of these are only counted")
        effects = tuple(self._effects)
        self._effects.clear()
        return effects

    def _on_started(self, name: str, pid: int) -> None:
        child = self._population.children.get(name)
        if child is not None and child.alive:
            child.pid = pid
            self._population.tell_child(child)

    def _on_fork_failed(self, name: str, text: str, now: Instant) -> None:
        child = self._population.children[name]
        child.failure = f"cannot fork: {text}"
        self._on_exit(name, child.pid, EXIT_CONFIGURATION, 0, now)

    def _on_exit(self, name: str, pid: int, status: int, signal: int, now: Instant) -> None:
        child = self._population.children.get(name)
        if child is None or not child.alive or (child.pid and pid != child.pid):
            return  # a former process; one that was not reported as started yet has no number to compare
        useless = status == EXIT_MISSING_RIGHT and self._changeover.accepted is None  # it will not have it later
        if (name == CONFIG or useless) and child.state is not State.STOPPING:
            self._failure_code = status if useless else self._failure_code
            child.failure = child.failure or (f"killed by signal {signal}" if signal else f"exit code {status}")
            self._population.retire(child, now)
        self._population.exited(child, status, signal, now)
        needed = self._needed(child)
        if not needed and (child.state is State.BACKOFF or self._population.owes_release(child)):
            self._population.stop(child, now, leave=False, limit=NO_TIME)
        if child.restart_when_stopped and child.state is State.STOPPED:
            child.restart_when_stopped = False
            self._population.fork(child, now)
        self._changeover.lost(child, now)
        if child.state is State.STOPPED and not needed and self._shutdown is None:
            self._population.remove(child)

    def _needed(self, child: Child) -> bool:
        """Whether the configuration in force, or the one on its way, has work for a child."""
        accepted, attempt = self._changeover.accepted, self._changeover.attempt
        return self._shutdown is None and (
            child.name == CONFIG
            or (accepted is not None and child.name in accepted.needs.children)
            or (attempt is not None and attempt.needs is not None and child.name in attempt.needs.children)
        )

    def _on_end_of_file(self, name: str, now: Instant) -> None:
        child = self._population.children.get(name)
        if child is not None and child.alive:
            self._population.ending(child, now)

    def _on_frame(self, name: str, frame: Frame, blob: BlobId | None, now: Instant) -> None:
        child = self._population.children.get(name)
        taken = False
        if child is not None and child.alive:
            child.heard_at = now
            switchboard = self._population.switchboard
            topic = switchboard.permitted(name, frame)
            if topic is not None and topic.kind is not Kind.CONTROL:
                switchboard.forward(name, frame, topic)
            elif topic is not None:
                taken = self._on_control(child, frame, blob, now)
        if blob is not None and not taken:
            self._effects.append(DropBlob(blob=blob))

    def _on_control(self, child: Child, frame: Frame, blob: BlobId | None, now: Instant) -> bool:
        """Deal with what a child says to the supervisor itself. Returns whether the blob was taken over."""
        try:
            message = unpack(frame)
        except BadFrame:
            message = None
        match message:
            case None:
                self._population.switchboard.count(child.name, Fault.NOT_A_FRAME)
            case control.Parsed() if child.name == CONFIG:
                return self._changeover.parsed(message, blob, now)
            case control.Request():
                self._on_request(message, now)
            case Told():
                self._population.switchboard.acknowledge(child.name, message)
            case _:
                self._on_sign(child, message, now)
        return False

    def _on_sign(self, child: Child, message: Message, now: Instant) -> None:
        """Deal with what a child says about itself."""
        match message:
            case control.Hello(user=user) if child.state is State.STARTING and child.name != CONFIG:
                child.user, child.said_hello = user, True
                self._population.switchboard.listen(child.name)
                self._changeover.hello(child, now)
            case control.Prepared():
                self._changeover.prepared(child, message, now)
            case control.Refused():
                self._changeover.refused_by(child, message, now)
            case control.Stopped():
                self._population.ending(child, now)
            case control.Failed(text=text):
                child.failure = text  # said in the line on its death
            case _:  # Alive says no more than that it came
                return

    def _on_request(self, request: control.Request, now: Instant) -> None:
        if self._shutdown is not None:
            self._reply(request, "stayalived is stopping", accepted=request.verb == "stop")
        elif request.verb == "reload":
            self._changeover.ask(now, force=request.force, request=request.identifier)
        elif request.verb == "stop":
            self._reply(request, "stopping", accepted=True)
            self._stop(now, leave=request.leave, code=EXIT_OK)
        elif request.verb in VERBS:
            accepted, text = self._wishes.take(request, now)
            self._reply(request, text, accepted=accepted)
        else:
            self._reply(request, f"unknown request {request.verb!r}: reload, stop, {', '.join(VERBS)}", accepted=False)

    def _reply(self, request: control.Request, text: str, *, accepted: bool) -> None:
        reply = control.Reply(identifier=request.identifier, accepted=accepted, text=text)
        self._effects.append(Send(name=API, frame=pack(reply)))

    def _on_signal(self, order: Order, now: Instant) -> None:
        match order:
            case Order.RELOAD if self._shutdown is None:
                self._changeover.ask(now)
            case Order.STOP if self._shutdown is None:
                self._stop(now, leave=False, code=EXIT_OK)
            case Order.STATUS:
                self._report_status(now)
            case _:  # a second TERM while stopping changes nothing: the limit is child_wait_time
                return

    def _stop(self, now: Instant, *, leave: bool, code: int) -> None:
        self._population.report(INFO, "stopping")
        self._effects.append(TellSystemd(text="STOPPING=1\nSTATUS=stopping"))
        self._changeover.abandon(now)
        wait = self._changeover.child_wait_time
        self._shutdown = Shutdown(self._population, now, leave=leave, wait=wait, code=code)
        self._tell_daemon()

    def _tell_daemon(self) -> None:
        """Tell api how the daemon is."""
        accepted = self._changeover.accepted
        run_dir, config_dir = self._folders
        state = control.DaemonState(
            phase=self.phase,
            generation=accepted.generation if accepted else 0,
            accepted_at=accepted.at + self._wall_offset if accepted else 0,
            refused=self._changeover.refused,
            run_dir=run_dir,
            config_dir=config_dir,
        )
        self._population.tell(state, key=SUPERVISOR)

    def _report_status(self, now: Instant) -> None:
        """Write what there is to know to the log (SG03)."""
        accepted = self._changeover.accepted
        report = self._population.report
        report(INFO, f"status: {self.phase}, configuration {accepted.generation if accepted else 0}")
        for child in self._population.children.values():
            line = f"status: {child.name}: {child.state} for {for_people(elapsed(child.since, now))}, pid {child.pid}"
            report(INFO, f"{line}, restarts {child.restarts}{', ' + child.note if child.note else ''}", child)
        for (sender, fault), count in self._population.switchboard.faults.items():
            report(INFO, f"status: dropped frames of {sender}: {count}, {fault}")
        report(INFO, f"status: keys remembered: {len(self._population.switchboard.memory)}")
