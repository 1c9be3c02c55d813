"""What a person calls one instance: the halves of its families move together (keepalived's sync group, SY02).

MASTER only when both halves want it; FAULT of one is FAULT of both and names the half; a better master heard by one
sends both to BACKUP. One event, one line in the log, one state told. With `split = true` each half is a group of its
own, called `NAME/4` and `NAME/6`.
"""

from collections.abc import Sequence

from stayalived.child.events import Forget, Tell
from stayalived.config.virtual_routers import VrrpInstance
from stayalived.messages.notify import Event
from stayalived.messages.vrrp import InstanceState, RouterCounters
from stayalived.timing import Duration, Instant, elapsed
from stayalived.vrrp.desk import ERROR, INFO, Desk
from stayalived.vrrp.election import Election
from stayalived.vrrp.events import DatagramReceived
from stayalived.vrrp.states import State, Trigger

EVENT_KINDS = {State.INIT: "stop", State.BACKUP: "backup", State.MASTER: "master", State.FAULT: "fault"}
"""Kind of the event that a move into a state is."""


class Group:
    """The virtual routers of one instance.

    Attributes:
        name: of the instance; of the virtual router when the halves are independent.
        priority: effective priority.
        members: its virtual routers; the first one leads.
    """

    def __init__(self, name: str, priority: int, members: Sequence[Election], desk: Desk) -> None:
        """Put virtual routers together that have not been started yet."""
        self.name = name
        self.priority = priority
        self.members = list(members)
        self._desk = desk
        self._reason = ""
        self._since = Instant(0)
        self._told: InstanceState | None = None

    @property
    def state(self) -> State:
        """Where the instance stands: all its members stand there."""
        return self.members[0].state

    # ── how it begins and ends ───────────────────────────────────────────────────────────────────────────────────────

    def remember(self, told: InstanceState) -> None:
        """This was told by the process before this one: what has not changed since is no event."""
        self._told = told
        self._since = Instant(told.since)

    def start(self, now: Instant) -> None:
        """Begin, as BACKUP, as MASTER when the addresses are our own, or in FAULT."""
        fault = self._fault()
        if fault:
            self._move(Trigger.FAILED, now, fault)
        else:
            self._move(Trigger.OWNER if self._is_owner() else Trigger.START, now)

    def adopt(self, now: Instant) -> None:
        """Go on as the MASTER that the process before this one was."""
        self._move(Trigger.ADOPTED, now)

    def release(self, now: Instant, *, held: bool) -> None:
        """Give up for a process that died, without a word of working again; `held`: nobody can have noticed yet."""
        for trigger in (Trigger.ADOPTED, Trigger.STOP) if held else ():
            for member in self.members:
                member.move(trigger, now)
        self._say(Trigger.STOP, State.INIT, now, "releasing what its process held that died")

    def stop(self, trigger: Trigger, now: Instant) -> None:
        """Leave, for STOP or DELETED. A deleted instance is forgotten by all who were told of it."""
        if self.state is not State.INIT:
            self._move(trigger, now)
        if trigger is Trigger.DELETED:
            self._desk.tray.tell(Forget(message=InstanceState, key=self.name))

    # ── what happens to its members ──────────────────────────────────────────────────────────────────────────────────

    def hear(self, member: Election, datagram: DatagramReceived, now: Instant) -> None:
        """Let a member take in a datagram and decide what follows for all."""
        trigger = member.hear(datagram, now)
        if trigger is not None:
            if trigger is Trigger.LOWER or (trigger is Trigger.TIE and self._leader_wins(member, now)):
                self._stand_firm(member, now)
            else:
                self._move(trigger, now, datagram.source)
        if member.changed:
            self._tell()

    def expire(self, member: Election, now: Instant) -> None:
        """Let a member do what its timer is for; MASTER when all want it."""
        if member.expire(now) is Trigger.SILENCE and all(each.wants_master for each in self.members):
            self._move(Trigger.SILENCE, now)

    def lose_packets(self, member: Election, lost: int, now: Instant) -> None:
        """A member's socket lost packets."""
        trigger = member.lose_packets(lost, now)
        if trigger is not None:
            self._move(trigger, now)

    def wake_up(self, slept: Duration, now: Instant) -> None:
        """The machine has slept: a MASTER that was silent for too long yields, a BACKUP waits afresh."""
        yielding = [member.wake_up(slept, now) for member in self.members]
        if any(yielding):
            self._move(Trigger.OVERFLOW, now)

    def step_down(self, now: Instant) -> None:
        """Somebody keeps deleting the addresses of a member."""
        if self.state is State.MASTER:
            self._move(Trigger.STOLEN, now)

    def check(self, now: Instant) -> None:
        """Something about an interface has changed: see whether all members can work."""
        fault = self._fault()
        if fault and self.state in {State.BACKUP, State.MASTER}:
            self._move(Trigger.FAILED, now, fault)
        elif fault and self.state is State.FAULT:
            self._reason = f"{Trigger.FAILED.value}: {fault}"
            self._tell()
        elif not fault and self.state is State.FAULT:
            self._move(Trigger.OWNER if self._is_owner() else Trigger.RECOVERED, now)

    def look(self) -> None:
        """Tell what has changed about the members, if anything has."""
        if any(member.changed or member.holding.changed for member in self.members):
            self._tell()

    # ── how it changes with the configuration ────────────────────────────────────────────────────────────────────────

    def reconfigure(self, instance: VrrpInstance, members: Sequence[Election], now: Instant) -> None:
        """Go on with these members; new ones join in the state that the others are in.

        What became of the configuration of those that stay is their own affair; those that left have been stopped.
        """
        state = self.state
        self.priority = instance.priority
        self.members = list(members)
        for member in members:
            if member.state is State.INIT and state is not State.INIT:
                member.move(_JOINING[state], now)
        self.check(now)
        self._tell()

    def drop(self, member: Election, now: Instant) -> None:
        """A half is no longer configured: it leaves alone, the other one stays what it is."""
        member.move(Trigger.DELETED, now)
        self.members.remove(member)

    # ── decisions ────────────────────────────────────────────────────────────────────────────────────────────────────

    def _leader_wins(self, member: Election, now: Instant) -> bool:
        """Tell whether the leading half has won the tie that this half would lose.

        Two directors of equal priority, the one with the higher IPv4 address and the other with the higher IPv6
        address, would else both step down, and both come back, for ever.
        """
        leader = self.members[0]
        won = leader.tie_won_at
        return member is not leader and won is not None and elapsed(won, now) < leader.master_down_interval

    def _stand_firm(self, member: Election, now: Instant) -> None:
        """Answer an inferior advert; the first one of a series is an event (keepalived's V55)."""
        if member.assert_mastership(now):
            self._event("lower_priority", State.MASTER, Trigger.LOWER, now)

    def _fault(self) -> str:
        """Return the first fault of a member, with the name of the half, or empty."""
        faults = ((member.router.key, member.fault) for member in self.members)
        return next((f"{key}: {fault}" for key, fault in faults if fault), "")

    def _is_owner(self) -> bool:
        return all(member.is_owner for member in self.members)

    # ── moves and what is told of them ───────────────────────────────────────────────────────────────────────────────

    def _move(self, trigger: Trigger, now: Instant, detail: str = "") -> None:
        """Move all members, then say so, in keepalived's words."""
        old = self.state
        for member in self.members:
            member.move(trigger, now)
        self._say(trigger, old, now, detail)

    def _say(self, trigger: Trigger, old: State, now: Instant, detail: str) -> None:
        before = self._told.state if self._told else old
        self._reason = f"{trigger.value}: {detail}" if detail else trigger.value
        if self.state != before or self._told is None:
            self._since = now
        self._report(trigger)
        self._tell()
        if self.state != before:
            kind = "deleted" if trigger is Trigger.DELETED else EVENT_KINDS[self.state]
            self._event(kind, State(before), trigger, now)

    def _report(self, trigger: Trigger) -> None:
        state = self.state
        level = ERROR if state is State.FAULT else INFO
        if trigger is Trigger.ADOPTED:
            text = f"({self.name}) Going on in MASTER STATE ({self._reason})"
        elif state is State.INIT:
            text = f"({self.name}) {self._reason}"
        else:
            text = f"({self.name}) Entering {state} STATE ({self._reason})"
        self._desk.tray.report(level, text, instance=self.name, state=state.value, priority=str(self.priority))

    def _tell(self) -> None:
        """Tell the whole present state, unless it is what was told last."""
        state = InstanceState(
            name=self.name,
            state=self.state,
            reason=self._reason,
            since=self._since,
            priority=self.priority,
            routers=tuple(member.row() for member in self.members),
        )
        if state != self._told:
            self._told = state
            self._desk.tray.tell(Tell(message=state, key=self.name))

    def _event(self, kind: str, old: State, trigger: Trigger, now: Instant) -> None:
        sequence = self._desk.next_sequence(now)
        event = Event(
            sequence=sequence,
            kind=kind,
            subject_type="instance",
            subject=self.name,
            old=old.value,
            new=self.state.value,
            reason=self._reason if trigger is not Trigger.LOWER else trigger.value,
            priority=self.priority,
            monotonic=now,
        )
        self._desk.tray.tell(Tell(message=event, sequence=sequence))


_JOINING = {
    State.BACKUP: Trigger.START,
    State.MASTER: Trigger.JOINED,
    State.FAULT: Trigger.FAILED,
}
"""What brings a new member into the state of the others."""


def forget_router(member: Election, desk: Desk) -> None:
    """Let nobody be told of a virtual router that is no more."""
    desk.counters.forget(member.router.key)
    desk.tray.tell(Forget(message=RouterCounters, key=member.router.key))
