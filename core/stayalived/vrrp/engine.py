"""The VRRP engine: events in, effects out, one deadline. It finds whom an event is for and puts effects in order.

The machine of one virtual router is in `election`, its table in `states`; who moves together is in `group`; what a
reload changes is in `roster`, what a restart finds in `past`; what the kernel and the wire say is in `senses`.
"""

from collections.abc import Callable, Sequence
from typing import Any

from stayalived.child.events import (
    Abort,
    AnswerPrepared,
    ChildEvent,
    Commit,
    Finished,
    Prepare,
    Received,
    Stop,
)
from stayalived.config.model import Configuration
from stayalived.errors import Bug
from stayalived.messages.control import Start
from stayalived.messages.services import FirstRound, TrackState
from stayalived.timing import Duration, Instant, after, earliest, elapsed, for_people, seconds
from stayalived.vrrp.desk import WARNING, Desk, Effect
from stayalived.vrrp.election import Election
from stayalived.vrrp.events import SendTimesRead, Suspended, VrrpEvent
from stayalived.vrrp.group import Group
from stayalived.vrrp.holding import Holding
from stayalived.vrrp.ledger import Ledger
from stayalived.vrrp.links import Link
from stayalived.vrrp.macs import VirtualMacs
from stayalived.vrrp.past import Past, Restart
from stayalived.vrrp.preparation import problems_of
from stayalived.vrrp.rhythm import Beat
from stayalived.vrrp.roster import Roster
from stayalived.vrrp.senses import Senses
from stayalived.vrrp.states import Trigger
from stayalived.vrrp.timers import Alarms
from stayalived.vrrp.tracking import Tracked

SLICE = 250
"""Timers that are acted on in one go, so that sockets are read in between: about 10 ms of work."""

STALL = seconds(0.5)
"""A deadline that is met so much later is worth a line in the log, which says how much (K#2066)."""

Sleeper = Election | Holding | Beat | Group | Link | Ledger | VirtualMacs


