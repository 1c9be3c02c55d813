"""What instances and sync groups track: from the entries of `track` to trackers, and to the checks that they need.

A check is one for all who track it of the same target. Its name in messages is `track:NAME`, with a target
`track:NAME@TARGET`, and stays the same whatever else a file gains or loses: vrrp finds the result of before a reload by
it. Checks without a name of their own are told apart by a number made of what they ask.
"""

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import msgspec

from stayalived.addresses import NOWHERE, Endpoint
from stayalived.config.checks import TRACK_DEFAULTS
from stayalived.config.desk import Desk, first_set
from stayalived.config.findings import Findings, Path, shown
from stayalived.config.model import Check
from stayalived.config.resolve_checks import KIND as CHECK
from stayalived.config.resolve_checks import CheckRoom, Specification, Subject
from stayalived.config.track import MOST_WEIGHT, TrackTable
from stayalived.config.virtual_routers import SyncGroup, Tracker, VrrpInstance

OWNER = 255  # RFC 9568 5.2.4: the priority of the router that owns the addresses
TRACK = "track:"


@dataclass(frozen=True, slots=True, kw_only=True)
class Owner:
    """Who tracks.

    Attributes:
        priority: of an instance; the highest of a group's.
        interface: that counts anyway: an instance's own. Empty for a group.
    """

    priority: int
    interface: str = ""


