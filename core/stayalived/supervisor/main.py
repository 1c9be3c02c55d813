"""The supervisor as a process: one bare loop around its engine. I/O, and no decision."""

import contextlib
import gc
import logging
import os
import select
import signal
import socket
import sys
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from stayalived.api.door import remove_sockets
from stayalived.child import privileges
from stayalived.child.base import read_clock, read_wall_offset
from stayalived.child.bootstrap import find_role, live
from stayalived.child.events import Report
from stayalived.child.timer import Timer
from stayalived.errors import StayalivedError
from stayalived.log import pipe
from stayalived.messages.routes import CONFIG, SUPERVISOR, role_of
from stayalived.supervisor import events as ev
from stayalived.supervisor import keeping, pidfile
from stayalived.supervisor.changeover import DEFAULT_CHILD_WAIT_TIME
from stayalived.supervisor.engine import SupervisorEngine
from stayalived.supervisor.process import Birth, Processes, Surroundings
from stayalived.supervisor.systemd import Systemd

EXIT_FATAL = 1
EXIT_NO_CONFIGURATION = 6
"""SG08."""

_ORDERS = {
    signal.SIGHUP: ev.Order.RELOAD,
    signal.SIGTERM: ev.Order.STOP,
    signal.SIGINT: ev.Order.STOP,
    signal.SIGUSR1: ev.Order.STATUS,
}
_SIGNALS_AT_ONCE = 256
_log = logging.getLogger("stayalived.supervisor")


@dataclass(frozen=True, slots=True, kw_only=True)
class Arguments:
    """What `stayalived run` was told: where the files are, which `[host.NAME]` applies, where the log goes instead."""

    config_dir: Path
    run_dir: Path
    host_id: str
    log: str = ""


def main(arguments: Arguments) -> int:
    """Run the daemon in the foreground until it is told to stop. Makes the run-dir if it is not there.

    Returns:
        the exit code of the process (SG08): 0 stopped in order, 1 cannot run, 2 the configuration cannot be used, 6
        there is no folder of configuration files.
    """
    if not arguments.config_dir.is_dir():
        sys.stderr.write(
            f"stayalived: {arguments.config_dir}: no such folder; name that of your *.toml files: --config\n"
        )
        return EXIT_NO_CONFIGURATION
    try:
        lock = pidfile.acquire(arguments.run_dir, DEFAULT_CHILD_WAIT_TIME)
    except StayalivedError as error:
        sys.stderr.write(f"stayalived: {error}\n")
        return EXIT_FATAL
    try:
        return Supervisor(arguments, lock).run(_warm_up)
    finally:
        # The api child made it as root and has no right to take it away.
        remove_sockets(arguments.run_dir)
        lock.release()


class Supervisor:
    """The loop: signals, pipes, exits and one timer in; the engine's effects out."""

    def __init__(self, arguments: Arguments, lock: pidfile.PidFile, birth: Birth = live) -> None:
        """Make everything that lives as long as the daemon; nothing is forked yet.

        Args:
            arguments: of the command line.
            lock: the locked pid file; children that hold something of the host's inherit it.
            birth: what a new process does.
        """
        systemd = Systemd.of_environment()
        around = Surroundings(
            run_dir=arguments.run_dir,
            config_dir=arguments.config_dir,
            host_id=arguments.host_id,
            kept=(lock.descriptor,),
        )
        self._processes = Processes(around, pipe.make_pair, birth)
        self._engine = SupervisorEngine(
            run_dir=str(arguments.run_dir),
            config_dir=str(arguments.config_dir),
            wall_offset=read_wall_offset(),
            watchdog=systemd.watchdog,
        )
        self._hands = Hands(self._processes, systemd, arguments.log)
        self._events: deque[ev.Event] = deque()
        self._epoll = select.epoll()
        self._timer = Timer()
        self._awake, self._asleep = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
        self._watched: dict[int, tuple[int, int]] = {}  # descriptor → process id, mask

    def run(self, warm_up: Callable[[], None]) -> int:
        """Import what the first child needs by `warm_up`, serve until the engine says `Exit`, and return its code."""
        privileges.adopt_orphans()
        sender = self._processes.log_sender(SUPERVISOR)
        if sender is not None:
            pipe.install(sender, SUPERVISOR)
        warm_up()
        self._catch_signals()
        for descriptor in (self._timer.fileno(), self._awake.fileno()):
            self._epoll.register(descriptor, select.EPOLLIN)
        self._post(ev.Started())
        while self._hands.exit_code is None:
            self._turn()
        self._release()
        return self._hands.exit_code

    def _catch_signals(self) -> None:
        signal.set_wakeup_fd(self._asleep.fileno(), warn_on_full_buffer=False)
        for number in (*_ORDERS, signal.SIGCHLD):
            signal.signal(number, _wake_only)

    def _release(self) -> None:
        signal.set_wakeup_fd(-1)
        for record in self._processes.unread_records():
            sys.stderr.write(record)
        logging.getLogger().handlers.clear()
        self._processes.close()
        self._epoll.close()
        self._timer.close()
        self._awake.close()
        self._asleep.close()

    def _turn(self) -> None:
        """Wait for the next thing to happen and deal with it."""
        links = self._processes.links()
        self._watch({fd: (link.pid, link.mask) for fd, link in links.items()})
        self._timer.set(self._engine.deadline)
        signalled = False
        for fd, mask in self._epoll.poll():
            if fd == self._awake.fileno():
                signalled = True
            elif fd == self._timer.fileno():
                self._timer.expired()
            elif fd in links:
                self._serve(links[fd].name, mask)
        if signalled:
            self._read_signals()
        self._wake_when_due()

    def _serve(self, name: str, mask: int) -> None:
        if mask & select.EPOLLOUT:
            self._processes.flush(name)
        if mask & ~select.EPOLLOUT:
            for event in self._processes.read(name):
                self._post(event)

    def _wake_when_due(self) -> None:
        """Act on a deadline that has passed, but first hear what came before we got to run."""
        due = self._engine.deadline
        if due is None or read_clock() < due:
            return
        for link in self._processes.links().values():
            for event in self._processes.read(link.name):
                self._post(event)
        self._perform(self._engine.wake(read_clock()))

    def _watch(self, wanted: dict[int, tuple[int, int]]) -> None:
        """Make epoll watch these descriptors; a number may meanwhile stand for another process's pipe."""
        for fd, known in list(self._watched.items()):
            if fd not in wanted or wanted[fd][0] != known[0]:
                del self._watched[fd]
                with contextlib.suppress(OSError):  # closing it has taken it out already
                    self._epoll.unregister(fd)
        for fd, (pid, mask) in wanted.items():
            if fd not in self._watched:
                self._epoll.register(fd, mask)
            elif self._watched[fd][1] != mask:
                self._epoll.modify(fd, mask)
            self._watched[fd] = (pid, mask)

    def _read_signals(self) -> None:
        for number in self._awake.recv(_SIGNALS_AT_ONCE):
            order = _ORDERS.get(signal.Signals(number))
            if order is not None:
                self._post(ev.SignalReceived(order=order))
        for event in self._processes.reap():
            self._post(event)

    def _post(self, event: ev.Event) -> None:
        self._perform(self._engine.handle(event, read_clock()))

    def _perform(self, effects: Sequence[ev.Effect]) -> None:
        """Carry out effects; what comes of them is handed in once all of them are done."""
        for effect in effects:
            result = self._hands.perform(effect)
            if result is not None:
                self._events.append(result)
        while self._events:
            self._post(self._events.popleft())


