"""What a process that replaces a dead one goes on with: the promise of docs/architecture.md, what a death costs."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from stayalived.child.events import Commit
from stayalived.messages.control import Message, Start
from stayalived.messages.vrrp import InstanceState
from stayalived.simulation.glass import Glass
from stayalived.simulation.invariants.base import Invariant
from stayalived.simulation.invariants.faults import configured, failing, own_cause, virtual_addresses
from stayalived.simulation.lan import Datagram
from stayalived.timing import Instant, elapsed
from stayalived.vrrp.group import Group
from stayalived.vrrp.packet import PRIORITY_OWNER
from stayalived.vrrp.states import State

if TYPE_CHECKING:
    from stayalived.simulation.cluster import Cluster
    from stayalived.vrrp.instance import Instance

ADOPTED_FOR = 2
"""A replaced process goes on as MASTER while its predecessor's last advert is less than so many intervals old."""


class Retelling(Invariant):
    """A replaced vrrp goes on as MASTER where its predecessor spoke less than two intervals ago, and nowhere else."""

    NAME = "retelling"

    def __init__(self, cluster: "Cluster") -> None:
        """Begin with nobody replaced."""
        super().__init__(cluster)
        self._spoke: dict[int, Instant] = {}

    def before(self, glass: Glass, event: Any, datagrams: tuple[Datagram, ...]) -> None:
        """Remember when the predecessor spoke last: the replacement may speak at once."""
        del datagrams
        if isinstance(event, Commit):
            self._spoke = dict(glass.machine.node.send_times)

    def committed(self, glass: Glass, event: Commit) -> None:
        """Look at every group of a process that has just begun in another's place."""
        if event.start is not Start.RESPAWNED or glass.machine.node.counts["lost with the writer"]:
            return
        said = glass.machine.node.last_words.get("vrrp", {})
        for group in glass.engine.roster.groups.values():
            fresh = all(self._is_fresh(glass, instance, said) for instance in group.instances)
            retold = all(self._is_fresh(glass, instance, glass.process.retold) for instance in group.instances)
            who, state = f"{glass.machine.name}/{group.instances[0].name}", group.state
            if fresh and state is not State.MASTER and not self._is_ill(glass, group):
                self.fail(who, f"was MASTER, spoke in time, and was replaced by one that is {state}")
            owner = all(member.router.priority == PRIORITY_OWNER for member in group.members)
            if not (fresh or retold) and state is State.MASTER and not owner:
                self.fail(who, "did not speak in time, or was no MASTER, and its replacement is MASTER at once")

    def _is_fresh(self, glass: Glass, instance: "Instance", said: Mapping[tuple[str, str], Message]) -> bool:
        """Tell whether an instance was MASTER by what was said of it, and spoke not long ago."""
        before = said.get(("InstanceState", instance.name))
        if not isinstance(before, InstanceState) or before.state != State.MASTER:
            return False
        node = glass.machine.node
        rows = {row.key: row for row in before.routers}
        for member in instance.members:
            row = rows.get(member.router.key)
            spoke = self._spoke.get(row.slot) if row else None
            if row is None or spoke is None or elapsed(spoke, node.now) >= ADOPTED_FOR * row.advert_int:
                return False
            mac = member.router.virtual_mac
            if row.virtual_mac != (mac.name if mac else ""):
                return False  # a reload has made another virtual router of it meanwhile
        return True

    def _is_ill(self, glass: Glass, group: Group) -> bool:
        """Tell whether something keeps the group from working."""
        instances, sync = configured(glass, group)
        tracked = [*(sync.trackers if sync else ()), *(one for instance in instances for one in instance.trackers)]
        if any(failing(glass, tuple(tracked))):
            return True
        return any(
            own_cause(glass.machine, member.router, virtual_addresses(glass, member.router.interface))
            for member in group.members
        )
