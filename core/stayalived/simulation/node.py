"""One machine: the real supervisor engine, the real engines of its children, simulated pipes, a kernel in memory.

A process is an engine with two pipes. It may be killed between any two events, and a machine may be frozen: what would
have happened to it meanwhile happens when it is resumed, in the same order.
"""

from collections import Counter
from collections.abc import Callable
from typing import Any

from stayalived.child.events import Report
from stayalived.config import model
from stayalived.config.model import Configuration
from stayalived.messages import control
from stayalived.messages.codec import Frame
from stayalived.messages.control import Message, Needs, Start
from stayalived.messages.routes import CONFIG, pack, role_of
from stayalived.simulation.pipes import Pipe
from stayalived.simulation.process import Process, Role, Turned
from stayalived.simulation.world import World, between
from stayalived.supervisor import events as supervision
from stayalived.supervisor.engine import SupervisorEngine
from stayalived.timing import Instant, milliseconds

PARSE_TIME = (0.05, 0.3)
"""Seconds that reading a configuration takes."""

REAP_TIME = milliseconds(0.3)
"""From the death of a child to the supervisor's knowledge of its exit status; its pipe may end before or after."""


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
