"""Instances that move together: those of a sync group (keepalived's SY02), or one alone.

| what happens to one virtual router | what follows for all |
|---|---|
| its master-down timer fires | MASTER when all want it; until then its timer runs again |
| a better master is heard | BACKUP; who has not heard one says nothing to the others' neighbours |
| a fault, or a tracked check that fails | FAULT; those that can still speak say goodbye |
| the last fault is over | BACKUP |
| somebody keeps deleting its addresses | BACKUP, with a goodbye |

The two halves of an instance of both families move together in the same way, with one event and one state for both.
Pure: what it decides is done by its `Instance`s and `Election`s.
"""

from collections.abc import Iterator, Mapping, Sequence
from enum import Enum

from stayalived.config.virtual_routers import Tracker
from stayalived.messages.vrrp import GroupState, InstanceState
from stayalived.timing import NO_TIME, Duration, Instant, after, elapsed, for_people, seconds
from stayalived.vrrp.chronicle import Chronicle
from stayalived.vrrp.desk import WARNING, Desk
from stayalived.vrrp.election import Election
from stayalived.vrrp.events import DatagramReceived
from stayalived.vrrp.instance import Instance
from stayalived.vrrp.links import Link
from stayalived.vrrp.states import State, Trigger
from stayalived.vrrp.tracking import Standing, Tracked, judge, unknown

PATIENCE = seconds(30)
"""How long an instance waits for its macvlan, and for the first result of a check that would put it into FAULT.

A checker that cannot work must not keep both machines from the address.
"""


class _Wait(Enum):
    """What keeps a group from beginning."""

    NOTHING = 0
    DELAY = 1
    MISSING = 2


_JOINING: dict[tuple[State, State], Trigger] = {
    (State.INIT, State.BACKUP): Trigger.START,
    (State.INIT, State.MASTER): Trigger.JOINED,
    (State.INIT, State.FAULT): Trigger.FAILED,
    (State.BACKUP, State.FAULT): Trigger.FAILED,
    (State.MASTER, State.FAULT): Trigger.FAILED,
    (State.MASTER, State.BACKUP): Trigger.GROUPED,
    (State.FAULT, State.BACKUP): Trigger.RECOVERED,
}
"""What brings a member from its state into that of the others."""


