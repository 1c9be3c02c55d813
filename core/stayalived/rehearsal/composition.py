"""A configuration and what there is become a plan. Pure."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from msgspec.structs import replace

from stayalived.config.changes import Changes, compare
from stayalived.config.model import Configuration
from stayalived.config.needs import needs_of
from stayalived.config.problems import Problem
from stayalived.ipvs.model import in_words
from stayalived.rehearsal.document import AT_ONCE, CHECKED, MASTER, SCHEMA, Plan, Processes, Step
from stayalived.rehearsal.routers import Line, RouterSteps, rehearse_routers
from stayalived.rehearsal.situation import Situation
from stayalived.rehearsal.table import Named, TableSteps, rehearse_table
from stayalived.supervisor import reload
from stayalived.timing import Instant


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """What came of reading the files.

    Attributes:
        host: whose configuration it is.
        configuration: None when it cannot be used.
        problems: everything that is wrong with it.
        names: host names with their addresses.
    """

    host: str
    configuration: Configuration | None
    problems: tuple[Problem, ...] = ()
    names: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def plan_of(read: Read, situation: Situation, now: Instant, generation: int = 0, notes: tuple[str, ...] = ()) -> Plan:
    """Return what a start would do, or a reload where something runs.

    Args:
        read: what the files say.
        situation: what there is.
        now: the moment.
        generation: of the configuration in force.
        notes: what could not be looked at.
    """
    empty = Plan(
        schema=SCHEMA,
        host=read.host,
        running=situation.running is not None,
        generation=generation,
        problems=_texts(read.problems),
        good=read.configuration is not None,
        notes=list(notes),
        names={name: list(addresses) for name, addresses in read.names.items()},
        processes=Processes(started=[], stopped=[], replaced=[]),
    )
    return empty if read.configuration is None else _filled(empty, read.configuration, situation, now)


def _filled(plan: Plan, wanted: Configuration, situation: Situation, now: Instant) -> Plan:
    """Add what would be done to a plan that says nothing of it yet."""
    running = situation.running
    routers = rehearse_routers(wanted, situation, now)
    table = rehearse_table(wanted, situation, now, routers.instances)
    problems = (*routers.problems, *table.problems)
    changes = Changes()
    refused: tuple[Problem, ...] = ()
    if running is not None:
        changes, refused = compare(running, wanted), reload.objections(needs_of(running), needs_of(wanted), force=False)
    return replace(
        plan,
        problems=list(dict.fromkeys((*plan.problems, *_texts(problems)))),
        good=all(problem.warning for problem in problems),
        refused=_texts(refused),
        added=list(changes.added),
        removed=list(changes.removed),
        changed=list(changes.changed),
        processes=_processes(running, wanted),
        steps=list(_steps(table, routers)),
    )


def _texts(problems: Iterable[Problem]) -> list[str]:
    return list(dict.fromkeys(map(str, problems)))


def _processes(running: Configuration | None, wanted: Configuration) -> Processes:
    needs = needs_of(wanted)
    if running is None:
        return Processes(started=list(needs.children), stopped=[], replaced=[])
    change = reload.compare(needs_of(running), needs)
    return Processes(started=sorted(change.added), stopped=sorted(change.removed), replaced=sorted(change.replaced))


def _steps(table: TableSteps, routers: RouterSteps) -> Iterator[Step]:
    yield from _of_vrrp(AT_ONCE, (*routers.states, *routers.at_once))
    yield from (Step(part="ipvs", when=AT_ONCE, line=line, about="") for line in table.beside)
    yield from _of_ipvs(AT_ONCE, table.at_once)
    yield from _of_ipvs(CHECKED, table.later)
    yield from _of_vrrp(MASTER, routers.as_master)


def _of_vrrp(when: str, lines: tuple[Line, ...]) -> Iterator[Step]:
    return (Step(part="vrrp", when=when, line=line, about=about) for line, about in lines)


def _of_ipvs(when: str, operations: tuple[Named, ...]) -> Iterator[Step]:
    return (Step(part="ipvs", when=when, line=in_words(one), about=about) for one, about in operations)
