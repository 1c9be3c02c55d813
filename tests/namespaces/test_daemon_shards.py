"""Three checker processes in the whole daemon share the checks: verdicts come and go as with one, and one may die."""

import os
import signal

from namespaces.daemon import Daemon, vrrp_instance
from namespaces.lab import Lab
from namespaces.processes import Process
from namespaces.waiting import wait_until

THREE = {"checker", "checker#2", "checker#3"}
PORTS = range(4201, 4213)
SOON = 10.0


def configuration(processes: int) -> dict[str, str]:
    entries = ", ".join(f'{{ check = "open", target = "127.0.0.1:{port}", weight = 1 }}' for port in PORTS)
    return {
        "00-global.toml": f"[global]\nchecker_processes = {processes}\n",
        "10-vrrp.toml": vrrp_instance("192.0.2.100/24", more=f"track = [{entries}]"),
        "20-checks.toml": '[check.open]\ntype = "tcp"\ndelay_loop = 0.2\nretry = 0\n',
    }


def states(daemon: Daemon) -> dict[int, bool | None]:
    """Return what is known of each port."""
    return {int(row["subject"].rpartition(":")[2]): row["up"] for row in daemon.peek().get("tracked", [])}


def wait_for(daemon: Daemon, up: set[int]) -> None:
    wanted = {port: port in up for port in PORTS}
    wait_until(lambda: states(daemon) == wanted, within=SOON, what=f"only {up} to be up: {states(daemon)}")


def test_three_processes_share_the_checks_and_the_death_of_one_costs_nothing(lab: Lab) -> None:
    tic = lab.host("tic", "192.0.2.1/24")
    listening: dict[int, Process] = {}

    def listen(*ports: int) -> None:
        for port in ports:
            listening[port] = tic.popen(["nc", "-lk", "127.0.0.1", str(port)])

    listen(*PORTS)
    daemon = Daemon(tic, configuration(3))
    daemon.start()
    assert {name for name in daemon.children() if name.startswith("checker")} == THREE
    wait_for(daemon, set(PORTS))

    gone = set(PORTS[::2])
    for port in gone:
        listening[port].kill_group()
        listening[port].wait(within=SOON)
    wait_for(daemon, set(PORTS) - gone)

    victim = daemon.child("checker#2")
    os.kill(victim, signal.SIGKILL)
    daemon.wait_for_child("checker#2", victim, within=SOON)
    assert states(daemon) == {port: port not in gone for port in PORTS}

    listen(*gone)
    wait_for(daemon, set(PORTS))

    daemon.write(configuration(2))
    refused = daemon.reload()
    assert refused.returncode == 1
    assert "global.checker_processes" in refused.stdout + refused.stderr
    assert daemon.stop() == 0
