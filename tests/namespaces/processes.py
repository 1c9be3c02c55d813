"""Programs that a lab runs: started in a group of their own, waited for with deadlines, killed at the end."""

import logging
import os
import signal
import subprocess
import sys
import traceback
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from namespaces.waiting import wait_for_exit, wait_until


class Process:
    """A running program or a forked interpreter. `pid` is also its process group."""

    def __init__(self, pid: int, log_path: Path) -> None:
        self.pid, self.log_path = pid, log_path
        self.status: int | None = None

    @classmethod
    def start(
        cls, command: Sequence[str], folder: Path, name: str, *, env: Mapping[str, str] | None, cwd: Path | None
    ) -> "Process":
        """Start a program; standard output and error go to a file in the folder."""
        path = _fresh(folder, name)
        with path.open("wb") as log:
            popen = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=env, cwd=cwd, process_group=0
            )
        popen.returncode = 0  # we reap it ourselves: Popen would complain of a child that still runs
        return cls(popen.pid, path)

    @classmethod
    def fork(cls, function: Callable[[], None], folder: Path, name: str) -> "Process":
        """Run a function in a forked child, which exits 0 when it returns and 70 when it raises."""
        path = _fresh(folder, name)
        sys.stdout.flush()
        pid = os.fork()
        if pid == 0:
            _live(function, path)
        with suppress(OSError):  # parent and child both do it, so neither finds it undone (setpgid(2))
            os.setpgid(pid, pid)
        return cls(pid, path)

    def log(self) -> str:
        """Return what it wrote until now."""
        return self.log_path.read_text(errors="replace")

    def wait_for_log(self, text: str, *, within: float) -> None:
        """Wait until a text stands in what it wrote.

        Raises:
            TooLate: the limit in seconds is over.
        """
        wait_until(lambda: text in self.log(), within=within, what=f"{text!r} in the log of {self.log_path.name}")

    def alive(self) -> bool:
        """Does it still run?"""
        return self.status is None and not wait_for_exit(self.pid, within=0)

    def send(self, number: int = signal.SIGTERM) -> None:
        """Send a signal to it alone."""
        os.kill(self.pid, number)

    def kill_group(self, number: int = signal.SIGKILL) -> None:
        """Send a signal to it and all its children at one moment: the loss of a machine."""
        os.killpg(self.pid, number)

    def wait(self, *, within: float) -> int:
        """Wait for its end and return its status; minus the number of the signal that ended it.

        Raises:
            AssertionError: it still runs when the limit in seconds is over.
        """
        if self.status is None:
            assert wait_for_exit(self.pid, within=within), f"still running after {within} s:\n{self.log()}"
            self.status = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        return self.status

    def stop(self, *, within: float = 10.0) -> int:
        """Send TERM, wait for its end and return its status."""
        if self.alive():
            self.send()
        return self.wait(within=within)

    def close(self) -> None:
        """Kill whatever is left of its group."""
        with suppress(ProcessLookupError):  # all gone already
            self.kill_group()
        self.wait(within=10.0)


def _fresh(folder: Path, name: str) -> Path:
    return folder / f"{name}-{len(list(folder.glob(name + '-*')))}.log"


def _live(function: Callable[[], None], path: Path) -> None:
    status = 70
    try:
        os.setpgid(0, 0)
        log = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        os.dup2(log, 1)
        os.dup2(log, 2)
        os.close(log)
        sys.stdout = sys.stderr = os.fdopen(2, "w", buffering=1, closefd=False)  # not what pytest put there
        logging.basicConfig(stream=sys.stderr, level=logging.DEBUG, force=True)
        function()
        status = 0
    except BaseException:  # noqa: BLE001  (a forked child must not return into pytest)
        os.write(2, traceback.format_exc().encode())
    finally:
        os._exit(status)
