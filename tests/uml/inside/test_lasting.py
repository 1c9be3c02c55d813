"""Connections that last, through NAT, DR and TUN, over IPv4 and IPv6: what happens to the directors does not end them.

`tic` and `tac` are directors of one instance, which carries the addresses of the services and the gateway of NAT's real
servers. The files run one after the other: the same connections live through all of it.
"""

import os
import signal
import subprocess
from collections.abc import Iterator

import pytest

from namespaces.daemon import Daemon
from namespaces.lab import Host, Lab
from namespaces.waiting import quiet_for, wait_until
from stayalived.addresses import Family
from uml.requests import Askers, start_server
from uml.site import CLIENT, DIRECTOR, SERVERS, VIRTUAL, address, prepare_server, with_prefix

LIMIT = 60.0
PORT = 42
MACHINES = {"tic": 12, "tac": 13}
CHILDREN = ("log", "api", "runner", "notify", "checker", "ipvs", "vrrp")
TARGETS = [address(number, family) for number in VIRTUAL.values() for family in Family]
CARRIED = [address(number, family) for number in (DIRECTOR, *VIRTUAL.values()) for family in Family]
EACH = 2
"""Connections to each address: round robin gives one to each real server."""

RETRANSMISSION = 20.0
"""Seconds: what was sent into the silence of a takeover is sent again after 0.2 s, doubled each time."""

SYNC = 5.0
"""Seconds after which the sync daemon has told of all connections: every two, and then this slow kernel."""

HEAD = """\
[global.lvs_sync_daemon]
interface = "eth0"
instance = "site"

[vrrp_instance.site]
interface = "eth0"
virtual_router_id = 1
priority = 100
advert_int = 1
virtual_ipaddress = [{addresses}]
notify = [{{ type = "script", on = ["master"], command = ["/bin/sh", "-c", "true"] }}]

[host.tic.vrrp_instance.site]
priority = 200

[check.answers]
type = "tcp"
delay_loop = 2
connect_timeout = 2
"""
SERVICE = """
[virtual_server.{method}]
address = ["{v4}:42", "[{v6}]:42"]
protocol = "tcp"
scheduler = "rr"
forward = "{method}"
check = "answers"
"""
SERVER = """
[virtual_server.{method}.real_server.{name}]
address = ["{v4}", "{v6}"]
weight = {weight}
"""


def configuration(weight: int = 1) -> str:
    text = HEAD.format(addresses=", ".join(f'"{one}/{128 if ":" in one else 32}"' for one in CARRIED))
    for method, number in VIRTUAL.items():
        text += SERVICE.format(method=method, v4=address(number, Family.IPV4), v6=address(number, Family.IPV6))
        for name, host in SERVERS.items():
            v4, v6 = (address(host, family) for family in Family)
            text += SERVER.format(method=method, name=name, v4=v4, v6=v6, weight=weight)
    return text


class Site:
    """Two directors, two real servers, a client with connections that last."""

    def __init__(self, lab: Lab) -> None:
        subprocess.run(["modprobe", "-a", "ip_vs", "ipip", "ip6_tunnel"], check=True)
        self.client = lab.host("client", *with_prefix(CLIENT))
        self.hosts = {name: lab.host(name, *with_prefix(number)) for name, number in MACHINES.items()}
        for host in self.hosts.values():
            host.sysctl("net.ipv4.ip_forward", 1)
            host.sysctl("net.ipv6.conf.all.forwarding", 1)
            for scope in ("all", "eth0"):
                host.sysctl(f"net.ipv4.conf.{scope}.send_redirects", 0)
        for name, number in SERVERS.items():
            server = lab.host(name, *with_prefix(number))
            prepare_server(server, number)
            start_server(server, name)
        self.daemons = {name: Daemon(host, {"a.toml": configuration()}) for name, host in self.hosts.items()}
        for daemon in self.daemons.values():
            daemon.launch()
        self.wait_for_master("tic")
        self.askers = Askers(self.client, TARGETS, interval=0, long=EACH)
        wait_until(lambda: len(self.lasting()) == EACH * len(TARGETS), within=LIMIT, what=f"connections: {self}")
        self.begun = self.lasting()

    def __str__(self) -> str:
        tables = [host.run(["ipvsadm", "-Lnc"]).stdout for host in self.hosts.values()]
        return "\n".join([*tables, *(daemon.log()[-3000:] for daemon in self.daemons.values())])

    def lasting(self) -> dict[int, tuple[str, str]]:
        return self.askers.living()

    def wait_for_master(self, name: str) -> None:
        daemon = self.daemons[name]
        wait_until(daemon.is_running, within=LIMIT, what=f"{name} to run:\n{daemon.log()}")
        daemon.wait_for_state("MASTER", within=LIMIT, instance="site")
        wait_until(lambda: all(map(is_complete, self.hosts.values())), within=LIMIT, what=f"all servers: {self}")

    def expect_all(self) -> None:
        """See that each connection has gone on since, with the same server."""
        quiet_for(3.0)
        wait_until(
            lambda: self.begun == self.lasting(), within=RETRANSMISSION, what=f"all connections to go on: {self}"
        )


def is_complete(host: Host) -> bool:
    lines = host.run(["ipvsadm", "-Sn"]).stdout.splitlines()
    return sum(line.startswith("-a ") for line in lines) == len(TARGETS) * len(SERVERS)


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    with Lab() as lab:
        yield Site(lab)


def test_both_servers_have_some_by_every_method(site: Site) -> None:
    assert {(target, name) for target in TARGETS for name in SERVERS} == set(site.begun.values())


def test_a_reload_ends_none(site: Site) -> None:
    site.daemons["tic"].write({"a.toml": configuration(weight=3)})

    assert 0 == site.daemons["tic"].reload().returncode

    wait_until(lambda: "-w 3" in site.hosts["tic"].run(["ipvsadm", "-Sn"]).stdout, within=LIMIT, what="the new weight")
    site.expect_all()


@pytest.mark.parametrize("name", CHILDREN)
def test_the_death_of_a_child_ends_none(site: Site, name: str) -> None:
    before = wait_until(lambda: site.daemons["tic"].child(name), within=LIMIT, what=f"{name} to run")

    os.kill(before, signal.SIGKILL)

    site.daemons["tic"].wait_for_child(name, before, within=LIMIT)
    site.expect_all()


def test_a_restart_that_leaves_the_table_ends_none(site: Site) -> None:
    quiet_for(SYNC)
    stopped = site.daemons["tic"].command("stop", "--leave")
    assert 0 == stopped.returncode, stopped.stderr
    site.daemons["tac"].wait_for_state("MASTER", within=LIMIT, instance="site")
    site.expect_all()

    site.daemons["tic"].launch()

    site.wait_for_master("tic")
    site.expect_all()


def test_the_death_of_the_director_ends_none(site: Site) -> None:
    quiet_for(SYNC)
    site.daemons["tic"].kill_machine()

    site.daemons["tac"].wait_for_state("MASTER", within=LIMIT, instance="site")

    site.expect_all()
