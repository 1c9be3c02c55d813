"""What a person calls one instance: the halves of its families, with one state, one event, one line in the log."""

from collections.abc import Sequence

from stayalived.child.events import Forget
from stayalived.config.virtual_routers import Tracker, VrrpInstance
from stayalived.messages.vrrp import InstanceState, RouterCounters
from stayalived.timing import Instant
from stayalived.vrrp.chronicle import Chronicle
from stayalived.vrrp.desk import INFO, Desk
from stayalived.vrrp.election import Election
from stayalived.vrrp.states import State, Trigger
from stayalived.vrrp.tracking import Standing, effective, unknown


class Instance:
    """One instance; with `split = true` each half is one, called `NAME/4` and `NAME/6`.

    Attributes:
        name: of the instance; of the virtual router when the halves are independent.
        group: name of its sync group, or empty.
        members: its virtual routers; the first one leads.
        trackers: what it tracks.
        standing: what these come to.
        causes: every fault that keeps it in FAULT (V59).
        chronicle: what is told of it.
        not_before: when it begins at the earliest (VG17).
    """

    def __init__(self, name: str, configuration: VrrpInstance, members: Sequence[Election], desk: Desk) -> None:
        """Put virtual routers together that have not been started yet."""
        self.name = name
        self.group = ""
        self.members = list(members)
        self.trackers: tuple[Tracker, ...] = configuration.trackers
        self.standing = Standing()
        self.causes: tuple[str, ...] = ()
        self.not_before = Instant(0)
        self.chronicle = Chronicle("instance", name, self._describe, desk)
        self._base = configuration.priority
        self._desk = desk

    @property
    def state(self) -> State:
        """Where the instance stands: all its members stand there."""
        return self.members[0].state

    @property
    def priority(self) -> int:
        """Its effective priority."""
        return self.members[0].priority

    @property
    def is_owner(self) -> bool:
        """Whether the addresses of all halves are the machine's own."""
        return all(member.is_owner for member in self.members)

    def faults(self) -> tuple[str, ...]:
        """Return everything that keeps it from working, each with whose it is."""
        own = ((member.router.key, member.fault) for member in self.members)
        tracked = (f"{self.name}: {fault}" for fault in self.standing.faults)
        return (*(f"{key}: {fault}" for key, fault in own if fault), *tracked)

    def missing(self) -> tuple[str, ...]:
        """Return what it has to wait for before it can begin."""
        pending = (member.site.pending(member.router) for member in self.members)
        return (*(f"{what} is being made" for what in pending if what), *unknown(self.standing))

    def follow(self, configuration: VrrpInstance, members: Sequence[Election]) -> None:
        """Go on with another configuration and these members."""
        self._base = configuration.priority
        self.trackers = configuration.trackers
        self.members = list(members)

    def reprioritise(self, delta: int, now: Instant) -> None:
        """Go on with a priority that trackers have changed (T01)."""
        priority, before = effective(self._base, delta), self.priority
        if all(member.priority == priority for member in self.members):
            return
        for member in self.members:
            member.reprioritise(priority, now)
        if self.state is not State.INIT and priority != before:
            text = f"({self.name}) effective priority {priority}, was {before}"
            self._desk.tray.report(INFO, text, instance=self.name, priority=str(priority))
            self.chronicle.event("priority", self.state, self.state, now, priority, f"was {before}")
        self.look()

    def say(self, trigger: Trigger, now: Instant, detail: str = "") -> None:
        """Tell a move that has been made."""
        self.causes = ()
        self.chronicle.say(self.state, trigger, now, priority=self.priority, detail=detail)

    def blame(self, causes: tuple[str, ...]) -> None:
        """Tell what keeps it in FAULT now."""
        self.causes = causes
        self.chronicle.explain(Trigger.FAILED, causes[0])

    def look(self) -> None:
        """Tell what has changed about the members, if anything has."""
        if any(member.changed or member.holding.changed for member in self.members):
            self.chronicle.look()

    def _describe(self) -> InstanceState:
        return InstanceState(
            name=self.name,
            state=self.state,
            reason=self.chronicle.reason,
            since=self.chronicle.since,
            priority=self.priority,
            routers=tuple(member.row() for member in self.members),
            group=self.group,
            faults=self.causes,
            configured_priority=self._base,
        )


def forget_router(member: Election, desk: Desk) -> None:
    """Let nobody be told of a virtual router that is no more."""
    desk.counters.forget(member.router.key)
    desk.tray.tell(Forget(message=RouterCounters, key=member.router.key))
