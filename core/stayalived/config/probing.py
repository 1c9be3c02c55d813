"""What `stayalived probe` is asked for becomes checks: those of a subject, or one with a target of its own."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import msgspec

from stayalived.addresses import NOWHERE, Endpoint
from stayalived.config.files import Source, merge
from stayalived.config.findings import Findings, Path, Table, listed
from stayalived.config.model import GLOBAL, Check, Configuration
from stayalived.config.places import Places
from stayalived.config.problems import Problem
from stayalived.config.resolve import Surroundings, checks_of, desk_for, resolve
from stayalived.config.resolve_checks import KIND, CheckRoom, Specification, Subject
from stayalived.config.resolve_global import global_table, globals_of
from stayalived.config.resolve_track import TRACK

PROBE = "probe"
"""The subject of a check that is made for nobody's server, and the path of what the command line says of it."""

MOST_NAMED = 12
"""Subjects that a message lists; a farm has thousands."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is to be probed.

    Attributes:
        check: `service42/tic`, `service42/tic#0`, `track:NAME`; or the name of a check, or a type.
        endpoints: whom a named check or a type asks: at most one for each family.
        virtual_host: the name that the target was given by; empty where it was an address.
        options: what is added to a named check or a type.
    """

    check: str
    endpoints: Sequence[Endpoint] = ()
    virtual_host: str = ""
    options: Table = field(default_factory=dict)

    @property
    def is_subject(self) -> bool:
        """Whether somebody's checks are meant, as the configuration has them."""
        return "/" in self.check or self.check.startswith(TRACK)


def resolve_probe(
    wanted: Wanted, sources: Sequence[Source], around: Surroundings
) -> tuple[Configuration | None, list[Problem]]:
    """Return a configuration whose tracked checks are those that are wanted, and nothing else; or what is wrong.

    Of a configuration that is wrong elsewhere only what concerns a named check matters: it may be what the probe is to
    help with.
    """
    return _of_subject(wanted, sources, around) if wanted.is_subject else _of_type(wanted, sources, around)


def _of_subject(
    wanted: Wanted, sources: Sequence[Source], around: Surroundings
) -> tuple[Configuration | None, list[Problem]]:
    configuration, problems = resolve(sources, around)
    if configuration is None:
        return None, [problem for problem in problems if not problem.warning]
    every = (*checks_of(configuration.virtual_servers), *configuration.tracked_checks)
    chosen = tuple(check for check in every if wanted.check in (check.subject, check.key))
    if not chosen:
        names = list(dict.fromkeys(check.subject for check in every))
        shown = listed(names if len(names) <= MOST_NAMED else [*names[:MOST_NAMED], "…"]) or "none"
        return None, [Problem(path="", expected=f"nobody called {wanted.check} is checked; known: {shown}")]
    return _only(configuration, chosen), []


def _only(configuration: Configuration, checks: tuple[Check, ...]) -> Configuration:
    return msgspec.structs.replace(
        configuration, instances=(), virtual_servers=(), tracked_checks=checks, actions=(), sync_groups=()
    )


def _of_type(
    wanted: Wanted, sources: Sequence[Source], around: Surroundings
) -> tuple[Configuration | None, list[Problem]]:
    findings = Findings()
    tree = merge(sources, around.host_id, findings)
    desk = desk_for(around, around.host_id, findings)
    desk.globals = global_table(tree.get(GLOBAL, {}), desk)
    room = CheckRoom(desk)
    room.take_named(tree)
    specifications = room.specifications(_value(wanted, tree), (PROBE,))
    checks = tuple(check for one in specifications for check in _checks(wanted, one, room))
    configuration = Configuration(
        globals=globals_of(desk, (), checks),
        instances=(),
        virtual_servers=(),
        tracked_checks=checks,
        actions=(),
        distributions=(),
    )
    theirs = _concerning(((PROBE,), (KIND, wanted.check)), findings)
    return (None if theirs.errors else configuration), theirs.problems(Places(sources, around.host_id))


def _value(wanted: Wanted, tree: Table) -> str | Table:
    """Return what would stand at `check`: a name, or a table with what the command line adds."""
    if not wanted.options:
        return wanted.check
    tables = tree.get(KIND)
    named = tables.get(wanted.check) if isinstance(tables, Mapping) else None
    return {**(named if isinstance(named, Mapping) else {"type": wanted.check}), **wanted.options}


def _checks(wanted: Wanted, made_of: Specification, room: CheckRoom) -> Iterator[Check]:
    """Yield the check for each address that is asked, or the one of a type that asks nobody."""
    objection = _objection(wanted, made_of)
    if objection:
        room.desk.findings.error((PROBE, "target"), f"check {made_of.name} {objection}")
        return
    endpoints = wanted.endpoints
    if not endpoints and made_of.keys.connect_ip is not None:
        addresses = room.desk.each_family(made_of.keys.connect_ip, (PROBE, "connect_ip"))
        endpoints = [Endpoint(address, 0) for address, _, _ in addresses.values()]
    subject = Subject(
        name=PROBE, endpoints=endpoints or (NOWHERE,), virtual_host=wanted.virtual_host, layers=(), path=(PROBE,)
    )
    yield from room.checks(subject, (made_of,))


def _objection(wanted: Wanted, made_of: Specification) -> str:
    """Return what is wrong with the target, or with there being none."""
    kind, keys = made_of.type, made_of.keys
    if kind.aim == "none":
        return "looks at this machine alone; leave the target out" if wanted.endpoints else ""
    if kind.aim == "needed" and not wanted.endpoints and keys.connect_ip is None:
        return "asks somebody: give HOST:PORT after it"
    if kind.needs_port and not keys.connect_port and any(endpoint.port == 0 for endpoint in wanted.endpoints):
        return "needs a port: give HOST:PORT"
    return ""


def _concerning(paths: Sequence[Path], findings: Findings) -> Findings:
    """Return the errors that were found below some paths."""
    entries = [
        entry
        for entry in findings.entries
        if not entry.problem.warning and any(entry.path[: len(path)] == path for path in paths)
    ]
    return Findings(entries=entries, errors=len(entries))
