"""Real forks, real signals, real pipes: what the engine's tests cannot see."""

import os
import select
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

LIMIT = 10.0


def links_of(pid: object) -> list[str]:
    links = []
    for entry in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(FileNotFoundError):  # it was closed while we looked
            links.append(str(entry.readlink()))
    return links


class Daemon:
    def __init__(self, folder: Path, children: str) -> None:
        (folder / "children").write_text(children)
        path = ":".join(entry for entry in sys.path if entry)
        self.folder = folder
        self.process = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("toys.py")), str(folder)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={"PYTHONPATH": path, "PATH": os.environ["PATH"]},
        )
        self.lines: list[list[str]] = []
        self._rest = b""

    def read(self, *words: str) -> list[str]:
        """The next line that begins with these words; lines before it are kept in `lines`."""
        while True:
            for line in self.lines:
                if line[: len(words)] == list(words):
                    self.lines.remove(line)
                    return line
            assert self._read_more(), f"no line {words} within {LIMIT} s, or the daemon ended: {self.lines}"

    def read_all(self) -> list[list[str]]:
        while self._read_more():
            pass
        return self.lines

    def _read_more(self) -> bool:
        ready, _, _ = select.select([self.process.stdout], [], [], LIMIT)
        data = os.read(self.process.stdout.fileno(), 65536) if ready else b""
        *whole, self._rest = (self._rest + data).split(b"\n")
        self.lines += [line.decode().split() for line in whole]
        return bool(data)

    def end(self) -> None:
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()
        self.process.stderr.close()


Start = Callable[[str], Daemon]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    daemons = []

    def begin(children: str) -> Daemon:
        daemon = Daemon(tmp_path, children)
        daemons.append(daemon)
        return daemon

    yield begin
    for daemon in daemons:
        daemon.end()


def test_a_killed_child_is_replaced(start: Start) -> None:
    daemon = start("vrrp checker")
    _, _, pid, first = daemon.read("running", "vrrp")
    daemon.read("running", "checker")
    os.kill(int(pid), signal.SIGKILL)
    _, _, again, respawned = daemon.read("running", "vrrp")
    assert ("first", "respawned") == (first, respawned)
    assert pid != again


def test_term_stops_in_order_and_takes_the_pid_file_away(start: Start) -> None:
    daemon = start("notify vrrp ipvs")
    for name in ("vrrp", "ipvs", "notify"):
        daemon.read("running", name)
    assert str(daemon.process.pid) == (daemon.folder / "stayalived.pid").read_text().strip()
    daemon.process.send_signal(signal.SIGTERM)
    assert [["stopped", "vrrp"], ["stopped", "ipvs"], ["stopped", "notify"]] == daemon.read_all()
    assert 0 == daemon.process.wait(LIMIT)
    assert not (daemon.folder / "stayalived.pid").exists()


def test_children_ignore_term_and_stop_when_the_supervisor_dies(start: Start) -> None:
    daemon = start("vrrp ipvs checker")
    for name in ("vrrp", "ipvs", "checker"):
        os.kill(int(daemon.read("running", name)[2]), signal.SIGTERM)
    daemon.process.kill()
    stopped = sorted(daemon.read_all())
    assert [["stopped", "checker"], ["stopped", "ipvs"], ["stopped", "vrrp"]] == stopped


def test_a_reload_reaches_the_running_and_starts_the_new(start: Start) -> None:
    daemon = start("vrrp")
    daemon.read("running", "vrrp")
    (daemon.folder / "children").write_text("vrrp api")
    daemon.process.send_signal(signal.SIGHUP)
    assert "reload" == daemon.read("running", "vrrp")[3]
    assert "first" == daemon.read("running", "api")[3]


def test_one_that_breaks_at_birth_does_not_hold_up_the_others(start: Start) -> None:
    daemon = start("runner vrrp")
    assert "first" == daemon.read("running", "vrrp")[3]
    daemon.process.send_signal(signal.SIGTERM)
    daemon.read("stopped", "vrrp")
    assert 0 == daemon.process.wait(LIMIT)
    assert b"a toy that breaks" in daemon.process.stderr.read()


def test_only_who_holds_something_of_the_host_keeps_the_run_dir_locked(start: Start) -> None:
    daemon = start("vrrp checker ipvs notify")
    pids = {name: daemon.read("running", name)[2] for name in ("vrrp", "checker", "ipvs", "notify")}
    holders = {name for name, pid in pids.items() if str(daemon.folder / "stayalived.pid") in links_of(pid)}
    assert {"vrrp", "ipvs"} == holders


def test_children_hold_no_end_of_another_pipe(start: Start) -> None:
    daemon = start("vrrp ipvs")
    pids = [daemon.read("running", name)[2] for name in ("vrrp", "ipvs")]
    sockets = [{link for link in links_of(pid) if link.startswith("socket:")} for pid in (*pids, daemon.process.pid)]
    own, other, _ = sockets
    assert own.isdisjoint(other)
