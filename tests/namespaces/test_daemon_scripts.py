"""Notify scripts, from an event on the wire to the program that runs."""

import os
import signal
from pathlib import Path

import pytest

from namespaces.daemon import Daemon, vrrp_instance
from namespaces.lab import Host, Lab
from namespaces.waiting import wait_for_exit, wait_until

VIP = "192.0.2.100/24"


class Script:
    """A shell script in a folder of the lab. What it writes to `$OUT` is `lines`."""

    def __init__(self, lab: Lab, name: str, body: str) -> None:
        folder = lab.folder / f"{name}-script"
        folder.mkdir()
        self.out = folder / "out"
        self.path = folder / f"{name}.sh"
        self.path.write_text(f"#!/bin/sh\nOUT={self.out}\n{body}\n")
        self.path.chmod(0o755)

    def lines(self) -> list[str]:
        return self.out.read_text().splitlines() if self.out.exists() else []

    def wait_for(self, *lines: str, within: float = 5.0) -> None:
        """Wait until it has written so many lines; they are these."""
        wait_until(lambda: len(self.lines()) >= len(lines), within=within, what=f"{lines} instead of {self.lines()}")
        assert list(lines) == self.lines()


def counted(daemon: Daemon, name: str) -> int:
    """Return a count of `status` of the actions of type `script`."""
    rows = [row for row in daemon.peek().get("notify", []) if row["name"] == "script"]
    return sum(int(row[name]) for row in rows)


def daemon_on(host: Host, script: Script, *, priority: int = 100, more: str = "") -> Daemon:
    notify = f'notify = [{{ type = "script", command = ["{script.path}"]{more} }}]'
    return Daemon(host, {"10-vrrp.toml": vrrp_instance(VIP, priority=priority, more=notify)})


def test_a_script_is_told_each_state_in_order_as_keepalived_tells_it(lab: Lab) -> None:
    tic, tac = lab.host("tic", "192.0.2.1/24"), lab.host("tac", "192.0.2.2/24")
    scripts = {host: Script(lab, host.name, 'echo "$@" >>$OUT') for host in (tic, tac)}
    master, backup = daemon_on(tic, scripts[tic], priority=200), daemon_on(tac, scripts[tac])

    master.start()
    master.wait_for_state("MASTER", within=5.0)
    backup.start()
    scripts[tic].wait_for("INSTANCE site BACKUP 200", "INSTANCE site MASTER 200")
    scripts[tac].wait_for("INSTANCE site BACKUP 100")

    tic.plug(into=False)
    scripts[tac].wait_for("INSTANCE site BACKUP 100", "INSTANCE site MASTER 100")
    tic.plug(into=True)
    so_far = ["INSTANCE site BACKUP 200", "INSTANCE site MASTER 200"]
    so_far += ["INSTANCE site FAULT 200", "INSTANCE site BACKUP 200", "INSTANCE site MASTER 200"]
    scripts[tic].wait_for(*so_far, within=10.0)

    assert master.stop() == 0
    assert [*so_far, "INSTANCE site STOP 200"] == scripts[tic].lines()


def test_a_script_that_anybody_could_change_is_refused_and_the_rest_works(lab: Lab) -> None:
    tic = lab.host("tic", "192.0.2.1/24")
    script = Script(lab, "open", 'echo "$@" >>$OUT')
    folder = script.path.parent
    folder.chmod(0o777)
    daemon = daemon_on(tic, script)

    daemon.start()
    daemon.wait_for_state("MASTER", within=5.0)
    complaint = f"{folder} has mode 0777: others may change it; run `chmod go-w {folder}`"
    daemon.process.wait_for_log(complaint, within=5.0)

    tic.wait_for_address(VIP)
    assert daemon.stop() == 0
    assert script.lines() == []


