"""What is told of an instance or a sync group: its state, its moves as events, a line in the log for each."""

from collections.abc import Callable, Sequence

from stayalived.child.events import Forget, Tell
from stayalived.messages.notify import Event
from stayalived.messages.vrrp import GroupState, InstanceState
from stayalived.timing import Instant
from stayalived.vrrp.desk import ERROR, INFO, Desk, Effect
from stayalived.vrrp.states import State, Trigger

EVENT_KINDS = {State.INIT: "stop", State.BACKUP: "backup", State.MASTER: "master", State.FAULT: "fault"}
"""Kind of the event that a move into a state is."""

Told = InstanceState | GroupState


class Chronicle:
    """Tells of one subject; repeats nothing that was told before, by this process or by the one before it.

    Attributes:
        reason: why the subject is in its state.
        since: since when.
        is_queued: waits for its turn to tell the state; belongs to the tray.
    """

    def __init__(self, kind: str, name: str, describe: Callable[[], Told], desk: Desk) -> None:
        """Have nothing told yet.

        Args:
            kind: of the subject: `instance` or `group`.
            name: of the subject.
            describe: returns its whole present state.
            desk: where it is told.
        """
        self.kind = kind
        self.name = name
        self.reason = ""
        self.since = Instant(0)
        self.is_queued = False
        self._describe = describe
        self._desk = desk
        self._said: State | None = None
        self._told: Told | None = None

    def remember(self, told: Told) -> None:
        """This was told by the process before this one: what has not changed since is no event."""
        self._told = told
        self._said = State(told.state)
        self.since = Instant(told.since)

    def wait(self, why: str, now: Instant) -> None:
        """Tell that the subject has not begun yet, and why."""
        if self._said is State.INIT and self.reason == why:
            return
        if self._said is not State.INIT:
            self._said, self.since = State.INIT, now
        self.reason = why
        self._desk.tray.report(INFO, f"({self.name}) waits: {why}")
        self._desk.tray.tell_state(self)

    def say(self, state: State, trigger: Trigger, now: Instant, *, priority: int, detail: str = "") -> None:
        """Tell a move that has been made: in the log in keepalived's words, as state, and as event."""
        before = self._said or State.INIT
        self.explain(trigger, detail)
        if state is not before or self._said is None:
            self.since = now
        self._said = state
        self._report(state, trigger, priority)
        if state is not before:
            self.event("deleted" if trigger is Trigger.DELETED else EVENT_KINDS[state], before, state, now, priority)

    def explain(self, trigger: Trigger, detail: str) -> None:
        """Give another reason for the state that the subject is in."""
        self.reason = f"{trigger.value}: {detail}" if detail else trigger.value
        self._desk.tray.tell_state(self)

    def look(self) -> None:
        """Something else about the state may have changed: tell it if it has."""
        self._desk.tray.tell_state(self)

    def tell(self) -> Sequence[Effect]:
        """Return the whole present state, unless it is what was told last."""
        self.is_queued = False
        if self._said is None:
            return ()
        state = self._describe()
        if state == self._told:
            return ()
        self._told = state
        return (Tell(message=state, key=self.name),)

    def forget(self, message: type[Told]) -> None:
        """Let all forget the subject who were told of it."""
        self._said = self._told = None
        self._desk.tray.tell(Forget(message=message, key=self.name))

    def event(self, kind: str, old: State, new: State, now: Instant, priority: int, reason: str = "") -> None:
        """Let notify be told that something happened."""
        sequence = self._desk.next_sequence(now)
        event = Event(
            sequence=sequence,
            kind=kind,
            subject_type=self.kind,
            subject=self.name,
            old=old.value,
            new=new.value,
            reason=reason or self.reason,
            priority=priority,
            monotonic=now,
        )
        self._desk.tray.tell(Tell(message=event, sequence=sequence))

    def _report(self, state: State, trigger: Trigger, priority: int) -> None:
        label = f"({self.name})" if self.kind == "instance" else f"Group({self.name})"
        if trigger is Trigger.ADOPTED:
            text = f"{label} Going on in MASTER STATE ({self.reason})"
        elif state is State.INIT:
            text = f"{label} {self.reason}"
        else:
            text = f"{label} Entering {state} STATE ({self.reason})"
        level = ERROR if state is State.FAULT else INFO
        fields = {self.kind: self.name, "state": state.value, "priority": str(priority)}
        self._desk.tray.report(level, text, **fields)
