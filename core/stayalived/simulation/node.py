"""One machine's daemon: the real supervisor engine, the real engines of its children, simulated pipes, a clock.

A process is an engine with two pipes. It may be killed between any two events, and a machine may be frozen: what would
have happened to it meanwhile happens when it is resumed, in the same order. Its clock begins where it likes, and stands
still while the machine is suspended.
"""

from collections import Counter
from collections.abc import Callable, Sequence

from msgspec.structs import replace

from stayalived.config import model
from stayalived.config.model import Configuration
from stayalived.config.needs import needs_of
from stayalived.config.problems import Problem
from stayalived.messages import control
from stayalived.messages.control import Message, Start
from stayalived.messages.routes import CONFIG, pack, role_of
from stayalived.simulation.clockwork import Clockwork
from stayalived.simulation.overseer import Supervisor
from stayalived.simulation.pipes import Pipe
from stayalived.simulation.process import Process
from stayalived.simulation.roles import Role
from stayalived.simulation.world import World
from stayalived.supervisor import events as supervision
from stayalived.timing import NO_TIME, Duration, Instant, milliseconds, seconds

PARSE_TIME = (0.05, 0.3)
"""Seconds that reading a configuration takes."""

REAP_TIME = milliseconds(0.3)
"""From the death of a child to the supervisor's knowledge of its exit status; its pipe may end before or after."""

RESTART_TIME = seconds(0.1)
"""systemd starts a service again after this time (systemd.service(5), RestartSec)."""

YOUNG = seconds(2)
"""What the clock of a machine shows that was switched off and on again."""

Files = Callable[[], Configuration | tuple[Problem, ...]]
"""What the config child finds in the files: a configuration, or what is wrong with them."""


class Node(Clockwork):
    """One machine's daemon.

    Args:
        world: where it stands.
        name: for the history.
        roles: the roles that its daemon runs.
        read_files: what the config child finds when it reads the files.
        clock: what the machine's monotonic clock shows at the world's beginning, less the world's.

    Attributes:
        on: the daemon runs, or what is left of it.
        send_times: the page of send times.
        last_words: what each child that died last had told, by name.
    """

    def __init__(
        self, world: World, name: str, roles: dict[str, Role], read_files: Files, clock: Duration = NO_TIME
    ) -> None:
        """Make a machine that is switched off."""
        super().__init__(world, name, clock)
        self.roles = roles
        self.read_files = read_files
        self.counts: Counter[str] = Counter()
        self.children: dict[str, Process] = {}
        self.blobs: dict[int, bytes] = {}
        self.send_times: dict[int, Instant] = {}
        self.last_words: dict[str, dict[tuple[str, str], Message]] = {}
        self.on = False
        self.supervisor: Supervisor
        self.pipes: list[Pipe] = []
        self._pids = 100

    def thawed(self, slept: Duration, waiting: Sequence[Callable[[], None]]) -> None:
        """Do what was put off; vrrp learns first that the machine has slept, and the sockets are read in the end."""
        for child in self.children.values():
            child.rested = True
        for role in self.roles.values() if slept else ():
            role.woken(slept)
        super().thawed(slept, waiting)
        for child in list(self.children.values()):
            child.rouse()

    # ── the daemon ───────────────────────────────────────────────────────────────────────────────────────────────────

    def boot(self) -> None:
        """Start the daemon; harmless when it runs."""
        if self.on:
            return
        self.on = True
        self.forget_all()
        self.blobs.clear()
        self.send_times.clear()
        self.last_words.clear()
        self.children.clear()
        self.world.note(self.name, "boots")
        self.touch()
        self.supervisor = Supervisor(self)
        self.supervisor.post(supervision.Started())

    def signal(self, order: supervision.Order) -> None:
        """Send the supervisor a signal."""
        self.guard(lambda: self._signal(order))()

    def _signal(self, order: supervision.Order) -> None:
        if self.on and self.supervisor.alive:
            self.supervisor.post(supervision.SignalReceived(order=order))

    def lose(self) -> None:
        """Lose the machine at one moment: every process and everything in memory; its clock begins anew."""
        self.world.note(self.name, "is lost")
        self.on = False
        self.touch()
        self.forget_all()
        self.clock = Duration(YOUNG - self.world.now)
        if hasattr(self, "supervisor"):
            self.supervisor.alive = False
        for child in list(self.children.values()):
            child.vanish()
        self.children.clear()

    def kill_supervisor(self) -> None:
        """Kill the supervisor alone: its children see the end of their pipes; systemd starts it again after them."""
        if not self.on or not self.supervisor.alive:
            return
        self.world.note(self.name, "loses its supervisor")
        self.touch()
        self.supervisor.alive = False
        for child in list(self.children.values()):
            self.later((0.0, 0.01), child.orphan)
        self.at(Instant(self.world.now + RESTART_TIME), self._restart)

    def _restart(self) -> None:
        """Start the daemon again when the last of the old children is gone: they hold the lock of the pid file."""
        if self.children:
            self.at(Instant(self.world.now + RESTART_TIME), self._restart)
        else:
            self.on = False
            self.boot()

    def start(self) -> None:
        """Start the daemon as soon as the old one is gone."""
        if self.on and not self.supervisor.alive:
            return  # systemd does
        if self.on and self.supervisor.decides.phase == "stopping":
            self.world.at(Instant(self.world.now + RESTART_TIME), self.start)
        else:
            self.boot()

    def supervisor_ended(self) -> None:
        """Note that the daemon has stopped in order."""
        self.supervisor.alive = False
        self.on = False
        self.touch()

    def frames_under_way(self) -> int:
        """Return how many frames are in pipes or wait for room in them."""
        return sum(pipe.under_way for pipe in self.pipes)

    def fork(self, name: str, start: Start, generation: int) -> None:
        """Start a child, or the throw-away child that reads the configuration."""
        self._pids += 1
        pid = self._pids
        self.world.note(self.name, "forks", name, start)
        self.supervisor.post(supervision.ChildStarted(name=name, pid=pid))
        if name == CONFIG:
            self.later(PARSE_TIME, lambda: self._parsed(pid, generation))
        else:
            self.children[name] = Process(self, name, pid, start, self.roles[role_of(name)])

    def reap(self, process: Process, *, status: int, signal: int) -> None:
        """Let the supervisor learn how a process ended, after what it had still written."""
        exited = supervision.ChildExited(name=process.name, pid=process.pid, status=status, signal=signal)
        supervisor = self.supervisor
        self.at(Instant(self.world.now + REAP_TIME), lambda: supervisor.post(exited) if supervisor.alive else None)

    def _parsed(self, pid: int, generation: int) -> None:
        found = self.read_files()
        blob = None
        if isinstance(found, Configuration):
            data = model.encode(found)
            blob = len(self.blobs) + 1
            self.blobs[blob] = data
            needs = needs_of(found)
            children = tuple(name for name in needs.children if role_of(name) in self.roles)
            parsed = control.Parsed(generation=generation, problems=(), needs=replace(needs, children=children))
        else:
            parsed = control.Parsed(generation=generation, problems=found, needs=None)
        if not self.supervisor.alive:
            return
        post = self.supervisor.post
        post(supervision.FrameReceived(name=CONFIG, frame=pack(parsed), blob=blob))
        post(supervision.EndOfFile(name=CONFIG))
        post(supervision.ChildExited(name=CONFIG, pid=pid, status=0, signal=0))
