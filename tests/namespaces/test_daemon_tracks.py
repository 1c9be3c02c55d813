"""Checks that an instance tracks, in the whole daemon: what is told of them follows what happens on the machine."""

import itertools
import os
import shutil
import signal
from pathlib import Path
from typing import Any

import pytest

from namespaces.daemon import Daemon, vrrp_instance
from namespaces.lab import Host, Lab
from namespaces.processes import Process
from namespaces.waiting import quiet_for, wait_for_exit, wait_until

VIP = "192.0.2.100/24"
PORT = 4242
SOON = 5.0
"""Seconds within which a change must be told: a period of 0.2 s, and whatever else this machine has to do."""

_numbers = itertools.count(1)


class Script:
    """A check script in a folder of the lab that does what it is told: `up`, `down` or `hang`."""

    def __init__(self, lab: Lab, name: str = "script") -> None:
        self.folder = lab.folder / f"{name}-{next(_numbers)}"
        self.desk = self.folder / "desk"  # where it writes, whoever it runs as
        self.desk.mkdir(parents=True)
        self.desk.chmod(0o777)
        self.path = self.folder / "check.sh"
        self.wish("up")
        self.path.write_text(f"""\
#!/bin/sh
cd {self.desk}
echo $$ >>starts
case $(cat wish) in
    up) exit 0;;
    down) echo "no route to host"; exit 3;;
    hang) trap '' TERM; sleep 600 & echo $$ $! >hanging; wait; wait;;
    wait) sleep 600 & echo $$ $! >waiting; wait;;
esac
""")
        self.path.chmod(0o755)

    def wish(self, what: str) -> None:
        """Say what its next run shall do."""
        fresh = self.desk / ".wish"
        fresh.write_text(what)
        fresh.replace(self.desk / "wish")

    def check(self, *lines: str) -> str:
        """Return the named check that runs it."""
        return a_check("script", "command", f'command = ["{self.path}"]', *lines)

    def pids(self, name: str) -> list[int]:
        """Return the process ids that it wrote into a file."""
        path = self.desk / name
        return list(map(int, path.read_text().split())) if path.exists() else []


def a_check(name: str, kind: str, *lines: str) -> str:
    return "\n".join((f"[check.{name}]", f'type = "{kind}"', "delay_loop = 0.2", *lines, ""))


def daemon_on(host: Host, checks: str, *entries: str, before: tuple[str, ...] = ()) -> Daemon:
    return Daemon(host, files(checks, *entries), before=before)


def files(checks: str, *entries: str) -> dict[str, str]:
    return {"10-vrrp.toml": vrrp_instance(VIP, more=f"track = [{', '.join(entries)}]"), "20-checks.toml": checks}


def tracking(host: Host, script: Script, *lines: str) -> Daemon:
    """Start a daemon that tracks a script, and wait until it has found it up."""
    daemon = daemon_on(host, script.check(*lines), '{ check = "script" }')
    daemon.start()
    wait_for(daemon, "track:script", up=True)
    return daemon


def row(daemon: Daemon, subject: str) -> dict[str, Any]:
    """Return the status of a tracked check; {} while there is none."""
    rows = daemon.peek().get("tracked", [])
    return next((row for row in rows if row["subject"] == subject), {})


def wait_for(daemon: Daemon, subject: str, within: float = SOON, **wanted: object) -> dict[str, Any]:
    """Wait until the status of a tracked check has these values, and return it."""

    def found() -> dict[str, Any]:
        one = row(daemon, subject)
        return one if one and all(one[key] == value for key, value in wanted.items()) else {}

    try:
        return wait_until(found, within=within, what=f"{subject} with {wanted}")
    except AssertionError as error:
        raise AssertionError(f"{error}: {row(daemon, subject)}\n{daemon.log()}") from error


def a_process(host: Host, name: str) -> Process:
    """Start a process of this name."""
    program = host.lab.folder / name
    if not program.exists():
        shutil.copy("/bin/sleep", program)
    return host.popen([str(program), "600"])


def listening(host: Host) -> Process:
    return host.popen(["nc", "-l", "-k", "127.0.0.1", str(PORT)])


@pytest.fixture
def tic(lab: Lab) -> Host:
    return lab.host("tic", "192.0.2.1/24")


