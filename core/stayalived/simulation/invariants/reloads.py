"""Reloads: an unchanged object notices nothing, and an address that moves between two MASTERs is not touched."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from stayalived.child.events import Commit, Tell
from stayalived.config.model import Configuration
from stayalived.config.virtual_routers import VrrpInstance
from stayalived.errors import KernelProblem
from stayalived.kernel.api import Change, Item
from stayalived.messages.control import Start
from stayalived.messages.notify import Event
from stayalived.simulation.glass import Glass
from stayalived.simulation.invariants.base import Invariant
from stayalived.simulation.inventory import ItemId, id_of, items_of, routers_of
from stayalived.simulation.lan import Datagram
from stayalived.vrrp.effects import SendAdvert
from stayalived.vrrp.states import State

if TYPE_CHECKING:
    from stayalived.simulation.cluster import Cluster


@dataclass(slots=True)
class _Reload:
    """One reload while it is brought into force.

    Attributes:
        subjects: names of instances and groups that are equal in both configurations.
        keys: of their virtual routers.
        items: what only these hold.
        addresses: what only these announce.
        states: where they stood.
        heard: how many adverts they had received.
    """

    subjects: set[str] = field(default_factory=set)
    keys: set[str] = field(default_factory=set)
    items: set[ItemId] = field(default_factory=set)
    addresses: set[str] = field(default_factory=set)
    states: dict[str, State] = field(default_factory=dict)
    heard: dict[str, int] = field(default_factory=dict)


class QuietReload(Invariant):
    """A reload of an unchanged object has no packet, no change of the kernel, no event, no lost count (K#2159, K#1425).

    An object is an instance with the sync group that it is in, and all that moves with it.
    """

    NAME = "quiet reload"

    def __init__(self, cluster: "Cluster") -> None:
        """Begin with no reload."""
        super().__init__(cluster)
        self._reload = _Reload()

    def before(self, glass: Glass, event: Any, datagrams: tuple[Datagram, ...]) -> None:
        """A reload begins: note what is the same."""
        del datagrams
        self._reload = _Reload()
        if not isinstance(event, Commit) or event.start is not Start.RELOAD or glass.previous is None:
            return
        deadline = glass.engine.deadline
        if deadline is None or deadline > glass.machine.node.now:  # else something of before is not finished
            self._reload = self._unchanged(glass, glass.previous, glass.configuration)

    def sending(self, glass: Glass, advert: SendAdvert) -> None:
        """See that none of these speaks."""
        if advert.router in self._reload.keys:
            self.fail(glass.machine.name, f"{advert.router} is unchanged and sent an advert")

    def changed(self, glass: Glass, changes: Sequence[Change], answers: Sequence[KernelProblem | None]) -> None:
        """See that nothing of theirs is touched."""
        del answers
        for change in changes:
            if id_of(change.item) in self._reload.items:
                self.fail(glass.machine.name, f"{change.verb} {change.item.key} of an unchanged instance")

    def announcing(self, glass: Glass, interface: str, address: str) -> None:
        """See that nothing of theirs is announced."""
        if address in self._reload.addresses:
            self.fail(glass.machine.name, f"announced {address} of an unchanged instance on {interface}")

    def telling(self, glass: Glass, tell: Tell) -> None:
        """See that nothing is told to have happened to them."""
        event = tell.message
        if isinstance(event, Event) and event.subject in self._reload.subjects:
            self.fail(glass.machine.name, f"event {event.kind} of {event.subject}, which is unchanged")

    def committed(self, glass: Glass, event: Commit) -> None:
        """See that they stand where they stood."""
        del event
        reload, self._reload = self._reload, _Reload()
        for key in reload.keys:
            member = glass.members[key]
            if member.state is not reload.states[key]:
                self.fail(glass.machine.name, f"{key} is unchanged, was {reload.states[key]} and is {member.state}")
            if member.counters.adverts_received < reload.heard[key]:
                self.fail(glass.machine.name, f"{key} is unchanged and counts anew")

    def _unchanged(self, glass: Glass, old: Configuration, new: Configuration) -> _Reload:
        found = _Reload()
        same = set(_equal_instances(old, new))
        for instance in new.instances:
            if instance.name in same:
                found.subjects |= {instance.name, *(router.key for router in instance.routers)}
                for router in instance.routers:
                    if router.key in glass.members:
                        found.keys.add(router.key)
                        found.items |= set(map(id_of, items_of(router)))
                        found.addresses |= {placed.address.address for placed in router.held}
        found.subjects |= {sync.name for sync in new.sync_groups if set(sync.instances) <= same}
        for router in (*routers_of(old), *routers_of(new)):
            if router.instance not in same:
                found.items -= set(map(id_of, items_of(router)))
                found.addresses -= {placed.address.address for placed in router.held}
        for key in found.keys:
            member = glass.members[key]
            found.states[key], found.heard[key] = member.state, member.counters.adverts_received
        return found


class StaysInKernel(Invariant):
    """What passes from one MASTER to another in a reload is not touched (K#1854)."""

    NAME = "stays in the kernel"

    def __init__(self, cluster: "Cluster") -> None:
        """Begin with no reload."""
        super().__init__(cluster)
        self._before: dict[ItemId, Item] = {}
        self._touched: list[Change] = []

    def before(self, glass: Glass, event: Any, datagrams: tuple[Datagram, ...]) -> None:
        """Note what is there and whose."""
        del datagrams
        self._before, self._touched = {}, []
        if isinstance(event, Commit) and event.start is Start.RELOAD:
            actual = glass.machine.inventory.actual()
            self._before = {one: item for one, item in _mastered(glass) if one in actual}

    def changed(self, glass: Glass, changes: Sequence[Change], answers: Sequence[KernelProblem | None]) -> None:
        """Note what is touched."""
        del glass, answers
        if self._before:
            self._touched += changes

    def committed(self, glass: Glass, event: Commit) -> None:
        """See that what was a MASTER's, and still is one's, was not."""
        del event
        after = dict(_mastered(glass)) if self._touched else {}
        for change in self._touched:
            one = id_of(change.item)
            if one in self._before and self._before[one] == after.get(one):
                self.fail(glass.machine.name, f"{change.verb} {change.item.key}, which a MASTER had and has")
        self._before, self._touched = {}, []


def _mastered(glass: Glass) -> Iterable[tuple[ItemId, Item]]:
    for member in glass.masters():
        for item in items_of(member.router):
            yield id_of(item), item


def _equal_instances(old: Configuration, new: Configuration) -> Iterable[str]:
    """Yield the names of instances that are equal in two configurations, with all that moves with them."""
    before = {instance.name: (instance, *_company(old, instance)) for instance in old.instances}
    for instance in new.instances:
        if before.get(instance.name) == (instance, *_company(new, instance)):
            yield instance.name


def _company(configuration: Configuration, instance: VrrpInstance) -> tuple[object, ...]:
    """Return the sync group of an instance, and the other instances in it."""
    for sync in configuration.sync_groups:
        if instance.name in sync.instances:
            others = tuple(one for one in configuration.instances if one.name in sync.instances)
            return sync.name, sync.trackers, others
    return ()
