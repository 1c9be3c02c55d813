"""What the wire and the kernel say, brought to the virtual routers that it is about."""

from collections.abc import Callable, Sequence
from typing import Any

from stayalived.addresses import Family, VirtualAddress
from stayalived.kernel.api import Interface
from stayalived.timing import Instant
from stayalived.vrrp.datagrams import split_ipv4, split_message6
from stayalived.vrrp.desk import ERROR, Desk
from stayalived.vrrp.effects import (
    ApplyChanges,
    Listen,
    MakeVirtualMac,
    RemoveVirtualMacs,
    SendAdverts,
    SendGratuitousArp,
    SendNeighbourAdvert,
    SetSysctl,
    Unlisten,
)
from stayalived.vrrp.election import Election
from stayalived.vrrp.entries import Losses
from stayalived.vrrp.events import (
    ChangesApplied,
    DatagramReceived,
    EffectFailed,
    InterfaceChanged,
    InterfaceGone,
    ItemLost,
    ItemsUnknown,
    Listening,
    MessagesReceived,
    PacketsReceived,
    SocketOverflowed,
    SysctlSet,
    datagram,
)
from stayalived.vrrp.group import Group
from stayalived.vrrp.links import Link
from stayalived.vrrp.packet import TTL
from stayalived.vrrp.roster import Roster
from stayalived.vrrp.routine import Bytes

_HEAD = 0x45
"""First byte of an IPv4 packet without options."""

_CHANGING = 12
"""Bytes at the beginning of an IPv4 header that differ from one advert to the next (identification, checksum)."""

_PLACE_OF_TTL = 8


