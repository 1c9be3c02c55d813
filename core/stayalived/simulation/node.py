"""One machine: the real supervisor engine, the real engines of its children, simulated pipes, a kernel in memory.

A process is an engine with two pipes. It may be killed between any two events, and a machine may be frozen: what would
have happened to it meanwhile happens when it is resumed, in the same order.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from stayalived.child.base import ALIVE_INTERVAL
from stayalived.child.conversation import Conversation
from stayalived.child.events import AnswerPrepared, Commit, Finished, Forget, Received, Report, Stop, Tell
from stayalived.config import model
from stayalived.config.model import Configuration
from stayalived.messages import control
from stayalived.messages.codec import Frame
from stayalived.messages.control import Message, Needs, Start
from stayalived.messages.routes import CONFIG, pack, role_of
from stayalived.simulation.pipes import Pipe
from stayalived.simulation.world import World, between
from stayalived.supervisor import events as supervision
from stayalived.supervisor.engine import SupervisorEngine
from stayalived.timing import Instant, milliseconds

FORK_TIME = (0.002, 0.02)
"""Seconds from the fork of a child to its Hello: from the first word to the last that was measured."""

PARSE_TIME = (0.05, 0.3)
"""Seconds that reading a configuration takes."""

REAP_TIME = milliseconds(0.3)
"""From the death of a child to the supervisor's knowledge of its exit status; its pipe may end before or after."""


class AnyEngine(Protocol):
    """What every engine looks like from here."""

    @property
    def deadline(self) -> Instant | None: ...  # noqa: D102  (see `stayalived.engine.Engine`)
    def handle(self, event: Any, now: Instant, /) -> Sequence[Any]: ...  # noqa: D102
    def wake(self, now: Instant, /) -> Sequence[Any]: ...  # noqa: D102


class Role(Protocol):
    """What a role needs beside its engine: how it is made, and who carries out its own effects."""

    def make(self, process: "Process") -> AnyEngine:
        """Return a fresh engine for a process that was just forked."""
        ...

    def born(self, process: "Process") -> None:
        """Tell the engine what its shell tells first."""
        ...

    def perform(self, process: "Process", effect: Any) -> None:
        """Carry out an effect of the role."""
        ...

    def died(self, process: "Process") -> None:
        """Take away what dies with the process: its sockets."""
        ...


class Turned:
    """An engine that is fed and woken by the world; the base of supervisors and children."""

    def __init__(self, node: "Node", name: str) -> None:
        """Make it; `engine` is set by the one who inherits."""
        self.node = node
        self.name = name
        self.engine: AnyEngine
        self.alive = True
        self._waking: Instant | None = None
        self._queue: list[Any] = []
        self._busy = False

    @property
    def label(self) -> str:
        """Name in the history: `r0/vrrp`."""
        return f"{self.node.name}/{self.name}"

    def post(self, event: Any) -> None:
        """Hand an event to the engine and carry out what it answers, then the events that came of it."""
        self._queue.append(event)
        if self._busy:
            return
        self._busy = True
        while self._queue and self.alive:
            self._do(self.engine.handle(self._queue.pop(0), self.node.world.now))
        self._queue.clear()
        self._busy = False
        self._plan_to_wake()

    def _wake(self, planned: Instant) -> None:
        if not self.alive or self._waking != planned:
            return
        self._waking = None
        deadline = self.engine.deadline
        if deadline is not None and deadline <= self.node.world.now:
            self._busy = True
            self._do(self.engine.wake(self.node.world.now))
            self._busy = False
            if self._queue and self.alive:
                self.post(self._queue.pop(0))
        self._plan_to_wake()

    def _plan_to_wake(self) -> None:
        deadline = self.engine.deadline if self.alive else None
        if deadline is None:
            self._waking = None
        elif self._waking is None or deadline < self._waking:
            self._waking = moment = max(deadline, self.node.world.now)
            self.node.at(moment, lambda: self._wake(moment))

    def _do(self, effects: Sequence[Any]) -> None:
        for effect in effects:
            if not self.alive:
                return
            self.carry_out(effect)

    def carry_out(self, effect: Any) -> None:
        """Do what the engine asks for."""
        raise AssertionError(f"{self.label} cannot {effect}")


