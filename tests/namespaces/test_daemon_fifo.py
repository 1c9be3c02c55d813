"""FIFOs, beside those of keepalived: the same lines for the same events, and its own sample script reads them."""

import gzip
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import pytest

from namespaces.daemon import Daemon, vrrp_instance
from namespaces.lab import Host, Lab
from namespaces.peers import Keepalived
from namespaces.waiting import wait_for_exit, wait_until

SAMPLE = Path("/usr/share/doc/keepalived/samples/sample_notify_fifo.sh.gz")
VRRP = """
vrrp_sync_group all {{
  group {{
    site
  }}
}}
vrrp_instance site {{
  interface eth0
  version 3
  advert_int 0.2
  virtual_router_id {number}
  priority {priority}
  garp_master_delay 1
  virtual_ipaddress {{
    {address}/24
  }}
}}
"""
GROUP = '[vrrp_sync_group.all]\ngroup = ["site"]\n'


class Router(Protocol):
    """keepalived, or the daemon."""

    def start(self) -> None: ...
    def stop(self) -> int: ...


class Reader:
    """Reads a FIFO from the moment it is there."""

    def __init__(self, path: Path) -> None:
        wait_until(path.is_fifo, within=10.0, what=f"the FIFO {path}")
        self._descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
        self._data = b""

    def lines(self) -> list[str]:
        try:
            while data := os.read(self._descriptor, 65536):
                self._data += data
        except BlockingIOError:
            pass
        return self._data.decode().splitlines()

    def wait_for(self, line: str, times: int, *, within: float = 10.0) -> None:
        what = f"{line} {times} times in {self.lines()}"
        wait_until(lambda: self.lines().count(line) >= times, within=within, what=what)

    def close(self) -> None:
        os.close(self._descriptor)


def open_reader(lab: Lab, path: Path) -> Reader:
    reader: Reader = lab.keep(Reader(path))
    return reader


def as_keepalived(host: Host, fifo: Path, number: int, priority: int = 100) -> Keepalived:
    text = f"global_defs {{\n  vrrp_notify_fifo {fifo}\n}}\n"
    return Keepalived(host, text + VRRP.format(number=number, priority=priority, address=f"192.0.2.{100 + number}"))


def as_daemon(host: Host, fifo: Path, number: int, priority: int = 100) -> Daemon:
    common = f'[global]\nvrrp_notify_fifo = "{fifo}"\nstate_dir = "{host.lab.folder}/state"\n'
    instance = vrrp_instance(f"192.0.2.{100 + number}/24", priority=priority, virtual_router_id=number)
    return Daemon(host, {"00-global.toml": common, "10-vrrp.toml": instance + GROUP})


def instance(state: str, priority: int = 100) -> str:
    return f'INSTANCE "site" {state} {priority}'


def alone(host: Host, other: Router, reader: Reader) -> None:
    """It is master, and stops."""


def without_carrier(host: Host, other: Router, reader: Reader) -> None:
    """Its interface fails, and is well again."""
    host.plug(into=False)
    reader.wait_for(instance("FAULT"), 1)
    host.plug(into=True)
    reader.wait_for(instance("MASTER"), 2)


def preempted(host: Host, other: Router, reader: Reader) -> None:
    """A better one comes, and goes."""
    other.start()
    reader.wait_for(instance("BACKUP"), 2)
    other.stop()
    reader.wait_for(instance("MASTER"), 2)


def preempted_and_without_carrier(host: Host, other: Router, reader: Reader) -> None:
    """A better one comes; its interface fails and is well again; the better one goes."""
    other.start()
    reader.wait_for(instance("BACKUP"), 2)
    host.plug(into=False)
    reader.wait_for(instance("FAULT"), 1)
    host.plug(into=True)
    reader.wait_for(instance("BACKUP"), 3)
    other.stop()
    reader.wait_for(instance("MASTER"), 2)


@pytest.mark.parametrize("story", [alone, without_carrier, preempted, preempted_and_without_carrier])
def test_the_same_events_are_the_same_lines_as_keepalived_s(
    lab: Lab, story: Callable[[Host, Router, Reader], None]
) -> None:
    seen = {}
    for number, make in enumerate((as_keepalived, as_daemon), 1):
        host, other = (
            lab.host(f"one{number}", f"192.0.2.{number}/24"),
            lab.host(f"two{number}", f"192.0.2.{10 + number}/24"),
        )
        lab.folder.chmod(0o755)
        fifo = lab.folder / f"fifo{number}"
        router = make(host, fifo, number)
        router.start()
        reader = open_reader(lab, fifo)
        reader.wait_for(instance("MASTER"), 1)
        story(host, as_keepalived(other, lab.folder / f"other{number}", number, 200), reader)
        router.stop()
        reader.wait_for(instance("STOP"), 1)
        seen[number] = reader.lines()

    # the order of group and member, and of both with others, is keepalived's own to choose: each is in its order
    def of(number: int, kind: str) -> list[str]:
        return [line for line in seen[number] if line.startswith(kind)]

    assert of(1, "INSTANCE") == of(2, "INSTANCE")
    assert of(1, "GROUP") == of(2, "GROUP")
    assert sorted(seen[1]) == sorted(seen[2])


