"""The ipvs engine: configuration, results of checks and the kernel's table come in, operations and news go out. Pure.

| phase | waits for | then |
|---|---|---|
| IDLE | `Prepare` | reads the table, if there is something to balance |
| PREPARING | what the kernel has | tells which servers it found, answers `Prepare` |
| READY | `Commit` | goes to work |
| WORKING | results, tables, the clock | plans, applies, tells |
| STOPPING | the last operations | has finished |
| STOPPED | | |

What a verdict changes is not planned at once but at the next `wake`, which is due immediately: verdicts that came
together leave in one batch. The order towards others is keepalived's (LV45): the kernel first, then the event of the
real server, then that of quorum.
"""

from collections.abc import Iterable, Sequence
from enum import Enum

from stayalived.child.events import (
    Abort,
    AnswerPrepared,
    Commit,
    Finished,
    Prepare,
    Received,
    Report,
    Stop,
)
from stayalived.config.model import Configuration, RealServer
from stayalived.config.problems import Problem
from stayalived.errors import Bug
from stayalived.ipvs.events import (
    ERROR,
    AnyEffect,
    AnyEvent,
    Apply,
    KernelRefused,
    OperationsDone,
    ReadTable,
    TableRead,
)
from stayalived.ipvs.kernel_view import KernelView
from stayalived.ipvs.model import DeleteService, ServiceKey, Table
from stayalived.ipvs.news import Newsroom
from stayalived.ipvs.pool import Pool, hold_from
from stayalived.ipvs.projection import problems_of
from stayalived.ipvs.quorum import Quorum
from stayalived.messages.control import Start
from stayalived.messages.services import AdoptedServer, CheckState, ServiceState
from stayalived.timing import Instant, earliest

APPLY_CHUNK = 512
"""Operations in one `Apply`: at a millisecond each on a slow machine the loop still gives its sign of life in time."""


class Phase(Enum):
    """Where this process is in its life; the table stands at the head of the module."""

    IDLE = "idle"
    PREPARING = "preparing"
    READY = "ready"
    WORKING = "working"
    STOPPING = "stopping"
    STOPPED = "stopped"


