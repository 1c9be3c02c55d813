"""`stayalived plan` in a kernel with IPVS: to type what it says comes to what the daemon does."""

import json
import shlex
from collections.abc import Iterator
from typing import Any

import pytest

from namespaces.daemon import Daemon
from namespaces.lab import Host, Lab
from namespaces.waiting import wait_until

LIMIT = 60.0
FOREIGN = ["-A -u 10.42.0.77:53 -s wlc", "-a -u 10.42.0.77:53 -r 10.42.0.78:53 -m -w 7"]
"""What somebody else keeps in both tables."""

SERVICE = """\
[virtual_server.{name}]
address = ["192.0.2.{number}:80", "[2001:db8::{number}]:80"]
protocol = "tcp"
scheduler = "{scheduler}"
forward = "{forward}"
"""
SERVER = """\
[virtual_server.{name}.real_server.s{number}]
address = ["10.42.1.{number}", "2001:db8:1::{number}"]
weight = {weight}
"""


def service(name: str, number: int, scheduler: str, forward: str, **weights: int) -> str:
    """A service of both families; `s1=3` is server 1 with weight 3."""
    head = SERVICE.format(name=name, number=number, scheduler=scheduler, forward=forward)
    return head + "".join(
        SERVER.format(name=name, number=server.removeprefix("s"), weight=weight) for server, weight in weights.items()
    )


BEFORE = {
    "00-global.toml": "[global]\n",
    "20-web.toml": service("web", 100, "rr", "NAT", s1=1, s2=2, s3=3),
    "21-mail.toml": service("mail", 101, "wrr", "DR", s4=1, s5=1),
    "22-old.toml": service("old", 102, "wlc", "TUN", s6=1),
}
AFTER = {
    "00-global.toml": "[global]\n",
    "20-web.toml": service("web", 100, "sh", "NAT", s1=9, s2=2, s7=4),
    "21-mail.toml": service("mail", 101, "wrr", "NAT", s4=1, s5=1),
    "23-new.toml": service("new", 103, "lc", "DR", s8=1, s9=5),
}
CHECKED = BEFORE["20-web.toml"].replace("[virtual_server.web]\n", '[virtual_server.web]\ncheck = "tcp"\n')


def table(host: Host) -> list[str]:
    return sorted(line.strip() for line in host.run(["ipvsadm", "-Sn"]).stdout.splitlines())


def plan(daemon: Daemon, *words: str) -> tuple[int, dict[str, Any]]:
    done = daemon.command("plan", "--json", *words)
    assert done.stdout, done.stderr
    return done.returncode, json.loads(done.stdout)


def type_in(host: Host, document: dict[str, Any], when: str = "at once") -> None:
    """Do on another machine what a plan says."""
    for step in document["steps"]:
        if step["when"] == when and step["line"].startswith("ipvsadm"):
            host.run(shlex.split(step["line"]))


@pytest.fixture
def hosts() -> Iterator[tuple[Daemon, Host]]:
    """A director that is not started, and another machine; both tables hold what somebody else keeps."""
    with Lab() as lab:
        tic, twin = lab.host("tic", "10.42.0.1/16"), lab.host("twin", "10.42.0.2/16")
        for host in (tic, twin):
            for line in FOREIGN:
                host.run(["ipvsadm", *line.split()])
        yield Daemon(tic, BEFORE), twin


def test_start_and_reload_do_what_the_plan_says(hosts: tuple[Daemon, Host]) -> None:
    daemon, twin = hosts
    before = table(daemon.host)

    status, document = plan(daemon, "--config", str(daemon.conf_d))

    assert (3, before) == (status, table(daemon.host))  # to look changes nothing
    daemon.launch()
    type_in(twin, document)
    wait_until(lambda: table(daemon.host) == table(twin), within=LIMIT, what=f"{table(twin)}\n{daemon.log()}")
    assert len(table(twin)) == 2 + 2 * (3 + 6)
    wait_until(daemon.is_running, within=LIMIT, what="the daemon to run")
    assert (0, []) == (plan(daemon)[0], plan(daemon)[1]["steps"])

    daemon.write(AFTER)
    status, document = plan(daemon)

    assert 3 == status
    type_in(twin, document)
    assert 0 == daemon.reload().returncode
    wait_until(lambda: table(daemon.host) == table(twin), within=LIMIT, what=f"{table(twin)}")
    assert 0 == plan(daemon)[0]


def test_what_waits_for_a_check_is_apart(hosts: tuple[Daemon, Host]) -> None:
    daemon, twin = hosts
    daemon.write({"20-web.toml": CHECKED})

    _, document = plan(daemon, "--config", str(daemon.conf_d))

    daemon.start()
    type_in(twin, document)
    assert table(twin) == table(daemon.host)  # nobody listens at the servers' addresses
    type_in(twin, document, "when checked")
    assert len(table(twin)) == len(table(daemon.host)) + 2 * 3


BESIDE = {
    **BEFORE,
    "00-global.toml": """\
[global]
lvs_timeouts = { tcp = 77, udp = 55 }
[global.lvs_sync_daemon]
interface = "eth0"
id = 9
maxlen = 1400
""",
}


def beside(host: Host) -> list[str]:
    """What the kernel has beside the table: timeouts, and the sync daemons that run."""
    timeouts, daemons = (host.run(["ipvsadm", "-L", word]).stdout for word in ("--timeout", "--daemon"))
    return [timeouts, *sorted(daemons.splitlines())]


def test_timeouts_and_sync_daemons_are_in_the_plan(hosts: tuple[Daemon, Host]) -> None:
    daemon, twin = hosts
    daemon.write(BESIDE)
    before = beside(daemon.host)
    _, document = plan(daemon, "--config", str(daemon.conf_d))
    assert before == beside(daemon.host)

    type_in(twin, document)
    daemon.start()

    wait_until(lambda: beside(daemon.host) == beside(twin), within=LIMIT, what=f"{beside(twin)}\n{daemon.log()}")
    assert before != beside(twin)
    assert (0, []) == (plan(daemon)[0], plan(daemon)[1]["steps"])
    daemon.write(BEFORE)
    _, document = plan(daemon)
    type_in(twin, document)
    assert 0 == daemon.reload().returncode
    wait_until(lambda: beside(daemon.host)[1:] == beside(twin)[1:], within=LIMIT, what=f"{beside(twin)}")
    assert before[1:] == beside(twin)[1:]  # which frees the interfaces, for the end of their hosts
    assert before == beside(daemon.host)