def test_what_is_told_follows_what_happens_on_the_machine(lab: Lab, tic: Host) -> None:
    script, number, name = Script(lab), lab.folder / "number", f"sa{os.getpid()}x"
    checks = (
        script.check()
        + a_check("number", "file", f'file = "{number}"', "weight = -2")
        + a_check("worker", "process", f'process = "{name}"')
        + a_check("port", "tcp", "retry = 0")
    )
    daemon = daemon_on(
        tic,
        checks,
        '{ check = "script", weight = -20 }',
        '{ check = "number" }',
        '{ check = "worker" }',
        f'{{ check = "port", target = "127.0.0.1:{PORT}" }}',
    )
    worker, server = a_process(tic, name), listening(tic)
    port = f"track:port@127.0.0.1:{PORT}"

    daemon.start()
    wait_for(daemon, "track:script", up=True, reason="command: exit status 0")
    wait_for(daemon, "track:number", up=True, value=0, weight=0)
    wait_for(daemon, "track:worker", up=True, reason="processes: 1 running")
    wait_for(daemon, port, up=True)
    assert [one["subject"] for one in daemon.status()["tracked"]] == sorted(
        ["track:number", port, "track:script", "track:worker"]
    )

    script.wish("down")
    wait_for(daemon, "track:script", up=False, reason="command: exit status 3: no route to host")
    number.write_text("7\n")
    number.chmod(0o644)
    wait_for(daemon, "track:number", up=True, value=7, weight=-14)
    worker.close()
    wait_for(daemon, "track:worker", up=False, reason="processes: 0 running, expected at least 1")
    server.close()
    wait_for(daemon, port, up=False)

    script.wish("up")
    wait_for(daemon, "track:script", up=True)
    number.write_text("many\n")
    wait_for(daemon, "track:number", up=True, value=0, reason="value: 0, for 'many' is no number")
    a_process(tic, name)
    wait_for(daemon, "track:worker", up=True)
    listening(tic)
    wait_for(daemon, port, up=True)
    assert daemon.stop() == 0
    assert "ERROR" not in daemon.log()


def test_a_script_that_hangs_is_killed_with_all_that_it_started(lab: Lab, tic: Host) -> None:
    script = Script(lab)
    daemon = tracking(tic, script, "timeout = 0.5")

    script.wish("hang")
    wait_for(daemon, "track:script", up=False, reason="command: ran longer than 500 ms")

    hanging = script.pids("hanging")
    assert len(hanging) == 2
    script.wish("up")
    for pid in hanging:
        assert wait_for_exit(pid, within=SOON)
    wait_for(daemon, "track:script", up=True)
    assert daemon.stop() == 0


def test_a_script_that_anybody_could_change_is_not_run_and_no_verdict_changes(lab: Lab, tic: Host) -> None:
    script = Script(lab)
    script.folder.chmod(0o777)
    daemon = daemon_on(tic, script.check(), '{ check = "script", init_fail = true }')
    complaint = f"{script.folder} has mode 0777: others may change it; run `chmod go-w {script.folder}`"

    daemon.start()
    daemon.process.wait_for_log(f"cannot be made on this machine: {script.path} counts as not run", within=SOON)
    assert complaint in daemon.log()
    assert (row(daemon, "track:script")["up"], complaint in row(daemon, "track:script")["reason"]) == (None, True)
    assert script.pids("starts") == []

    script.folder.chmod(0o755)
    wait_for(daemon, "track:script", up=True)
    script.folder.chmod(0o777)
    runs = len(script.pids("starts"))
    quiet_for(1.5)
    assert row(daemon, "track:script")["up"] is True
    assert len(script.pids("starts")) <= runs + 1
    assert daemon.stop() == 0


@pytest.mark.parametrize("user", ["root", "daemon"])
def test_the_death_of_the_runner_makes_a_run_one_that_never_was_and_it_comes_again(
    lab: Lab, tic: Host, user: str
) -> None:
    script = Script(lab)
    daemon = tracking(tic, script, "timeout = 60", f'user = "{user}"')
    since = row(daemon, "track:script")["seconds"]
    script.wish("wait")
    running = wait_until(lambda: script.pids("waiting"), within=SOON, what="a run that waits")
    script.wish("up")
    runs = len(script.pids("starts"))

    os.kill(daemon.child("runner"), signal.SIGKILL)

    for pid in running:
        assert wait_for_exit(pid, within=SOON), "a script outlives its runner"
    wait_until(lambda: len(script.pids("starts")) > runs + 1, within=SOON, what="further runs")
    after = row(daemon, "track:script")
    assert (after["up"], after["stale"]) == (True, False)
    assert after["seconds"] > since, "it was never anything but up"
    assert daemon.stop() == 0


