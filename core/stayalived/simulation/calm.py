"""What must hold at the end of the calm: liveness, and that nothing was lost without a count.

Safety is looked at after every event (`invariants/`); this is judged once, when everything has had its time.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from stayalived.messages.routes import CONFIG
from stayalived.simulation.invariants.adverts import NoGap
from stayalived.simulation.invariants.base import Violation
from stayalived.simulation.invariants.patience import master_down
from stayalived.simulation.invariants.priorities import priority_of
from stayalived.simulation.plans import OWNER, InstancePlan
from stayalived.supervisor.lifecycle import State as Life
from stayalived.timing import Duration
from stayalived.vrrp.election import Election
from stayalived.vrrp.states import State

if TYPE_CHECKING:
    from stayalived.simulation.cluster import Cluster
    from stayalived.simulation.machine import Machine


def members(cluster: "Cluster", key: str) -> "list[tuple[Machine, Election]]":
    """Return the machines that work for a virtual router, each with what it makes of it."""
    found = []
    for machine in cluster.machines:
        glass = machine.watch.glass
        if machine.node.on and glass is not None and glass.works and key in glass.members:
            found.append((machine, glass.members[key]))
    return found


def masters(cluster: "Cluster", key: str) -> "list[Machine]":
    """Return the machines that are MASTER of a virtual router."""
    return [machine for machine, member in members(cluster, key) if member.state is State.MASTER]


def keys_of(plan: InstancePlan) -> list[str]:
    """Return the keys of an instance's virtual routers."""
    return [f"{plan.name}/{family}" for family in plan.families]


def all_keys(cluster: "Cluster") -> Iterable[tuple[InstancePlan, str]]:
    """Return all virtual routers of the cluster's plan."""
    return ((plan, key) for plan in cluster.drawn.plan.instances for key in keys_of(plan))


def longest_wait(cluster: "Cluster") -> Duration:
    """Return the longest master-down interval that any virtual router may have: it goes by its master's adverts."""
    members = [member for machine in cluster.machines if (glass := machine.watch.glass) for member in glass.live()]
    longest = max((member.router.advert_int for member in members), default=0)
    return Duration(max((member.router.down_timer_adverts + 1 for member in members), default=0) * longest)


def is_settled(cluster: "Cluster") -> bool:
    """Tell whether every daemon runs, with all its children, and every instance has begun."""
    for machine in cluster.machines:
        node = machine.node
        if not node.on or not node.supervisor.alive or node.frozen_until is not None:
            return False
        supervisor = node.supervisor.decides
        if supervisor.phase != "running" or any(
            child.name != CONFIG and child.state is not Life.RUNNING for child in supervisor.children()
        ):
            return False
        glass = machine.watch.glass
        if glass is None or not glass.works or State.INIT in glass.states.values():
            return False
    return True


def judge_calm(cluster: "Cluster") -> None:
    """Look at the end of the calm: who is MASTER, what the kernels hold, whether every child runs.

    Raises:
        Violation: the first thing that is wrong.
    """
    for machine in cluster.machines:
        _judge_children(machine)
        _judge_table(machine)
    for plan, key in all_keys(cluster):
        _judge_election(cluster, plan, key)
    gaps = next(one for one in cluster.invariants if isinstance(one, NoGap))
    for machine in cluster.machines:
        gaps.judge(machine)


def _judge_election(cluster: "Cluster", plan: InstancePlan, key: str) -> None:
    able = [machine for machine, member in members(cluster, key) if member.state is not State.FAULT]
    found = masters(cluster, key)
    if len(found) != bool(able):  # RFC 9568 1.2: one Active Router for each virtual router
        raise Violation("one master", key, f"MASTER are {[machine.name for machine in found] or 'none'}")
    for machine in able:
        if machine is not found[0] and _must_preempt(cluster, plan, machine, found[0], key):
            here, there = priorities(machine, key), priorities(found[0], key)
            raise Violation("right master", f"{found[0].name}/{key}", f"has {there}, {machine.name} has {here}")


def _must_preempt(cluster: "Cluster", plan: InstancePlan, one: "Machine", master: "Machine", key: str) -> bool:
    """Tell whether a machine must have taken over from a MASTER: RFC 9568 6.4.2, preempt mode.

    In a sync group all members must want it (SY02), so the priority of each must be the higher one.
    """
    mine, theirs = priorities(one, key), priorities(master, key)
    wants = all(theirs[each] < priority for each, priority in mine.items() if each in theirs)
    return wants and (_preempts(cluster, plan) or min(mine.values()) == OWNER)


def _preempts(cluster: "Cluster", plan: InstancePlan) -> bool:
    """Tell whether an instance may preempt: of a sync group one member that may not keeps all from it (SY02)."""
    groups = [group.members for group in cluster.drawn.plan.groups if plan.name in group.members]
    names = groups[0] if groups else (plan.name,)
    return all(cluster.drawn.plan.instance(name).preempt for name in names)


def priorities(machine: "Machine", key: str) -> dict[str, int]:
    """Return the effective priorities of all that moves with a virtual router of a machine, by key."""
    glass = machine.watch.glass
    assert glass is not None, "a member was found there"
    group = glass.groups[key]
    return {
        member.router.key: priority_of(glass, group, member.router.instance)
        for member in group.members
    }  # fmt: skip


def wait_of(member: Election) -> Duration:
    """Return how long a BACKUP waits in silence, reckoned from the RFCs' formula."""
    return master_down(member, member.priority, member.master_interval)


def judge_counts(cluster: "Cluster") -> None:
    """See that every datagram and every frame arrived or moved a counter (promise: nothing is lost silently).

    Raises:
        Violation: the sums differ.
    """
    for lan in cluster.lans:
        counts = lan.counts
        ended = counts["cut"] + counts["lost"] + counts["delivered"] + counts["nobody there"] + lan.flying
        if counts["carried"] + counts["doubled"] != ended:
            raise Violation("nothing lost silently", lan.name, str(dict(counts)))
    for machine in cluster.machines:
        counts, waiting = machine.node.counts, machine.node.frames_under_way()
        ended = counts["delivered"] + counts["merged or dropped"] + counts["reader gone"] + waiting
        if counts["sent"] != ended + counts["lost with the writer"]:
            raise Violation("nothing lost silently", machine.name, f"{dict(counts)}, {waiting} under way")


def _judge_children(machine: "Machine") -> None:
    for child in machine.node.supervisor.decides.children():
        if child.name != CONFIG and child.state is not Life.RUNNING:
            raise Violation("retelling", f"{machine.name}/{child.name}", f"is {child.state} after the calm")


def _judge_table(machine: "Machine") -> None:
    """The kernel's table is what the configuration and the verdicts say: in the calm every server is up."""
    plan = machine.plan.service
    expected = {f"192.0.2.{240 + number}:80": weight for number, weight in enumerate(plan.weights)} if plan else {}
    actual = {
        str(endpoint): destination.weight
        for entry in machine.ipvs.table.values()
        for endpoint, destination in entry.destinations.items()
    }
    if expected != actual:
        raise Violation("table follows health", machine.name, f"the kernel has {actual}, expected {expected}")
