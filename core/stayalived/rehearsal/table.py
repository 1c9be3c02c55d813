"""What a start or a reload would do to the kernel's IPVS table: the engine of ipvs on a copy of the table. Pure.

The engine plays the process that runs first: it is given the configuration in force and what a replaced process would
be retold, and what it asks for then is not looked at. What it asks for after that is the answer.
"""

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from stayalived.addresses import Endpoint
from stayalived.child.events import AnswerPrepared, Commit, Prepare, Received, Report
from stayalived.config.model import BUNDLED, Configuration
from stayalived.config.problems import Problem
from stayalived.config.resolve import checks_of
from stayalived.errors import Bug
from stayalived.ipvs.directors import SITE
from stayalived.ipvs.engine import IpvsEngine
from stayalived.ipvs.events import (
    WARNING,
    AnyEffect,
    AnyEvent,
    Apply,
    Direct,
    Directed,
    FindMissing,
    IpvsEvent,
    LookAround,
    MissingFound,
    OperationsDone,
    ReadTable,
    ReadTimeouts,
    SeenAround,
    SetTimeouts,
    TableRead,
    TimeoutsAnswered,
)
from stayalived.ipvs.model import Operation, ServiceKey, carry_out, copy_of
from stayalived.ipvs.plan import plan
from stayalived.ipvs.projection import endpoint_in, keys_of, sorry_endpoint_in
from stayalived.ipvs.rounds import round_limit
from stayalived.messages.control import Start
from stayalived.messages.routes import CHECKER, IPVS, VRRP
from stayalived.messages.services import CheckState
from stayalived.messages.vrrp import InstanceState
from stayalived.rehearsal.situation import Situation
from stayalived.rehearsal.surroundings import Beside
from stayalived.timing import Instant, after, seconds

TURNS = 100_000
"""Turns of the engine without the clock moving, after which it is taken for one that never comes to rest."""

IN_FORCE, NEW = 1, 2  # generations

_NO_INSTANCES: Mapping[str, InstanceState] = MappingProxyType({})

Named = tuple[Operation, str]
"""An operation, and which server or service it is about."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TableSteps:
    """What would happen to the table.

    Attributes:
        problems: what the process would say of the configuration; with an error it would refuse it.
        at_once: what it would do as soon as the configuration is in force.
        beside: what it would do beside the table, as command lines.
        later: what is left to do when every check that has no result yet has passed.
    """

    problems: tuple[Problem, ...] = ()
    at_once: tuple[Named, ...] = ()
    beside: tuple[str, ...] = ()
    later: tuple[Named, ...] = ()


def rehearse_table(
    wanted: Configuration, situation: Situation, now: Instant, states: Mapping[str, InstanceState] = _NO_INSTANCES
) -> TableSteps:
    """Return what a start, or a reload where something runs, would do to the IPVS table, and beside it.

    Args:
        wanted: the configuration.
        situation: what there is.
        now: the moment.
        states: what becomes of the instances.
    """
    if not (wanted.virtual_servers or (situation.running is not None and situation.running.virtual_servers)):
        return TableSteps()
    director = _Director(situation, now)
    for event in situation.told_to(IPVS):
        director.tell(event)
    if situation.running is not None:
        director.use(situation.running, IN_FORCE, Start.RESPAWNED)
    before = copy_of(director.table)
    director.done.clear()
    director.beside.lines.clear()
    director.said.clear()
    if not director.use(wanted, NEW, Start.RELOAD if situation.running is not None else Start.FIRST):
        return TableSteps(problems=director.problems)
    for name, state in states.items():
        director.tell(Received(topic="vrrp.instance", key=name, sender=VRRP, message=state))
    director.settle()
    at_once, beside = tuple(director.done), tuple(director.beside.lines)
    problems = (*director.problems, *(Problem(path="", expected=text, warning=True) for text in director.said))
    present = copy_of(director.table)
    director.pass_checks(wanted, situation)
    later = plan(present, director.table, {*before, *present, *director.table})
    names = _names(wanted)
    return TableSteps(problems=problems, at_once=_named(at_once, names), beside=beside, later=_named(later, names))


class _Director:
    """The engine, and a kernel that does what it is told.

    Attributes:
        table: as it is by now.
        done: what was asked for.
        problems: with which it answered the last configuration.
        beside: what there is beside the table, and what was changed of it.
        said: warnings of what the site has left undone.
    """

    def __init__(self, situation: Situation, now: Instant) -> None:
        self.table = copy_of(situation.table)
        self.beside = Beside(situation.daemons, situation.backup_only, situation.timeouts)
        self.said: list[str] = []
        self._around = situation.around
        held = (interface.addresses for interface in situation.interfaces.values())
        self._local = frozenset(one.address for addresses in held for one in addresses)
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
        self.settle()
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
        self.settle()
        self._now = after(self._now, round_limit(configuration))
        self._now = after(self._now, seconds(1))
        self.settle()

    def tell(self, event: AnyEvent) -> None:
        """Hand in an event; what the kernel answers is handed in after the effects at hand, as the shell does."""
        self._take(self._engine.handle(event, self._now))
        self._answer()

    def _answer(self) -> None:
        while self._answers:
            self._take(self._engine.handle(self._answers.popleft(), self._now))

    def settle(self) -> None:
        """Let the engine do what is due now."""
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
                case AnswerPrepared(problems=problems):
                    self.problems = problems
                case Report(level=level, once=once, text=text) if once.startswith(SITE) and level >= WARNING:
                    self.said.append(text)
                case _:
                    answer = self._of_table(effect) or self._of_surroundings(effect)
                    if answer is not None:  # else it tells others, and nobody listens here
                        self._answers.append(answer)

    def _of_table(self, effect: AnyEffect) -> IpvsEvent | None:
        match effect:
            case ReadTable():
                return TableRead(table=copy_of(self.table), connections={})
            case Apply(operations):
                for operation in operations:
                    carry_out(self.table, operation)
                self.done += operations
                return OperationsDone(operations=operations, problems=(None,) * len(operations))
            case FindMissing(generation, needs):  # nobody loads a module for a plan
                return MissingFound(generation=generation, needs=needs, problems=(None,) * len(needs))
        return None

    def _of_surroundings(self, effect: AnyEffect) -> IpvsEvent | None:
        match effect:
            case ReadTimeouts():
                return TimeoutsAnswered(timeouts=self.beside.timeouts)
            case SetTimeouts():
                self.beside.keep(effect)
                return TimeoutsAnswered()
            case Direct():
                self.beside.direct(effect)
                return Directed(local=self._local)
            case LookAround() if self._around is not None:
                return SeenAround(self._around)
        return None


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
