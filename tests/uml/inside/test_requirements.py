"""What the kernel cannot do, and what others hold, is told before anything changes; the rest works.

Linux 6.1 has no scheduler `twos`.
"""

import itertools
import os
import signal
from collections.abc import Iterator

import pytest

from namespaces.daemon import Daemon, vrrp_instance
from namespaces.lab import Host, Lab
from namespaces.waiting import wait_until

LIMIT = 60.0
NUMBERS = itertools.count(1)
VRRP = vrrp_instance("192.0.2.100/24")


def service(name: str, port: int, scheduler: str) -> str:
    return (
        f'[virtual_server.{name}]\naddress = "198.51.100.1:{port}"\nprotocol = "tcp"\nscheduler = "{scheduler}"\n'
        f'forward = "NAT"\nalpha = false\nreal_server.one.address = "192.0.2.10:80"\n'
    )


WEB = service("web", 80, "rr")
MODERN = service("modern", 81, "twos")
SERVING = ["-A -t 198.51.100.1:80 -s rr", "-a -t 198.51.100.1:80 -r 192.0.2.10:80 -m -w 1"]
REMEDY = "the kernel has no scheduler twos: `modprobe ip_vs_twos`; is the module installed?"


def table(host: Host) -> list[str]:
    return sorted(line.strip() for line in host.run(["ipvsadm", "-Sn"]).stdout.splitlines())


def timeouts(host: Host) -> str:
    return host.run(["ipvsadm", "-l", "--timeout"]).stdout.rpartition(": ")[2].strip()


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    with Lab() as lab:
        yield lab


@pytest.fixture
def host(lab: Lab) -> Host:
    name = f"host{next(NUMBERS)}"
    return lab.host(name, "192.0.2.1/24", segment=lab.segment(f"lan-{name}"))


def start(host: Host, **files: str) -> Daemon:
    daemon = Daemon(host, {f"{name}.toml": text for name, text in files.items()})
    daemon.start()
    wait_until(lambda: set(SERVING) <= set(table(host)), within=LIMIT, what="the table")
    return daemon


def test_a_start_without_a_scheduler_serves_the_rest(host: Host) -> None:
    daemon = start(host, vrrp=VRRP, services=WEB + MODERN)

    daemon.wait_for_state("MASTER", within=LIMIT)
    assert SERVING == table(host)
    problems = {one["name"]: one["problem"] for one in daemon.status()["services"]}
    assert "" == problems["web"]
    assert REMEDY in problems["modern"]
    assert REMEDY in daemon.log().partition("198.51.100.1:81")[0], "known before it was tried"
    assert 0 == daemon.stop()
    assert [] == table(host)


def test_a_reload_that_needs_a_missing_scheduler_changes_nothing(host: Host) -> None:
    daemon = start(host, vrrp=VRRP, services=WEB)
    daemon.write({"vrrp.toml": VRRP, "services.toml": WEB.replace(':80"', ':82"', 1) + MODERN})

    done = daemon.reload()

    assert 1 == done.returncode
    assert REMEDY in done.stdout + done.stderr
    assert SERVING == table(host)
    assert 0 == daemon.stop()


def test_timeouts_outlive_a_process_and_go_with_the_daemon(host: Host) -> None:
    assert "900 120 300" == timeouts(host)
    daemon = start(host, all="[global]\nlvs_timeouts = { tcp = 77, udp = 55 }\n" + WEB)
    wait_until(lambda: timeouts(host) == "77 120 55", within=LIMIT, what="our timeouts")

    before = daemon.child("ipvs")
    os.kill(before, signal.SIGKILL)
    daemon.wait_for_child("ipvs", before, within=LIMIT)
    assert "77 120 55" == timeouts(host)

    assert 0 == daemon.stop()
    assert "900 120 300" == timeouts(host)


def test_a_service_with_other_settings_is_told_and_those_of_others_stay(host: Host) -> None:
    host.run(["ipvsadm", "-A", "-t", "198.51.100.1:80", "-s", "wlc"])
    host.run(["ipvsadm", "-A", "-u", "203.0.113.1:53", "-s", "lc"])

    daemon = start(host, services=WEB)

    told = "found -t 198.51.100.1:80 -s wlc in the kernel; becomes -t 198.51.100.1:80 -s rr"
    assert told in daemon.log()
    assert 0 == daemon.stop()
    assert ["-A -u 203.0.113.1:53 -s lc"] == table(host)


def test_a_drift_is_repaired_and_told(host: Host) -> None:
    daemon = start(host, services=WEB)

    host.run(["ipvsadm", "-E", "-t", "198.51.100.1:80", "-s", "wlc"])
    host.run(["ipvsadm", "-d", "-t", "198.51.100.1:80", "-r", "192.0.2.10:80"])

    wait_until(lambda: table(host) == SERVING, within=30.0, what="the repair")
    wait_until(lambda: "198.51.100.1:80" in daemon.log(), within=LIMIT, what="the line")
    assert 0 == daemon.stop()