class Process(Turned):
    """One child: its engine, its half of the conversation, its two pipes."""

    def __init__(self, node: "Node", name: str, pid: int, start: Start, role: Role) -> None:
        """Be forked; the Hello comes a little later."""
        super().__init__(node, name)
        self.pid = pid
        self.start = start
        self.role = role
        self.reports: Counter[str] = Counter()
        self.told: dict[tuple[str, str], Message] = {}
        self.committed_at: Instant | None = None
        self._conversation = Conversation()
        world, counts = node.world, node.counts
        self.to_child = Pipe(world, f"{self.label}<", node.guarded(self._read), counts)
        self.to_supervisor = Pipe(world, f"{self.label}>", node.guarded(self._written), counts)
        node.pipes += [self.to_child, self.to_supervisor]
        self.engine = role.make(self)
        node.later(FORK_TIME, self._begin)

    def kill(self, signal: int = 9, status: int = 0) -> None:
        """Die now, between two events; frames already written are still read."""
        if not self.alive:
            return
        self.alive = False
        self.node.world.note(self.label, f"dies {signal}/{status}")
        self.node.last_words[self.name] = dict(self.told)
        self.role.died(self)
        self.to_child.abandon()
        supervisor = self.node.supervisor
        self.to_supervisor.end(self.node.guard(lambda: supervisor.post(supervision.EndOfFile(name=self.name))))
        self.node.children.pop(self.name, None)
        self.node.reap(self, status=status, signal=signal)

    def orphan(self) -> None:
        """See the end of the supervisor's pipe: release everything and end."""
        self.to_supervisor.abandon()
        if self.alive:
            self.post(Stop())

    def carry_out(self, effect: Any) -> None:
        """Send what is to be told, note what is to be logged, give the rest to the role."""
        if isinstance(effect, Report):
            self.reports[effect.text] += 1
        elif isinstance(effect, AnswerPrepared | Tell | Forget | Finished):
            if isinstance(effect, Tell):
                self.told[type(effect.message).__name__, effect.key] = effect.message
            frame = self._conversation.frame_for(effect)
            if frame is not None:
                self.node.world.note(self.label, f"tells {frame.topic} {frame.key}")
                self.to_supervisor.send(frame)
            if isinstance(effect, Finished):
                self.kill(signal=0)
        else:
            self.role.perform(self, effect)

    def _begin(self) -> None:
        if not self.alive:
            return
        self.role.born(self)
        self.to_supervisor.send(self._conversation.hello(self.pid))
        self._say_alive()

    def _say_alive(self) -> None:
        if self.alive:
            self.to_supervisor.send(self._conversation.alive())
            self.node.at(Instant(self.node.world.now + ALIVE_INTERVAL), self._say_alive)

    def _read(self, frame: Frame, blob: int | None) -> None:
        if not self.alive:
            return
        event = self._conversation.frames_in(frame, None if blob is None else self.node.blobs[blob])
        if isinstance(event, Received) and event.sender == self.name and event.message is not None:
            self.told[type(event.message).__name__, event.key] = event.message  # what it said before it died holds
        if isinstance(event, Commit) and self.committed_at is None:
            self.committed_at = self.node.world.now
        if event is not None:
            self.post(event)

    def _written(self, frame: Frame, blob: int | None) -> None:
        self.node.supervisor.post(supervision.FrameReceived(name=self.name, frame=frame, blob=blob))


class Supervisor(Turned):
    """The supervisor's engine and what its shell does for it."""

    def __init__(self, node: "Node") -> None:
        """Begin; nothing is read yet."""
        super().__init__(node, "supervisor")
        self.decides = SupervisorEngine(run_dir="/run/stayalived", config_dir="/etc/stayalived/conf.d")
        self.engine = self.decides
        self.reports: Counter[str] = Counter()

    def carry_out(self, effect: Any) -> None:
        """Do what the engine asks of its shell."""
        node = self.node
        match effect:
            case supervision.Fork(name=name, start=start, generation=generation):
                node.fork(name, start, generation)
            case supervision.Kill(name=name):
                child = node.children.get(name)
                if child is not None:
                    child.kill()
            case supervision.Send(name=name, frame=frame, blob=blob):
                child = node.children.get(name)
                if child is not None:
                    child.to_child.send(frame, blob)
            case supervision.DropBlob():
                pass  # a descriptor on its way through a pipe keeps its file alive, and so does the node
            case supervision.ForgetSendTimes():
                node.send_times.clear()
            case supervision.Exit():
                node.supervisor_ended()
            case Report(text=text):
                self.reports[text] += 1


