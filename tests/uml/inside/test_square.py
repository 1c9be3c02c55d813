"""The talk's 1 + 1 + 1 + 1 = 2, active and active: each machine is MASTER of one address and real server of both.

Loop protection is the marks: `peer_mark`, and tc in the place of `peer_directors`, for this kernel's nf_tables lacks
the families (`tests/namespaces/test_peer_marks.py` shows the rules). Both machines tell each other of connections.
"""

import sys
import time
from collections import Counter
from collections.abc import Iterator
from ipaddress import ip_address
from socket import IPPROTO_TCP

import pytest

from namespaces.capture import ETH_P_IP, ETH_P_IPV6, Packet
from namespaces.daemon import Daemon
from namespaces.lab import Host, Lab
from namespaces.waiting import quiet_for, wait_until
from uml.requests import PATIENCE, PORT, Askers, Request, start_server

LIMIT = 60.0
INTERVAL = 0.25
SYN_RETRANSMISSION = 8.0
"""Seconds: a SYN that was sent into the silence is repeated after one, three, and seven."""

SETTLING = 0.5
"""Seconds in which neighbours learn of a takeover, and this slow kernel does what is due."""

MARK = 29
SYN_ACK = 0x12
CLIENT = {ip_address(text).packed for text in ("193.50.27.140", "2001:660:4503::140")}
MACHINES = {"tic": 130, "tac": 131}
VIRTUAL = {"one": ("193.50.27.132", "2001:660:4503::132"), "two": ("193.50.27.133", "2001:660:4503::133")}
TARGETS = [address for addresses in VIRTUAL.values() for address in addresses]
SYSCTLS = {
    "net.ipv4.conf.all.arp_ignore": "1",
    "net.ipv4.conf.all.arp_announce": "2",
    "net.ipv4.vs.expire_nodest_conn": "1",
    "net.ipv4.vs.sync_threshold": "0 0",
    "net.ipv4.vs.sync_refresh_period": "1",
}
"""What docs/directors.md asks of such a site."""

CONFIGURATION = """\
[global]
peer_mark = 29

[global.lvs_sync_daemon]
interface = "eth0"

[vrrp_instance.one]
interface = "eth0"
virtual_router_id = 1
priority = 100
advert_int = 1
virtual_ipaddress = ["193.50.27.132/28", "2001:660:4503::132/64"]

[vrrp_instance.two]
interface = "eth0"
virtual_router_id = 2
priority = 100
advert_int = 1
virtual_ipaddress = ["193.50.27.133/28", "2001:660:4503::133/64"]

[host.tic.vrrp_instance.one]
priority = 200

[host.tac.vrrp_instance.two]
priority = 200

[check.answers]
type = "tcp"
delay_loop = 1
connect_timeout = 1
retry = 1
delay_before_retry = 0.5

[virtual_server.service42]
address = ["193.50.27.132:42", "[2001:660:4503::132]:42", "193.50.27.133:42", "[2001:660:4503::133]:42"]
protocol = "tcp"
scheduler = "rr"
forward = "DR"
check = "answers"

[virtual_server.service42.real_server.tic]
address = ["193.50.27.130", "2001:660:4503::130"]

[virtual_server.service42.real_server.tac]
address = ["193.50.27.131", "2001:660:4503::131"]
"""


def addresses(number: int) -> tuple[str, str]:
    return f"193.50.27.{number}/28", f"2001:660:4503::{number}/64"


def with_prefix(address: str) -> str:
    return f"{address}/64" if ":" in address else f"{address}/28"


