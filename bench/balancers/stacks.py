"""The programs that are compared, on the machine that this runs on: a kernel of its own. I/O."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from balancers.plan import Plan, keepalived_confs, tomls

OURS, THEIRS = "stayalived", "keepalived"


class Stack:
    """One program with its files.

    Args:
        folder: for its configuration and what it writes.
        files: makes the configuration, text by name.
        words: makes the command line of the folder with the configuration and the one for what it writes.
    """

    def __init__(
        self, folder: Path, files: Callable[[Plan], dict[str, str]], words: Callable[[Path, Path], list[str]]
    ) -> None:
        self._files, self._words = files, words
        self._conf, self._run = folder / "conf", folder / "run"
        for each in (self._conf, self._run):
            each.mkdir(parents=True)
        self._log = folder / "log"
        self._written: dict[str, str] = {}
        self._process: subprocess.Popen[bytes] | None = None

    def write(self, site: Plan) -> None:
        """Write the files that are not as they should be."""
        for name, text in self._files(site).items():
            if self._written.get(name) != text:
                fresh = self._conf / f".{name}"
                fresh.write_text(text)
                fresh.replace(self._conf / name)
                self._written[name] = text

    def start(self) -> None:
        """Start it and return at once."""
        words = self._words(self._conf, self._run)
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(words, stdout=log, stderr=log, start_new_session=True)

    @property
    def process(self) -> subprocess.Popen[bytes]:
        """The first of its processes, which leads their process group."""
        assert self._process is not None, "it was not started"
        return self._process

    def reload(self) -> None:
        """Have it read its files again; returns at once."""
        os.kill(self.process.pid, signal.SIGHUP)

    def stop(self) -> None:
        """Let it end in order."""
        self.process.terminate()
        self.process.wait(timeout=120)

    def log(self) -> str:
        """Return what it wrote until now."""
        return self._log.read_text(errors="replace")


def ours(folder: Path) -> Stack:
    """Return stayalived."""
    program = str(Path(sys.executable).parent / "stayalived")
    return Stack(folder, tomls, lambda conf, run: [program, "run", "--config", str(conf), "--run-dir", str(run)])


def theirs(folder: Path) -> Stack:
    """Return keepalived with its checker alone, as ours runs without vrrp where no instance is configured.

    It logs to syslog, where nobody listens: a line for each of its servers would cost it half a minute.
    """

    def words(conf: Path, run: Path) -> list[str]:
        pids = ["-p", str(run / "keepalived.pid"), "-c", str(run / "checkers.pid")]
        return ["keepalived", "--check", "-n", "-f", str(conf / "keepalived.conf"), *pids]

    return Stack(folder, keepalived_confs, words)


STACKS: dict[str, Callable[[Path], Stack]] = {THEIRS: theirs, OURS: ours}