class Senses:
    """Handles the events of the wire and of the kernel.

    Args:
        roster: everybody.
        desk: what they share.
        file: takes note of the deadlines of a group that something has happened to.
        file_one: takes note of one deadline.
    """

    def __init__(
        self, roster: Roster, desk: Desk, file: Callable[[Group], None], file_one: Callable[[Any], None]
    ) -> None:
        """Sense nothing yet."""
        self._roster = roster
        self._desk = desk
        self._file = file
        self._file_one = file_one
        self._ears: dict[tuple[str, Family], dict[Bytes, Election]] = {}
        self.handlers: dict[type, Callable[[Any, Instant], None]] = {
            PacketsReceived: self._hear_packets,
            MessagesReceived: self._hear_messages,
            DatagramReceived: self._hear,
            SocketOverflowed: self._lose_packets,
            InterfaceChanged: self._see_interface,
            InterfaceGone: self._lose_interface,
            ChangesApplied: self._note_changes,
            ItemLost: self._lose_item,
            ItemsUnknown: self._doubt,
            SysctlSet: self._note_sysctl,
            Listening: self._note_listening,
            EffectFailed: self._take_refusal,
        }

    # ── from the wire ────────────────────────────────────────────────────────────────────────────────────────────────

    def _hear_packets(self, event: PacketsReceived, now: Instant) -> None:
        """Take in what came by one socket: what is known costs a look into a table, the rest is looked at with care."""
        ear = self._ears.setdefault((event.interface, Family.IPV4), {})
        note = self._desk.counters.note
        for packet in event.packets:
            key = packet[_CHANGING:]
            member = ear.get(key)
            if member is not None and packet[_PLACE_OF_TTL] == TTL and packet[0] == _HEAD:
                member.counters.adverts_received += 1
                note(member.counters)
                member.deadline = Instant(now + member.patience)
                continue
            header, data = split_ipv4(packet)
            plain = header.ttl == TTL and packet[0] == _HEAD
            self._hear(datagram(event.interface, Family.IPV4, header, data, now), now, ear, key if plain else None)

    def _hear_messages(self, event: MessagesReceived, now: Instant) -> None:
        """The same for what came over IPv6."""
        ear = self._ears.setdefault((event.interface, Family.IPV6), {})
        note = self._desk.counters.note
        for message in event.messages:
            member = ear.get(message)
            if member is not None:
                member.counters.adverts_received += 1
                note(member.counters)
                member.deadline = Instant(now + member.patience)
                continue
            header, data = split_message6(message)
            self._hear(datagram(event.interface, Family.IPV6, header, data, now), now, ear, message)

    def _hear(
        self,
        event: DatagramReceived,
        now: Instant,
        ear: dict[Bytes, Election] | None = None,
        known: Bytes | None = None,
    ) -> None:
        """Hand a datagram to the virtual router that it is for; learn its bytes when it was a matter of routine."""
        found = None
        kind = "length"
        if len(event.data) > 1:
            number = event.data[1]
            found = self._find(event, number)
            kind = f"unknown_vrid_{number}"
        if found is None:
            counters = self._roster.links[event.interface].counters
            counters.fail(kind)
            self._desk.counters.note(counters)
            return
        group, member = found
        member.routine.is_open = False
        group.hear(member, event, now)
        if member.routine.is_open and ear is not None and known is not None:
            member.routine.learn(ear, known, member)
        self._file(group)

    def _find(self, event: DatagramReceived, number: int) -> tuple[Group, Election] | None:
        """Return whom a datagram is for; one that was sent elsewhere is still counted by whoever has its number."""
        heard = self._roster.heard.get(event.interface, {})
        found = heard.get((event.family, number, event.destination))
        if found is not None:
            return found
        numbered = (pair for (family, vrid, _), pair in heard.items() if (family, vrid) == (event.family, number))
        return next(numbered, None)

    def _lose_packets(self, event: SocketOverflowed, now: Instant) -> None:
        for group, member in list(self._roster.on(event.interface)):
            if member.router.family is event.family and member.router.interface == event.interface:
                group.lose_packets(member, event.lost, now)
                self._file(group)

    # ── from the kernel ──────────────────────────────────────────────────────────────────────────────────────────────

    def _see_interface(self, event: InterfaceChanged, now: Instant) -> None:
        """Compare an interface with what it was: may its routers speak, has somebody deleted an address?"""
        interface = event.interface
        link = self._roster.links[interface.name]
        if link.interface is not None and link.interface.index != interface.index:
            self._lose_interface(InterfaceGone(name=interface.name), now)
        old, standing, was_down = link.interface, link.standing(), link.is_down
        link.see(interface)
        if old is None:
            self._clear_renamed(interface)
            self._greet(link)
        if was_down and not link.is_down:
            self._roster.ledger.regain_link(link.name)
        if link.standing() != standing:
            self._reconsider(link, now)
        if old is not None and old.mac != interface.mac:
            for _, member in self._roster.on(link.name):
                member.refresh()
                member.announce(now)
        self._compare(link, old.addresses if old is not None else (), now)

    def _clear_renamed(self, interface: Interface) -> None:
        """An interface that has just gone is back under another name: take away what was put there under the old."""
        old = next((link for link in self._roster.links.values() if link.lost_index == interface.index), None)
        if old is not None:
            old.lost_index = 0
            for _, member in self._roster.members.values():
                member.holding.clean_renamed(old.name, interface)

    def _greet(self, link: Link) -> None:
        """An interface has appeared: hear there, clean it of leftovers, make the macvlans on it, set its sysctls."""
        for effect in link.listen_again():
            self._desk.tray.before_packets(effect)
        for _, member in self._roster.on(link.name):
            if not member.is_owner:
                member.holding.clean()
        self._roster.macs.look()
        self._file_one(self._roster.macs)
        self._roster.set_sysctls()

    def _reconsider(self, link: Link, now: Instant) -> None:
        """Link or source address are not what they were: see who can work, and what tracks it."""
        self._roster.settle_link(link)
        groups: dict[int, Group] = {}
        for group, member in self._roster.on(link.name):
            member.refresh()
            groups[id(group)] = group
        for group in self._roster.tracking(link.name):
            group.track(self._roster.checks, self._roster.links, now)
            groups[id(group)] = group
        for group in groups.values():
            group.check(now)
            group.look()
            self._file(group)

    def _compare(self, link: Link, before: Sequence[VirtualAddress], now: Instant) -> None:
        """Note which virtual addresses have come and gone, in the order that they have there: the first is primary."""
        ledger = self._roster.ledger
        for address in link.addresses.difference(before):
            ledger.see(link.name, address)
        lost = [address for address in before if address not in link.addresses]
        for address in (*lost, *ledger.vanished(link.name, link.addresses, now)):
            self._repair(ledger.miss(link.name, address, now), now)
        self._file_one(ledger)

    def look_for_addresses(self, now: Instant) -> None:
        """Look for virtual addresses that the kernel has confirmed and not shown for too long."""
        for name in self._roster.ledger.awaited(now):
            link = self._roster.links.get(name)
            if link is not None:
                self._compare(link, tuple(link.addresses), now)

    def _lose_interface(self, event: InterfaceGone, now: Instant) -> None:
        link = self._roster.links[event.name]
        if link.interface is not None:
            link.see(None)
            self._roster.ledger.lose_link(event.name)
            self._roster.sysctls.lose(event.name)
            self._roster.macs.lose(event.name)
            self._reconsider(link, now)

    def _repair(self, losses: Losses, now: Instant) -> None:
        """Put back what somebody has deleted; whoever loses something too often steps down."""
        for owner, item in losses:
            found = self._roster.members.get(owner.key)
            if found is None:
                continue
            group, member = found
            if not member.holding.repair(item, now):
                group.step_down(now)
            group.look()
            self._file(group)

    def _note_changes(self, event: ChangesApplied, now: Instant) -> None:
        ledger = self._roster.ledger
        owners: dict[str, None] = {}
        for place, change in enumerate(event.changes):
            problem = event.refused.get(place) if event.refused else None
            if problem is None:
                owners.update(ledger.confirm(change, now))
            else:
                ledger.refuse(change, problem, now)
        self._file_one(ledger)
        for key in owners:
            found = self._roster.members.get(key)
            if found is not None:
                found[0].look()

    def _lose_item(self, event: ItemLost, now: Instant) -> None:
        self._repair(self._roster.ledger.lose(event.item), now)

    def _doubt(self, _event: ItemsUnknown, _now: Instant) -> None:
        self._roster.ledger.doubt()

    def _note_sysctl(self, event: SysctlSet, _now: Instant) -> None:
        self._roster.sysctls.note(event.name, event.before)

    def _note_listening(self, event: Listening, now: Instant) -> None:
        link = self._roster.links[event.interface]
        if link.hear(event.family, event.address):
            self._reconsider(link, now)

    def _take_refusal(self, event: EffectFailed, now: Instant) -> None:
        """The kernel refused something: what follows depends on what it was."""
        effect = event.effect
        match effect:
            case Listen():
                link = self._roster.links[effect.interface]
                link.refuse(effect, event.problem, now)
                self._file_one(link)
                self._reconsider(link, now)
            case MakeVirtualMac():
                self._refuse_virtual_mac(effect.virtual_mac.name, event.problem, now)
            case RemoveVirtualMacs():
                for name in effect.names:
                    self._refuse_virtual_mac(name, event.problem, now)
            case SendAdverts():
                for advert in effect.adverts:
                    found = self._roster.members.get(advert.router)
                    if found is not None:
                        self._count(found[1].counters, "send", event.problem, advert.router, advert.interface)
            case Unlisten() | SendGratuitousArp() | SendNeighbourAdvert():
                link = self._roster.links[effect.interface]
                kind = "unlisten" if isinstance(effect, Unlisten) else "announce"
                self._count(link.counters, kind, event.problem, link.name, link.name)
            case SetSysctl() | ApplyChanges():
                self._desk.tray.report(ERROR, event.problem, once=f"refused {event.problem}")

    def _refuse_virtual_mac(self, name: str, problem: str, now: Instant) -> None:
        self._roster.macs.refuse(name, problem, now)
        self._file_one(self._roster.macs)
        self._reconsider(self._roster.links[name], now)

    def _count(self, counters: Any, kind: str, problem: str, whose: str, interface: str) -> None:
        counters.fail(kind)
        self._desk.counters.note(counters)
        self._desk.tray.report(ERROR, problem, once=f"{whose} {kind}", interface=interface)
