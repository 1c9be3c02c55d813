"""The VRRP engine: events in, effects out, one deadline. It finds whom an event is for and puts effects in order.

The machine of one virtual router is in `election`, its table in `states`; instances are in `group`; what a reload
changes is in `roster`.
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
from stayalived.messages.services import FirstRound
from stayalived.messages.vrrp import InstanceState, RouterCounters
from stayalived.timing import Instant, after, earliest
from stayalived.vrrp.desk import ERROR, Desk, Effect
from stayalived.vrrp.effects import AddAddresses, Listen, RemoveAddresses, SendAdvert, Unlisten
from stayalived.vrrp.election import Election
from stayalived.vrrp.events import (
    AddressesAdded,
    AddressesRemoved,
    DatagramReceived,
    EffectFailed,
    InterfaceChanged,
    InterfaceGone,
    Listening,
    SendTimesRead,
    SocketOverflowed,
    Suspended,
    VrrpEvent,
)
from stayalived.vrrp.group import Group
from stayalived.vrrp.holding import Holding
from stayalived.vrrp.links import Link
from stayalived.vrrp.preparation import problems_of
from stayalived.vrrp.roster import Past, Roster
from stayalived.vrrp.states import Trigger
from stayalived.vrrp.timers import Alarms

SLICE = 250
"""Timers that are acted on in one go, so that sockets are read in between: about 10 ms of work."""


class VrrpEngine:
    """Speaks VRRP for all virtual routers of a configuration. Implements `stayalived.engine.Engine`."""

    def __init__(self) -> None:
        """Start without a configuration."""
        self._desk = Desk()
        self._roster = Roster(self._desk)
        self._alarms: Alarms[Election | Holding | Link] = Alarms()
        self._prepared: tuple[int, Configuration] | None = None
        self._running: Configuration | None = None
        self._finished = False
        self._told: dict[str, InstanceState] = {}
        self._counted: dict[str, RouterCounters] = {}
        self._send_times: dict[int, Instant] = {}
        self._round_open: bool | None = None
        self._handlers: dict[type, Callable[[Any, Instant], None]] = {
            DatagramReceived: self._hear,
            InterfaceChanged: self._see_interface,
            InterfaceGone: self._lose_interface,
            AddressesAdded: self._note_added,
            AddressesRemoved: self._note_removed,
            Listening: self._note_listening,
            EffectFailed: self._take_refusal,
            SocketOverflowed: self._lose_packets,
            Suspended: self._wake_up,
            SendTimesRead: self._learn_send_times,
            Prepare: self._prepare,
            Commit: self._commit,
            Abort: self._abort,
            Stop: self._stop,
            Received: self._receive,
        }

    @property
    def deadline(self) -> Instant | None:
        """The earliest moment at which `wake` has something to do, or None."""
        if self._finished:
            return None
        return earliest((self._alarms.next(), self._desk.announcer.deadline, self._desk.counters.deadline))

    def handle(self, event: ChildEvent | VrrpEvent, now: Instant) -> Sequence[Effect]:
        """Take in one event and return what is to be done, in this order."""
        if self._finished:
            return ()
        self._handlers[type(event)](event, now)
        return self._desk.tray.empty()

    def wake(self, now: Instant) -> Sequence[Effect]:
        """Do what has become due: adverts first, addresses next, announcements when no advert is due any more."""
        if self._finished:
            return ()
        for sleeper in self._alarms.due(now, SLICE):
            self._rouse(sleeper, now)
        effects = list(self._desk.tray.empty())
        following = self._alarms.next()
        if following is None or following > now:
            effects += self._desk.announcer.take(now)
            effects += self._desk.counters.take(now)
        return effects

    def _rouse(self, sleeper: Election | Holding | Link, now: Instant) -> None:
        """Let one do what its deadline is for."""
        if isinstance(sleeper, Election):
            group = self._roster.members[sleeper.router.key][0]
            group.expire(sleeper, now)
            self._file(group)
        elif isinstance(sleeper, Holding):
            sleeper.retry()
            self._alarms.file(sleeper)
        else:
            for effect in sleeper.retry():
                self._desk.tray.before_packets(effect)

    def _file(self, group: Group) -> None:
        """Take note of the deadlines of a group that something has happened to."""
        for member in group.members:
            self._alarms.file(member)
            self._alarms.file(member.holding)

    # ── from the wire ────────────────────────────────────────────────────────────────────────────────────────────────

    def _hear(self, event: DatagramReceived, now: Instant) -> None:
        """Hand a datagram to the virtual router that it is for."""
        found = None
        kind = "length"
        if len(event.data) > 1:
            found = self._roster.heard.get((event.interface, event.family, event.data[1]))
            kind = f"unknown_vrid_{event.data[1]}"
        if found is None:
            counters = self._roster.link(event.interface).counters
            counters.fail(kind)
            self._desk.counters.note(counters)
            return
        group, member = found
        group.hear(member, event, now)
        self._file(group)

    def _lose_packets(self, event: SocketOverflowed, now: Instant) -> None:
        for group, member in list(self._roster.on(self._roster.link(event.interface))):
            if member.router.family is event.family:
                group.lose_packets(member, event.lost, now)
                self._file(group)

    def _wake_up(self, event: Suspended, now: Instant) -> None:
        for group in self._roster.groups.values():
            group.wake_up(event.slept, now)
            self._file(group)

    # ── from the kernel ──────────────────────────────────────────────────────────────────────────────────────────────

    def _see_interface(self, event: InterfaceChanged, now: Instant) -> None:
        """Compare an interface with what it was: may its routers speak, has somebody deleted an address?"""
        interface = event.interface
        link = self._roster.link(interface.name)
        if link.interface is not None and link.interface.index != interface.index:
            self._lose_interface(InterfaceGone(name=interface.name), now)
        old, old_addresses, standing = link.interface, link.addresses, link.standing()
        link.see(interface)
        if old is None:
            self._greet(link)
        if link.standing() != standing:
            self._reconsider(link, now)
        if old is not None and old.mac != interface.mac:
            for _, member in self._roster.on(link):
                member.announce(now)
        self._compare(link, link.addresses - old_addresses, old_addresses - link.addresses, now)

    def _greet(self, link: Link) -> None:
        """An interface has appeared: hear its groups, and clean it of leftovers."""
        for effect in link.listen_again():
            self._desk.tray.before_packets(effect)
        for _, member in self._roster.on(link):
            if not member.is_owner:
                member.holding.clean()

    def _reconsider(self, link: Link, now: Instant) -> None:
        """Link or source address are not what they were: see who can work."""
        for group, member in list(self._roster.on(link)):
            member.refresh()
            group.check(now)
            group.look()
            self._file(group)

    def _compare(self, link: Link, gained: frozenset[Any], lost: frozenset[Any], now: Instant) -> None:
        """Note which virtual addresses have come and gone."""
        for address in gained:
            found = self._roster.holders.get((link.name, address))
            if found:
                found[1].holding.see(address)
        for address in lost:
            found = self._roster.holders.get((link.name, address))
            if found and not found[1].holding.miss(address, now):
                found[0].step_down(now)
            if found:
                found[0].look()
                self._file(found[0])

    def _lose_interface(self, event: InterfaceGone, now: Instant) -> None:
        link = self._roster.link(event.name)
        if link.interface is not None:
            link.see(None)
            self._reconsider(link, now)

    def _note_added(self, event: AddressesAdded, _now: Instant) -> None:
        if event.router in self._roster.members:
            group, member = self._roster.members[event.router]
            member.holding.confirm_added(event.addresses)
            group.look()

    def _note_removed(self, event: AddressesRemoved, _now: Instant) -> None:
        if event.router in self._roster.members:
            group, member = self._roster.members[event.router]
            member.holding.confirm_removed(event.addresses)
            group.look()

    def _note_listening(self, event: Listening, now: Instant) -> None:
        link = self._roster.link(event.interface)
        if link.hear(event.family, event.group):
            self._reconsider(link, now)

    def _take_refusal(self, event: EffectFailed, now: Instant) -> None:
        """The kernel refused something: what follows depends on what it was."""
        effect = event.effect
        link = self._roster.link(effect.interface)
        key = effect.router if isinstance(effect, SendAdvert | AddAddresses | RemoveAddresses) else ""
        _, member = self._roster.members.get(key, (None, None))
        if isinstance(effect, Listen):
            link.refuse(effect, event.problem, now)
            self._alarms.file(link)
            self._reconsider(link, now)
        elif isinstance(effect, AddAddresses | RemoveAddresses) and member is not None:
            member.holding.refuse(effect, event.problem, now)
            self._alarms.file(member.holding)
        else:
            counters = member.counters if member is not None else link.counters
            counters.fail(_FAILURES[type(effect)])
            self._desk.counters.note(counters)
            self._desk.tray.report(
                ERROR, event.problem, once=f"{key or link.name} {_FAILURES[type(effect)]}", interface=link.name
            )

    # ── from the supervisor ──────────────────────────────────────────────────────────────────────────────────────────

    def _receive(self, event: Received, now: Instant) -> None:
        """Remember what is retold before the first configuration; hear whether the first round is open."""
        if isinstance(event.message, FirstRound):
            opened = event.message.open and not self._round_open
            self._round_open = event.message.open
            if not event.message.open:
                self._desk.no_preemption_before = None
            elif opened and self._running is not None:
                self._hold(self._running, now)
        elif self._running is None and isinstance(event.message, InstanceState):
            self._told[event.key] = event.message
        elif self._running is None and isinstance(event.message, RouterCounters):
            self._counted[event.key] = event.message

    def _learn_send_times(self, event: SendTimesRead, _now: Instant) -> None:
        self._send_times = dict(event.times)

    def _prepare(self, event: Prepare, _now: Instant) -> None:
        """Say whether the configuration can be used: after `Commit` nothing may be refused any more."""
        problems = problems_of(event.configuration, self._running, self._roster.links, self._told)
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
        for group in self._roster.groups.values():
            self._file(group)

    def _begin(self, configuration: Configuration, start: Start, now: Instant) -> None:
        """Start everything. A first start adopts nothing, whatever is found."""
        replaced = start in {Start.RESPAWNED, Start.RELEASE}
        if self._round_open or (self._round_open is None and not replaced):
            self._hold(configuration, now)
        past = Past(
            instances=self._told if replaced else {},
            counters=self._counted if replaced else {},
            send_times=self._send_times if replaced else {},
            release=start is Start.RELEASE,
        )
        self._roster.begin(configuration, past, now)
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
        for link in self._roster.links.values():
            for effect in link.listen(frozenset()):
                self._desk.tray.tell(effect)
        self._desk.tray.tell(Finished())
        self._finished = True


_FAILURES: dict[type, str] = {SendAdvert: "send", Unlisten: "unlisten", AddAddresses: "add", RemoveAddresses: "remove"}