class Hands:
    """Carries out the supervisor's effects. `exit_code` is set by the last one."""

    def __init__(self, processes: Processes, systemd: Systemd, log: str) -> None:
        """Join what effects act upon; `log` is where the log goes whatever the configuration says, or empty."""
        self.exit_code: int | None = None
        self._processes = processes
        self._systemd = systemd
        self._log_target = log
        self._state_dir: Path | None = None  # as the first configuration says; it cannot change

    def perform(self, effect: ev.Effect) -> ev.Event | None:
        """Carry out one effect and return the event that comes of it, if one does."""
        match effect:
            case ev.Send(name=name, frame=frame, blob=blob):
                self._processes.send(name, frame, blob)
            case ev.Fork():
                return self._processes.fork(effect)
            case ev.Kill(name=name):
                self._processes.kill(name)
            case Report(level=level, text=text, fields=fields):
                _log.log(level, "%s", text, extra={"fields": fields})
            case ev.TellSystemd(text=text):
                self._tell_systemd(text)
            case ev.ReadWishes(folder=folder):
                self._state_dir = Path(folder)
                return keeping.read(self._state_dir)
            case ev.Exit(code=code):
                self.exit_code = code
            case _:
                self._keep_house(effect)
        return None

    def _keep_house(
        self, effect: ev.AllowKeys | ev.DropBlob | ev.ForgetSendTimes | ev.UseNeeds | ev.KeepWishes | ev.ShowProblems
    ) -> None:
        match effect:
            case ev.KeepWishes(data=data):
                self._keep(data)
            case ev.AllowKeys(keys=keys):
                self._processes.allow_keys(keys)
            case ev.DropBlob(blob=blob):
                self._processes.drop_blob(blob)
            case ev.ForgetSendTimes():
                self._processes.send_times.forget()
            case ev.UseNeeds(needs=needs):
                self._processes.needs = msgspec.structs.replace(needs, log=self._log_target or needs.log)
                _import_roles(needs.children)
            case ev.ShowProblems(problems=problems):
                for problem in problems:
                    sys.stderr.write(f"{problem}\n")

    def _keep(self, data: bytes) -> None:
        try:
            if self._state_dir is not None:
                keeping.write(self._state_dir, data)
        except OSError as error:
            _log.error(
                "%s: %s; a drain or weight by command holds now, but not after a restart", self._state_dir, error
            )

    def _tell_systemd(self, text: str) -> None:
        try:
            self._systemd.tell(text)
        except OSError as error:
            _log.warning("cannot tell systemd %s: %s", text.partition("\n")[0], error)


def _warm_up() -> None:
    """Import what the first child needs, which reads the configuration; open nothing."""
    _import_roles((CONFIG,))
    _, notices = privileges.find_user(privileges.SERVICE_USER)
    for notice in notices if os.geteuid() == 0 else ():
        _log.warning("%s", notice)


def _import_roles(children: Iterable[str]) -> None:
    """Import what children need, so that a replacement is there within milliseconds; open nothing.

    Only what the configuration needs: all roles together are 700 modules and 20 MB. Plugins are not imported here:
    strangers' code never runs in this process.
    """
    found = len(sys.modules)
    for role in dict.fromkeys(map(role_of, children)):
        try:
            find_role(role)
        except ImportError as error:
            _log.error("the role %s cannot be imported: %s", role, error)
    if len(sys.modules) > found:
        gc.collect()
        gc.freeze()


def _wake_only(_number: int, _frame: object) -> None:
    """Python wants a handler; the number arrives through the wakeup descriptor."""
