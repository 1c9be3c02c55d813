"""FAULT: exactly while something keeps a virtual router from working."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from stayalived.addresses import Family
from stayalived.config.virtual_routers import SyncGroup, Tracker, VirtualRouter, VrrpInstance
from stayalived.kernel.api import Interface
from stayalived.messages.services import CheckState
from stayalived.simulation.glass import Glass
from stayalived.simulation.invariants.base import AFTER_REFUSAL, SETTLED, Continuous
from stayalived.timing import NO_TIME, Duration
from stayalived.vrrp.group import Group
from stayalived.vrrp.states import State

if TYPE_CHECKING:
    from stayalived.simulation.machine import Machine

OWNER = 255


def own_cause(machine: "Machine", router: VirtualRouter, virtual: set[str]) -> str:
    """Return why a virtual router cannot work on its interfaces as they are, or empty (V58, V59).

    Args:
        machine: where it is.
        router: its configuration.
        virtual: addresses that virtual routers of the machine may hold: none of them is a source of adverts.
    """
    links = machine.links()
    link = links.get(router.interface)
    if link is None or not link.up:
        return f"{router.interface} is {'gone' if link is None else 'down'}"
    if not _has_source(link, router, virtual):
        return f"{router.interface} has no source address"
    ear = router.source if router.peers else router.group
    if (router.interface, router.family, ear) not in machine.vrrp_role.ears:
        return f"{ear} is not heard"
    if router.virtual_mac is not None:
        mac = links.get(router.virtual_mac.name)
        if mac is None or not mac.up:
            return f"{router.virtual_mac.name} is {'missing' if mac is None else 'down'}"
        if not router.peers and (mac.name, router.family, ear) not in machine.vrrp_role.ears:
            return f"{ear} is not heard on {mac.name}"
    return ""


def _has_source(link: Interface, router: VirtualRouter, virtual: set[str]) -> bool:
    """Tell whether adverts can leave: RFC 9568 5.1.1.1, 5.1.2.1."""
    own = [address for address in link.addresses if address.address not in virtual]
    if router.source:
        return any(address.address == router.source for address in own)
    if router.family is Family.IPV6:
        return any(address.family is Family.IPV6 and address.address.startswith("fe8") for address in own)
    owner = router.priority == OWNER and bool(router.addresses)
    return owner or any(address.family is Family.IPV4 for address in own)


def virtual_addresses(glass: Glass, interface: str) -> set[str]:
    """Return the addresses that virtual routers may put on an interface."""
    found = set()
    for member in glass.members.values():
        for placed in (*member.router.addresses, *member.router.excluded):
            if interface in {placed.interface, member.router.interface}:
                found.add(placed.address.address)
    return found


def seen_of(glass: Glass, tracker: Tracker) -> bool | None:
    """Return whether what is tracked is up; None: nobody knows. A check is as vrrp was told of it."""
    if tracker.interface:
        link = glass.machine.links().get(tracker.interface)
        return link is not None and link.up
    told = glass.process.checks.get(tracker.check)
    return told.up if isinstance(told, CheckState) else None


def failing(glass: Glass, trackers: tuple[Tracker, ...]) -> Iterator[str]:
    """Yield the trackers without weight that keep an instance from working (T01, T02, T10)."""
    for tracker in trackers:
        up = seen_of(glass, tracker)
        if tracker.weight:
            continue
        if up is None:
            if tracker.init_fail and not tracker.reverse:
                yield f"{tracker.name} has no result"
        elif up is tracker.reverse:
            yield f"{tracker.name} is {'up' if up else 'down'}"


def is_undecided(glass: Glass, trackers: tuple[Tracker, ...]) -> bool:
    """Tell whether a check that decides about FAULT has no result yet."""
    return any(not one.weight and not one.init_fail and seen_of(glass, one) is None for one in trackers)


def configured(glass: Glass, group: Group) -> tuple[list[VrrpInstance], SyncGroup | None]:
    """Return what the configuration says of the instances of a group, and of the group itself."""
    configuration = glass.configuration
    names = {member.router.instance for member in group.members}
    instances = [instance for instance in configuration.instances if instance.name in names]
    return instances, next((sync for sync in configuration.sync_groups if group.name and sync.name == group.name), None)


class FaultWhileCause(Continuous):
    """In FAULT exactly while a cause exists, and left only when all are gone (V59; SY02, SY05; T01, T02, T10)."""

    NAME = "FAULT while there is a cause"

    def wrong(self, machine: "Machine") -> dict[str, Duration] | None:
        """Compare causes and states of all groups."""
        glass = machine.watch.glass
        if glass is None or not glass.works or glass.stands or machine.monitor.is_deaf:
            return None
        limit = Duration(SETTLED + (AFTER_REFUSAL if machine.was_refused else NO_TIME))
        wrong: dict[str, Duration] = {}
        for group in glass.engine.roster.groups.values():
            if group.state is State.INIT:
                continue
            causes = self._causes(glass, group)
            if causes and group.state is not State.FAULT:
                wrong[f"{group.instances[0].name} is {group.state} though {causes[0]}"] = limit
            elif not causes and group.state is State.FAULT:
                wrong[f"{group.instances[0].name} is in FAULT though nothing is wrong"] = limit
        return wrong

    def _causes(self, glass: Glass, group: Group) -> list[str]:
        instances, sync = configured(glass, group)
        causes = list(failing(glass, sync.trackers)) if sync else []
        for instance in instances:
            causes += failing(glass, instance.trackers)
        for member in group.members:
            virtual = virtual_addresses(glass, member.router.interface)
            causes += filter(None, [own_cause(glass.machine, member.router, virtual)])
        return causes