class IpvsEngine:
    """Makes the kernel's table equal to the one that configuration and health ask for."""

    def __init__(self) -> None:
        """Start without a configuration."""
        self._phase = Phase.IDLE
        self._prepared: Prepare | None = None
        self._configuration: Configuration | None = None
        self._pools: dict[str, Pool] = {}
        self._servers: dict[str, tuple[Pool, RealServer]] = {}
        self._leaving: set[ServiceKey] = set()
        self._checks: dict[str, CheckState] = {}
        self._kernel = KernelView()
        self._news = Newsroom()
        self._asked = False
        self._dirty: set[str] = set()
        self._settle_at: Instant | None = None
        self._round_until: Instant | None = None
        self._decide_at: Instant | None = None
        self._waiting: set[str] = set()

    @property
    def deadline(self) -> Instant | None:
        """When `wake` has something to do: work that is waiting, a table to read, a decision that is due."""
        if self._phase is not Phase.WORKING:
            return None
        kernel = () if self._asked else (self._settle_at, self._kernel.read_at)
        return earliest((*kernel, self._round_until, self._decide_at))

    def handle(self, event: AnyEvent, now: Instant) -> Sequence[AnyEffect]:
        """Take in one event and return what is to be done, in this order."""
        match event:
            case Prepare():
                return self._prepare(event, now)
            case Commit(generation=generation):
                return self._commit(generation, event.start, now)
            case Abort(generation=generation):
                return self._abort(generation)
            case Stop(leave=leave):
                return self._stop(leave=leave)
            case Received():
                return self._receive(event, now)
            case TableRead():
                return self._take_table(event, now)
            case KernelRefused():
                return self._take_refusal(event, now)
            case OperationsDone():
                return self._take_results(event, now)

    def wake(self, now: Instant) -> Sequence[AnyEffect]:
        """Do what has become due by `now`."""
        if self._phase is not Phase.WORKING:
            return []
        self._close_round(now)
        self._decide_overdue(now)
        if self._asked:
            return self._news.take()
        if self._kernel.read_at is not None and now >= self._kernel.read_at:
            return [*self._news.take(), *self._ask_table()]
        return self._settle(now) if self._settle_at is not None else self._news.take()

    # -- life

    def _prepare(self, event: Prepare, now: Instant) -> Sequence[AnyEffect]:
        if self._phase in {Phase.STOPPING, Phase.STOPPED}:
            return []
        problems = problems_of(event.configuration)
        if problems:
            return [AnswerPrepared(generation=event.generation, problems=problems)]
        self._prepared = event
        if self._phase is Phase.WORKING:
            return [AnswerPrepared(generation=event.generation)]
        self._phase = Phase.PREPARING
        self._build_pools(event.configuration, now)
        if event.configuration.virtual_servers or self._leaving:
            return self._ask_table()
        return self._answer()

    def _answer(self, problem: str = "") -> Sequence[AnyEffect]:
        """Answer the first `Prepare` once it is known what the kernel has: so checks know what was adopted."""
        if self._prepared is None:
            raise Bug("a table was read for a configuration that nobody prepared")
        self._phase = Phase.READY
        found = self._adopt(with_strangers=True)
        warnings = (Problem(path="virtual_server", expected=problem, warning=True),) if problem else ()
        return [*found, AnswerPrepared(generation=self._prepared.generation, problems=warnings)]

    def _abort(self, generation: int) -> Sequence[AnyEffect]:
        if self._prepared is not None and self._prepared.generation == generation:
            self._prepared = None
            if self._phase in {Phase.PREPARING, Phase.READY}:
                self._phase = Phase.IDLE
        return []

    def _commit(self, generation: int, start: Start, now: Instant) -> Sequence[AnyEffect]:
        if self._prepared is None or self._prepared.generation != generation:
            raise Bug(f"commit of generation {generation}, which was not prepared")
        configuration, self._prepared = self._prepared.configuration, None
        reloaded = self._phase is Phase.WORKING
        self._phase = Phase.WORKING
        if reloaded:
            return self._reload(configuration, now)
        self._configuration = configuration
        if start is Start.FIRST and configuration.globals.flush:
            self._leaving |= set(self._kernel.present()) - self._keys()
        for pool in self._pools.values():
            pool.hold_until = hold_from(now, configuration)
        self._judge_all(now)
        self._open_round(configuration, now)
        return self._news.take()

    def _reload(self, configuration: Configuration, now: Instant) -> Sequence[AnyEffect]:
        """Change over to another configuration: what did not change keeps its pool, its health, its connections."""
        if configuration == self._configuration:
            return []
        before = self._keys()
        old = set(self._servers)
        self._configuration = configuration
        self._build_pools(configuration, now)
        self._leaving = (self._leaving | before) - self._keys()
        self._news.forget_servers(old - set(self._servers))
        return [*self._news.take(), *self._ask_table()]

    def _stop(self, *, leave: bool) -> Sequence[AnyEffect]:
        if self._phase in {Phase.STOPPING, Phase.STOPPED}:
            return []
        self._phase = Phase.STOPPING
        if leave or self._configuration is None:  # what was found before a first commit is not ours to delete
            self._leaving.clear()
            self._pools.clear()
        return [] if self._asked else self._delete_services()

    def _delete_services(self) -> Sequence[AnyEffect]:
        """Delete what is ours in one go (LV40), then be finished, also with what the kernel refused to delete."""
        mine = self._keys() | self._leaving
        operations = tuple(DeleteService(key) for key in self._kernel.present() if key in mine)
        self._phase = Phase.STOPPING if operations else Phase.STOPPED
        if not operations:
            return [Finished()]
        self._asked = True
        self._pools.clear()
        self._leaving.clear()
        return [Apply(operations)]

    # -- what others tell

    def _receive(self, event: Received, now: Instant) -> Sequence[AnyEffect]:
        message = event.message
        if isinstance(message, CheckState):
            self._checks[event.key] = message
            return self._hear(message.subject, now)
        if event.topic == "services.check":
            gone = self._checks.pop(event.key, None)
            return self._hear(gone.subject, now) if gone is not None else []
        if isinstance(message, ServiceState):
            self._news.remember(event.key, message)
        elif isinstance(message, AdoptedServer):
            self._news.adopted.add(message.subject)
        return []

    def _hear(self, subject: str, now: Instant) -> Sequence[AnyEffect]:
        """Judge one server again; the work that follows is due at once, together with what else has come."""
        if self._phase is Phase.WORKING and subject in self._servers:
            pool, server = self._servers[subject]
            self._judge(pool, server, now)
            self._redecide(pool.service.name, now)
        return []

    # -- what the kernel answers

    def _take_table(self, event: TableRead, now: Instant) -> Sequence[AnyEffect]:
        self._asked = False
        if self._phase is Phase.WORKING:
            for key in self._kernel.drifted(event, self._keys()):
                self._news.report_drift(key)
        self._kernel.take(event, now)
        match self._phase:
            case Phase.PREPARING:
                self._leaving = self._news.remembered_keys() - self._keys()
                return self._answer()
            case Phase.WORKING:
                found = self._adopt(with_strangers=self._round_until is not None)
                self._judge_all(now)
                return found
            case Phase.STOPPING:
                return self._delete_services()
            case _:
                return []

    def _take_refusal(self, event: KernelRefused, now: Instant) -> Sequence[AnyEffect]:
        self._asked = False
        text = str(event.problem)
        self._kernel.cannot_read(text, now)
        report = Report(level=ERROR, text=text, once=f"ipvs: {event.problem.errno}")
        match self._phase:
            case Phase.PREPARING:
                return [report, *self._answer(text)]
            case Phase.WORKING:
                found = self._adopt(with_strangers=False)
                self._judge_all(now)
                return [report, *found]
            case Phase.STOPPING:
                return [report, *self._delete_services()]
            case _:
                return [report]

    def _take_results(self, event: OperationsDone, now: Instant) -> Sequence[AnyEffect]:
        self._asked = False
        refused = self._kernel.done(event, now)
        reports = [Report(level=ERROR, text=text, once=f"ipvs: {text}") for _, text in refused]
        if self._phase is Phase.STOPPING:
            return [*reports, *self._delete_services()]
        self._settle_at = now
        return reports

    # -- work

    def _build_pools(self, configuration: Configuration, now: Instant) -> None:
        before = self._pools
        self._pools = {}
        for service in configuration.virtual_servers:
            pool = self._pools[service.name] = Pool(service, hold_from(now, configuration))
            if service.name in before:
                pool.succeed(before[service.name])
            else:
                self._news.recall(pool)
        self._servers = {
            pool.subject(server): (pool, server)
            for pool in self._pools.values()
            for server in pool.service.real_servers
        }
        self._dirty = set(self._pools)

    def _adopt(self, *, with_strangers: bool) -> list[AnyEffect]:
        """Look in the kernel's table for servers that are new to us, and tell the checker of each that is there."""
        for pool in self._pools.values():
            for server, weight in pool.adopt(self._kernel.present(), with_strangers=with_strangers):
                self._news.tell_adopted(pool, server, weight)
        return [*self._news.take()]

    def _judge_all(self, now: Instant) -> None:
        for name, pool in self._pools.items():
            for server in pool.service.real_servers:
                self._judge(pool, server, now)
            self._redecide(name, now)
        self._dirty = set(self._pools)
        self._settle_at = now
        self._decide_overdue(now)

    def _judge(self, pool: Pool, server: RealServer, now: Instant) -> None:
        change = pool.rejudge(server, self._checks)
        if change is not None:
            self._news.tell_server(pool, change, now)
        if not pool.unknown:
            self._waiting.discard(pool.service.name)
        self._mark(pool.service.name, now)

    def _redecide(self, name: str, now: Instant) -> None:
        change = self._pools[name].redecide(now)
        if change is not None:
            self._news.tell_quorum(self._pools[name], change, now)
            self._mark(name, now)

    def _decide_overdue(self, now: Instant) -> None:
        """Decide quorum where it has been held open long enough, and see when the next such moment is."""
        if self._decide_at is not None and now >= self._decide_at:
            for name in self._pools:
                self._redecide(name, now)
        self._decide_at = earliest(pool.hold_until for pool in self._pools.values() if pool.quorum is Quorum.UNDECIDED)

    def _mark(self, name: str, now: Instant) -> None:
        self._dirty.add(name)
        self._settle_at = now

    def _open_round(self, configuration: Configuration, now: Instant) -> None:
        """Begin the first round, which nobody waits for when `start_hold` is off, and tell whether it is open."""
        self._waiting = {name for name, pool in self._pools.items() if pool.unknown}
        if self._waiting and configuration.globals.start_hold:
            self._round_until = hold_from(now, configuration)
            self._news.tell_round(open_=True)
        else:
            self._end_round(now)

    def _close_round(self, now: Instant) -> None:
        """End the first round when nobody is UNKNOWN any more, or when it has lasted long enough."""
        if self._round_until is not None and (not self._waiting or now >= self._round_until):
            self._end_round(now)

    def _end_round(self, now: Instant) -> None:
        self._round_until = None
        self._news.tell_round(open_=False)
        for name, pool in self._pools.items():
            pool.forget_strangers()
            self._mark(name, now)

    def _settle(self, now: Instant) -> Sequence[AnyEffect]:
        """Ask for the next operations, or, when there are none left, tell how everything is."""
        self._settle_at = None
        wanted: Table = {}
        for name in self._dirty:
            wanted.update(self._pools[name].projection.table)
        operations = self._kernel.plan(wanted, {*wanted, *self._leaving})[:APPLY_CHUNK]
        if operations:
            self._asked = True
            return [Apply(tuple(operations)), *self._news.take()]
        dirty, self._dirty = self._dirty, set()
        self._leaving = {key for key in self._leaving if key in self._kernel.present()}
        for name in dirty:
            self._news.tell_state(self._pools[name], self._kernel, now)
        self._news.forget_services(set(self._pools), self._leaving)
        return self._news.take()

    def _ask_table(self) -> Sequence[AnyEffect]:
        self._asked = True
        return [ReadTable()]

    def _keys(self) -> set[ServiceKey]:
        return _keys_of(self._pools.values())


def _keys_of(pools: Iterable[Pool]) -> set[ServiceKey]:
    return {key for pool in pools for key in pool.keys}
