"""What a start or a reload would do to the kernel's IPVS table: the engine of ipvs on a copy of the table. Pure.

The engine plays the process that runs first: it is given the configuration in force and what a replaced process would
be retold, and what it asks for then is not looked at. What it asks for after that is the answer.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from stayalived.addresses import Endpoint
from stayalived.child.events import AnswerPrepared, Commit, Prepare, Received
from stayalived.config.model import BUNDLED, Configuration, Timeouts
from stayalived.config.problems import Problem
from stayalived.config.resolve import checks_of
from stayalived.errors import Bug
from stayalived.ipvs.engine import IpvsEngine
from stayalived.ipvs.events import (
    AnyEffect,
    AnyEvent,
    Apply,
    Direct,
    Directed,
    FindMissing,
    IpvsEvent,
    MissingFound,
    OperationsDone,
    ReadTable,
    ReadTimeouts,
    SetTimeouts,
    TableRead,
    TimeoutsAnswered,
)
from stayalived.ipvs.model import Operation, ServiceKey, Table, carry_out, copy_of
from stayalived.ipvs.plan import plan
from stayalived.ipvs.projection import endpoint_in, keys_of, sorry_endpoint_in
from stayalived.ipvs.rounds import round_limit
from stayalived.messages.control import Start
from stayalived.messages.routes import CHECKER, IPVS
from stayalived.messages.services import CheckState
from stayalived.rehearsal.situation import Situation
from stayalived.timing import Instant, after, seconds

TURNS = 100_000
"""Turns of the engine without the clock moving, after which it is taken for one that never comes to rest."""

IN_FORCE, NEW = 1, 2  # generations

Named = tuple[Operation, str]
"""An operation, and which server or service it is about."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TableSteps:
    """What would happen to the table.

    Attributes:
        problems: what the process would say of the configuration; with an error it would refuse it.
        at_once: what it would do as soon as the configuration is in force.
        later: what is left to do when every check that has no result yet has passed.
    """

    problems: tuple[Problem, ...] = ()
    at_once: tuple[Named, ...] = ()
    later: tuple[Named, ...] = ()


def rehearse_table(wanted: Configuration, situation: Situation, now: Instant) -> TableSteps:
    """Return what a start, or a reload where something runs, would do to the IPVS table."""
    if not (wanted.virtual_servers or (situation.running is not None and situation.running.virtual_servers)):
        return TableSteps()
    director = _Director(situation.table, now)
    for event in situation.told_to(IPVS):
        director.tell(event)
    if situation.running is not None:
        director.use(situation.running, IN_FORCE, Start.RESPAWNED)
    before = copy_of(director.table)
    director.done.clear()
    if not director.use(wanted, NEW, Start.RELOAD if situation.running is not None else Start.FIRST):
        return TableSteps(problems=director.problems)
    at_once = tuple(director.done)
    present = copy_of(director.table)
    director.pass_checks(wanted, situation)
    later = plan(present, director.table, {*before, *present, *director.table})
    names = _names(wanted)
    return TableSteps(problems=director.problems, at_once=_named(at_once, names), later=_named(later, names))


class _Director:
    """The engine, and a kernel that does what it is told.

    Attributes:
        table: as it is by now.
        done: what was asked for.
        problems: with which it answered the last configuration.
    """

    def __init__(self, table: Table, now: Instant) -> None:
        self.table = copy_of(table)
        self.done: list[Operation] = []
        self.problems: tuple[Problem, ...] = ()
        self._engine = IpvsEngine()
        self._answers: deque[IpvsEvent] = deque()
        self._now = now

    def use(self, configuration: Configuration, generation: int, start: Start) -> bool:
        """Put a configuration into force; returns whether it is accepted."""
        self.tell(Prepare(generation=generation, configuration=configuration))
        if any(not problem.warning for problem in self.problems):
            return False
        self.tell(Commit(generation=generation, start=start))
        self._settle()
        return True

    def pass_checks(self, configuration: Configuration, situation: Situation) -> None:
        """Let every check that has no result yet pass, and let the first round end."""
        told = {one.key: one for one in situation.told_to(IPVS) if isinstance(one.message, CheckState)}
        for check in checks_of(configuration.virtual_servers):
            known = told.get(check.key)
            if known is None or (isinstance(known.message, CheckState) and known.message.up is None):
                sender = CHECKER if check.distribution == BUNDLED else f"{CHECKER}/{check.distribution}"
                passed = _passed(check.subject, check.number, check.name)
                self.tell(Received(topic="services.check", key=check.key, sender=sender, message=passed))
        self._settle()
        self._now = after(self._now, round_limit(configuration))
        self._now = after(self._now, seconds(1))
        self._settle()

    def tell(self, event: AnyEvent) -> None:
        """Hand in an event; what the kernel answers is handed in after the effects at hand, as the shell does."""
        self._take(self._engine.handle(event, self._now))
        self._answer()

    def _answer(self) -> None:
        while self._answers:
            self._take(self._engine.handle(self._answers.popleft(), self._now))

    def _settle(self) -> None:
        for _ in range(TURNS):
            deadline = self._engine.deadline
            if deadline is None or deadline > self._now:
                return
            self._take(self._engine.wake(self._now))
            self._answer()
        raise Bug(f"ipvs does not come to rest within {TURNS} turns")

    def _take(self, effects: Sequence[AnyEffect]) -> None:
        for effect in effects:
            match effect:
                case ReadTable():
                    self._answers.append(TableRead(table=copy_of(self.table), connections={}))
                case Apply(operations):
                    for operation in operations:
                        carry_out(self.table, operation)
                    self.done += operations
                    self._answers.append(OperationsDone(operations=operations, problems=(None,) * len(operations)))
                case FindMissing(generation, needs):  # nobody loads a module for a plan
                    missing = (None,) * len(needs)
                    self._answers.append(MissingFound(generation=generation, needs=needs, problems=missing))
                case ReadTimeouts():
                    self._answers.append(TimeoutsAnswered(timeouts=Timeouts()))
                case SetTimeouts():
                    self._answers.append(TimeoutsAnswered())
                case Direct():
                    self._answers.append(Directed())
                case AnswerPrepared(problems=problems):
                    self.problems = problems
                case _:  # what it tells others: nobody listens here
                    continue


def _passed(subject: str, number: int, name: str) -> CheckState:
    return CheckState(
        subject=subject, number=number, check=name, up=True, weight=0, reason="", latency=0, since=0, stale=False
    )


def _names(configuration: Configuration) -> dict[tuple[ServiceKey, Endpoint | None], str]:
    """Return the names of servers by their place in the table, and of services without an endpoint."""
    names: dict[tuple[ServiceKey, Endpoint | None], str] = {}
    for service in configuration.virtual_servers:
        for key in keys_of(service):
            names[key, None] = service.name
            names[key, sorry_endpoint_in(key, service)] = f"{service.name} (sorry)"
            for server in service.real_servers:
                names[key, endpoint_in(key, server)] = f"{service.name}/{server.name}"
            names[key, None] = service.name
    return names


def _named(operations: Sequence[Operation], names: dict[tuple[ServiceKey, Endpoint | None], str]) -> tuple[Named, ...]:
    return tuple((one, names.get((one.key, getattr(one, "endpoint", None)), "")) for one in operations)