class Group:
    """Instances that move together.

    Attributes:
        name: of the sync group; empty for an instance alone.
        instances: in the order of the configuration; the first half of the first one leads.
        trackers: those of the sync group.
        standing: what these come to.
        deadline: when it begins at the latest, while it waits.
        chronicle: what is told of the sync group; None for an instance alone.
    """

    def __init__(self, name: str, instances: Sequence[Instance], trackers: tuple[Tracker, ...], desk: Desk) -> None:
        """Put instances together that have not been started yet, or that move together from now on."""
        self.name = name
        self.deadline: Instant | None = None
        self.filed: Instant | None = None
        self.chronicle = Chronicle("group", name, self._describe, desk) if name else None
        self._desk = desk
        self._wait = _Wait.NOTHING
        self._asked = Instant(0)  # when it was told to start
        self._disputed_since: Instant | None = None  # when a member lost a tie that the leading one has not
        self.standing = Standing()
        self.follow(instances, trackers)

    @property
    def members(self) -> Iterator[Election]:
        """All virtual routers, the leading one first."""
        return (member for instance in self.instances for member in instance.members)

    @property
    def state(self) -> State:
        """Where it stands: all its members stand there."""
        return self.instances[0].state

    @property
    def all_trackers(self) -> Iterator[Tracker]:
        """What it tracks, and what its instances do."""
        yield from self.trackers
        for instance in self.instances:
            yield from instance.trackers

    @property
    def is_waiting(self) -> bool:
        """Whether it was told to start and has not begun."""
        return self._wait is not _Wait.NOTHING

    def follow(self, instances: Sequence[Instance], trackers: tuple[Tracker, ...]) -> None:
        """Consist of these instances from now on, and track this."""
        self.instances = list(instances)
        self.trackers = trackers
        for instance in self.instances:
            instance.group = self.name

    # ── how it begins and ends ───────────────────────────────────────────────────────────────────────────────────────

    def start(self, now: Instant, delay: Duration = NO_TIME) -> None:
        """Begin, as BACKUP, as MASTER when all addresses are our own, or in FAULT; later when there is a delay.

        One that an instance was put off for before, in another group, goes on.
        """
        delay = Duration(max(delay, *(instance.not_before - now for instance in self.instances)))
        self._asked = after(now, delay)
        for instance in self.instances:
            instance.not_before = self._asked
        if delay:
            self._put_off(_Wait.DELAY, self._asked, f"startup delay of {for_people(delay)}", now)
        else:
            self.begin(now)

    def begin(self, now: Instant) -> None:
        """Begin, unless something that it takes is still missing and there is time left."""
        awaited = [*(what for instance in self.instances for what in instance.missing()), *unknown(self.standing)]
        missing = ", ".join(dict.fromkeys(awaited))
        if missing and elapsed(self._asked, now) < PATIENCE:
            self._put_off(_Wait.MISSING, after(self._asked, PATIENCE), missing, now)
            return
        if missing:
            text = f"begins after {for_people(PATIENCE)} though {missing}"
            self._desk.tray.report(WARNING, f"({self.instances[0].name}) {text}")
        self._wait, self.deadline = _Wait.NOTHING, None
        faults = self._faults()
        if faults:
            self._move(Trigger.FAILED, now, faults[0])
            self._blame(faults)
        else:
            self._move(Trigger.OWNER if self._is_owner() else Trigger.START, now)

    def _put_off(self, wait: _Wait, until: Instant, why: str, now: Instant) -> None:
        self._wait, self.deadline = wait, until
        for instance in self.instances:
            instance.chronicle.wait(why, now)

    def adopt(self, now: Instant) -> None:
        """Go on as the MASTER that the process before this one was."""
        self._move(Trigger.ADOPTED, now)

    def release(self, now: Instant, *, held: bool) -> None:
        """Give up for a process that died, without a word of working again; `held`: nobody can have noticed yet."""
        for trigger in (Trigger.ADOPTED, Trigger.STOP) if held else ():
            for member in self.members:
                member.move(trigger, now)
        self._say(Trigger.STOP, now, "releasing what its process held that died")

    def stop(self, trigger: Trigger, now: Instant) -> None:
        """Leave, for STOP or DELETED. A deleted instance is forgotten by all who were told of it."""
        self._wait, self.deadline = _Wait.NOTHING, None
        if self.state is not State.INIT:
            self._move(trigger, now)
        if trigger is Trigger.DELETED:
            for instance in self.instances:
                instance.chronicle.forget(InstanceState)
            self.dissolve()

    def part(self, instance: Instance, now: Instant) -> None:
        """Let one instance go that is no longer configured; the others stay what they are."""
        self.instances.remove(instance)
        if instance.state is not State.INIT:
            for member in instance.members:
                member.move(Trigger.DELETED, now)
            instance.say(Trigger.DELETED, now)
        instance.chronicle.forget(InstanceState)

    def dissolve(self) -> None:
        """Begin no more, and let all forget the sync group who were told of it; its instances go on elsewhere."""
        self._wait, self.deadline = _Wait.NOTHING, None
        if self.chronicle is not None:
            self.chronicle.forget(GroupState)

    # ── what happens to its members ──────────────────────────────────────────────────────────────────────────────────

    def hear(self, member: Election, datagram: DatagramReceived, now: Instant) -> None:
        """Let a member take in a datagram and decide what follows for all."""
        trigger = member.hear(datagram, now)
        if trigger is not None:
            if trigger is Trigger.LOWER or (trigger is Trigger.TIE and self._leader_wins(member, now)):
                self._stand_firm(member, now)
            elif trigger is not Trigger.TIE or not self._waits_for_leader(member, now):
                self._move(trigger, now, datagram.source)
        if member.changed:
            self.look()

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
        """Somebody keeps deleting what a member holds."""
        if self.state is State.MASTER:
            self._move(Trigger.STOLEN, now)

    def track(self, checks: Mapping[str, Tracked], links: Mapping[str, Link], now: Instant) -> None:
        """Take in what its trackers say: priorities, and what keeps it from working. Call `check` afterwards."""
        self.standing = judge(self.trackers, checks, links)
        for instance in self.instances:
            # SY03: inside of a sync group only a fault of a member's own trackers counts, and the group's weights.
            instance.standing = judge(instance.trackers, checks, links)
            instance.reprioritise((self if self.name else instance).standing.delta, now)

    def check(self, now: Instant) -> None:
        """Something about an interface or a tracker has changed: see whether all members can work."""
        if self.state is State.INIT:
            if self._wait is _Wait.MISSING:
                self.begin(now)
            return
        faults = self._faults()
        if faults and self.state is not State.FAULT:
            self._move(Trigger.FAILED, now, faults[0])
        elif not faults and self.state is State.FAULT:
            self._move(Trigger.OWNER if self._is_owner() else Trigger.RECOVERED, now)
            for member in self.members:
                member.voice.announce_source(now)
        if faults:
            self._blame(faults)

    def settle(self, now: Instant) -> None:
        """Bring all members into one state, after a reload has put them together: the least of theirs."""
        states = {member.state for member in self.members} - {State.INIT}
        if not states:
            return
        target = State.MASTER
        if self._faults():
            target = State.FAULT
        elif states != {State.MASTER}:
            target = State.BACKUP
        for instance in self.instances:
            triggers = [_JOINING[member.state, target] for member in instance.members if member.state is not target]
            for member in instance.members:
                if member.state is not target:
                    member.move(_JOINING[member.state, target], now)
            if triggers:
                instance.say(triggers[0], now, self.name)
        if self.chronicle is not None:
            self.chronicle.say(self.state, Trigger.GROUPED, now, priority=0)
        self.check(now)

    def look(self) -> None:
        """Tell what has changed about the members, if anything has."""
        for instance in self.instances:
            instance.look()

    # ── decisions ────────────────────────────────────────────────────────────────────────────────────────────────────

    def _leader_wins(self, member: Election, now: Instant) -> bool:
        """Tell whether the leading half has won the tie that this half would lose.

        Two directors of equal priority, the one with the higher IPv4 address and the other with the higher IPv6
        address, would else both step down, and both come back, for ever.
        """
        leader = self.instances[0].members[0]
        won = leader.tie_won_at
        return member is not leader and won is not None and elapsed(won, now) < leader.patience

    def _waits_for_leader(self, member: Election, now: Instant) -> bool:
        """Tell whether a lost tie is to be left open until the leading member has had the time to hear of its own.

        Which socket is read first is chance. If each director heard first what it loses, both would step down.
        """
        leader = self.instances[0].members[0]
        since = self._disputed_since
        if member is leader:
            return False
        if since is None or elapsed(since, now) >= 2 * max(leader.patience, member.patience):
            self._disputed_since = now
            return True
        return elapsed(since, now) < leader.router.advert_int

    def _stand_firm(self, member: Election, now: Instant) -> None:
        """Answer an inferior advert; the first one of a series is an event, and announced by all (V55, SY09).

        By both families as well: whoever took himself for the master has announced the addresses of both.
        """
        if not member.assert_mastership(now):
            return
        for sibling in self.members:
            sibling.contradict(now)
        instance = next(each for each in self.instances if member in each.members)
        instance.chronicle.event(
            "lower_priority", State.MASTER, State.MASTER, now, instance.priority, Trigger.LOWER.value
        )

    def _faults(self) -> tuple[str, ...]:
        """Return everything that keeps its members from working, each with whose it is."""
        shared = (f"sync group {self.name}: {fault}" for fault in self.standing.faults)
        return (*(fault for instance in self.instances for fault in instance.faults()), *shared)

    def _blame(self, faults: tuple[str, ...]) -> None:
        for instance in self.instances:
            instance.blame(faults)
        if self.chronicle is not None:
            self.chronicle.explain(Trigger.FAILED, faults[0])

    def _is_owner(self) -> bool:
        return all(instance.is_owner for instance in self.instances)

    def _move(self, trigger: Trigger, now: Instant, detail: str = "") -> None:
        """Move all members, then say so."""
        self._disputed_since = None
        for member in self.members:
            member.move(trigger, now)
        self._say(trigger, now, detail)

    def _say(self, trigger: Trigger, now: Instant, detail: str) -> None:
        """Tell of each instance, then of the group, whose events have priority 0 (SY04)."""
        for instance in self.instances:
            instance.say(trigger, now, detail)
        if self.chronicle is not None:
            self.chronicle.say(self.state, trigger, now, priority=0, detail=detail)

    def _describe(self) -> GroupState:
        assert self.chronicle is not None
        return GroupState(
            name=self.name,
            state=self.state,
            reason=self.chronicle.reason,
            since=self.chronicle.since,
            instances=tuple(instance.name for instance in self.instances),
        )
