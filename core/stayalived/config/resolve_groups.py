"""Sync groups: instances that move together (SY01 to SY05)."""

from collections.abc import Mapping, Sequence

from stayalived.config.alerts import alert
from stayalived.config.desk import Desk
from stayalived.config.findings import Findings, Path, Table, shown
from stayalived.config.resolve_actions import act
from stayalived.config.resolve_track import Owner, TrackRoom
from stayalived.config.resolve_vrrp import KIND as VRRP_INSTANCE
from stayalived.config.telling import is_mailed
from stayalived.config.virtual_routers import SyncGroup, VrrpInstance
from stayalived.config.vrrp import SyncGroupTable
from stayalived.spelling import nearest

KIND = "vrrp_sync_group"


class GroupRoom:
    """Turns `[vrrp_sync_group.NAME]` into groups."""

    def __init__(self, desk: Desk, instances: Sequence[VrrpInstance], tracks: TrackRoom) -> None:
        """Work at a desk, with the instances that could be resolved and what can be tracked at hand."""
        self._desk = desk
        self._tracks = tracks
        self._findings: Findings = desk.findings
        self._instances = {instance.name: instance for instance in instances}
        self._names: Sequence[str] = ()  # of all instances, also of those with which something is wrong
        self._group_of: dict[str, str] = {}  # by instance

    def take(self, tree: Table) -> tuple[SyncGroup, ...]:
        """Return every group that could be resolved."""
        instances = tree.get(VRRP_INSTANCE)
        self._names = list(instances) if isinstance(instances, Mapping) else ()
        made = [self._take_one(name, table) for name, table in self._desk.tables(tree, KIND).items()]
        return tuple(group for group in made if group is not None)

    def _take_one(self, name: str, raw: Table) -> SyncGroup | None:
        path: Path = (KIND, name)
        before = self._findings.errors
        table = self._desk.decoder.table(raw, SyncGroupTable, path, KIND)
        if table is None:
            return None
        act(self._desk, table.notify, f"group {name}", (*path, "notify"))
        is_wanted = is_mailed(table.smtp_alert, self._desk.globals.smtp_alert_vrrp, self._desk.globals.smtp_alert)
        alert(self._desk, bool(is_wanted), f"group {name}", path)
        where = (*path, "group")
        for number, member in enumerate(table.group):
            self._look_at_member(name, member, (*where, number))
        priorities = [self._instances[member].priority for member in table.group if member in self._instances]
        owner = Owner(priority=max(priorities, default=0))
        trackers = self._tracks.trackers(table.track, owner, (*path, "track"))
        if self._findings.errors != before:
            return None
        self._look_at_all(table.group, where)
        return SyncGroup(name=name, instances=tuple(table.group), trackers=trackers)

    def _look_at_member(self, name: str, member: str, path: Path) -> None:
        if member not in self._names:
            near = nearest(member, self._names)
            remedy = f"did you mean {near}?" if near else f"there are: {', '.join(sorted(self._names)) or 'none'}"
            self._findings.error(path, f"no [{VRRP_INSTANCE}.{member}]; {remedy}", found=shown(member))
            return
        if member in self._group_of:
            first = self._group_of[member]
            text = "stands here twice" if first == name else f"is in group {first}; an instance moves with one group"
            self._findings.error(path, text, found=shown(member))
        elif member in self._instances and self._instances[member].split:
            text = "has split = true: its halves move alone; take that out, or take it out of the group"
            self._findings.error(path, text, found=shown(member))
        self._group_of.setdefault(member, name)

    def _look_at_all(self, members: Sequence[str], path: Path) -> None:
        if len(set(members)) == 1:
            self._findings.warn(path, "has one instance: nothing moves together with it", found=shown(members[0]))
        known = [self._instances[name] for name in dict.fromkeys(members) if name in self._instances]
        if len({instance.priority for instance in known}) > 1:
            priorities = ", ".join(f"{instance.name} {instance.priority}" for instance in known)
            text = "differ: each machine has to win all of them or none, or the group finds no master"
            self._findings.warn(path, text, found=priorities)
