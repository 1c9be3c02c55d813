"""The whole daemon on a host of a lab: what `stayalived run` and its other commands do, seen from outside.

tic = Daemon(lab.host("tic", "192.0.2.1/24"), {"10-vrrp.toml": vrrp_instance("192.0.2.100/24", priority=200)})
tic.start()
tic.wait_for_state("MASTER", within=2.0)
"""

import itertools
import json
import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec

from namespaces.lab import Host, ip
from namespaces.processes import Process
from namespaces.waiting import wait_until
from stayalived.api.commands import STATUS, Command
from stayalived.cli.client import LostDaemon, NoDaemon, ask

STAYALIVED = Path(sys.executable).parent / "stayalived"
START_LIMIT = 20.0
"""Seconds from the start of the program until it runs, on a busy machine."""

Files = Mapping[str, str]
_numbers = itertools.count(1)


class Daemon:
    """`stayalived run` with a conf.d and a run-dir of its own.

    Args:
        host: where it runs; its name is the host id.
        files: the conf.d, text by name.
        options: more words for `stayalived run`.
        program: what stands in the place of the installed program `stayalived`.
        env: environment of the daemon and of the commands; None is that of the test.
        cwd: working directory of the daemon.
        before: words in front of `stayalived run`, such as `setpriv …`.
    """

    def __init__(
        self,
        host: Host,
        files: Files,
        *,
        options: Sequence[str] = (),
        program: Sequence[str] = (str(STAYALIVED),),
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        before: Sequence[str] = (),
    ) -> None:
        self.host, self.options, self.program = host, options, program
        self.env, self.cwd, self.before = env, cwd, before
        host.lab.folder.chmod(0o755)  # what runs without root has to get through
        self.folder = host.lab.folder / f"{host.name}-{next(_numbers)}"
        self.conf_d, self.run_dir = self.folder / "conf.d", self.folder / "run"
        self.conf_d.mkdir(parents=True)
        self.write(files)
        self._process: Process | None = None

    # ── the life of the daemon ───────────────────────────────────────────────────────────────────────────────────────

    def write(self, files: Files) -> None:
        """Put these files into the conf.d, each whole at once, and take all others out.

        Where something is told, what is still to be told is kept in a folder of the daemon's own.
        """
        texts = "".join(files.values())
        if "notify" in texts and "state_dir" not in texts:
            files = {**files, "00-state.toml": f'[global]\nstate_dir = "{self.folder}/state"\n'}
        for name, text in files.items():
            fresh = self.conf_d / f".{name}.new"
            fresh.write_text(text)
            fresh.replace(self.conf_d / name)
        for old in set(self.conf_d.iterdir()) - {self.conf_d / name for name in files}:
            old.unlink()

    def launch(self) -> Process:
        """Start the program, as a service manager would, and return at once."""
        run = [*self.program, "run", "--config", str(self.conf_d), "--run-dir", str(self.run_dir)]
        words = [*self.before, *run, "--host-id", self.host.name, *self.options]
        self._process = self.host.popen(words, env=self.env, cwd=self.cwd)
        return self._process

    def start(self) -> None:
        """Start the program and wait until all its processes run.

        Raises:
            AssertionError: it ended, or does not run in time; the text is its log.
        """
        process = self.launch()

        def running() -> bool:
            assert process.alive(), f"it ended with status {process.wait(within=1)}:\n{process.log()}"
            return self.is_running()

        wait_until(running, within=START_LIMIT, what=f"the daemon of {self.host.name} to run:\n{process.log()}")

    def is_running(self) -> bool:
        """Tell whether it has a configuration and all its children run."""
        status = self.peek()
        children = status.get("children", [])
        phase = (status.get("daemon") or {}).get("phase")
        return phase == "running" and bool(children) and all(child["state"] == "running" for child in children)

    @property
    def process(self) -> Process:
        """The supervisor; its process group is the whole daemon without the programs that it runs."""
        assert self._process is not None, "the daemon was not started"
        return self._process

    def log(self) -> str:
        """Return what it wrote to standard error until now."""
        return self.process.log()

    def stop(self, *, within: float = 10.0) -> int:
        """Send TERM, wait for the end and return the exit status."""
        return self.process.stop(within=within)

    def kill_machine(self, interface: str = "eth0") -> None:
        """Lose the machine: all its processes at one moment, and every frame from then on.

        What the processes had put into the kernel is still there, as nobody can see.
        """
        self.process.kill_group()
        self.host.cut(interface)
        for pid in map(int, ip("netns", "pids", self.host.namespace).split()):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.process.wait(within=10.0)

    # ── its commands ─────────────────────────────────────────────────────────────────────────────────────────────────

    def command(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run `stayalived WORDS` for this daemon to its end, whatever its exit status."""
        line = [*self.program, *words, "--run-dir", str(self.run_dir)]
        return self.host.run(line, check=False, env=dict(self.env) if self.env is not None else None)

    def status(self) -> dict[str, Any]:
        """Return what `stayalived status --json` prints.

        Raises:
            AssertionError: it failed.
        """
        done = self.command("status", "--json")
        assert done.returncode == 0, f"{done.stderr}\n{self.log()}"
        document: dict[str, Any] = json.loads(done.stdout)
        return document

    def reload(self) -> subprocess.CompletedProcess[str]:
        """Run `stayalived reload` to its end."""
        return self.command("reload")

    # ── quick looks, for what is measured ────────────────────────────────────────────────────────────────────────────

    def peek(self) -> dict[str, Any]:
        """Return the status as the control socket gives it, without the time that a command takes; {} while none."""
        try:
            answer = ask(self.run_dir, Command(verb=STATUS), limit=2.0)
        except (NoDaemon, LostDaemon):
            return {}
        builtins: dict[str, Any] = msgspec.to_builtins(answer.status) if answer.status is not None else {}
        return builtins

    def children(self) -> dict[str, dict[str, Any]]:
        """Return the rows of its children by name."""
        return {child["name"]: child for child in self.peek().get("children", [])}

    def child(self, name: str) -> int:
        """Return the process id of a child that runs, or 0."""
        row = self.children().get(name, {})
        return int(row["pid"]) if row.get("state") == "running" else 0

    def instance(self, name: str = "site") -> dict[str, Any]:
        """Return the row of an instance; {} while there is none."""
        rows = self.peek().get("instances", [])
        return next((row for row in rows if row["name"] == name), {})

    def errors(self) -> dict[str, int]:
        """Return the errors that its virtual routers have counted, by kind, all together."""
        routers = [router for row in self.peek().get("instances", []) for router in row["routers"]]
        return dict(sum((Counter(router["errors"]) for router in routers), Counter()))

    def complaints(self) -> list[str]:
        """Return the lines of vrrp's log that are about adverts, and those of anybody who failed."""
        words = ("advert of", "advertises other", "Traceback")
        return [line for line in self.log().splitlines() if any(word in line for word in words) and "Enter" not in line]

    def wait_for_state(self, state: str, *, within: float, instance: str = "site") -> None:
        """Wait until an instance is in a state.

        Raises:
            TooLate: the limit in seconds is over.
        """
        what = f"{instance} on {self.host.name} to be {state}"
        wait_until(lambda: self.instance(instance).get("state") == state, within=within, what=what)

    def wait_for_child(self, name: str, before: int, *, within: float) -> int:
        """Wait until another process than `before` runs as a child, and return its id.

        Raises:
            TooLate: the limit in seconds is over.
        """
        what = f"another {name} on {self.host.name} than {before}"
        return wait_until(lambda: (pid := self.child(name)) not in {0, before} and pid, within=within, what=what)


def vrrp_instance(
    *addresses: str,
    priority: int = 100,
    advert_int: float = 0.2,
    version: int = 3,
    virtual_router_id: int = 1,
    garp_master_delay: float = 1,
    name: str = "site",
    more: str = "",
) -> str:
    """Return the text of a `[vrrp_instance.NAME]` on eth0."""
    return f"""\
[vrrp_instance.{name}]
interface = "eth0"
virtual_router_id = {virtual_router_id}
priority = {priority}
advert_int = {advert_int}
version = {version}
garp_master_delay = {garp_master_delay}
virtual_ipaddress = {json.dumps(list(addresses))}
{more}
"""
