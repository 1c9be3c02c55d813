"""A real checker process, with the test in the supervisor's place at the other end of its pipe."""

import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from stayalived.child.link import Link, make_pair
from stayalived.config.model import Configuration, encode
from stayalived.messages import control
from stayalived.messages.control import Message, Start
from stayalived.messages.notify import Event, Run
from stayalived.messages.routes import pack, unpack
from stayalived.messages.services import CheckState

TOP = Path(__file__).parents[2]
PATIENCE = 20.0


class CheckerProcess:
    """One checker. What it tells is collected by `pump`; its log is a file."""

    def __init__(self, name: str, site: Path, folder: Path) -> None:
        self.name = name
        self.states: dict[str, CheckState] = {}
        self.told: list[tuple[float, CheckState]] = []
        self.events: list[Event] = []
        self.control: list[Message] = []
        self.alive_at = 0.0
        self._log_path = folder / f"{name.replace('/', '-')}.log"
        ours, theirs = make_pair()
        self.link = Link(ours)
        path = os.pathsep.join(map(str, (TOP / "core", TOP / "plugins", site)))
        arguments = [sys.executable, "-B", str(Path(__file__).with_name("checker_main.py")), name, str(theirs.fileno())]
        with self._log_path.open("wb") as log:
            self._process = subprocess.Popen(
                [*arguments, str(folder)],
                pass_fds=(theirs.fileno(),),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=os.environ | {"PYTHONPATH": path},
                cwd="/",
            )
        theirs.close()

    @property
    def log(self) -> str:
        return self._log_path.read_text(errors="replace")

    @property
    def pid(self) -> int:
        return self._process.pid

    def take(self) -> None:
        """Take in what has come."""
        for frame, _ in self.link.receive():
            message = unpack(frame)
            match message:
                case CheckState():
                    self.states[frame.key] = message
                    self.told.append((time.monotonic(), message))
                case Event():
                    self.events.append(message)
                case control.Alive():
                    self.alive_at = time.monotonic()
                case control.Message():
                    self.control.append(message)

    def begin(self, configuration: Configuration, start: Start = Start.FIRST) -> None:
        """Give the process its configuration and let it start."""
        self.prepare(configuration)
        self.link.send(pack(control.Commit(generation=1, start=start)))

    def prepare(self, configuration: Configuration) -> None:
        pump([self], lambda: self.has_said(control.Hello))
        descriptor = os.memfd_create("configuration", os.MFD_CLOEXEC)
        os.write(descriptor, encode(configuration))
        self.link.send(pack(control.Prepare(generation=1)), descriptor)
        pump([self], lambda: self.has_said(control.Prepared))

    def runs(self) -> list[Run]:
        """Return what it has asked the runner for until now."""
        return [message for message in self.control if isinstance(message, Run)]

    def has_said(self, kind: type[Message]) -> bool:
        return any(isinstance(message, kind) for message in self.control)

    def stop(self) -> int:
        """Ask the process to stop and return its exit status."""
        self.link.send(pack(control.Stop(leave=False)))
        return self._process.wait(PATIENCE)

    def kill(self) -> None:
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait()
        self.link.close()


def pump(processes: list[CheckerProcess], until: Callable[[], bool], patience: float = PATIENCE) -> None:
    """Take in what processes tell until a condition holds.

    Raises:
        AssertionError: it does not in time; the text is the processes' logs.
    """
    end = time.monotonic() + patience
    while not until():
        left = end - time.monotonic()
        assert left > 0, "\n".join(f"{process.name}: {process.log[-4000:]}" for process in processes)
        open_links = [process.link for process in processes if not process.link.closed]
        select.select(open_links, [], [], min(left, 0.02))
        for process in processes:
            process.take()


def pump_for(processes: list[CheckerProcess], length: float) -> None:
    """Take in what processes tell for a while."""
    end = time.monotonic() + length
    pump(processes, lambda: time.monotonic() >= end, length + PATIENCE)
