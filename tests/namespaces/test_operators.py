"""Who may ask the running daemon what: root, members of the group `stayalived`, the daemon's own user, others."""

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from namespaces.test_install import Machine

CONFIGURATION = """
[virtual_server.web]
address = "192.0.2.1:80"
protocol = "tcp"
scheduler = "rr"
forward = "DR"

[virtual_server.web.real_server.one]
address = "192.0.2.11"
"""
RUN_DIR = "/run/stayalived-operators"


class Daemon:
    """`stayalived run` on an installed machine, in the foreground of a process of ours."""

    def __init__(self, machine: Machine, folder: Path) -> None:
        self.machine = machine
        machine.stayalived("install")
        (folder / "conf.d").mkdir()
        (folder / "conf.d" / "site.toml").write_text(CONFIGURATION)
        command = machine.entering("run", "--config", str(folder / "conf.d"), "--run-dir", RUN_DIR)
        self.process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        assert self.process.stderr is not None
        self.log: list[str] = []
        for line in self.process.stderr:
            self.log.append(line)
            if "configuration 1 in force" in line:
                break

    def ask_as(self, user: str, groups: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        identity = ["setpriv", "--reuid", user, "--regid", user, "--groups", groups]
        return self.machine.run(*identity, *self.machine.program, *arguments, "--run-dir", RUN_DIR)

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        assert self.process.stderr is not None
        self.process.stderr.close()
        shutil.rmtree(RUN_DIR)


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[Daemon]:
    machine = Machine(tmp_path)
    running = Daemon(machine, tmp_path)
    yield running
    running.close()
    machine.close()


def test_each_may_do_what_is_theirs(daemon: Daemon) -> None:
    strangers = daemon.ask_as("games", "games", "status")
    assert strangers.returncode == 1
    assert "permission denied; ask as root or as a member of the group stayalived" in strangers.stderr

    looking = daemon.ask_as("stayalived", "stayalived", "status", "--json")
    users = {child["name"]: child["user"] for child in json.loads(looking.stdout)["children"]}
    assert users["api"] == "stayalived"

    stopping = daemon.ask_as("stayalived", "stayalived", "stop")
    assert stopping.returncode == 1
    assert "not for the daemon's own user" in stopping.stderr

    operator = daemon.ask_as("games", "stayalived", "reload")
    assert operator.returncode == 0, operator.stderr

    stopped = daemon.ask_as("games", "stayalived", "stop")
    assert (stopped.returncode, stopped.stdout) == (0, "stopped\n")
    assert daemon.process.wait(timeout=10) == 0
