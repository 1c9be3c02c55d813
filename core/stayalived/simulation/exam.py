"""After the calm, one machine leaves, in order or without a word: its heirs take over in the time of the RFCs."""

from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING

from stayalived.simulation.calm import all_keys, masters, members, wait_of
from stayalived.simulation.invariants.adverts import CHANGES
from stayalived.simulation.invariants.base import Violation
from stayalived.simulation.invariants.patience import skew_of
from stayalived.supervisor.events import Order
from stayalived.timing import Duration, after, for_people, milliseconds
from stayalived.vrrp.election import Election
from stayalived.vrrp.group import Group
from stayalived.vrrp.states import State

if TYPE_CHECKING:
    from stayalived.simulation.cluster import Cluster
    from stayalived.simulation.machine import Machine

SLACK = milliseconds(200)
"""What a hand-over may take beyond what the RFC computes: forks, pipes and netlink take their time."""


@dataclass(frozen=True, slots=True)
class _Heir:
    """A virtual router that loses its MASTER, and how long its heirs may take."""

    key: str
    limit: Duration


def examine(cluster: "Cluster", chance: Random, check: Callable[[], None]) -> None:
    """Let one machine leave that is MASTER of something, and see its heirs.

    RFC 9568 6.4.3: a MASTER that is shut down says so with priority 0; 6.4.2: a BACKUP that hears it waits for its
    skew time, and without a word for its master-down interval.

    Raises:
        Violation: a virtual router has no MASTER in time.
    """
    leading = {key: found[0] for _, key in all_keys(cluster) if (found := masters(cluster, key))}
    leaders = sorted({machine.name for machine in leading.values()})
    if not leaders:
        return
    name = chance.choice(leaders)
    leaving = next(machine for machine in cluster.machines if machine.name == name)
    in_order = chance.random() < 0.6
    heirs = [_heir(cluster, leaving, key, in_order) for key, machine in leading.items() if machine is leaving]
    cluster.world.note(leaving.name, "leaves in order" if in_order else "leaves without a word")
    if in_order:
        leaving.node.signal(Order.STOP)
    else:
        leaving.lose_power()
    began = cluster.world.now
    for heir in sorted((heir for heir in heirs if heir is not None), key=lambda heir: heir.limit):
        cluster.world.run(after(began, heir.limit), check)
        if not masters(cluster, heir.key):
            what = f"nobody is MASTER {for_people(heir.limit)} after {leaving.name} left"
            raise Violation("quick hand-over", heir.key, what)


def _heir(cluster: "Cluster", leaving: "Machine", key: str, in_order: bool) -> _Heir | None:
    """Return how long the best of those that stay may take; None when nobody can."""
    able = [
        (machine, member)
        for machine, member in members(cluster, key)
        if machine is not leaving and member.state is not State.FAULT
    ]
    if not able:
        return None
    machine, _ = max(able, key=lambda pair: pair[1].priority)
    glass = machine.watch.glass
    assert glass is not None, "a member was found there"
    busy = 4 * CHANGES * cluster.drawn.change_cost
    return _Heir(key, Duration(_patience(glass.groups[key], in_order) + SLACK + busy))


def _patience(group: Group, in_order: bool) -> Duration:
    """Return how long a group waits: all its members must want it (SY02)."""
    return Duration(max(_wait(member, in_order) for member in group.members))


def _wait(member: Election, in_order: bool) -> Duration:
    if in_order:
        return skew_of(member, member.priority, member.master_interval)
    return wait_of(member)
