"""The demo's site with the whole daemon on both directors, clients that keep asking, and eyes on everything.

`Directors.watch` is what a test begins with: a `Watch` tells afterwards what happened since, seen from outside.
"""

import time
from itertools import pairwise

from machines import CONF_D, PORT, VIP4, VIP6, Site
from traffic import Answer, Client

from namespaces.capture import Packet
from namespaces.daemon import Daemon
from namespaces.lab import Lab
from namespaces.waiting import wait_until
from uml.tap import IpvsTap

LIMIT = 60.0
"""Seconds that anything may take here before the test has failed: the kernel is slow, the machine may be busy."""

ADVERT_INTERVAL = 2
"""Seconds: a process that is replaced within twice this stays MASTER, and a fork takes half a second here."""
MASTER_DOWN = 3 * ADVERT_INTERVAL + (256 - 100) / 256 * ADVERT_INTERVAL
"""Seconds of silence after which `tac`, of priority 100, takes over (RFC 9568 6.1)."""

INTERVAL = 0.1
"""Seconds between two requests of a client."""

SOLO_PORT = 43
SOLO = """\
[virtual_server.solo]
address = "{address}:{port}"
protocol = "tcp"
scheduler = "rr"
forward = "DR"

[virtual_server.solo.real_server.web1]
address = "10.42.0.21"
weight = {weight}
"""
"""A service of one address and one server without a check, whose weight the tests change."""

VIRTUAL = frozenset({f"{VIP4}/24", f"{VIP6}/64"})
"""The addresses that the master carries."""

FOREIGN = ["-A -u 10.42.0.77:53 -s wlc", "-a -u 10.42.0.77:53 -r 10.42.0.78:53 -m -w 7"]
"""What somebody else keeps in the kernel's table."""


def files(weight: int = 1) -> dict[str, str]:
    """Return the conf.d of both directors: the demo's, with one more service and announcements soon over."""
    vrrp = CONF_D["10-vrrp.toml"].replace(
        "advert_int = 1\n", f"advert_int = {ADVERT_INTERVAL}\ngarp_master_delay = 1\n", 1
    )
    solo = SOLO.format(address=VIP4, port=SOLO_PORT, weight=weight)
    state = '[global]\nstate_dir = "/run/stayalived-state"\n'  # in memory: all else is the machine's own
    return {**CONF_D, "10-vrrp.toml": vrrp, "50-solo.toml": solo, "60-state.toml": state}


