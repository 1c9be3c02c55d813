"""The example that comes along, as it is: the talk's service 42 on `tic` and `tac`, directors and real servers at once.

The site's part is done as `docs/directors.md` asks: the virtual addresses are on lo, and ARP says nothing of them.
"""

import socket
from collections import Counter
from collections.abc import Iterator

import pytest

from namespaces.daemon import Daemon
from namespaces.lab import Host, Lab
from namespaces.processes import Process
from namespaces.waiting import quiet_for, wait_until
from uml.lab import CHECKOUT
from uml.requests import Askers, start_server

LIMIT = 60.0
ANSWER_LIMIT = 3.0
SYNC = 3.0
"""Seconds after which the sync daemon has told of a connection: it does so every two (ip_vs_sync.c)."""
FILES = {path.name: path.read_text() for path in (CHECKOUT / "conf.d").glob("*.toml")}
MACHINES = {"tic": 130, "tac": 131}
VIRTUAL = ("193.50.27.132", "2001:660:4503::132")
CARRIED = {"193.50.27.132/28", "2001:660:4503::132/64"}
TABLE = [
    "-A -t 193.50.27.132:42 -s rr",
    "-A -t [2001:660:4503::132]:42 -s rr",
    "-a -t 193.50.27.132:42 -r 193.50.27.130:42 -g -w 1",
    "-a -t 193.50.27.132:42 -r 193.50.27.131:42 -g -w 1",
    "-a -t [2001:660:4503::132]:42 -r [2001:660:4503::130]:42 -g -w 1",
    "-a -t [2001:660:4503::132]:42 -r [2001:660:4503::131]:42 -g -w 1",
]


class Site:
    """Two machines and a client, with the talk's addresses."""

    def __init__(self, lab: Lab) -> None:
        self.hosts = {name: lab.host(name, *addresses(number)) for name, number in MACHINES.items()}
        for host in self.hosts.values():
            prepare(host)
        self.client = lab.host("client", *addresses(140))
        self.servers = {name: self.serve(name) for name in MACHINES}
        self.daemons = {name: Daemon(host, FILES) for name, host in self.hosts.items()}
        for daemon in self.daemons.values():
            daemon.launch()
        for daemon in self.daemons.values():
            wait_until(daemon.is_running, within=LIMIT, what=f"{daemon.host.name} to run:\n{daemon.log()}")
        self.daemons["tic"].wait_for_state("MASTER", within=LIMIT, instance="service42")

    def serve(self, name: str) -> Process:
        return start_server(self.hosts[name], name)

    def wait_for_table(self, name: str, *, without: str = "") -> None:
        """Wait until a machine balances over all servers but one, given by its name."""
        gone = f"{MACHINES[without]}" if without else "nobody"
        wanted = [line for line in TABLE if f"-r 193.50.27.{gone}:42" not in line and f"::{gone}]:42 -g" not in line]
        wait_until(lambda: table(self.hosts[name]) == wanted, within=LIMIT, what=self.daemons[name].log())

    def ask(self, target: str) -> str:
        """Return the name of the machine that answers the client."""
        with self.client.inside(), socket.create_connection((target, 42), timeout=ANSWER_LIMIT) as connection:
            return connection.recv(100).decode().strip()


def prepare(host: Host) -> None:
    """Do what direct routing asks of a machine that is director and real server."""
    for name, value in (("arp_ignore", 1), ("arp_announce", 2)):
        host.sysctl(f"net.ipv4.conf.all.{name}", value)
    for address in VIRTUAL:
        host.add_address(f"{address}/{128 if ':' in address else 32}", "lo")


def addresses(number: int) -> tuple[str, str]:
    return f"193.50.27.{number}/28", f"2001:660:4503::{number}/64"


def direction(host: Host) -> tuple[str, str]:
    """Return which sync daemon runs on a machine, and its net.ipv4.vs.backup_only."""
    daemon = host.run(["ipvsadm", "-l", "--daemon"]).stdout.partition(" ")[0]
    return daemon, host.run(["cat", "/proc/sys/net/ipv4/vs/backup_only"]).stdout.strip()


def table(host: Host) -> list[str]:
    return sorted(host.run(["ipvsadm", "-Sn"]).stdout.splitlines())


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    with Lab() as lab:
        yield Site(lab)


def test_tic_carries_both_addresses_and_both_have_the_table_of_the_talk(site: Site) -> None:
    site.wait_for_table("tic")
    site.wait_for_table("tac")
    assert CARRIED <= site.hosts["tic"].addresses()
    assert CARRIED.isdisjoint(site.hosts["tac"].addresses())


@pytest.mark.parametrize("target", VIRTUAL)
def test_both_serve_the_same_number(site: Site, target: str) -> None:
    assert Counter(tic=6, tac=6) == Counter(site.ask(target) for _ in range(12))


def test_the_master_tells_connections_and_the_backup_listens_and_balances_nothing(site: Site) -> None:
    assert {"tic": ("master", "0"), "tac": ("backup", "1")} == {name: direction(site.hosts[name]) for name in MACHINES}


@pytest.mark.parametrize("target", VIRTUAL)
def test_tic_serves_its_share_itself(site: Site, target: str) -> None:
    site.servers["tac"].close()
    site.wait_for_table("tic", without="tac")

    assert Counter(tic=4) == Counter(site.ask(target) for _ in range(4))


def test_tac_serves_when_tic_is_lost(site: Site) -> None:
    site.servers["tac"] = site.serve("tac")
    site.wait_for_table("tic")
    site.wait_for_table("tac")
    askers = Askers(site.client, list(VIRTUAL), interval=0, long=2)
    wait_until(lambda: len(askers.living()) == 4, within=LIMIT, what="connections that last")
    quiet_for(SYNC)
    before = askers.living()

    site.daemons["tic"].kill_machine()

    wait_until(lambda: CARRIED <= site.hosts["tac"].addresses(), within=LIMIT, what="tac to carry both addresses")
    wait_until(lambda: direction(site.hosts["tac"]) == ("master", "0"), within=LIMIT, what="tac to tell connections")
    site.wait_for_table("tac", without="tic")
    for target in VIRTUAL:
        assert Counter(tac=4) == Counter(site.ask(target) for _ in range(4))
    lasting = {port: (target, server) for port, (target, server) in before.items() if server == "tac"}
    assert 2 == len(lasting)
    wait_until(lambda: lasting == askers.living(), within=LIMIT, what=f"{lasting} to go on, and no others")