class VrrpEngine:
    """Speaks VRRP for all virtual routers of a configuration. Implements `stayalived.engine.Engine`."""

    def __init__(self) -> None:
        """Start without a configuration."""
        self._desk = Desk()
        self._roster = Roster(self._desk)
        self._alarms: Alarms[Sleeper] = Alarms()
        self._senses = Senses(self._roster, self._desk, self._file, self._alarms.file)
        self._past = Past()
        self._prepared: tuple[int, Configuration] | None = None
        self._running: Configuration | None = None
        self._finished = False
        self._round_open: bool | None = None
        self._left_over: Instant | None = None
        self._handlers: dict[type, Callable[[Any, Instant], None]] = {
            **self._senses.handlers,
            Suspended: self._wake_up,
            SendTimesRead: self._learn_send_times,
            Prepare: self._prepare,
            Commit: self._commit,
            Abort: self._abort,
            Stop: self._stop,
            Received: self._receive,
        }
        self._alarm_handlers: dict[type, Callable[[Any, Instant], None]] = {
            Election: self._expire,
            Holding: self._mend,
            Beat: self._beat,
            Group: self._begin_group,
            Link: self._listen_again,
            Ledger: self._ask_again,
            VirtualMacs: self._make_macs,
        }

    @property
    def deadline(self) -> Instant | None:
        """The earliest moment at which `wake` has something to do, or None."""
        if self._finished:
            return None
        announcer, counters = self._desk.announcer, self._desk.counters
        return earliest((self._left_over, self._alarms.next(), announcer.deadline, counters.deadline))

    @property
    def roster(self) -> Roster:
        """All that it works for, as it is, for tests and for the simulator; they only look."""
        return self._roster

    def handle(self, event: ChildEvent | VrrpEvent, now: Instant) -> Sequence[Effect]:
        """Take in one event and return what is to be done, in this order."""
        if self._finished:
            return ()
        is_behind = self._left_over is not None
        self._handlers[type(event)](event, now)
        if is_behind and not self._finished:
            return self._desk.tray.take_urgent()  # `wake` goes on with the rest, after what is due
        return self._take(now)

    def wake(self, now: Instant) -> Sequence[Effect]:
        """Do what has become due: adverts first, the kernel next, announcements when no advert is due any more."""
        if self._finished:
            return ()
        self._notice_stall(now)
        for sleeper in self._alarms.due(now, SLICE):
            self._alarm_handlers[type(sleeper)](sleeper, now)
        effects = list(self._take(now))
        following = self._alarms.next()
        if following is None or following > now:
            effects += self._desk.announcer.take(now)
            effects += self._desk.counters.take(now)
        return effects

    def _take(self, now: Instant) -> Sequence[Effect]:
        """Return the next slice of what is to be done; the rest is done as soon as nothing else is due."""
        self._roster.ledger.settle(now)
        tray = self._desk.tray
        effects = tray.take_all() if self._finished else tray.take()
        self._left_over = now if tray.is_waiting else None
        return effects

    # ── what a deadline is for ───────────────────────────────────────────────────────────────────────────────────────

    def _expire(self, member: Election, now: Instant) -> None:
        group = self._roster.members[member.router.key][0]
        group.expire(member, now)
        self._file(group)

    def _mend(self, holding: Holding, now: Instant) -> None:
        group = self._roster.members[holding.key][0]
        if not holding.mend(now):
            group.step_down(now)
        group.look()
        self._file(group)

    def _beat(self, beat: Beat, now: Instant) -> None:
        due, speakers = beat.take(now)
        for member in speakers:
            member.advertise(due, now)
        self._alarms.file(beat)

    def _begin_group(self, group: Group, now: Instant) -> None:
        group.begin(now)
        self._file(group)

    def _listen_again(self, link: Link, _now: Instant) -> None:
        for effect in link.retry():
            self._desk.tray.before_packets(effect)

    def _ask_again(self, ledger: Ledger, now: Instant) -> None:
        ledger.retry(now)
        self._senses.look_for_addresses(now)

    def _make_macs(self, macs: VirtualMacs, _now: Instant) -> None:
        macs.look()

    def _notice_stall(self, now: Instant) -> None:
        """Say for how long this process stood still, if it did: whoever asks why a router moved finds it there."""
        due = self._alarms.next()
        if due is not None and elapsed(due, now) >= STALL:
            late = for_people(elapsed(due, now))
            text = f"this process stood still for {late}: the machine, or the host under it, is busy; adverts were late"
            self._desk.tray.report(WARNING, text, late=late)
            self._desk.tray.tell(self._desk.stalled(f"for {late}", now))

    def _file(self, group: Group) -> None:
        """Take note of the deadlines of a group that something has happened to."""
        file = self._alarms.file
        for member in group.members:
            file(member)
            file(member.holding)
            if member.beat is not None:
                file(member.beat)
        file(group)

    def _file_all(self) -> None:
        for group in self._roster.groups.values():
            self._file(group)
        self._alarms.file(self._roster.ledger)
        self._alarms.file(self._roster.macs)

    def _wake_up(self, event: Suspended, now: Instant) -> None:
        for group in self._roster.groups.values():
            group.wake_up(event.slept, now)
            self._file(group)

    # ── from the supervisor ──────────────────────────────────────────────────────────────────────────────────────────

    def _receive(self, event: Received, now: Instant) -> None:
        """Remember what is retold before the first configuration; hear of checks, and of the first round of them."""
        message = event.message
        if isinstance(message, FirstRound):
            self._hear_of_round(message, now)
        elif isinstance(message, TrackState):
            self._roster.checks[event.key] = Tracked(up=message.up, value=message.value, reason=message.reason)
            self._look_at_trackers(event.key, now)
        elif message is None:
            if self._roster.checks.pop(event.key, None) is not None:
                self._look_at_trackers(event.key, now)
        elif self._running is None:
            self._past.take(event.key, message)

    def _look_at_trackers(self, key: str, now: Instant) -> None:
        for group in self._roster.tracking(key):
            group.track(self._roster.checks, self._roster.links, now)
            group.check(now)
            self._file(group)

    def _hear_of_round(self, message: FirstRound, now: Instant) -> None:
        opened = message.open and not self._round_open
        self._round_open = message.open
        if not message.open:
            self._desk.no_preemption_before = None
        elif opened and self._running is not None:
            self._hold(self._running, now)

    def _learn_send_times(self, event: SendTimesRead, _now: Instant) -> None:
        self._past.send_times = dict(event.times)

    def _prepare(self, event: Prepare, _now: Instant) -> None:
        """Say whether the configuration can be used: after `Commit` nothing may be refused any more."""
        problems = problems_of(event.configuration, self._running, self._roster.links, self._past.instances)
        if not problems:
            self._prepared = (event.generation, event.configuration)
        self._desk.tray.tell(AnswerPrepared(generation=event.generation, problems=problems))

    def _abort(self, event: Abort, _now: Instant) -> None:
        if self._prepared is not None and self._prepared[0] == event.generation:
            self._prepared = None

    def _commit(self, event: Commit, now: Instant) -> None:
        if self._prepared is None or self._prepared[0] != event.generation:
            raise Bug(f"vrrp: commit of generation {event.generation}, which was not prepared")
        configuration = self._prepared[1]
        self._prepared = None
        if self._running is not None:
            self._running = configuration
            self._roster.change(configuration, now)
        else:
            self._running = configuration
            self._begin(configuration, event.start, now)
        self._file_all()

    def _begin(self, configuration: Configuration, start: Start, now: Instant) -> None:
        """Start everything. A first start adopts nothing, whatever is found."""
        replaced = start in {Start.RESPAWNED, Start.RELEASE}
        if self._round_open or (self._round_open is None and not replaced):
            self._hold(configuration, now)
        past, self._past = self._past if replaced else Past(), Past()  # it excuses no configuration that comes later
        past.release = start is Start.RELEASE
        self._roster.slots.remember({row.key: row.slot for told in past.instances.values() for row in told.routers})
        self._roster.form(configuration)
        delay = Duration(0) if replaced else _startup_delay(configuration, now)
        Restart(self._roster, past, self._desk, now, delay).begin()
        if past.release:
            self._finish()

    def _hold(self, configuration: Configuration, now: Instant) -> None:
        """Do not preempt before servers have been checked; without virtual servers there is nothing to wait for."""
        if configuration.virtual_servers and configuration.globals.start_hold:
            self._desk.no_preemption_before = after(now, configuration.globals.start_hold)

    def _stop(self, _event: Stop, now: Instant) -> None:
        """Priority 0, addresses removed, sockets closed: the same with and without `leave`, which is about IPVS."""
        for group in self._roster.groups.values():
            group.stop(Trigger.STOP, now)
        self._finish()

    def _finish(self) -> None:
        self._roster.macs.remove_all()
        self._roster.sysctls.put_all_back()
        for link in self._roster.links.values():
            link.listen(frozenset())
            self._desk.tray.tell_state(link)
        self._desk.tray.tell(Finished())
        self._finished = True


def _startup_delay(configuration: Configuration, now: Instant) -> Duration:
    """Return how long instances wait before they begin; the longer of the two applies (VG17).

    CLOCK_MONOTONIC begins at the boot, so `now` is the machine's age.
    """
    after_boot = max(configuration.globals.vrrp_delay_after_boot - now, 0)
    return Duration(max(configuration.globals.vrrp_startup_delay, after_boot))
