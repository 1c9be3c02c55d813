"""A site with real connections: a client, a director, two real servers, one segment of namespaces.

Every forwarding method has a virtual address of its own and all of them work at the same time. What the site has to do
for each is what its owner has to do (`docs/operations`):

| method | on the real servers |
|---|---|
| NAT | the way to the client leads through the director, and no redirect tells of a shorter one |
| DR | the virtual address on `lo`, which does not answer for it in ARP |
| TUN | the virtual address on the tunnel device, which takes packets from anybody; for GUE a port that unpacks it |
"""

import socket
import subprocess
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from namespaces.lab import Host, Lab
from namespaces.processes import Process
from namespaces.waiting import wait_until
from stayalived.addresses import Family
from stayalived.kernel.ipvs import LinuxIpvs

PORT = 80
GUE_PORT = 6080
CLIENT, DIRECTOR = 50, 11
SERVERS = {"web1": 21, "web2": 22}
VIRTUAL = {"NAT": 101, "DR": 102, "TUN": 103}
TUNNELS = {Family.IPV4: "tunl0", Family.IPV6: "vip6"}

ANSWER_LIMIT = 5.0
"""Seconds that a client waits: enough for one lost SYN, whose retransmission comes after one."""


def address(number: int, family: Family) -> str:
    """Return an address of the site's segment."""
    return f"10.77.0.{number}" if family is Family.IPV4 else f"fd77::{number}"


def with_prefix(number: int) -> tuple[str, str]:
    """Return a host's two addresses as an interface carries them."""
    return f"{address(number, Family.IPV4)}/24", f"{address(number, Family.IPV6)}/64"


class Site:
    """All machines. The director's table is empty: `kernel` is a connection to it."""

    def __init__(self, lab: Lab) -> None:
        """Build the machines, start a server on each of the two that serve."""
        subprocess.run(["modprobe", "-a", "ip_vs", "ipip", "ip6_tunnel", "fou", "ip_gre"], check=True)
        self.client = lab.host("client", *with_prefix(CLIENT))
        self.director = lab.host("director", *with_prefix(DIRECTOR))
        self.servers = {name: lab.host(name, *with_prefix(number)) for name, number in SERVERS.items()}
        self._prepare_director()
        for name, host in self.servers.items():
            prepare_server(host, SERVERS[name])
            host.fork(lambda name=name: _serve(name), "server")
        for number in SERVERS.values():
            what = f"the server at .{number}"
            wait_until(lambda number=number: self.ask(address(number, Family.IPV4)), within=10, what=what)
        with self.director.inside():
            self.kernel = lab.keep(LinuxIpvs())

    def serve_on_director(self) -> Process:
        """Start a server on the director itself; whoever wants it ends it."""
        process = self.director.fork(lambda: _serve("director"), "server")
        with self.director.inside():
            wait_until(_listens, within=10, what="the server of the director")
        return process

    @contextmanager
    def summing(self) -> Iterator[None]:
        """Give the real servers devices for GRE with checksums, which are no good for GRE without (ip_tunnel.c)."""
        for name, host in self.servers.items():
            local = ["local", address(SERVERS[name], Family.IPV4), "icsum"]
            host.run(["ip", "link", "add", "summed", "type", "gre", *local])
            host.run(["ip", "link", "set", "summed", "up"])
            host.sysctl("net.ipv4.conf.summed.rp_filter", 0)
        yield
        for host in self.servers.values():
            host.run(["ip", "link", "delete", "summed"])

    def ask(self, target: str) -> str:
        """Connect from the client and return the name of the server that answered, or "" when nobody did."""
        with self.client.inside():
            try:
                with socket.create_connection((target, PORT), timeout=ANSWER_LIMIT) as connection:
                    return connection.recv(100).decode()
            except OSError:
                return ""

    def ask_often(self, target: str, times: int) -> Counter[str]:
        """Return how often which server answered."""
        return Counter(self.ask(target) for _ in range(times))

    def _prepare_director(self) -> None:
        self.director.sysctl("net.ipv4.ip_forward", 1)
        self.director.sysctl("net.ipv6.conf.all.forwarding", 1)
        for scope in ("all", "eth0"):
            self.director.sysctl(f"net.ipv4.conf.{scope}.send_redirects", 0)
        for number in VIRTUAL.values():
            self.director.add_address(f"{address(number, Family.IPV4)}/32")
            # Deprecated, or it would be the source of tunnelled packets, which a real server drops: it has it too.
            deprecated = ["nodad", "preferred_lft", "0"]
            virtual = f"{address(number, Family.IPV6)}/128"
            self.director.run(["ip", "address", "add", virtual, "dev", "eth0", *deprecated])


def _listens() -> bool:
    with socket.socket() as tried:
        return tried.connect_ex(("127.0.0.1", PORT)) == 0


def prepare_server(host: Host, number: int) -> None:
    """Do on a real server what each forwarding method asks for."""
    for name, value in (("rp_filter", 0), ("arp_ignore", 1), ("arp_announce", 2), ("accept_redirects", 0)):
        for scope in ("all", "eth0"):
            host.sysctl(f"net.ipv4.conf.{scope}.{name}", value)
    host.sysctl("net.ipv4.conf.tunl0.rp_filter", 0)
    host.sysctl("net.ipv6.conf.eth0.accept_redirects", 0)
    host.run(["ip", "link", "set", "tunl0", "up"])
    # The fallback device ip6tnl0 takes no packets: it has no address to take them for.
    tunnel = ["type", "ip6tnl", "mode", "any", "local", address(number, Family.IPV6), "remote", "::"]
    host.run(["ip", "link", "add", TUNNELS[Family.IPV6], *tunnel])
    host.run(["ip", "link", "set", TUNNELS[Family.IPV6], "up"])
    _take_other_tunnels(host)
    for family in Family:
        host.add_address(f"{address(VIRTUAL['DR'], family)}/{family.bits}", "lo")
        host.add_address(f"{address(VIRTUAL['TUN'], family)}/{family.bits}", TUNNELS[family])
        _answer_through_director(host, number, family)


def _take_other_tunnels(host: Host) -> None:
    """Unpack GUE, which leads to tunl0, GRE, and IPv4 that comes over IPv6."""
    host.run(["ip", "fou", "add", "port", str(GUE_PORT), "gue"])
    host.run(["ip", "link", "set", "gre0", "up"])
    for device in ("gre0", TUNNELS[Family.IPV6]):
        host.sysctl(f"net.ipv4.conf.{device}.rp_filter", 0)


def _answer_through_director(host: Host, number: int, family: Family) -> None:
    """Send what comes from the host's own address, which is what NAT forwards to, through the director."""
    through = ["via", address(DIRECTOR, family), "table", "77"]
    host.run(["ip", f"-{family.value}", "route", "add", f"{address(CLIENT, family)}/{family.bits}", *through])
    host.run(["ip", f"-{family.value}", "rule", "add", "from", address(number, family), "table", "77"])


def _serve(name: str) -> None:
    """Answer each connection with this server's name."""
    with socket.create_server(("::", PORT), family=socket.AF_INET6, dualstack_ipv6=True, backlog=64) as server:
        while True:
            connection, _ = server.accept()
            with connection:
                connection.sendall(name.encode())
