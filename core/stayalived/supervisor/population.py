"""The children: who there is, who is to be started, who has fallen silent."""

from collections.abc import Callable, Iterator

from stayalived.child.events import Report
from stayalived.messages import control
from stayalived.messages.control import Message, Start
from stayalived.messages.notify import Event as Notice
from stayalived.messages.routes import CONFIG, SUPERVISOR, VRRP, forget, pack
from stayalived.supervisor.events import BlobId, Effect, ForgetSendTimes, Fork, Kill, Send
from stayalived.supervisor.lifecycle import EXIT_LIMIT, START_LIMIT, Child, Cue, State
from stayalived.supervisor.switchboard import Switchboard
from stayalived.timing import Duration, Instant, after, earliest, elapsed, for_people, seconds

INFO, WARNING, ERROR = 20, 30, 40
"""Levels of the logging module, which an engine does not import."""

RELEASE_MARGIN = seconds(0.5)
"""Addresses are released this much before the peers' master-down interval could end."""

SIGN_OF_LIFE_OVERDUE = seconds(2)
"""A child that was not heard for longer was not working any more when it died; it speaks each second."""

RELEASE_ATTEMPTS = 3
"""How often vrrp is started in a row to release its addresses when it dies of that, too."""

_COMING = frozenset({State.STOPPED, State.BACKOFF, State.STARTING, State.PREPARING, State.READY})
"""States of a child that does not run and might."""


