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

from collections.abc import Sequence
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
from stayalived.config.model import Configuration
from stayalived.config.problems import Problem
from stayalived.errors import Bug
from stayalived.ipvs.directors import Directors
from stayalived.ipvs.events import (
    ERROR,
    AddressesSeen,
    AnyEffect,
    AnyEvent,
    Apply,
    Directed,
    FindMissing,
    IpvsEvent,
    KernelRefused,
    MissingFound,
    OperationsDone,
    ReadTable,
    SeenAround,
    TableRead,
    TimeoutsAnswered,
)
from stayalived.ipvs.kernel_view import KernelView
from stayalived.ipvs.levels import Levels
from stayalived.ipvs.model import DeleteService, Operation, ServiceKey
from stayalived.ipvs.news import Newsroom
from stayalived.ipvs.policies import Factory, Policies
from stayalived.ipvs.pools import Pools
from stayalived.ipvs.presence import Presence
from stayalived.ipvs.projection import problems_of
from stayalived.ipvs.requirements import held, missing, new_needs
from stayalived.ipvs.timeouts import TimeoutKeeper
from stayalived.messages.control import Start
from stayalived.messages.services import (
    AddressPresent,
    AdoptedServer,
    CheckState,
    FoundTimeouts,
    Override,
    ServiceState,
)
from stayalived.messages.vrrp import InstanceState
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

    def __init__(self, *, wall_offset: int = 0, policies: Factory | None = None) -> None:
        """Start without a configuration.

        Args:
            wall_offset: what to add to a moment to have nanoseconds of the wall clock: levels and drains end by it.
            policies: makes the schedulers that compute weights.
        """
        self._phase = Phase.IDLE
        self._prepared: Prepare | None = None
        self._configuration: Configuration | None = None
        self._news = Newsroom()
        self._pools = Pools(self._news, Levels(wall_offset), Policies(policies))
        self._kernel = KernelView()
        self._directors = Directors()
        self._timeouts = TimeoutKeeper()
        self._presence = Presence()
        self._missing: tuple[Problem, ...] = ()  # of what is prepared
        self._leaving: set[ServiceKey] = set()
        self._asked = False  # the kernel has not answered yet
        self._planned: Sequence[Operation] = ()  # the rest of a plan, good until something changes

    @property
    def deadline(self) -> Instant | None:
        """When `wake` has something to do: work that is waiting, a table to read, a decision that is due."""
        if self._phase is not Phase.WORKING:
            return None
        kernel = () if self._asked else (self._pools.due_at, self._kernel.read_at)
        return earliest((*kernel, self._pools.deadline, self._directors.due_at))

    def handle(self, event: AnyEvent, now: Instant) -> Sequence[AnyEffect]:
        """Take in one event and return what is to be done, in this order."""
        if not isinstance(event, OperationsDone) or any(event.problems):
            self._planned = ()
        match event:
            case Prepare():
                return self._prepare(event, now)
            case Commit(generation=generation):
                return self._commit(generation, event.start, now)
            case Abort(generation=generation):
                return self._abort(generation)
            case Stop(leave=leave):
                return self._stop(now, leave=leave)
            case Received():
                return self._receive(event, now)
            case _:
                return self._take(event, now)

    def wake(self, now: Instant) -> Sequence[AnyEffect]:
        """Do what has become due by `now`."""
        if self._phase is not Phase.WORKING:
            return []
        if self._directors.due_at is not None and now >= self._directors.due_at:
            return [self._directors.direct()]
        if self._pools.deadline is not None and now >= self._pools.deadline:
            self._planned = ()
        self._pools.wake(now)
        if self._asked:
            return self._news.take()
        if self._kernel.read_at is not None and now >= self._kernel.read_at:
            return [*self._news.take(), *self._ask_table()]
        return self._settle(now) if self._pools.due_at is not None else self._news.take()

    # -- life

    def _prepare(self, event: Prepare, now: Instant) -> Sequence[AnyEffect]:
        if self._phase in {Phase.STOPPING, Phase.STOPPED}:
            return []
        problems = problems_of(event.configuration)
        if problems:
            return [AnswerPrepared(generation=event.generation, problems=problems)]
        self._prepared = event
        self._missing = ()
        needs = new_needs(event.configuration, self._configuration)
        if needs:
            return [FindMissing(generation=event.generation, needs=needs)]
        return self._look_at_table(event, now)

    def _take_missing(self, event: MissingFound, now: Instant) -> Sequence[AnyEffect]:
        """Refuse to change over to what the kernel cannot do; a start goes on without it (the rest still works)."""
        prepared = self._prepared
        if prepared is None or prepared.generation != event.generation:
            return []
        working = self._phase is Phase.WORKING
        self._missing = missing(prepared.configuration, event.needs, event.problems, warning=not working)
        return self._look_at_table(prepared, now)

    def _look_at_table(self, event: Prepare, now: Instant) -> Sequence[AnyEffect]:
        if self._phase in {Phase.STOPPING, Phase.STOPPED}:
            return []
        if self._phase is Phase.WORKING:
            return [AnswerPrepared(generation=event.generation, problems=self._missing)]
        self._phase = Phase.PREPARING
        self._pools.build(event.configuration, now)
        self._leaving = self._news.remembered_keys() - self._pools.keys
        if event.configuration.virtual_servers or self._leaving:
            return self._ask_table()
        return self._answer()

    def _answer(self, problem: str = "") -> Sequence[AnyEffect]:
        """Answer the first `Prepare` once it is known what the kernel has: so checks know what was adopted."""
        if self._prepared is None:
            raise Bug("a table was read for a configuration that nobody prepared")
        self._phase = Phase.READY
        self._pools.adopt(self._kernel.present(), first=True)
        self._pools.look_at_drains(self._kernel.present(), self._kernel.connections, None)
        warnings = (*self._missing, *held(self._prepared.configuration, self._kernel.present()))
        if problem:  # then everything is missing
            warnings = (Problem(path="virtual_server", expected=problem, warning=True),)
        return [*self._news.take(), AnswerPrepared(generation=self._prepared.generation, problems=warnings)]

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
        marked = self._directors.keys
        self._directors.configure(configuration, now)
        self._leaving |= marked - self._directors.keys
        asked = [
            *self._timeouts.want(configuration.globals.lvs_timeouts),
            *self._directors.ask_around(),
            *self._presence.configure(configuration),
        ]
        if reloaded:
            return [*asked, *self._reload(configuration, now)]
        self._configuration = configuration
        if start is Start.FIRST and configuration.globals.flush:
            self._leaving |= set(self._kernel.present()) - self._pools.keys
        self._pools.start(configuration, now)
        return [*asked, *self._news.take()]

    def _reload(self, configuration: Configuration, now: Instant) -> Sequence[AnyEffect]:
        """Change over to another configuration: what did not change keeps its pool, its health, its connections."""
        if configuration == self._configuration:
            return []
        keys = self._pools.keys
        self._configuration = configuration
        self._pools.build(configuration, now)
        self._news.forget_servers(self._pools)
        self._leaving = (self._leaving | keys) - self._pools.keys
        if self._pools.unseen or self._kernel.table is None:
            self._kernel.read_at = now  # first of all, or once the kernel has answered
        else:  # it is as we left it; who has changed it since is found when it is read the next time
            self._pools.go_on(self._kernel.present(), now)
        return self._news.take()

    def _stop(self, now: Instant, *, leave: bool) -> Sequence[AnyEffect]:
        if self._phase in {Phase.STOPPING, Phase.STOPPED}:
            return []
        if self._phase is Phase.WORKING:
            self._pools.tell_end(now)
        self._phase = Phase.STOPPING
        released = [] if leave else self._directors.release()
        if leave or self._configuration is None:  # what was found before a first commit is not ours to delete
            self._leaving.clear()
            self._pools.clear()
        else:
            self._leaving |= self._directors.keys
        restored = [] if leave else self._timeouts.restore()
        told = [*self._news.take(), *released, *restored]
        return told if self._asked else [*told, *self._delete_services()]

    def _delete_services(self) -> Sequence[AnyEffect]:
        """Delete what is ours in one go (LV40), then be finished, also with what the kernel refused to delete."""
        mine = self._pools.keys | self._leaving
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
        if isinstance(message, CheckState) or event.topic == "services.check":
            state = message if isinstance(message, CheckState) else None
            self._pools.hear(event.sender, event.key, state, now, working=self._phase is Phase.WORKING)
        elif isinstance(message, InstanceState) or event.topic == "vrrp.instance":
            instance = message if isinstance(message, InstanceState) else None
            self._pools.mark(self._directors.hear(event.key, instance, now), now)
        elif isinstance(message, Override) or event.topic == "services.override":
            level = message if isinstance(message, Override) else None
            self._pools.hear_level(event.key, level, now, working=self._phase is Phase.WORKING)
        elif isinstance(message, ServiceState):
            self._news.remember(event.key, message)
        elif isinstance(message, FoundTimeouts):
            self._timeouts.remember(message)
        elif isinstance(message, AddressPresent):
            self._presence.remember(message)
        elif isinstance(message, AdoptedServer):
            self._news.adopted.add(message.subject)
        return []

    # -- what the kernel answers

    def _take(self, event: IpvsEvent, now: Instant) -> Sequence[AnyEffect]:
        match event:
            case TableRead():
                return self._take_table(event, now)
            case KernelRefused():
                return self._take_refusal(event, now)
            case OperationsDone():
                return self._take_results(event, now)
            case MissingFound():
                return self._take_missing(event, now)
            case Directed() | SeenAround():
                return self._take_surroundings(event, now)
            case TimeoutsAnswered():
                return self._timeouts.take(event) if self._phase is Phase.WORKING else []
            case AddressesSeen():
                return self._presence.take(event) if self._phase is Phase.WORKING else []

    def _take_table(self, event: TableRead, now: Instant) -> Sequence[AnyEffect]:
        self._asked = False
        if self._phase is Phase.WORKING:
            for key in self._kernel.drifted(event, self._pools.keys):
                self._news.report_drift(key)
        self._kernel.take(event, now)
        if self._phase is Phase.WORKING:
            self._pools.look_at_drains(self._kernel.present(), self._kernel.connections, now)
        match self._phase:
            case Phase.PREPARING:
                return self._answer()
            case Phase.WORKING:
                return [*self._timeouts.again(), *self._presence.again(), *self._look_again(now)]
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
                return [report, *self._look_again(now)]
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
        self._pools.mark((), now)
        return reports

    def _take_surroundings(self, event: Directed | SeenAround, now: Instant) -> Sequence[AnyEffect]:
        if isinstance(event, SeenAround):
            return self._directors.look_around(event.found)
        if self._phase is Phase.WORKING:
            self._pools.mark((), now)
        return self._directors.take(event, now, quiet=None in self._kernel.problems)

    # -- work

    def _look_again(self, now: Instant) -> Sequence[AnyEffect]:
        """Compare everything with what the kernel is known to have."""
        self._pools.adopt(self._kernel.present())
        told = self._news.take()
        self._pools.judge_all(now)
        return told

    def _settle(self, now: Instant) -> Sequence[AnyEffect]:
        """Ask for the next operations, or, when there are none left, tell how everything is."""
        self._pools.due_at = None
        if not self._planned:
            projected = {**self._pools.wanted(), **self._directors.table()}
            held_back = self._directors.held_back(self._kernel.present())
            wanted = {key: entry for key, entry in projected.items() if key not in held_back}
            self._planned = self._kernel.plan(wanted, {*projected, *self._leaving})
        operations, self._planned = self._planned[:APPLY_CHUNK], self._planned[APPLY_CHUNK:]
        if operations:
            self._asked = True
            return [Apply(tuple(operations)), *self._news.take()]
        self._leaving = {key for key in self._leaving if key in self._kernel.present()}
        self._pools.settle()
        if not self._pools.dirty:  # who looks on waits for the kernel, and not the other way round
            for pool in self._pools.to_tell():
                self._news.tell_state(pool, self._kernel, now)
            self._news.forget_services(self._pools.names, self._leaving)
        self._pools.due_at = now if self._pools.unfinished else None
        return self._news.take()

    def _ask_table(self) -> Sequence[AnyEffect]:
        self._asked = True
        return [ReadTable()]
