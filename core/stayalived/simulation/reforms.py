"""Reloads that really change something: instances come and go, addresses move, priorities and groups change."""

from collections.abc import Callable
from dataclasses import replace
from random import Random
from typing import TYPE_CHECKING

from stayalived.simulation.draw import one_owner
from stayalived.simulation.faults import Impossible
from stayalived.simulation.plans import OWNER, GroupPlan, InstancePlan, Plan
from stayalived.supervisor.events import Order
from stayalived.timing import NO_TIME, Duration, seconds

if TYPE_CHECKING:
    from stayalived.simulation.cluster import Cluster
    from stayalived.simulation.machine import Machine

Reform = Callable[["Machine", Plan, Random], Plan]

INTERVALS = {2: (1.0, 2.0, 3.0), 3: (0.2, 0.5, 1.0, 2.0)}


def reload(_cluster: "Cluster", machine: "Machine", chance: Random, _lasts: Duration) -> None:
    """Change one to three things in the files of a machine, or nothing at all, and send HUP."""
    if not machine.node.on:
        raise Impossible
    plan = replace(machine.plan, fault="") if machine.plan.instances else machine.cluster.drawn.plan
    for _ in range(chance.choice((0, 1, 1, 2, 3))):
        plan = chance.choice(REFORMS)(machine, plan, chance)
    machine.plan = plan
    machine.node.signal(Order.RELOAD)


def reload_refused(_cluster: "Cluster", machine: "Machine", chance: Random, _lasts: Duration) -> None:
    """Send HUP for files that cannot be used: something is wrong in them, or too much has gone."""
    if not machine.node.on:
        raise Impossible
    if chance.random() < 0.4:
        machine.plan = replace(machine.plan, fault="is nonsense")
    elif chance.random() < 0.5:
        machine.plan = replace(machine.plan, instances=(), groups=())
    else:
        one = machine.cluster.drawn.plan.instances[0]
        twins = (one, replace(one, name="twin"))
        machine.plan = replace(machine.plan, instances=twins, groups=())  # vrrp refuses one number twice on a link
    machine.node.signal(Order.RELOAD)


# ── single changes ───────────────────────────────────────────────────────────────────────────────────────────────────


def _weights(_machine: "Machine", plan: Plan, chance: Random) -> Plan:
    if plan.service is None:
        return plan
    weights = tuple(chance.choice((1, 2, 5)) for _ in plan.service.weights)
    return replace(plan, service=replace(plan.service, weights=weights))


def _add(machine: "Machine", plan: Plan, chance: Random) -> Plan:
    """Add an instance that is not there, alone or to a group."""
    drawn = machine.cluster.drawn
    names = {instance.name for instance in plan.instances}
    absent = [one for one in (*drawn.plan.instances, *drawn.spares) if one.name not in names]
    if not absent:
        return plan
    added = chance.choice(absent)
    groups = plan.groups
    if groups and not added.split and chance.random() < 0.4:
        group = replace(groups[0], members=(*groups[0].members, added.name))
        groups = (group, *groups[1:])
    return replace(plan, instances=(*plan.instances, added), groups=groups)


def _remove(_machine: "Machine", plan: Plan, chance: Random) -> Plan:
    if len(plan.instances) < 2:
        return plan
    gone = chance.choice(plan.instances).name
    return _regrouped(replace(plan, instances=tuple(one for one in plan.instances if one.name != gone)))


def _move_address(_machine: "Machine", plan: Plan, chance: Random) -> Plan:
    """Move an address from one instance to another, where it is advertised or excluded."""
    donors = [one for one in plan.instances if len(one.addresses) > 1 or one.excluded]
    if not donors or len(plan.instances) < 2:
        return plan
    donor = chance.choice(donors)
    heir = chance.choice([one for one in plan.instances if one is not donor])
    held = [*donor.addresses[1:], *donor.excluded]
    moving = next((one for one in chance.sample(held, len(held)) if _keeps_families(donor, one)), None)
    if moving is None:
        return plan
    smaller = replace(
        donor,
        addresses=tuple(one for one in donor.addresses if one != moving),
        excluded=tuple(one for one in donor.excluded if one != moving),
    )
    bigger = replace(heir, excluded=(*heir.excluded, moving))
    return _with(plan, smaller, bigger)


def _keeps_families(donor: InstancePlan, moving: object) -> bool:
    left = tuple(one for one in donor.addresses if one != moving)
    return {one.family for one in left} == set(donor.families)


def _priority(machine: "Machine", plan: Plan, chance: Random) -> Plan:
    """Change this machine's priority in all instances by as much, so that groups stay of one mind."""
    place, by = machine.station.number - 1, chance.choice((-60, -10, 10, 60))
    changed = []
    for one in plan.instances:
        priorities = list(one.priorities)
        if priorities[place] != OWNER:
            priorities[place] = max(1, min(254, priorities[place] + by))
        changed.append(replace(one, priorities=one_owner(tuple(priorities))))
    return _with(plan, *changed)


def _interval(_machine: "Machine", plan: Plan, chance: Random) -> Plan:
    one = chance.choice(plan.instances)
    return _with(plan, replace(one, advert_int=seconds(chance.choice(INTERVALS[one.version]))))


def _regroup(_machine: "Machine", plan: Plan, chance: Random) -> Plan:
    """Make a sync group of all, let one go, or dissolve them."""
    free = tuple(one.name for one in plan.instances if not one.split)
    if plan.groups and chance.random() < 0.5:
        return replace(plan, groups=())
    if plan.groups and len(plan.groups[0].members) > 1:
        smaller = replace(plan.groups[0], members=plan.groups[0].members[:-1])
        return replace(plan, groups=(smaller, *plan.groups[1:]))
    return replace(plan, groups=(GroupPlan(name="site", members=free),)) if free else plan


def _holdings(_machine: "Machine", plan: Plan, chance: Random) -> Plan:
    """Take away excluded addresses, routes or rules of one instance."""
    one = chance.choice(plan.instances)
    return _with(plan, chance.choice((replace(one, excluded=one.excluded[1:]), replace(one, routes=(), rules=()))))


def _manner(_machine: "Machine", plan: Plan, chance: Random) -> Plan:
    one = chance.choice(plan.instances)
    changes: tuple[InstancePlan, ...] = (
        replace(one, accept=not one.accept),
        replace(one, preempt=not one.preempt),
        replace(one, preempt_delay=seconds(1) if not one.preempt_delay else NO_TIME),
        replace(one, has_mac=not one.has_mac),
        replace(one, trackers=one.trackers[1:]),
        replace(one, split=not one.split and len(one.families) == 2),
    )
    return _regrouped(_with(plan, chance.choice(changes)))


REFORMS: tuple[Reform, ...] = (
    _weights,
    _add,
    _remove,
    _move_address,
    _move_address,
    _priority,
    _interval,
    _regroup,
    _regroup,
    _holdings,
    _manner,
)


def _with(plan: Plan, *changed: InstancePlan) -> Plan:
    """Return a plan with these instances in place of those of their names."""
    by_name = {one.name: one for one in changed}
    return replace(plan, instances=tuple(by_name.get(one.name, one) for one in plan.instances))


def _regrouped(plan: Plan) -> Plan:
    """Return a plan whose groups have none but instances that are there and whole."""
    whole = {one.name for one in plan.instances if not one.split}
    groups = (replace(group, members=tuple(name for name in group.members if name in whole)) for group in plan.groups)
    return replace(plan, groups=tuple(group for group in groups if group.members))
