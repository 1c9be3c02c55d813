"""The talk's iWash: weighted round robin over 10, 20 and 20, where the director is the first of the real servers."""

import socket
from collections import Counter
from collections.abc import Iterator

import pytest

from namespaces.daemon import Daemon
from namespaces.lab import Lab
from namespaces.waiting import wait_until
from uml.requests import start_server

LIMIT = 60.0
REQUESTS = 500
TOLERANCE = 0.02
VIRTUAL = "10.10.10.10"
WEIGHTS = {"iwash1": 10, "iwash2": 20, "iwash3": 20}
PORT = 42
FILE = """\
[vrrp_instance.iwash]
interface = "eth0"
virtual_router_id = 10
virtual_ipaddress = ["10.10.10.10/24"]

[virtual_server.iwash]
address = "10.10.10.10:42"
protocol = "tcp"
scheduler = "wrr"
forward = "DR"
check = { type = "tcp", delay_loop = 2 }
"""


class Site:
    """Three machines, the first of which balances, and a client."""

    def __init__(self, lab: Lab) -> None:
        self.client = lab.host("client", "10.10.10.50/24")
        self.hosts = {name: lab.host(name, f"10.10.10.{last}/24") for last, name in enumerate(WEIGHTS, 1)}
        text = FILE
        for last, (name, weight) in enumerate(WEIGHTS.items(), 1):
            text += f'[virtual_server.iwash.real_server.{name}]\naddress = "10.10.10.{last}"\nweight = {weight}\n'
            start_server(self.hosts[name], name)
            for setting, value in (("arp_ignore", 1), ("arp_announce", 2)):
                self.hosts[name].sysctl(f"net.ipv4.conf.all.{setting}", value)
            self.hosts[name].add_address(f"{VIRTUAL}/32", "lo")
        self.daemon = Daemon(self.hosts["iwash1"], {"a.toml": text})
        self.daemon.launch()
        self.daemon.wait_for_state("MASTER", within=LIMIT, instance="iwash")
        wait_until(lambda: len(self.table()) == 4, within=LIMIT, what=f"all servers:\n{self.daemon.log()}")

    def table(self) -> list[str]:
        return sorted(self.hosts["iwash1"].run(["ipvsadm", "-Sn"]).stdout.splitlines())

    def ask(self) -> str:
        with self.client.inside(), socket.create_connection((VIRTUAL, PORT), timeout=10) as connection:
            return connection.recv(100).decode().strip()


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    with Lab() as lab:
        yield Site(lab)


def test_the_table_is_that_of_the_talk(site: Site) -> None:
    servers = [f"-a -t {VIRTUAL}:42 -r 10.10.10.{last}:42 -g -w {w}" for last, w in enumerate(WEIGHTS.values(), 1)]

    assert [f"-A -t {VIRTUAL}:42 -s wrr", *servers] == site.table()


def test_the_shares_follow_the_weights(site: Site) -> None:
    shares = Counter(site.ask() for _ in range(REQUESTS))

    whole = sum(WEIGHTS.values())
    assert set(WEIGHTS) == set(shares)
    for name, weight in WEIGHTS.items():
        assert abs(shares[name] / REQUESTS - weight / whole) <= TOLERANCE, shares
