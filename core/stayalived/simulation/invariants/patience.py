"""How long a BACKUP waits: nobody takes over sooner than the RFCs say, and no group before all its members want it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from stayalived.child.events import Commit
from stayalived.simulation.glass import Glass, Move
from stayalived.simulation.invariants.base import Invariant
from stayalived.simulation.invariants.hearing import addressee, faults_of
from stayalived.simulation.lan import Datagram
from stayalived.timing import Duration, Instant, elapsed, for_people, milliseconds
from stayalived.vrrp.election import Election
from stayalived.vrrp.packet import PRIORITY_LEAVING, PRIORITY_OWNER, BadAdvert, decode
from stayalived.vrrp.states import State

if TYPE_CHECKING:
    from stayalived.simulation.cluster import Cluster

ROUNDING = milliseconds(1)
_SECOND = 1_000_000_000
_PRIORITIES = 256
_LONG_AGO = Instant(-(10**18))


def skew_of(member: Election, priority: int, interval: Duration) -> Duration:
    """Return a skew time: of a second in version 2 (RFC 3768 6.1), of the interval in version 3 (RFC 9568 6.1)."""
    unit = _SECOND if member.router.version == 2 else interval
    return Duration((_PRIORITIES - priority) * unit // _PRIORITIES)


def master_down(member: Election, priority: int, interval: Duration) -> Duration:
    """Return a master-down interval: adverts that may be missed, and the skew time (RFC 3768 6.1, RFC 9568 6.1)."""
    return Duration(member.router.down_timer_adverts * interval + skew_of(member, priority, interval))


@dataclass(slots=True, kw_only=True)
class _Wait:
    """What one BACKUP has heard.

    Attributes:
        until: it may not take over before this moment of the machine's clock; None: nothing is known.
        lower_since: since when it has heard nothing but adverts of lower priority.
        priority: with which `until` was reckoned.
        interval: of the master, likewise.
    """

    until: Instant | None
    priority: int
    interval: Duration
    lower_since: Instant | None = None


class NoHaste(Invariant):
    """No BACKUP takes over before its timer ends, and no group before all its members' do (SY02; V26, V53, V56, T04).

    The timer begins at the last advert that counts: of the own priority or a higher one, of any without preemption or
    while a preemption is delayed; after one of priority 0 it is the skew time alone (RFC 9568 6.4.2).
    """

    NAME = "no hasty takeover"

    def __init__(self, cluster: "Cluster") -> None:
        """Begin with nobody waiting."""
        super().__init__(cluster)
        self._waits: dict[Election, _Wait] = {}
        self._member: Election | None = None
        self._errors = 0

    def before(self, glass: Glass, event: Any, datagrams: tuple[Datagram, ...]) -> None:
        """Find whom a packet is for."""
        self._member = None
        if len(datagrams) == 1 and glass.works:
            member = self._member = addressee(glass, datagrams[0], event.interface)
            self._errors = faults_of(member) if member is not None else 0

    def after(self, glass: Glass, event: Any, datagrams: tuple[Datagram, ...]) -> None:
        """Note what a BACKUP has heard."""
        member = self._member
        if member is not None:
            if member.state is State.BACKUP and faults_of(member) == self._errors:
                self._hear(glass, member, datagrams[0], getattr(event, "at", glass.machine.node.now))
        elif len(datagrams) > 1:
            self._forget(glass)
        if isinstance(event, Commit):
            self._forget(glass)

    def moved(self, glass: Glass, moves: Sequence[Move]) -> None:
        """See that whoever has taken over was allowed to; let those wait who are BACKUP now."""
        now = glass.machine.node.now
        for move in moves:
            member = move.member
            wait = self._waits.pop(member, None)
            if move.old is State.BACKUP and move.new is State.MASTER and wait is not None:
                self._judge(glass, member, wait, now)
            if move.new is State.BACKUP:
                self._waits[member] = self._begin(move, now)

    def ended(self, glass: Glass) -> None:
        """Nobody waits any more."""
        self._forget(glass)

    def _begin(self, move: Move, now: Instant) -> _Wait:
        """Return what a new BACKUP waits for; who yields waits for the master that it has yielded to."""
        member, own = move.member, move.member.router.advert_int
        interval = min(own, member.master_interval) if move.old is State.MASTER else own
        until = Instant(now + master_down(member, member.priority, interval))
        # One that yielded after a standstill has heard its master some time ago.
        known = move.old is not State.MASTER or member.deadline is None or member.deadline >= until
        return _Wait(until=until if known else None, priority=member.priority, interval=interval)

    def _hear(self, glass: Glass, member: Election, datagram: Datagram, at: Instant) -> None:
        try:
            advert = decode(
                datagram.data,
                family=datagram.family,
                source=datagram.source,
                destination=datagram.destination,
                ttls=range(256),
                authentication=member.router.authentication,
            )
        except BadAdvert as error:
            self.fail(glass.machine.name, f"{member.router.key} acted on {error}")
        wait = self._waits.setdefault(
            member, _Wait(until=None, priority=member.priority, interval=member.router.advert_int)
        )
        if advert.priority == PRIORITY_LEAVING:
            until = Instant(at + skew_of(member, member.priority, wait.interval))
            if wait.until is not None:  # one that only waits for its group stays ready
                wait.until = min(wait.until, until)
            return
        lower = advert.priority < member.priority
        if not lower:
            wait.lower_since = None
        elif wait.lower_since is None:
            wait.lower_since = at
        held_back = (
            lower and wait.lower_since is not None and elapsed(wait.lower_since, at) < member.router.preempt_delay
        )
        if not lower or not member.router.preempt or held_back:
            wait.priority, wait.interval = member.priority, advert.interval
            wait.until = Instant(at + master_down(member, member.priority, advert.interval))

    def _judge(self, glass: Glass, member: Election, wait: _Wait, now: Instant) -> None:
        if wait.until is None or member.router.priority == PRIORITY_OWNER:
            return
        # T04: a running timer is shifted with the priority.
        shift = master_down(member, member.priority, wait.interval) - master_down(member, wait.priority, wait.interval)
        missing = wait.until + min(shift, 0) - now
        if missing > ROUNDING:
            self.fail(glass.machine.name, f"{member.router.key} took over {for_people(Duration(missing))} too soon")

    def _forget(self, glass: Glass) -> None:
        for member in glass.members.values():
            if member in self._waits:
                self._waits[member].until, self._waits[member].lower_since = None, _LONG_AGO
