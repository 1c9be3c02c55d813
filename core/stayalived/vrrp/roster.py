"""All virtual routers of this process: who they are, where they live, how a new configuration changes them."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from stayalived.addresses import Family
from stayalived.config.model import Configuration
from stayalived.config.virtual_routers import VirtualRouter
from stayalived.timing import Duration, Instant
from stayalived.vrrp.announcer import Pace
from stayalived.vrrp.desk import Desk
from stayalived.vrrp.election import Election
from stayalived.vrrp.group import Group
from stayalived.vrrp.instance import Instance, forget_router
from stayalived.vrrp.ledger import Ledger
from stayalived.vrrp.links import Link
from stayalived.vrrp.macs import VirtualMacs, virtual_macs
from stayalived.vrrp.rhythm import Rhythm
from stayalived.vrrp.sites import Site
from stayalived.vrrp.states import State, Trigger
from stayalived.vrrp.sysctls import Sysctls
from stayalived.vrrp.tracking import Tracked
from stayalived.vrrp.wanted import WantedGroup, WantedInstance, identity, wanted_groups


class Links(dict[str, Link]):
    """Interfaces by name, known to the kernel or not: whoever asks for one gets one."""

    def __missing__(self, name: str) -> Link:
        """Return an interface that nobody has asked for before."""
        link = self[name] = Link(name)
        return link


@dataclass(slots=True)
class Slots:
    """Places in the page of send times: a virtual router keeps its own as long as it is configured."""

    by_key: dict[str, int] = field(default_factory=dict)
    _used: set[int] = field(default_factory=set)
    _lowest: int = 0

    def remember(self, slots: Mapping[str, int]) -> None:
        """Take over those that the process before this one gave out."""
        self.by_key = dict(slots)
        self._used = set(slots.values())

    def take(self, key: str) -> int:
        """Return the place that a virtual router has, or the lowest that is free."""
        slot = self.by_key.get(key)
        if slot is None:
            while self._lowest in self._used:
                self._lowest += 1
            slot = self.by_key[key] = self._lowest
            self._used.add(slot)
        return slot

    def free(self, key: str) -> None:
        """Give a place back."""
        slot = self.by_key.pop(key)
        self._used.discard(slot)
        self._lowest = min(self._lowest, slot)


class Roster:
    """Finds virtual routers, and changes them with the configuration.

    Attributes:
        links: interfaces by name, those without a virtual router too.
        groups: by key (`WantedGroup.key`).
        members: virtual routers by key, each with its group.
        heard: virtual routers by interface, then by family, number, and address that their adverts go to.
        checks: what tracked checks say, by key.
        ledger: what they want in the kernel.
        macs: their macvlans.
        sysctls: what is set for them.
    """

    def __init__(self, desk: Desk) -> None:
        """Start with nobody."""
        self.links = Links()
        self.groups: dict[str, Group] = {}
        self.members: dict[str, tuple[Group, Election]] = {}
        self.heard: dict[str, dict[tuple[Family, int, str], tuple[Group, Election]]] = {}
        self.checks: dict[str, Tracked] = {}
        self.ledger = Ledger(self.links, desk.tray)
        self.macs = VirtualMacs(self.links, desk)
        self.sysctls = Sysctls(desk)
        self.slots = Slots()
        self._desk = desk
        self._rhythm = Rhythm()
        self._wanted: dict[str, WantedGroup] = {}
        self._living: dict[str, list[tuple[Group, Election]]] = {}
        self._tracking: dict[str, list[Group]] = {}

    @property
    def routers(self) -> Iterator[VirtualRouter]:
        """The configurations of all virtual routers that are wanted."""
        for group in self._wanted.values():
            for instance in group.instances:
                yield from instance.routers

    def on(self, name: str) -> Iterable[tuple[Group, Election]]:
        """Return the virtual routers that have to do with an interface: it is theirs, or their macvlan."""
        return self._living.get(name, ())

    def tracking(self, name: str) -> Iterable[Group]:
        """Return the groups that track an interface, or a check by its key."""
        return self._tracking.get(name, ())

    # ── configurations ───────────────────────────────────────────────────────────────────────────────────────────────

    def form(self, configuration: Configuration) -> None:
        """Make everybody whom the first configuration wants; nobody is started yet."""
        self._wanted = {wanted.key: wanted for wanted in wanted_groups(configuration)}
        for key, wanted in self._wanted.items():
            instances = [self._found(instance) for instance in wanted.instances]
            self.groups[key] = Group(wanted.name, instances, wanted.trackers, self._desk)
        self._settle_down()

    def change(self, configuration: Configuration, now: Instant) -> None:
        """Go over to another configuration. What is the same in both is not touched at all."""
        wanted = {one.key: one for one in wanted_groups(configuration)}
        instances = {each.name: each for one in wanted.values() for each in one.instances}
        staying = self._part(instances, now)
        before, self._wanted = self._wanted, wanted
        known = {each.name: each for one in before.values() for each in one.instances}
        for name, instance in staying.items():
            if known[name] != instances[name]:
                self._reconfigure(instance, instances[name], now)
        old, self.groups = self.groups, {}
        for key, one in wanted.items():
            members = [staying.get(each.name) or self._found(each) for each in one.instances]
            self.groups[key] = self._regroup(old.pop(key, None), one, members)
        for group in old.values():
            group.dissolve()
        present = {member for _, member in self.members.values()}
        self._settle_down(now)
        new = [member for _, member in self.members.values() if member not in present]
        for key, group in self.groups.items():
            if before.get(key) != wanted[key]:
                self._take_up(group, now)
        clean(new)

    def _part(self, wanted: Mapping[str, WantedInstance], now: Instant) -> dict[str, Instance]:
        """Let those go that are no longer wanted or are other virtual routers now; return the instances that stay."""
        staying: dict[str, Instance] = {}
        for key, group in list(self.groups.items()):
            leaving = [one for one in group.instances if not _survives(one, wanted.get(one.name))]
            staying |= {one.name: one for one in group.instances if one not in leaving}
            some_stay = len(leaving) < len(group.instances)
            if not some_stay:
                group.stop(Trigger.DELETED, now)
                del self.groups[key]  # one of the same name is another one
            for instance in leaving:
                if some_stay:
                    group.part(instance, now)
                self._dismiss(instance.members)
        for name, instance in staying.items():
            kept = {identity(router) for router in wanted[name].routers}
            parting = [member for member in instance.members if identity(member.router) not in kept]
            for member in parting:
                member.move(Trigger.DELETED, now)
            instance.members = [member for member in instance.members if member not in parting]
            self._dismiss(parting)
        return staying

    def _reconfigure(self, instance: Instance, wanted: WantedInstance, now: Instant) -> None:
        present = {member.router.key: member for member in instance.members}
        members = []
        for router in wanted.routers:
            member = present.get(router.key) or self._employ(router)
            if member.router != router:
                member.reconfigure(router, now)
            members.append(member)
        instance.follow(wanted.configuration, members)

    def _regroup(self, group: Group | None, wanted: WantedGroup, instances: list[Instance]) -> Group:
        if group is None:
            return Group(wanted.name, instances, wanted.trackers, self._desk)
        group.follow(instances, wanted.trackers)
        return group

    def _take_up(self, group: Group, now: Instant) -> None:
        """Start a group that is new, or bring one that has changed into one state."""
        group.track(self.checks, self.links, now)
        if all(member.state is State.INIT for member in group.members):
            if not group.is_waiting:
                group.start(now)
        else:
            group.settle(now)
        for instance in group.instances:
            instance.chronicle.look()

    # ── who is who ───────────────────────────────────────────────────────────────────────────────────────────────────

    def _found(self, wanted: WantedInstance) -> Instance:
        """Make an instance."""
        members = [self._employ(router) for router in wanted.routers]
        return Instance(wanted.name, wanted.configuration, members, self._desk)

    def _employ(self, router: VirtualRouter) -> Election:
        return Election(router, self.slots.take(router.key), Site(router, self.links), self.ledger, self._desk)

    def _dismiss(self, members: Iterable[Election]) -> None:
        for member in members:
            self.slots.free(member.router.key)
            forget_router(member, self._desk)

    def _settle_down(self, now: Instant | None = None) -> None:
        """Note who is found where, and give everybody what belongs to the place: ears, beats, macvlans, sysctls."""
        self._index()
        self._rhythm.plan(self.routers)
        for _, member in self.members.values():
            beat = self._rhythm.of(member.router.key)
            if now is None:
                member.beat = beat
            else:
                member.set_beat(beat, now)
        self._set_paces()
        self.macs.want(self.routers)
        self.set_sysctls()
        for name in list(self.links):
            self.settle_link(self.links[name])

    def _index(self) -> None:
        """Note who is found where."""
        pairs = [(group, member) for group in self.groups.values() for member in group.members]
        self.members = {member.router.key: (group, member) for group, member in pairs}
        self._living = {}
        virtual: dict[str, set[str]] = {name: set() for name in self.links}
        for pair in pairs:
            router = pair[1].router
            for name in {router.interface, *(mac.name for mac in virtual_macs([router]))}:
                self._living.setdefault(name, []).append(pair)
            for placed in router.held:
                for name in {placed.interface, router.interface}:
                    virtual.setdefault(name, set()).add(placed.address.address)
        for mac in virtual_macs(self.routers):
            self.links[mac.name].virtual_mac = mac.mac
        for name, addresses in virtual.items():
            self.links[name].virtual = frozenset(addresses)
        self._tracking = {}
        for group in self.groups.values():
            for name in {tracker.interface or tracker.check for tracker in group.all_trackers}:
                self._tracking.setdefault(name, []).append(group)

    def settle_link(self, link: Link) -> None:
        """Let an interface hear what its virtual routers have to hear; their own address may be another one now.

        What another director says from the same virtual MAC is heard on the macvlan alone, everything else below it.
        """
        ears = set()
        heard = self.heard[link.name] = {}
        for group, member in self.on(link.name):
            router = member.router
            if member.site.source(router) != member.voice.source:
                member.refresh()
            if router.peers and router.interface != link.name:
                continue
            family, address = member.site.link.ear_of(router)
            if address:
                ears.add((family, address))
                heard[family, router.virtual_router_id, address] = (group, member)
        for effect in link.listen(frozenset(ears)):
            self._desk.tray.before_packets(effect)
        if link.leaving:
            self._desk.tray.tell_state(link)

    def set_sysctls(self) -> None:
        """Set what the virtual routers need on the interfaces that there are."""
        present = {name: link for name, link in self.links.items() if link.interface is not None}
        self.sysctls.want(self.routers, present)

    def _set_paces(self) -> None:
        """Give interfaces their least time between two announcements: the longest that any of their routers wants."""
        paces: dict[str, Pace] = {}
        for router in self.routers:
            if not (router.garp_interval or router.gna_interval):
                continue
            names = {router.interface, *(placed.interface for placed in router.held)}
            pace = next((paces[name] for name in sorted(names) if name in paces), None) or Pace()
            pace.garp = Duration(max(pace.garp, router.garp_interval))
            pace.gna = Duration(max(pace.gna, router.gna_interval))
            paces.update(dict.fromkeys(names, pace))
        self._desk.announcer.paces = paces


def clean(members: Iterable[Election]) -> None:
    """Remove leftovers before the first packet, but what others have taken by now. An owner's addresses are its own."""
    for member in members:
        if not member.is_owner:
            member.holding.clean()


def _survives(instance: Instance, wanted: WantedInstance | None) -> bool:
    """Tell whether at least one half of an instance remains what it is."""
    identities = {identity(router) for router in wanted.routers} if wanted else set()
    return any(identity(member.router) in identities for member in instance.members)