def test_the_death_of_the_checker_costs_no_verdict_and_doubles_no_script(lab: Lab, tic: Host) -> None:
    script = Script(lab)
    daemon = tracking(tic, script, "timeout = 60")
    script.wish("wait")
    running, _ = wait_until(lambda: script.pids("waiting"), within=SOON, what="a run that waits")
    runs = len(script.pids("starts"))
    checker = daemon.child("checker")

    os.kill(checker, signal.SIGKILL)
    daemon.wait_for_child("checker", checker, within=SOON)

    assert row(daemon, "track:script")["up"] is True
    assert len(script.pids("starts")) == runs, "the run that its predecessor began is still there"
    script.wish("down")
    os.killpg(running, signal.SIGKILL)
    wait_for(daemon, "track:script", up=False)
    assert daemon.stop() == 0


def test_a_reload_keeps_what_is_known_and_forgets_what_is_gone(lab: Lab, tic: Host) -> None:
    script, number = Script(lab), lab.folder / "number"
    number_check = a_check("number", "file", f'file = "{number}"')
    daemon = daemon_on(tic, script.check() + number_check, '{ check = "script" }', '{ check = "number" }')
    script.wish("down")
    daemon.start()
    before = wait_for(daemon, "track:script", up=False)
    wait_for(daemon, "track:number", up=True)

    daemon.write(
        files(
            script.check("rise = 99") + number_check,
            '{ check = "number", weight = 3 }',
            '{ check = "script", weight = -9 }',
        )
    )
    assert daemon.reload().returncode == 0
    script.wish("up")
    runs = len(script.pids("starts"))
    wait_until(lambda: len(script.pids("starts")) > runs + 2, within=SOON, what="further runs")
    kept = row(daemon, "track:script")
    assert (kept["up"], kept["seconds"] > before["seconds"]) == (False, True)

    daemon.write(files(number_check, '{ check = "number" }'))
    assert daemon.reload().returncode == 0
    wait_until(lambda: not row(daemon, "track:script"), within=SOON, what="the end of track:script")
    assert row(daemon, "track:number")["up"] is True
    wait_until(lambda: "runner" not in daemon.children(), within=SOON, what="the end of the runner")
    assert daemon.stop() == 0


def test_a_proc_that_hides_others_is_no_verdict_and_says_what_to_do(tic: Host) -> None:
    hide = 'mount -t proc -o hidepid=2 proc /proc && exec "$@"'
    daemon = daemon_on(
        tic,
        a_check("worker", "process", 'process = "sshd"'),
        '{ check = "worker" }',
        before=("unshare", "--mount", "sh", "-c", hide, "sh"),
    )

    daemon.start()
    daemon.process.wait_for_log("take ProtectProc=invisible out of the unit's strict.conf", within=SOON)

    assert row(daemon, "track:worker")["up"] is None
    assert daemon.stop() == 0


def test_a_command_of_a_server_sets_its_weight_and_learns_whom_it_checks(lab: Lab, tic: Host) -> None:
    script = Script(lab, "dynamic")
    script.path.write_text(f'#!/bin/sh\necho "$STAYALIVED_ADDRESS $STAYALIVED_PORT" >{script.desk}/whom\nexit 12\n')
    service = f"""\
[virtual_server.web]
address = "192.0.2.100:80"
protocol = "tcp"
[virtual_server.web.real_server.one]
address = "192.0.2.11"
weight = 3
check = {{ type = "command", command = ["{script.path}"], dynamic = true, delay_loop = 1 }}
"""
    daemon = Daemon(tic, {"20-services.toml": service})

    daemon.start()

    def found() -> list[tuple[bool, int]]:
        servers = [server for service in daemon.peek()["services"] for server in service["servers"]]
        checks = [(check["up"], check["weight"]) for server in servers for check in server["checks"]]
        return checks if checks and checks[0][0] else []

    checks = wait_until(found, within=SOON, what="a verdict on web/one")
    assert checks == [(True, 10 - 3)]
    assert Path(script.desk / "whom").read_text() == "192.0.2.11 80\n"
    assert daemon.stop() == 0
