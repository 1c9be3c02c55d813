"""A site of two routers, ours on `tic` and keepalived on `peer`, for every version and family of VRRP."""

from dataclasses import dataclass

import pytest

from namespaces.capture import ETH_P_IP, ETH_P_IPV6, Capture, Packet
from namespaces.daemon import Daemon, vrrp_instance
from namespaces.lab import Host, Lab
from namespaces.peers import Keepalived
from namespaces.waiting import wait_until

VIP4, VIP6 = "192.0.2.100/24", "2001:db8::100/64"
SLACK = 0.05
"""Seconds that a takeover may last beyond what the RFC gives."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A version of VRRP over one version of IP, or over both at once."""

    version: int
    addresses: tuple[str, ...]
    advert_int: float

    @property
    def skew(self) -> float:
        """Of priority 100; version 2 has it in parts of a second whatever the interval (RFC 3768 6.1)."""
        return (256 - 100) / 256 * (1 if self.version == 2 else self.advert_int)

    @property
    def master_down(self) -> float:
        """Of priority 100, in seconds (RFC 9568 6.1)."""
        return 3 * self.advert_int + self.skew

    @property
    def limit(self) -> float:
        """Seconds in which whatever this kind does has happened, on a busy machine too."""
        return 2 * self.master_down + 4.0

    @property
    def ethertypes(self) -> tuple[int, ...]:
        """The families on the wire."""
        return tuple(ETH_P_IPV6 if ":" in address else ETH_P_IP for address in self.addresses)

    def ours(self, priority: int, more: str = "") -> str:
        """Return the conf.d file of one instance with all addresses."""
        return vrrp_instance(
            *self.addresses, priority=priority, advert_int=self.advert_int, version=self.version, more=more
        )

    def theirs(self, priority: int) -> str:
        """Return a keepalived.conf with one instance for each address; several move together."""
        names = [f"peer{number}" for number, _ in enumerate(self.addresses)]
        instances = "".join(
            f"vrrp_instance {name} {{ interface eth0\n version {self.version}\n virtual_router_id 1\n"
            f" priority {priority}\n advert_int {self.advert_int}\n virtual_ipaddress {{ {address} }}\n}}\n"
            for name, address in zip(names, self.addresses, strict=True)
        )
        group = "vrrp_sync_group peers { group {\n" + "\n".join(names) + "\n} }\n" if len(names) > 1 else ""
        # Real time: how long a peer takes must not hang on what else this machine does. Its own limit of 10 ms would
        # have it killed now and then.
        settings = (
            "router_id peer",
            f"vrrp_version {self.version}",
            "vrrp_garp_master_delay 1",
            "vrrp_rt_priority 1",
            "vrrp_rlimit_rttime 1000000",
        )
        head = "global_defs {\n" + "\n".join(settings) + "\n}\n"
        return head + group + instances


KINDS = {
    "v2-IPv4": Kind(version=2, addresses=(VIP4,), advert_int=1),
    "v3-IPv4": Kind(version=3, addresses=(VIP4,), advert_int=0.2),
    "v3-IPv6": Kind(version=3, addresses=(VIP6,), advert_int=0.2),
    "v3-both": Kind(version=3, addresses=(VIP4, VIP6), advert_int=0.2),
}
EVERY_KIND = pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS.keys())


class Rivals:
    """The two machines and the wire between them."""

    def __init__(self, lab: Lab, kind: Kind) -> None:
        self.kind = kind
        self.tic: Host = lab.host("tic", "192.0.2.1/24", "2001:db8::1/64")
        self.peer: Host = lab.host("peer", "192.0.2.2/24", "2001:db8::2/64")
        self.wire: Capture = lab.lan.capture()

    def start(self, who: str, priority: int) -> None:
        """Start one of the two, `tic` or `peer`."""
        if who == "tic":
            self.ours = Daemon(self.tic, {"10-vrrp.toml": self.kind.ours(priority)})
            self.ours.start()
        else:
            self.theirs = Keepalived(self.peer, self.kind.theirs(priority))
            self.theirs.start()

    def holder(self, who: str) -> Host:
        """Return the host of one of the two."""
        return self.tic if who == "tic" else self.peer

    def wait_for_master(self, who: str) -> None:
        """Wait until all addresses are on one host and none on the other."""
        other = self.holder("peer" if who == "tic" else "tic")
        virtual = set(self.kind.addresses)
        wait_until(
            lambda: virtual <= self.holder(who).addresses() and not virtual & other.addresses(),
            within=self.kind.limit,
            what=f"{who} to be the only master",
        )

    def wait_for_adverts(self, who: str, count: int) -> None:
        """Wait until one of the two has sent so many more adverts in each family."""
        before = {ethertype: len(self.of(who, ethertype)) for ethertype in self.kind.ethertypes}
        wait_until(
            lambda: all(len(self.of(who, ethertype)) >= before[ethertype] + count for ethertype in before),
            within=self.kind.limit + count * self.kind.advert_int,
            what=f"{count} more adverts of {who}",
        )

    def of(self, who: str, ethertype: int) -> list[Packet]:
        """Return the adverts of one host in one family until now."""
        return [packet for packet in self.wire.adverts(who) if packet.ethertype == ethertype]

    def silence(self, before: str, after: str) -> float:
        """Return the longest time, of all families, from the last advert of one to the first of the other after it."""
        gaps = []
        for ethertype in self.kind.ethertypes:
            last = self.of(before, ethertype)[-1].time
            gaps.append((min(packet.time for packet in self.of(after, ethertype) if packet.time > last) - last) / 1e9)
        return max(gaps)