def test_of_what_a_script_is_too_slow_for_it_is_told_the_newest_alone(lab: Lab) -> None:
    tic = lab.host("tic", "192.0.2.1/24")
    gate = lab.folder / "gate"
    script = Script(
        lab, "slow", f'echo "$3 $STAYALIVED_OLD $STAYALIVED_MERGED" >>$OUT; until [ -e {gate} ]; do sleep 0.05; done'
    )
    daemon = daemon_on(tic, script, more=', on_overlap = "latest"')

    daemon.start()
    daemon.wait_for_state("MASTER", within=5.0)
    tic.plug(into=False)
    daemon.wait_for_state("FAULT", within=5.0)
    wait_until(lambda: counted(daemon, "merged") == 1, within=5.0, what="MASTER to be merged into FAULT")
    gate.touch()

    script.wait_for("BACKUP INIT 0", "FAULT BACKUP 1")
    assert daemon.stop() == 0


def test_a_script_that_is_overtaken_is_ended_where_that_is_asked_for(lab: Lab) -> None:
    tic = lab.host("tic", "192.0.2.1/24")
    script = Script(lab, "slow", 'echo "$3" >>$OUT; [ $3 = FAULT ] || sleep 60; echo "$3 ends" >>$OUT')
    daemon = daemon_on(tic, script, more=', on_overlap = "kill", timeout = 90')

    daemon.start()
    script.wait_for("BACKUP", "MASTER", within=10.0)
    tic.plug(into=False)

    script.wait_for("BACKUP", "MASTER", "FAULT", "FAULT ends", within=10.0)
    assert daemon.stop() == 0


@pytest.mark.parametrize("stubborn", ["", "trap '' TERM"])
def test_a_script_that_hangs_is_killed_with_its_group_and_the_next_event_is_told(lab: Lab, stubborn: str) -> None:
    tic = lab.host("tic", "192.0.2.1/24")
    body = f"echo $3 >>$OUT\nif [ $3 = BACKUP ]; then {stubborn or ':'}; sleep 600 & echo $$ $! >>$OUT.pids; wait; fi"
    script = Script(lab, "hanging", body)
    daemon = daemon_on(tic, script, more=", timeout = 1")

    daemon.start()
    daemon.wait_for_state("MASTER", within=5.0)
    script.wait_for("BACKUP", "MASTER", within=8.0)

    for pid in Path(f"{script.out}.pids").read_text().split():
        assert wait_for_exit(int(pid), within=2.0)
    daemon.process.wait_for_log("hanging.sh", within=5.0)
    assert daemon.instance()["state"] == "MASTER"
    assert daemon.stop() == 0


def test_the_death_of_the_runner_ends_its_script_and_the_next_event_is_told(lab: Lab) -> None:
    tic = lab.host("tic", "192.0.2.1/24")
    script = Script(lab, "bereaved", "echo $3 >>$OUT\nif [ $3 = BACKUP ]; then echo $$ >$OUT.pid; exec sleep 600; fi")
    daemon = daemon_on(tic, script, more=', user = "daemon"')
    for name in ("out", "out.pid"):
        (script.path.parent / name).touch()
        (script.path.parent / name).chmod(0o666)
    daemon.start()
    daemon.wait_for_state("MASTER", within=5.0)
    script.wait_for("BACKUP")
    runner = daemon.child("runner")

    os.kill(runner, signal.SIGKILL)

    script.wait_for("BACKUP", "MASTER")
    assert wait_for_exit(int(Path(f"{script.out}.pid").read_text()), within=2.0)
    assert "was not told" in daemon.log()
    assert daemon.stop() == 0


def test_a_script_runs_as_the_user_that_it_names_and_with_what_happened_in_its_environment(lab: Lab) -> None:
    tic = lab.host("tic", "192.0.2.1/24")
    script = Script(lab, "user", 'echo "$(id -un) $STAYALIVED_KIND $STAYALIVED_SUBJECT $STAYALIVED_NEW" >>$OUT')
    script.out.touch(mode=0o666)
    script.out.chmod(0o666)
    daemon = daemon_on(tic, script, more=', user = "daemon", on = ["master"]')

    daemon.start()

    script.wait_for("daemon master site MASTER")
    assert daemon.stop() == 0
    assert ["daemon master site MASTER"] == script.lines()