def test_keepalived_s_sample_script_reads_ours_unchanged(lab: Lab) -> None:
    host = lab.host("tic", "192.0.2.1/24")
    lab.folder.chmod(0o755)
    script = lab.folder / "sample_notify_fifo.sh"
    script.write_bytes(gzip.decompress(SAMPLE.read_bytes()))
    script.chmod(0o755)
    fifo = lab.folder / f"stayalived-lab-{os.getpid()}"
    log, pid = Path(f"/tmp/{fifo.name}.log"), Path(f"/run/{fifo.name}.pid")
    common = f'[global]\nstate_dir = "{lab.folder}/state"\nnotify_fifo = "{fifo}"\n'
    common += f'notify_fifo_script = {{ command = "{script}", user = "root" }}\n'
    daemon = Daemon(host, {"00-global.toml": common, "10-vrrp.toml": vrrp_instance("192.0.2.100/24") + GROUP})

    def said() -> list[str]:
        return [line.partition("] ")[2] for line in log.read_text().splitlines()] if log.exists() else []

    try:
        daemon.start()
        masters = {"INSTANCE site MASTER 100", "GROUP all MASTER 0"}
        wait_until(lambda: masters <= set(said()), within=10.0, what="the script's first lines")
        reader = int(pid.read_text())
        os.kill(reader, signal.SIGKILL)
        assert wait_for_exit(reader, within=5.0)
        host.plug(into=False)
        faults = {"INSTANCE site FAULT 100", "GROUP all FAULT 0"}
        wait_until(lambda: faults <= set(said()), within=10.0, what="the lines of its successor")
        daemon.stop()
        wait_until(lambda: "STOPPING" in said(), within=5.0, what="the script's end")
        words = said()
    finally:
        log.unlink(missing_ok=True)
        pid.unlink(missing_ok=True)

    assert "INSTANCE site STOP 100" in words
    assert {"GROUP all BACKUP 0", "GROUP all MASTER 0", "GROUP all FAULT 0", "GROUP all STOP 0"} <= set(words)
    assert [line for line in words if "unknown" in line] == []


def test_a_fifo_that_is_none_is_told_and_costs_nothing_else(lab: Lab) -> None:
    host = lab.host("tic", "192.0.2.1/24")
    lab.folder.chmod(0o755)
    fifo = lab.folder / "precious"
    fifo.write_text("data")
    daemon = as_daemon(host, fifo, 1)

    daemon.start()
    daemon.wait_for_state("MASTER", within=5.0)
    daemon.process.wait_for_log(f"{fifo} is not ours to write into", within=5.0)

    assert daemon.stop() == 0
    assert fifo.read_text() == "data"


def test_a_reload_that_removes_a_fifo_ends_its_reader_and_one_that_adds_it_again_starts_it(lab: Lab) -> None:
    host = lab.host("tic", "192.0.2.1/24")
    lab.folder.chmod(0o755)
    script = lab.folder / "read.sh"
    script.write_text(f'#!/bin/sh\necho $$ >>{lab.folder}/pids\nexec cat "$1" >>{lab.folder}/read\n')
    script.chmod(0o755)
    fifo = lab.folder / "events"
    state = f'[global]\nstate_dir = "{lab.folder}/state"\n'
    with_fifo = state + f'notify_fifo = "{fifo}"\nnotify_fifo_script = {{ command = "{script}", user = "root" }}\n'
    without = state + 'notify = [{ type = "mail", notification_email = "a@example.org", smtp_server = "192.0.2.1" }]\n'
    instance = vrrp_instance("192.0.2.100/24")
    daemon = Daemon(host, {"00-global.toml": with_fifo, "10-vrrp.toml": instance})

    def readers() -> list[int]:
        file = lab.folder / "pids"
        return [int(line) for line in file.read_text().splitlines()] if file.exists() else []

    daemon.start()
    wait_until(lambda: len(readers()) == 1, within=10.0, what="a reader")
    daemon.wait_for_state("MASTER", within=5.0)
    daemon.write({"00-global.toml": without, "10-vrrp.toml": instance})
    assert daemon.reload().returncode == 0
    assert wait_for_exit(readers()[0], within=20.0)

    daemon.write({"00-global.toml": with_fifo, "10-vrrp.toml": instance})
    assert daemon.reload().returncode == 0
    wait_until(lambda: len(readers()) == 2, within=10.0, what="another reader")
    assert daemon.stop() == 0

    wait_until(lambda: "STOP" in (lab.folder / "read").read_text(), within=5.0, what="the last line")
    words = [line.split()[2] for line in (lab.folder / "read").read_text().splitlines()]
    assert words == ["BACKUP", "MASTER", "STOP"]