class Site:
    """Two machines and a client that keeps asking."""

    def __init__(self, lab: Lab) -> None:
        self.hosts = {name: lab.host(name, *addresses(number)) for name, number in MACHINES.items()}
        self.client = lab.host("client", *addresses(140))
        for name, host in self.hosts.items():
            (peer,) = (other for other in self.hosts.values() if other is not host)
            prepare(host, peer.mac())
            start_server(host, name)
        self.daemons = {name: Daemon(host, {"a.toml": CONFIGURATION}) for name, host in self.hosts.items()}
        for daemon in self.daemons.values():
            daemon.launch()
        self.wait_until_square()
        self.wire = lab.lan.capture(everything=True)
        self.askers = Askers(self.client, TARGETS, INTERVAL, long=2)
        wait_until(lambda: len(self.askers.living()) == 2 * len(TARGETS), within=LIMIT, what="long connections")

    def wait_until_square(self) -> None:
        """Wait until each machine is MASTER of its address and balances over both."""
        for name, instance in (("tic", "one"), ("tac", "two")):
            log = self.daemons[name].log()
            self.daemons[name].wait_for_state("MASTER", within=LIMIT, instance=instance)
            wait_until(lambda name=name: len(pool(self.hosts[name])) == 8, within=LIMIT, what=f"all servers:\n{log}")
        wait_until(lambda: not self.holds("tac", "one"), within=LIMIT, what="tac to leave the first address")

    def holds(self, name: str, instance: str) -> bool:
        """Tell whether a machine carries the addresses of an instance."""
        return {with_prefix(address) for address in VIRTUAL[instance]} <= self.hosts[name].addresses()

    def lose(self, name: str) -> float:
        """Lose a machine; return when (wall clock)."""
        host = self.hosts[name]
        moment = time.time()
        self.daemons[name].kill_machine()
        # What a power cut takes: table, connections, daemons, addresses.
        host.run(["ipvsadm", "-C"])
        for role in ("master", "backup"):
            host.run(["ipvsadm", "--stop-daemon", role], check=False)
        for address in TARGETS:
            host.run(["ip", "address", "del", with_prefix(address), "dev", "eth0"], check=False)
        return moment

    def bring_back(self, name: str) -> None:
        """Boot a machine again."""
        self.hosts[name].heal()
        start_server(self.hosts[name], name)
        self.daemons[name].launch()

    def taken_over(self, name: str, address: str, since: float) -> float:
        """Return when a machine claimed an address for the first time since (wall clock)."""

        def claimed(packet: Packet) -> bool:
            return packet.sender == name and packet.gratuitous() == address

        what = f"{name} to claim {address}"
        return self.wire.wait_for(claimed, within=LIMIT, what=what, since=int(since * 1e9)).time / 1e9

    def failed(self, begin: float, end: float) -> list[Request]:
        return [one for one in self.askers.between(begin, end) if one.error]


def prepare(host: Host, peer: str) -> None:
    """Do the site's part: addresses on lo, sysctls, and the mark of what the peer has balanced."""
    for name, value in SYSCTLS.items():
        host.sysctl(name, value)
    host.run(["tc", "qdisc", "add", "dev", "eth0", "ingress"])
    for address in TARGETS:
        host.add_address(f"{address}/{128 if ':' in address else 32}", "lo")
        protocol = "ipv6" if ":" in address else "ip"
        words = f"protocol {protocol} flower src_mac {peer} dst_ip {address} action skbedit mark {MARK}"
        host.run(["tc", "filter", "add", "dev", "eth0", "parent", "ffff:", *words.split()])


def tell(what: str, requests: list[Request]) -> None:
    """Name each request: what pytest shows when the test fails, or with -s."""
    sys.stdout.write("\n".join([f"{what}: {len(requests)}", *map(str, requests)]) + "\n")


def pool(host: Host) -> list[str]:
    """Return the destinations of the service in a machine's table."""
    lines = host.run(["ipvsadm", "-Sn"]).stdout.splitlines()
    return [line for line in lines if line.startswith("-a ") and f":{PORT} -g" in line]


def answered_by(name: str, packets: list[Packet]) -> set[int]:
    """Return the client's ports whose SYN a machine has answered: it is their server, whoever balanced them."""
    ports = set()
    for packet in packets:
        ipv4 = packet.ethertype == ETH_P_IP and packet.data[23] == IPPROTO_TCP
        if packet.sender == name and (ipv4 or (packet.ethertype == ETH_P_IPV6 and packet.data[20] == IPPROTO_TCP)):
            destination = packet.data[30:34] if ipv4 else packet.data[38:54]
            tcp = packet.data[34:] if ipv4 else packet.data[54:]
            if destination in CLIENT and tcp[13] & SYN_ACK == SYN_ACK:
                ports.add(int.from_bytes(tcp[2:4]))
    return ports