class Node:
    """One machine.

    Args:
        world: where it stands.
        name: for the history.
        roles: the roles that its daemon runs.
        read_configuration: what the config child finds when it reads the files.
    """

    def __init__(
        self,
        world: World,
        name: str,
        roles: dict[str, Role],
        read_configuration: Callable[[], Configuration],
    ) -> None:
        """Make a machine that is switched off."""
        self.world = world
        self.name = name
        self.roles = roles
        self.read_configuration = read_configuration
        self.counts: Counter[str] = Counter()
        self.children: dict[str, Process] = {}
        self.blobs: dict[int, bytes] = {}
        self.send_times: dict[int, Instant] = {}
        self.last_words: dict[str, dict[tuple[str, str], Message]] = {}
        self.on = False
        self.frozen_until: Instant | None = None
        self.supervisor: Supervisor
        self.pipes: list[Pipe] = []
        self._pids = 100
        self._boots = 0
        self._thawing: list[Callable[[], None]] = []

    def boot(self) -> None:
        """Start the daemon."""
        self.on = True
        self._boots += 1
        self.blobs.clear()
        self.send_times.clear()
        self.last_words.clear()
        self.children.clear()
        self.world.note(self.name, "boots")
        self.supervisor = Supervisor(self)
        self.supervisor.post(supervision.Started())

    def signal(self, order: supervision.Order) -> None:
        """Send the supervisor a signal."""
        if self.on and self.supervisor.alive:
            self.supervisor.post(supervision.SignalReceived(order=order))

    def lose(self) -> None:
        """Lose the machine at one moment: every process and everything in memory."""
        self.world.note(self.name, "is lost")
        self.on = False
        self._boots += 1
        self.supervisor.alive = False
        for child in list(self.children.values()):
            child.alive = False
            child.role.died(child)
        self.children.clear()

    def kill_supervisor(self) -> None:
        """Kill the supervisor alone: its children see the end of their pipes."""
        if not self.on or not self.supervisor.alive:
            return
        self.world.note(self.name, "loses its supervisor")
        self.supervisor.alive = False
        for child in list(self.children.values()):
            self.later((0.0, 0.01), child.orphan)

    def supervisor_ended(self) -> None:
        """Note that the daemon has stopped in order."""
        self.supervisor.alive = False
        self.on = False

    def freeze(self, until: Instant) -> None:
        """Let nothing happen on this machine until a moment; what comes meanwhile happens then."""
        if self.frozen_until is None:
            self.frozen_until = until
            self.world.note(self.name, "is frozen")
            self.world.at(until, self._thaw)

    def at(self, moment: Instant, action: Callable[[], None]) -> None:
        """Let something happen on this machine, unless it has been switched off in between."""
        self.world.at(moment, self.guard(action))

    def later(self, seconds: tuple[float, float], action: Callable[[], None]) -> None:
        """Let something happen on this machine after a time drawn between two numbers of seconds."""
        wait = between(self.world.chance(f"{self.name}/later"), *seconds)
        self.at(Instant(self.world.now + wait), action)

    def frames_under_way(self) -> int:
        """Return how many frames are in pipes or wait for room in them."""
        return sum(pipe.under_way for pipe in self.pipes)

    def guard(self, action: Callable[[], None]) -> Callable[[], None]:
        """Return an action that waits while the machine is frozen and is lost when it was switched off."""
        boot = self._boots

        def guarded() -> None:
            if boot != self._boots:
                return
            if self.frozen_until is not None:
                self._thawing.append(guarded)
                return
            action()

        return guarded

    def guarded(self, deliver: Callable[[Frame, int | None], None]) -> Callable[[Frame, int | None], None]:
        """Return a reader of a pipe that waits while the machine is frozen."""
        return lambda frame, blob: self.guard(lambda: deliver(frame, blob))()

    def fork(self, name: str, start: Start, generation: int) -> None:
        """Start a child, or the throw-away child that reads the configuration."""
        self._pids += 1
        pid = self._pids
        self.world.note(self.name, f"forks {name} {start}")
        self.later((0.0005, 0.003), lambda: self.supervisor.post(supervision.ChildStarted(name=name, pid=pid)))
        if name == CONFIG:
            self.later(PARSE_TIME, lambda: self._parsed(pid, generation))
        else:
            self.children[name] = Process(self, name, pid, start, self.roles[role_of(name)])

    def reap(self, process: Process, *, status: int, signal: int) -> None:
        """Let the supervisor learn how a process ended, after what it had still written."""
        exited = supervision.ChildExited(name=process.name, pid=process.pid, status=status, signal=signal)
        supervisor = self.supervisor
        self.at(Instant(self.world.now + REAP_TIME), lambda: supervisor.post(exited) if supervisor.alive else None)

    def _thaw(self) -> None:
        self.frozen_until = None
        self.world.note(self.name, "goes on")
        waiting, self._thawing = self._thawing, []
        for action in waiting:
            action()

    def _parsed(self, pid: int, generation: int) -> None:
        configuration = self.read_configuration()
        data = model.encode(configuration)
        blob = len(self.blobs) + 1
        self.blobs[blob] = data
        parsed = control.Parsed(generation=generation, problems=(), needs=_needs(configuration))
        post = self.supervisor.post
        post(supervision.FrameReceived(name=CONFIG, frame=pack(parsed), blob=blob))
        post(supervision.EndOfFile(name=CONFIG))
        post(supervision.ChildExited(name=CONFIG, pid=pid, status=0, signal=0))


def _needs(configuration: Configuration) -> Needs:
    shortest = min(
        (
            router.down_timer_adverts * router.advert_int + (256 - router.priority) * router.advert_int // 256
            for instance in configuration.instances
            for router in instance.routers
        ),
        default=0,
    )
    served = ("ipvs", "checker") if configuration.virtual_servers else ()
    names = [instance.name for instance in configuration.instances]
    return Needs(
        children=("vrrp", *served),
        child_wait_time=configuration.globals.child_wait_time,
        log="stderr",
        log_facility="daemon",
        log_level="info",
        objects=len(configuration.instances) + len(configuration.virtual_servers),
        shortest_master_down=shortest,
        realtime=False,
        start_only=(),
        removable=(*names, *(service.name for service in configuration.virtual_servers)),
        plugins=(),
    )
