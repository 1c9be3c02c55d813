"""What is known of the process before this one, and what of it may be gone on with (docs/architecture.md, deaths)."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from stayalived.addresses import VirtualAddress
from stayalived.child.events import Forget
from stayalived.config.virtual_routers import PlacedAddress
from stayalived.messages.control import Message
from stayalived.messages.vrrp import BorrowedSysctl, GroupState, InstanceState, RouterCounters
from stayalived.timing import NO_TIME, Duration, Instant, elapsed
from stayalived.vrrp.desk import Desk
from stayalived.vrrp.effects import RemoveVirtualMacs
from stayalived.vrrp.group import Group
from stayalived.vrrp.roster import Roster, clean
from stayalived.vrrp.states import State

ADOPTION_LIMIT = 2
"""A process that was replaced goes on as MASTER while its last advert is less than so many intervals old."""


@dataclass(slots=True, kw_only=True)
class Past:
    """What the supervisor has retold, and the page of send times.

    Attributes:
        instances: the state of each instance that was told last.
        groups: the same of each sync group.
        counters: the counters of each virtual router that were told last.
        sysctls: what was set, and what it was before.
        send_times: when the last advert of each slot left.
        release: take over only in order to give up.
    """

    instances: dict[str, InstanceState] = field(default_factory=dict)
    groups: dict[str, GroupState] = field(default_factory=dict)
    counters: dict[str, RouterCounters] = field(default_factory=dict)
    sysctls: dict[str, BorrowedSysctl] = field(default_factory=dict)
    send_times: Mapping[int, Instant] = field(default_factory=dict)
    release: bool = False

    def take(self, key: str, message: Message) -> None:
        """Remember a message that the process before this one has told."""
        match message:
            case InstanceState():
                self.instances[key] = message
            case GroupState():
                self.groups[key] = message
            case RouterCounters():
                self.counters[key] = message
            case BorrowedSysctl():
                self.sysctls[key] = message


class Restart:
    """Begins the work of a process, with or without one before it."""

    def __init__(self, roster: Roster, past: Past, desk: Desk, now: Instant, delay: Duration = NO_TIME) -> None:
        """Know what there was.

        Args:
            roster: everybody, formed but not started.
            past: what the process before this one left; empty at a first start.
            desk: for what has to be told.
            now: the moment.
            delay: until a group that is not gone on with begins (VG17).
        """
        self._roster, self._past, self._desk, self._now, self._delay = roster, past, desk, now, delay

    def begin(self) -> None:
        """Start all groups; what the process before this one held is adopted while it is fresh."""
        for name, sysctl in self._past.sysctls.items():
            self._roster.sysctls.remember(name, sysctl.before)
        self._forget_strangers()
        stale = [group for group in self._roster.groups.values() if not self._begin(group)]
        for group in stale:  # what others have taken by now is no leftover
            if self._past.release:
                for member in group.members:  # also the owner's: a peer may be MASTER by now
                    member.holding.clean()
            else:
                clean(group.members)

    def _begin(self, group: Group) -> bool:
        """Begin one group; returns whether it goes on with what the process before this one held."""
        past = self._past
        for instance in group.instances:
            for member in instance.members:
                if member.router.key in past.counters:
                    member.counters.go_on_from(past.counters[member.router.key])
            told = past.instances.get(instance.name)
            if told is not None:
                instance.chronicle.remember(told)
        if group.chronicle is not None and group.name in past.groups:
            group.chronicle.remember(past.groups[group.name])
        group.track(self._roster.checks, self._roster.links, self._now)
        fresh = self._is_fresh(group)
        if past.release:
            group.release(self._now, held=fresh)
        elif fresh:
            group.adopt(self._now)
        else:
            group.start(self._now, self._delay)
        return fresh

    def _is_fresh(self, group: Group) -> bool:
        """Tell whether nobody can have noticed yet that the process before this one is gone.

        To give up in order, it is enough that nobody can have taken over yet.
        """
        for instance in group.instances:
            told = self._past.instances.get(instance.name)
            if told is None or told.state != State.MASTER or instance.faults():
                return False
            rows = {row.key: row for row in told.routers}
            for member in instance.members:
                row, sent = rows.get(member.router.key), self._past.send_times.get(member.slot)
                if row is None or sent is None:
                    return False
                limit = member.patience if self._past.release else ADOPTION_LIMIT * row.advert_int
                if elapsed(sent, self._now) >= limit:
                    return False
        return True

    def _forget_strangers(self) -> None:
        """Take away what the process before this one held and nobody is configured to hold now.

        A configuration may have come into force while there was no process.
        """
        routers = (member.router for _, member in self._roster.members.values())
        configured = {(placed.interface, str(placed.address)) for router in routers for placed in router.held}
        instances = {instance.name for group in self._roster.groups.values() for instance in group.instances}
        for name, told in self._past.instances.items():
            for row in told.routers:
                place = row.virtual_mac or row.interface
                strange = [text for text in (*row.addresses, *row.excluded) if (place, text) not in configured]
                addresses = map(VirtualAddress.parse, strange)
                self._roster.ledger.sweep(PlacedAddress(address=address, interface=place) for address in addresses)
                if row.virtual_mac and not self._roster.macs.is_ours(row.virtual_mac):
                    self._desk.tray.work(RemoveVirtualMacs(names=(row.virtual_mac,)))
            if name not in instances:
                self._desk.tray.tell(Forget(message=InstanceState, key=name))
        names = {group.name for group in self._roster.groups.values()}
        for name in self._past.groups.keys() - names:
            self._desk.tray.tell(Forget(message=GroupState, key=name))
