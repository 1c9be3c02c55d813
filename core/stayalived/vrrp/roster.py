"""All virtual routers of this process: who they are, where they live, how a new configuration changes them."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from stayalived.addresses import Family, VirtualAddress
from stayalived.child.events import Forget
from stayalived.config.model import Configuration
from stayalived.config.virtual_routers import VirtualRouter, VrrpInstance
from stayalived.messages.vrrp import InstanceState, RouterCounters
from stayalived.timing import Instant, elapsed
from stayalived.vrrp.desk import Desk
from stayalived.vrrp.effects import Listen, RemoveAddresses
from stayalived.vrrp.election import Election
from stayalived.vrrp.group import Group, forget_router
from stayalived.vrrp.links import Link
from stayalived.vrrp.states import State, Trigger

ADOPTION_LIMIT = 2
"""A process that was replaced goes on as MASTER while its last advert is less than so many intervals old."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """What is known of the process before this one.

    Attributes:
        instances: the state of each instance that was told last.
        counters: the counters of each virtual router that were told last.
        send_times: when the last advert of each slot left.
        release: take over only in order to give up.
    """

    instances: Mapping[str, InstanceState]
    counters: Mapping[str, RouterCounters]
    send_times: Mapping[int, Instant]
    release: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """One group as the configuration wants it."""

    instance: VrrpInstance
    routers: tuple[VirtualRouter, ...]


class Roster:
    """Finds virtual routers, and changes them with the configuration.

    Attributes:
        links: interfaces by name, those without a virtual router too.
        groups: by name of the instance.
        members: virtual routers by key, each with its group.
        heard: virtual routers by interface, family and number: whom a datagram is for.
        holders: who may put an address on an interface.
    """

    def __init__(self, desk: Desk) -> None:
        """Start with nobody."""
        self.links: dict[str, Link] = {}
        self.groups: dict[str, Group] = {}
        self.members: dict[str, tuple[Group, Election]] = {}
        self.heard: dict[tuple[str, Family, int], tuple[Group, Election]] = {}
        self.holders: dict[tuple[str, VirtualAddress], tuple[Group, Election]] = {}
        self._desk = desk
        self._wanted: dict[str, Wanted] = {}
        self._slots: dict[str, int] = {}
        self._used_slots: set[int] = set()
        self._lowest_slot = 0

    def link(self, name: str) -> Link:
        """Return the interface of this name, known to the kernel or not."""
        return self.links.setdefault(name, Link(name))

    def on(self, link: Link) -> Iterator[tuple[Group, Election]]:
        """Return the virtual routers that live on an interface."""
        return (pair for pair in self.members.values() if pair[1].link is link)

    # ── the first configuration ──────────────────────────────────────────────────────────────────────────────────────

    def begin(self, configuration: Configuration, past: Past, now: Instant) -> None:
        """Start all virtual routers; what the process before this one held is adopted while it is fresh."""
        self._slots = {row.key: row.slot for told in past.instances.values() for row in told.routers}
        self._used_slots = set(self._slots.values())
        self._wanted = dict(wanted_groups(configuration))
        self._settle_links()
        for name, wanted in self._wanted.items():
            self.groups[name] = self._form(name, wanted)
        self._index()
        self._forget_strangers(past)
        for name, group in self.groups.items():
            self._begin_group(group, past.instances.get(name), past, now)

    def _begin_group(self, group: Group, told: InstanceState | None, past: Past, now: Instant) -> None:
        for member in group.members:
            if member.router.key in past.counters:
                member.counters.go_on_from(past.counters[member.router.key])
        if told is not None:
            group.remember(told)
        fresh = told is not None and _is_fresh(group, told, past, now)
        if not fresh:
            _clean(group.members)
        if past.release:
            group.release(now, held=fresh)
        else:
            (group.adopt if fresh else group.start)(now)

    def _forget_strangers(self, past: Past) -> None:
        """Take away what the process before this one held for instances that are no longer configured."""
        for name, told in past.instances.items():
            if name in self.groups:
                continue
            for row in told.routers:
                link = self.link(row.interface)
                if link.interface is not None and row.key not in self.members:
                    addresses = tuple(VirtualAddress.parse(text) for text in row.addresses)
                    found = tuple(address for address in addresses if address in link.addresses)
                    self._desk.tray.before_packets(
                        RemoveAddresses(
                            router=row.key, interface=link.name, index=link.interface.index, addresses=found
                        )
                    )
            self._desk.tray.tell(Forget(message=InstanceState, key=name))

    # ── another configuration ────────────────────────────────────────────────────────────────────────────────────────

    def change(self, configuration: Configuration, now: Instant) -> None:
        """Go over to another configuration. What is the same in both is not touched at all."""
        wanted = dict(wanted_groups(configuration))
        for name in [name for name, group in self.groups.items() if not _survives(group, wanted.get(name))]:
            self._delete(self.groups.pop(name), now)
        staying = {name: self._part_from_changed(group, wanted[name], now) for name, group in self.groups.items()}
        self._wanted = wanted
        self._settle_links()
        for name, changed in staying.items():
            if changed:
                self._reconfigure(self.groups[name], wanted[name], now)
        for name in [name for name in wanted if name not in self.groups]:
            group = self.groups[name] = self._form(name, wanted[name])
            _clean(group.members)
            group.start(now)
        self._index()

    def _delete(self, group: Group, now: Instant) -> None:
        group.stop(Trigger.DELETED, now)
        for member in group.members:
            self._dismiss(member)

    def _part_from_changed(self, group: Group, wanted: Wanted, now: Instant) -> bool:
        """Let the halves go that are no longer wanted, or are another virtual router now.

        Returns:
            whether anything about the group differs from what is wanted.
        """
        routers = {router.key: router for router in wanted.routers}
        for member in list(group.members):
            router = routers.get(member.router.key)
            if router is None or _identity(router) != _identity(member.router):
                group.drop(member, now)
                self._dismiss(member)
        present = tuple(member.router for member in group.members)
        return present != wanted.routers or group.priority != wanted.instance.priority

    def _reconfigure(self, group: Group, wanted: Wanted, now: Instant) -> None:
        present = {member.router.key: member for member in group.members}
        members = []
        for router in wanted.routers:
            member = present.get(router.key) or self._employ(router)
            if member.router != router:
                member.reconfigure(router, now)
            members.append(member)
        _clean(member for member in members if member.state is State.INIT)
        group.reconfigure(wanted.instance, members, now)

    # ── who is who ───────────────────────────────────────────────────────────────────────────────────────────────────

    def _form(self, name: str, wanted: Wanted) -> Group:
        members = [self._employ(router) for router in wanted.routers]
        return Group(name, wanted.instance.priority, members, self._desk)

    def _employ(self, router: VirtualRouter) -> Election:
        """Make a virtual router, with the slot that it had, or the lowest that is free."""
        slot = self._slots.get(router.key)
        if slot is None:
            while self._lowest_slot in self._used_slots:
                self._lowest_slot += 1
            slot = self._slots[router.key] = self._lowest_slot
            self._used_slots.add(slot)
        return Election(router, slot, self.link(router.interface), self._desk)

    def _dismiss(self, member: Election) -> None:
        slot = self._slots.pop(member.router.key)
        self._used_slots.discard(slot)
        self._lowest_slot = min(self._lowest_slot, slot)
        forget_router(member, self._desk)

    def _settle_links(self) -> None:
        """Tell each interface which groups to hear and which addresses are virtual."""
        routers = [router for wanted in self._wanted.values() for router in wanted.routers]
        groups: dict[str, set[tuple[Family, str]]] = {name: set() for name in self.links}
        virtual: dict[str, set[str]] = {name: set() for name in self.links}
        for router in routers:
            groups.setdefault(router.interface, set()).add((router.family, router.group))
            virtual.setdefault(router.interface, set()).update(address.address for address in router.advertised)
        for name, heard in groups.items():
            link = self.link(name)
            link.virtual = frozenset(virtual[name])
            for effect in link.listen(frozenset(heard)):
                if isinstance(effect, Listen):
                    self._desk.tray.before_packets(effect)
                else:
                    self._desk.tray.tell(effect)

    def _index(self) -> None:
        """Note who is found where."""
        pairs = [(group, member) for group in self.groups.values() for member in group.members]
        self.members = {member.router.key: (group, member) for group, member in pairs}
        self.heard = {}
        self.holders = {}
        for pair in pairs:
            router = pair[1].router
            self.heard[router.interface, router.family, router.virtual_router_id] = pair
            self.holders.update({(router.interface, address): pair for address in router.advertised})
            if pair[1].link.source(router) != pair[1].voice.source:
                pair[1].refresh()


def wanted_groups(configuration: Configuration) -> Iterator[tuple[str, Wanted]]:
    """Return the groups that a configuration asks for, by name; halves that are independent are a group each."""
    for instance in configuration.instances:
        if instance.split:
            for router in instance.routers:
                yield router.key, Wanted(instance=instance, routers=(router,))
        elif instance.routers:
            yield instance.name, Wanted(instance=instance, routers=instance.routers)


def _identity(router: VirtualRouter) -> tuple[str, str, Family, int, int, str]:
    """Return what makes a virtual router another one when it changes."""
    return (
        router.key,
        router.interface,
        router.family,
        router.version,
        router.virtual_router_id,
        router.group,
    )


def _survives(group: Group, wanted: Wanted | None) -> bool:
    """Tell whether at least one half of a group remains what it is."""
    identities = {_identity(router) for router in wanted.routers} if wanted else set()
    return any(_identity(member.router) in identities for member in group.members)


def _is_fresh(group: Group, told: InstanceState, past: Past, now: Instant) -> bool:
    """Tell whether nobody can have noticed yet that the process before this one is gone.

    To give up in order, it is enough that nobody can have taken over yet.
    """
    if told.state != State.MASTER or any(member.fault for member in group.members):
        return False
    rows = {row.key: row for row in told.routers}
    for member in group.members:
        row, sent = rows.get(member.router.key), past.send_times.get(member.slot)
        if row is None or sent is None:
            return False
        limit = member.master_down_interval if past.release else ADOPTION_LIMIT * row.advert_int
        if elapsed(sent, now) >= limit:
            return False
    return True


def _clean(members: Iterable[Election]) -> None:
    """Remove leftovers of ours before the first packet. An owner's addresses are its own and stay."""
    for member in members:
        if not member.is_owner:
            member.holding.clean()