class Directors:
    """`tic` is MASTER and carries the addresses, `tac` is BACKUP, both balance, and clients ask in both families."""

    def __init__(self, lab: Lab) -> None:
        self.site = Site(lab)
        self.servers = self.site.servers
        for server in self.servers.values():
            server.start()
        hosts = {name: director.host for name, director in self.site.directors.items()}
        for host in hosts.values():
            for line in FOREIGN:
                host.run(["ipvsadm", *line.split()])
        self.wire = lab.lan.capture()
        self.tic, self.tac = (Daemon(host, files()) for host in hosts.values())
        self.tap = IpvsTap(self.tic.host)
        begun = time.time_ns()
        for daemon in (self.tac, self.tic):
            daemon.launch()
        self.wait_until_complete()
        self._wait_for_announcements(begun)
        self.addresses = self.tic.host.popen(["ip", "monitor", "address"])
        self.clients = [Client(self.site.client, address, PORT, INTERVAL) for address in (VIP4, VIP6)]
        self.wait_for_answers(time.time())

    def _wait_for_announcements(self, begun: int) -> None:
        """Wait until `tic` has announced its addresses for the second time, garp_master_delay after the first."""

        def announced(packet: Packet) -> bool:
            return packet.sender == "tic" and packet.gratuitous() == VIP4

        first = self.wire.wait_for(announced, within=LIMIT, what="the first announcement", since=begun)
        later = first.time + 10**9 // 2
        self.wire.wait_for(announced, within=LIMIT, what="the second announcement", since=later)

    def wait_until_complete(self) -> None:
        """Wait until `tic` is MASTER and both directors balance over all servers."""
        for daemon in (self.tic, self.tac):
            wait_until(daemon.is_running, within=LIMIT, what=f"{daemon.host.name} to run:\n{daemon.log()}")
            wait_until(lambda daemon=daemon: len(self.pool(daemon)) == 5, within=LIMIT, what="all servers in the pool")
        self.tic.wait_for_state("MASTER", within=LIMIT, instance="service")
        self.tac.wait_for_state("BACKUP", within=LIMIT, instance="service")

    def holds(self, daemon: Daemon) -> bool:
        """Tell whether a director's kernel has both virtual addresses."""
        return VIRTUAL <= daemon.host.addresses()

    def table(self, daemon: Daemon | None = None) -> list[str]:
        """Return a kernel's table as `ipvsadm -Sn` prints it, sorted; that of `tic` unless told otherwise."""
        return sorted((daemon or self.tic).host.run(["ipvsadm", "-Sn"]).stdout.splitlines())

    def pool(self, daemon: Daemon | None = None) -> list[str]:
        """Return the destinations of our services in a kernel's table."""
        return [line for line in self.table(daemon) if line.startswith("-a ") and line not in FOREIGN]

    def wait_for_answers(self, moment: float) -> None:
        """Wait until each client has an answer to a request that it began after a moment (wall clock, seconds)."""
        wait_until(
            lambda: all(client.first_good_after(moment) for client in self.clients),
            within=LIMIT,
            what="an answer in each family",
        )

    def answers(self, begin: float, end: float) -> list[Answer]:
        """Return the requests of all clients that began in a span of time and have ended."""
        return [answer for client in self.clients for answer in client.between(begin, end)]

    def watch(self) -> "Watch":
        """Begin to look for what a test says must not happen."""
        return Watch(self)


class Watch:
    """What happened at `tic` since this was made."""

    def __init__(self, directors: Directors) -> None:
        self.directors = directors
        self.table = directors.table()
        self.address_changes = directors.addresses.log()
        self.log_length = len(directors.tic.log())
        self.begun = time.time_ns()

    def wait_for_adverts(self, count: int) -> None:
        """Wait until the master has spoken so many times from now on."""
        now = time.time_ns()
        wait_until(
            lambda: len(self.directors.wire.adverts("tic", now)) >= 2 * count,  # one for each family
            within=LIMIT,
            what=f"{count} adverts of tic:\n{self.directors.tic.log()[-4000:]}",
        )

    def log(self) -> str:
        """Return what the daemon wrote since."""
        return self.directors.tic.log()[self.log_length :]

    def wait_for_log(self, text: str) -> None:
        """Wait until the daemon has written a text since."""
        wait_until(lambda: text in self.log(), within=LIMIT, what=f"{text!r} in the log:\n{self.log()}")

    def silence(self) -> float:
        """Return the longest time between two adverts of the master in one family since, in seconds."""
        adverts = self.directors.wire.adverts("tic")
        times = [
            [packet.time for packet in adverts if packet.ethertype == kind] for kind in {p.ethertype for p in adverts}
        ]
        gaps = [after - before for one in times for before, after in pairwise(one) if after >= self.begun]
        return max(gaps) / 1e9

    def expect_service(self) -> None:
        """The master was MASTER all the time, kept its addresses without a word, and no request of a client failed.

        Raises:
            AssertionError: it was not so.
        """
        directors = self.directors
        assert [] == directors.wire.adverts("tac", self.begun), "the peer became MASTER"
        assert [] == [p for p in directors.wire.packets() if p.time >= self.begun and p.gratuitous()], "ARP or NA"
        assert self.address_changes == directors.addresses.log()
        assert directors.holds(directors.tic)
        assert "Entering" not in self.log()
        failed = [answer for answer in directors.answers(self.begun / 1e9, time.time()) if not answer.server]
        assert [] == failed

    def expect_table(self) -> None:
        """Nobody asked the kernel to change its table, and it is as it was.

        Raises:
            AssertionError: it was not so.
        """
        assert [] == self.directors.tap.names(self.begun)
        assert self.table == self.directors.table()