class TrackRoom:
    """Turns `track` into trackers, and collects the checks that they need."""

    def __init__(self, desk: Desk, checks: CheckRoom) -> None:
        """Work at a desk, with the named checks at hand."""
        self._desk = desk
        self._findings: Findings = desk.findings
        self._room = checks
        self._checks: dict[str, Check] = {}

    @property
    def checks(self) -> tuple[Check, ...]:
        """All tracked checks until now, each once."""
        return tuple(self._checks.values())

    def trackers(self, entries: Sequence[Mapping[str, object]], owner: Owner, path: Path) -> tuple[Tracker, ...]:
        """Return what an instance or a sync group tracks.

        Args:
            entries: what stands at `track`.
            owner: whose it is.
            path: of `track`.
        """
        found: dict[tuple[str, str], Tracker] = {}
        for number, entry in enumerate(entries):
            where = (*path, number)
            table = self._desk.entry(entry, TrackTable, where)
            tracker = None if table is None else self._tracker(table, owner, where)
            if tracker is None:
                continue
            if (tracker.interface, tracker.check) in found:
                self._findings.error(where, f"{tracker.name} stands here twice; keep one of them")
            found[tracker.interface, tracker.check] = tracker
        return tuple(found.values())

    def _tracker(self, table: TrackTable, owner: Owner, path: Path) -> Tracker | None:
        if (table.check is None) == (table.interface is None):
            self._findings.error(path, "must have either check or interface")
            return None
        if table.interface is not None:
            return self._of_interface(table, table.interface, owner, path)
        return self._of_check(table, owner, path)

    def _of_interface(self, table: TrackTable, interface: str, owner: Owner, path: Path) -> Tracker | None:
        for key in ("target", "init_fail"):
            if getattr(table, key):
                self._findings.error((*path, key), "goes with check, not with interface; leave it out")
        if interface == owner.interface:
            text = "is the instance's own, whose link counts anyway: this entry is ignored"
            self._findings.warn((*path, "interface"), text, found=shown(interface))
            return None
        weight = table.weight or 0
        self._look_at_weight(weight, MOST_WEIGHT, owner, (*path, "weight"))
        return Tracker(name=interface, interface=interface, weight=weight, reverse=bool(table.reverse))

    def _of_check(self, table: TrackTable, owner: Owner, path: Path) -> Tracker | None:
        specifications = self._room.specifications(table.check, (*path, "check"))
        if not specifications:
            return None
        (specification,) = specifications
        target = self._target(table, specification, path)
        check = None if target is None else self._check(specification, target)
        if check is None:
            return None
        weight = first_set(table.weight, default=specification.weight)
        where = (*path, "check" if table.weight is None else "weight")
        self._look_at_weight(weight, specification.type.most_weight, owner, where)
        return Tracker(
            name=check.subject.removeprefix(TRACK),
            check=check.key,
            weight=weight,
            reverse=first_set(table.reverse, default=specification.keys.reverse),
            init_fail=table.init_fail,
        )

    def _look_at_weight(self, weight: int, most: int, owner: Owner, path: Path) -> None:
        """Refuse a weight that cannot be (T03, T05, T12). `path` ends in `check` where it is the check's own."""
        text = ""
        if abs(weight) > most:
            text = f"must be a whole number from -{most} to {most}"
        elif weight and owner.priority == OWNER:
            text = "must be 0: priority 255 owns the addresses, and no weight changes it"
        if text and path[-1] == "check":
            text = f"its weight {text}; write another one beside it"
        if text:
            self._findings.error(path, text, found=shown(weight))

    def _target(self, table: TrackTable, specification: Specification, path: Path) -> Endpoint | None:
        """Return whom the check asks; None after an error."""
        where = (*path, "target")
        name, keys, aim = specification.name, specification.keys, specification.type.aim
        if table.target is not None and (aim == "none" or keys.connect_ip is not None):
            why = "looks at this machine alone" if aim == "none" else "says itself whom it asks (connect_ip)"
            self._findings.error(where, f"check {name} {why}; leave it out", found=shown(table.target))
            return None
        if aim == "none":
            return NOWHERE
        written = table.target if keys.connect_ip is None else _only(keys.connect_ip)
        if written is None and aim == "optional":
            return NOWHERE
        if written is None:
            self._findings.error(where, f'missing; check {name} asks somebody: write target = "HOST:PORT"')
            return None
        return self._endpoint(written, specification, where)

    def _endpoint(self, written: str, specification: Specification, path: Path) -> Endpoint | None:
        """Return the one address and port that a host stands for; None after an error."""
        addresses, own_port = self._desk.host(written, path)
        port = specification.keys.connect_port or own_port
        if len(addresses) > 1:
            self._findings.error(path, "has addresses of both families; write the one to ask", found=shown(written))
        elif addresses and not port and specification.type.needs_port:
            self._findings.error(path, "must have a port: HOST:PORT", found=shown(written))
        elif addresses:
            return Endpoint(next(iter(addresses.values())), port)
        return None

    def _check(self, specification: Specification, target: Endpoint) -> Check | None:
        """Return the check of a target: the one that there is already, or a new one."""
        at = "" if target is NOWHERE else f"@{target if target.port else target.address}"
        subject = Subject(
            name=f"{TRACK}{specification.name.replace('/', '-')}{at}",
            endpoints=(target,),
            virtual_host="",
            layers=(),
            path=specification.path,
            fallback=TRACK_DEFAULTS,
        )
        made = self._room.checks(subject, (specification,))
        if not made:
            return None
        # Whoever tracks turns up and down round himself: one check may be tracked in both ways.
        timing = msgspec.structs.replace(made[0].timing, reverse=False)
        is_named = specification.path == (CHECK, specification.name)
        check = msgspec.structs.replace(made[0], timing=timing, number=0 if is_named else _number_of(made[0]))
        while self._checks.get(check.key, check) != check:
            check = msgspec.structs.replace(check, number=check.number + 1)
        return self._checks.setdefault(check.key, check)


def _only(connect_ip: str | list[str] | None) -> str | None:
    """Return where a check goes whoever is asked, when it says so with one address."""
    if isinstance(connect_ip, list):
        return connect_ip[0] if len(connect_ip) == 1 else None
    return connect_ip


def _number_of(check: Check) -> int:
    """Return a number that depends on what a check asks, and not on what else is tracked."""
    asks = (check.type, check.options, check.target, check.virtual_host, check.source, check.timing.connect_timeout)
    return zlib.crc32(msgspec.msgpack.encode(asks)) or 1


def look_at_groups(groups: Sequence[SyncGroup], instances: Sequence[VrrpInstance], findings: Findings) -> None:
    """Warn of weights of instances that are in a sync group: they have no effect there (SY03)."""
    members = {name: group.name for group in groups for name in group.instances}
    for instance in instances:
        if instance.name not in members:
            continue
        for tracker in instance.trackers:
            if tracker.weight:
                text = f"has no effect in sync group {members[instance.name]}: put it on the group"
                found = f"weight {tracker.weight} of {tracker.name}"
                findings.warn(("vrrp_instance", instance.name, "track"), text, found=found)
