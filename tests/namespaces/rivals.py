"""A site of two routers, ours on `tic` and somebody else's on `peer`, for every kind of election."""

import itertools
import json
import time

from namespaces.capture import Capture, Packet
from namespaces.daemon import Daemon
from namespaces.kinds import INSTANCE, NUMBERS, Kind, Router, address_of, mac_of
from namespaces.lab import Host, Lab, ip
from namespaces.peers import Frr, Keepalived, StandIn
from namespaces.vrrp_child import VrrpChild
from namespaces.waiting import wait_until

VIP4, VIP6 = "192.0.2.100/24", "2001:db8::100/64"


def carried(host: Host) -> set[str]:
    """Return the addresses of all interfaces of a host that have their carrier: what others can reach."""
    rows = json.loads(ip("-j", "-n", host.namespace, "address", "show", "up"))
    up = [row for row in rows if "LOWER_UP" in row.get("flags", ())]  # an interface that has just come has none yet
    return {f"{entry['local']}/{entry['prefixlen']}" for row in up for entry in row["addr_info"]}


def macvlans(host: Host) -> list[str]:
    """Return the names of a host's macvlans."""
    rows = json.loads(ip("-j", "-n", host.namespace, "link", "show", "type", "macvlan"))
    return [row["ifname"] for row in rows if row]


class Rivals:
    """The two machines and the wire between them. Our address is lower than the peer's."""

    def __init__(self, lab: Lab, kind: Kind) -> None:
        self.lab, self.kind = lab, kind
        self.tic, self.peer = self.machine("tic"), self.machine("peer")
        self.wire: Capture = lab.lan.capture()

    def machine(self, name: str) -> Host:
        """Return one of the machines. Its link-local address is not left to chance: the higher address wins a tie."""
        host = self.lab.host(name, f"{address_of(name, 4)}/24", f"{address_of(name, 6)}/64")
        host.sysctl("net.ipv6.conf.eth0.accept_ra", 0)  # FRR as a master advertises itself as a router
        ip("-n", host.namespace, "link", "set", "eth0", "address", mac_of(name))
        ip("-n", host.namespace, "address", "flush", "dev", "eth0", "scope", "link")
        host.add_address(f"fe80::{NUMBERS[name]:x}/64")
        others = [other for other in NUMBERS if other != name] if self.kind.way == "unicast" else []
        for other in others:  # what is sent to one that is lost shall be on the wire, though it does not answer ARP
            for family in (4, 6):
                known = (address_of(other, family), "lladdr", mac_of(other), "nud", "permanent")
                ip("-n", host.namespace, "neighbour", "replace", *known, "dev", "eth0")
        return host

    def start(self, who: str, priority: int) -> None:
        """Start one of the two, `tic` or `peer`."""
        if who == "tic":
            self.ours = self._start_ours(priority)
        else:
            self.theirs = self._make_theirs(priority)
            self.theirs.start()

    def _start_ours(self, priority: int) -> Daemon | VrrpChild | StandIn:
        kind, host = self.kind, self.tic
        if kind.ours == "child":
            return VrrpChild(host, kind.configuration(host.name, priority))
        if kind.ours == "keepalived":
            stand_in = StandIn(host, kind.keepalived(host.name, priority))
            stand_in.start()
            return stand_in
        daemon = Daemon(host, {"10-vrrp.toml": kind.text(priority)})
        daemon.start()
        return daemon

    def _make_theirs(self, priority: int) -> Keepalived | Frr:
        kind = self.kind
        if kind.peer == "keepalived":
            return Keepalived(self.peer, kind.keepalived("peer", priority))
        return Frr(self.peer, kind.addresses, priority=priority, version=kind.version, advert_int=kind.advert_int)

    def wait_for_backup(self) -> None:
        """Wait until ours has begun, as BACKUP."""
        self.ours.wait_for_state("BACKUP", within=self.kind.limit, instance=INSTANCE)

    def holder(self, who: str) -> Host:
        """Return the host of one of the two."""
        return self.tic if who == "tic" else self.peer

    def wait_for_master(self, who: str) -> None:
        """Wait until all addresses are on one host and none on the other, unless nobody can reach that one."""
        other = self.holder("peer" if who == "tic" else "tic")
        virtual = set(self.kind.addresses)
        wait_until(
            lambda: virtual <= carried(self.holder(who)) and (other.cut_off or not virtual & carried(other)),
            within=self.kind.limit,
            what=f"{who} to be the only master",
        )

    # ── what is on the wire ──────────────────────────────────────────────────────────────────────────────────────────

    def wait_for_adverts(self, who: str, count: int, since: int = 0) -> None:
        """Wait until each virtual router of one of the two has sent so many adverts, from now on or since a moment."""
        begun = since or time.time_ns()
        wait_until(
            lambda: all(len(self.of(who, each, begun)) >= count for each in self.kind.routers),
            within=self.kind.limit + count * self.kind.advert_int,
            what=f"{count} adverts of {who}",
        )

    def wait_for_first(self, who: str, since: int) -> int:
        """Wait for an advert of each virtual router of one of the two; return when the last of these first was sent."""
        self.wait_for_adverts(who, 1, since)
        return max(self.of(who, each, since)[0].time for each in self.kind.routers)

    def of(self, who: str, router: Router, since: int = 0) -> list[Packet]:
        """Return the adverts of one virtual router from one host until now."""
        name = self.holder(who).name
        return [packet for packet in self.wire.adverts(name, since) if router.says(packet)]

    def gaps(self, who: str, router: Router, since: int = 0) -> list[float]:
        """Return the seconds between the adverts of one virtual router from one host."""
        times = [packet.time for packet in self.of(who, router, since)]
        return [(after - before) / 1e9 for before, after in itertools.pairwise(times)]

    def silences(self, before: str, after: str) -> list[float]:
        """Return for each virtual router the seconds from the last advert of one to the first of the other after it."""
        found = []
        for each in self.kind.routers:
            last = self.of(before, each)[-1].time
            found.append((self.of(after, each, last + 1)[0].time - last) / 1e9)
        return found

    def silence(self, before: str, after: str) -> float:
        """Return the longest of the silences."""
        return max(self.silences(before, after))