class Population:
    """All children, with the switchboard between them. What is to be done goes to `emit`."""

    def __init__(self, emit: Callable[[Effect], None]) -> None:
        """Begin without children."""
        self.children: dict[str, Child] = {}
        self.switchboard = Switchboard(lambda name, frame: emit(Send(name=name, frame=frame)))
        self.shortest_master_down: Duration = seconds(0)
        self._emit = emit
        self._sequence = 0
        self._silent_since: Instant | None = None
        self._releases = 0
        self._holds_addresses = False

    @property
    def deadline(self) -> Instant | None:
        """When the first of the children needs attention."""
        return earliest(child.deadline for child in self.children.values())

    def living(self) -> Iterator[Child]:
        """Yield the children that are processes."""
        return (child for child in self.children.values() if child.alive)

    def need(self, name: str, now: Instant) -> Child:
        """Return the record of a child, which is needed from now on."""
        if name not in self.children:
            self.children[name] = Child(name=name, since=now)
        if name != CONFIG:
            self.switchboard.join(name)
        return self.children[name]

    def fork(
        self,
        child: Child,
        now: Instant,
        *,
        start: Start | None = None,
        generation: int = 0,
        accepted: BlobId | None = None,
    ) -> None:
        """Start a process for a child that has none. Without `start` it is RESPAWNED, or FIRST if it never ran."""
        child.start = start or (Start.RESPAWNED if child.ever_ran else Start.FIRST)
        child.enter(Cue.FORK, now)
        child.started_at = child.heard_at = now
        child.limit = after(now, START_LIMIT)
        child.asked, child.answered, child.said_hello = 0, True, False
        child.committed = False
        child.failure = ""
        self._emit(Fork(name=child.name, start=child.start, generation=generation, accepted=accepted))
        self.tell_child(child)

    def ask(self, child: Child, generation: int, blob: BlobId, limit: Duration, now: Instant) -> None:
        """Give a child a configuration to look at; a starting one that does not answer in time is killed."""
        child.enter(Cue.PREPARE, now)
        child.asked, child.answered = generation, False
        child.limit = after(now, limit)
        self._emit(Send(name=child.name, frame=pack(control.Prepare(generation=generation)), blob=blob))
        self.tell_child(child)

    def answered(self, child: Child, now: Instant) -> None:
        """A child can use what it was asked about."""
        child.enter(Cue.PREPARED, now)
        child.answered, child.limit, child.heard_at = True, None, now
        self.tell_child(child)

    def commit(self, child: Child, now: Instant) -> None:
        """Tell a child to use what it was asked about."""
        reload = child.state is State.RUNNING
        start = Start.RELOAD if reload else child.start
        child.enter(Cue.COMMIT, now)
        frame = pack(control.Commit(generation=child.asked, start=start))
        self._emit(Send(name=child.name, frame=frame))
        self.switchboard.run(child.name)
        if not reload:
            child.ever_ran = child.committed = True
            self.tell_child(child)
            doing = "releases its addresses" if start is Start.RELEASE else "is running"
            self.report(INFO, f"{child.name} (pid {child.pid}) {doing}", child)
            if child.restarts and start is not Start.RELEASE:
                self.notice("child_started", "child", child.name, now, old=State.PREPARING, new=State.RUNNING)
        if child.stops_at is not None:
            self.stop(child, now, leave=False, limit=elapsed(now, max(now, child.stops_at)))
        if child.role == VRRP and start is not Start.RELEASE:
            self._silent_since = None
            self._releases = 0
            self._holds_addresses = True

    def stop(self, child: Child, now: Instant, *, leave: bool, limit: Duration) -> None:
        """Tell a child to end in order; it is killed when it takes longer than `limit`.

        A vrrp that died and is not back yet may have left addresses behind: it is started once more, to release them.
        """
        if self.owes_release(child):
            child.respawn_at = None
            self._release(child, now)
            return
        was_alive = child.alive
        child.enter(Cue.STOP, now)
        child.respawn_at = None
        if was_alive:
            child.limit = after(now, limit)
            self._emit(Send(name=child.name, frame=pack(control.Stop(leave=leave))))
        self.tell_child(child)

    def owes_release(self, child: Child) -> bool:
        """Whether a child without a process has left addresses in the kernel, and may still be tried for it."""
        dead = child.role == VRRP and not child.alive
        return dead and self._holds_addresses and self._releases < RELEASE_ATTEMPTS

    def owes_telling(self, child: Child) -> bool:
        """Whether a child that does not run has events to tell, which its last process left or never got."""
        return child.state in _COMING and child.ever_ran and bool(self.switchboard.untold(child.name))

    def tell_last(self, child: Child, now: Instant, limit: Duration) -> None:
        """Let a child that does not run come to it, for what it has to tell, and stop it then."""
        child.respawn_at = None
        if not child.alive:
            self.fork(child, now)
        child.stops_at = child.limit = after(now, limit)

    def retire(self, child: Child, now: Instant) -> None:
        """A child has done what it was there for: it is about to exit, and is not started again."""
        child.enter(Cue.STOP, now)
        child.limit = after(now, EXIT_LIMIT)

    def remove(self, child: Child) -> None:
        """Forget a child that is not needed any more and has no process."""
        self.switchboard.leave(child.name)
        del self.children[child.name]
        self.tell_gone(child.name)

    def kill(self, child: Child, now: Instant, why: str) -> None:
        """End a child's process at once; what follows its exit depends on whether it was being stopped."""
        child.enter(Cue.END, now)
        child.limit = None
        child.failure = child.failure or why
        self.report(WARNING, f"{child.name} (pid {child.pid}): {why}; killing it", child)
        self._emit(Kill(name=child.name))
        self.tell_child(child)

    def ending(self, child: Child, now: Instant) -> None:
        """A child closed its pipe or said that it is done: it has little time left to exit by itself."""
        if child.state is State.STOPPING:
            return
        child.enter(Cue.END, now)
        child.limit = after(now, EXIT_LIMIT)
        self.tell_child(child)

    def exited(self, child: Child, status: int, signal: int, now: Instant) -> None:
        """A child's process is gone. One that was not told to stop is started again, now or later."""
        expected = child.state is State.STOPPING
        if child.role == VRRP and child.committed and status == 0 and not signal:
            self._holds_addresses = False
        child.enter(Cue.EXIT, now)
        child.limit, child.pid = None, 0
        self.switchboard.pause(child.name)
        if expected:
            self.tell_child(child)
            return
        released = child.start is Start.RELEASE and status == 0 and not signal
        if not released:  # else the note stays that of the death which made it necessary
            how = f"killed by signal {signal}" if signal else f"exit code {status}"
            child.note = f"{child.failure} ({how})" if child.failure else how
        if child.start is Start.RELEASE:
            self._after_release(child, released, now)
        else:
            self._after_death(child, now)
        self.tell_child(child)

    def fall_due(self, now: Instant) -> None:
        """Start the children whose delay is over; kill those that have taken too long or are silent."""
        for child in tuple(self.children.values()):
            due = child.deadline
            if due is None or now < due:
                continue
            if child.state is State.BACKOFF:
                self.fork(child, now)
            elif child.limit is None:
                self.kill(child, now, f"silent for {for_people(Duration(now - child.heard_at))}")
            else:
                self.kill(child, now, f"took too long while {child.state}")

    def tell_child(self, child: Child) -> None:
        """Tell api how a child is."""
        if child.name == CONFIG:
            return
        self.tell(child.row(), key=child.name)

    def tell_gone(self, name: str) -> None:
        """Tell api that there is no such child any more."""
        self.switchboard.tell(forget(control.ChildState, name))

    def tell(self, message: Message, key: str = "", sequence: int = 0) -> None:
        """Say something of the supervisor's own to whoever receives it."""
        self.switchboard.tell(pack(message, key=key, sequence=sequence))

    def notice(
        self,
        kind: str,
        subject_type: str,
        subject: str,
        now: Instant,
        *,
        old: str = "",
        new: str = "",
        reason: str = "",
    ) -> None:
        """Tell an event of the supervisor's own."""
        self._sequence = max(self._sequence + 1, now)  # after the clock, so that the next daemon repeats none
        message = Notice(
            sequence=self._sequence,
            kind=kind,
            subject_type=subject_type,
            subject=subject,
            old=old,
            new=new,
            reason=reason,
            priority=0,
            monotonic=now,
        )
        self.tell(message, sequence=self._sequence)

    def report(self, level: int, text: str, child: Child | None = None) -> None:
        """Write a line to the log."""
        self._emit(Report(level=level, text=text, fields={"child": child.name if child else SUPERVISOR}))

    def _after_death(self, child: Child, now: Instant) -> None:
        delay = child.backoff.after_death(child.lived(now))
        child.restarts += 1
        child.respawn_at = after(now, delay)
        when = f"again in {for_people(delay)}" if delay else "again now"
        self.report(ERROR, f"{child.name} died: {child.note}; starting it {when}", child)
        self.notice("child_died", "child", child.name, now, old=State.RUNNING, new=State.BACKOFF, reason=child.note)
        if child.role == VRRP and child.ever_ran:
            if self._silent_since is None:
                # One that hung was no use to its peers since it was last heard; else it was until now.
                hung = elapsed(child.heard_at, now) > SIGN_OF_LIFE_OVERDUE
                self._silent_since = child.heard_at if hung else now
            if self._must_release(child.respawn_at):
                self.report(WARNING, "vrrp will not be back before its peers take over: releasing its addresses", child)
                self._release(child, now)

    def _must_release(self, respawn_at: Instant) -> bool:
        """Whether the peers would take over before vrrp is back: then its addresses must not stay (`rules.md`)."""
        if self._silent_since is None or not self.shortest_master_down:
            return False
        return respawn_at >= after(self._silent_since, Duration(self.shortest_master_down - RELEASE_MARGIN))

    def _release(self, child: Child, now: Instant) -> None:
        self._releases += 1
        respawn_at = child.respawn_at
        self.fork(child, now, start=Start.RELEASE)
        child.respawn_at = respawn_at

    def _after_release(self, child: Child, released: bool, now: Instant) -> None:
        if released:
            self._emit(ForgetSendTimes())
        elif self._releases < RELEASE_ATTEMPTS:
            self.report(ERROR, f"vrrp died while it released its addresses: {child.note}; once more", child)
            self._release(child, now)
            return
        else:
            self.report(ERROR, "vrrp could not release its addresses", child)
        child.respawn_at = max(child.respawn_at or now, now)