def client_packets(packets: list[Packet]) -> tuple[Counter[bytes], Counter[bytes]]:
    """Return how often each packet of the client to the service was sent by it, and how often it was seen after that.

    The key is what nobody on the way changes: addresses, IP id, and all of TCP.
    """
    sent: Counter[bytes] = Counter()
    again: Counter[bytes] = Counter()
    for packet in packets:
        data = packet.data
        if packet.ethertype == ETH_P_IP and data[23] == IPPROTO_TCP:
            source, key = data[26:30], data[18:20] + data[26:]
        elif packet.ethertype == ETH_P_IPV6 and data[20] == IPPROTO_TCP:
            source, key = data[22:38], data[22:]
        else:
            continue
        if source in CLIENT:  # not the machines' checks of each other
            (sent if packet.sender == "client" else again)[key] += 1
    return sent, again


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    with Lab() as lab:
        yield Site(lab)


def test_each_machine_serves_half_of_what_comes_to_either_address(site: Site) -> None:
    begin = time.time()
    wait_until(lambda: len(site.askers.between(begin, time.time())) >= 80, within=LIMIT, what="80 answers")

    answers = site.askers.between(begin, time.time())
    shares = Counter((one.target, one.server) for one in answers)
    assert [] == [one for one in answers if one.error]
    for target in TARGETS:
        assert abs(shares[target, "tic"] - shares[target, "tac"]) <= 2, shares


@pytest.mark.parametrize(("lost", "left", "instance"), [("tic", "tac", "one"), ("tac", "tic", "two")])
def test_a_machine_dies_and_comes_back(site: Site, lost: str, left: str, instance: str) -> None:
    quiet_for(3.0)  # so that what is new has been told by the sync daemons, which do so every two seconds
    before = site.askers.living()
    death = site.lose(lost)
    takeover = max(site.taken_over(left, address, death) for address in VIRTUAL[instance]) + SETTLING
    wait_until(lambda: len(pool(site.hosts[left])) == 4, within=LIMIT, what=f"{left} to balance over itself alone")
    quiet_for(PATIENCE + 1)  # until whoever asked in the silence has an answer or has given up
    alone = time.time()

    # Inside the silence: answered by a retransmission. Outside: answered. Lost: what the dead machine served.
    of_the_dead = answered_by(lost, site.wire.packets())
    asked = site.askers.between(death - PATIENCE, alone - PATIENCE)
    lost_ones = [one for one in asked if one.error]
    tell(f"lost with {lost}", lost_ones)
    assert [] == [one for one in lost_ones if one.port not in of_the_dead]
    assert [] == [one for one in lost_ones if not one.at <= death]
    assert [] == [one for one in asked if death <= one.at < takeover and one.took > SYN_RETRANSMISSION]
    assert {port: one for port, one in before.items() if one[1] == left} == site.askers.living()

    site.bring_back(lost)
    site.wait_until_square()
    returned = min(site.taken_over(lost, address, alone) for address in VIRTUAL[instance])
    quiet_for(PATIENCE + 1)
    now = time.time()

    # At the return only what was under way in that very moment may be lost: nobody had told of it yet.
    lost_ones = site.failed(alone - PATIENCE, now)
    tell(f"lost by the return of {lost}", lost_ones)
    assert [] == [one for one in lost_ones if not one.at < returned + SETTLING < one.end + SETTLING * 2]
    assert {port: one for port, one in before.items() if one[1] == left} == site.askers.living()
    assert {"tic", "tac"} == {one.server for one in site.askers.between(now - 2, now) if not one.error}


def test_no_packet_of_a_client_was_on_the_wire_more_than_twice(site: Site) -> None:
    sent, again = client_packets(site.wire.packets())

    assert len(sent) > 1000
    assert {} == {key: times for key, times in again.items() if times > sent[key]}
