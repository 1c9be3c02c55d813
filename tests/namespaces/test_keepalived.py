"""One of ours and one keepalived on a wire: each understands the other, in every version and family."""

from dataclasses import dataclass

import pytest

from namespaces.capture import Capture, Packet
from namespaces.lab import Host, Lab
from namespaces.peers import Keepalived, vrrp_instance
from namespaces.vrrp_child import VrrpChild
from stayalived.timing import seconds
from vrrp_machine import configuration, instance, router

SLACK = 0.05
"""Seconds that a takeover of ours may last beyond what the RFC gives."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A version of VRRP over a version of IP."""

    version: int
    address: str
    advert_int: float

    @property
    def skew(self) -> float:
        """Of priority 100; version 2 has it in parts of a second whatever the interval (RFC 3768 6.1)."""
        return (256 - 100) / 256 * (1 if self.version == 2 else self.advert_int)

    @property
    def master_down(self) -> float:
        """Of priority 100, in seconds."""
        return 3 * self.advert_int + self.skew


KINDS = (
    Kind(version=2, address="192.0.2.100/24", advert_int=1),
    Kind(version=3, address="192.0.2.100/24", advert_int=0.3),
    Kind(version=3, address="2001:db8::100/64", advert_int=0.3),
)
EVERY_KIND = pytest.mark.parametrize(
    "kind", KINDS, ids=lambda kind: f"v{kind.version}-IPv{6 if ':' in kind.address else 4}"
)


class Site:
    """`tic` runs ours, `peer` runs keepalived."""

    def __init__(self, lab: Lab, kind: Kind) -> None:
        self.kind = kind
        self.tic: Host = lab.host("tic", "192.0.2.1/24", "2001:db8::1/64")
        self.peer: Host = lab.host("peer", "192.0.2.2/24", "2001:db8::2/64")
        self.wire: Capture = lab.lan.capture()
        self.limit = kind.master_down + 3.0

    def start(self, who: str, priority: int) -> None:
        kind = self.kind
        if who == "tic":
            ours = router(kind.address, priority=priority, version=kind.version, advert_int=seconds(kind.advert_int))
            self.ours = VrrpChild(self.tic, configuration(instance(ours)))
        else:
            text = vrrp_instance(kind.address, priority=priority, version=kind.version, advert_int=kind.advert_int)
            self.theirs = Keepalived(self.peer, text)
            self.theirs.start()

    def wait_for_master(self, who: str) -> None:
        """Wait until the address is on one host and not on the other."""
        holder, other = (self.tic, self.peer) if who == "tic" else (self.peer, self.tic)
        holder.wait_for_address(self.kind.address, within=self.limit)
        other.wait_for_address(self.kind.address, present=False, within=self.limit)

    def silence(self) -> float:
        """Seconds between the last advert of the peer and the first of ours after it."""
        last = max(packet.time for packet in self.wire.adverts("peer"))
        after = min(packet.time for packet in self.wire.adverts("tic", since=last))
        return (after - last) / 1e9


@pytest.fixture
def site(lab: Lab, kind: Kind) -> Site:
    return Site(lab, kind)


@EVERY_KIND
@pytest.mark.parametrize("first", ["tic", "peer"])
@pytest.mark.parametrize("better", ["tic", "peer"])
def test_the_higher_priority_wins_whichever_starts_first(site: Site, first: str, better: str) -> None:
    second = "peer" if first == "tic" else "tic"

    site.start(first, 200 if first == better else 100)
    site.wait_for_master(first)
    site.start(second, 200 if second == better else 100)
    site.wire.wait_for(lambda packet: packet.vrrp() and packet.sender == better, within=site.limit, what="its adverts")

    site.wait_for_master(better)
    if better == "tic":
        site.ours.wait_for_state("MASTER", within=site.limit)
    else:
        site.ours.wait_for_state("BACKUP", within=site.limit)


@EVERY_KIND
def test_a_lost_keepalived_is_replaced_within_the_master_down_time(site: Site) -> None:
    site.start("peer", 200)
    site.wait_for_master("peer")
    site.start("tic", 100)
    site.ours.wait_for_state("BACKUP", within=site.limit)
    quiet = len(site.wire.adverts("peer"))
    site.wire.wait_for(lambda _: len(site.wire.adverts("peer")) > quiet + 1, within=site.limit, what="two more adverts")

    site.theirs.kill()
    site.ours.wait_for_state("MASTER", within=site.limit)

    assert site.kind.master_down - SLACK < site.silence() < site.kind.master_down + SLACK


@EVERY_KIND
def test_a_stopped_keepalived_is_replaced_within_the_skew(site: Site) -> None:
    site.start("peer", 200)
    site.wait_for_master("peer")
    site.start("tic", 100)
    site.ours.wait_for_state("BACKUP", within=site.limit)

    site.theirs.stop()
    site.ours.wait_for_state("MASTER", within=site.limit)

    assert site.silence() < site.kind.skew + SLACK


@EVERY_KIND
def test_keepalived_takes_over_within_its_skew_when_ours_stops(site: Site) -> None:
    site.start("tic", 200)
    site.wait_for_master("tic")
    site.start("peer", 100)
    site.theirs.process.wait_for_log("Entering BACKUP STATE", within=5.0)

    site.ours.stop()
    last = site.wire.adverts("tic")[-1]
    first = site.wire.wait_for(
        lambda packet: packet.vrrp() and packet.sender == "peer", within=site.limit, what="its advert", since=last.time
    )

    assert last.vrrp().priority == 0
    assert (first.time - last.time) / 1e9 < site.kind.skew + SLACK


@EVERY_KIND
def test_keepalived_finds_nothing_wrong_with_our_adverts(site: Site) -> None:
    site.start("tic", 200)
    site.wait_for_master("tic")
    site.start("peer", 100)
    site.theirs.process.wait_for_log("Entering BACKUP STATE", within=5.0)
    heard = len(site.wire.adverts("tic"))
    site.wire.wait_for(
        lambda _: len(site.wire.adverts("tic")) > heard + 3, within=4 * site.kind.advert_int + 1, what="four adverts"
    )

    log = site.theirs.log().lower()
    assert not [word for word in ("checksum", "mismatch", "invalid", "bogus", "received an") if word in log]
    assert site.wire.adverts("peer") == []


@EVERY_KIND
def test_our_adverts_have_what_keepalived_puts_into_its_own(site: Site) -> None:
    """Both are masters of the same on separate wires, so their packets may differ in source and checksum alone."""
    site.peer.cut()
    site.start("tic", 200)
    site.start("peer", 200)
    ours, theirs = (
        site.wire.wait_for(
            lambda packet, name=name: packet.vrrp() and packet.sender == name,
            within=site.limit,
            what=f"{name}'s advert",
        )
        for name in ("tic", "peer")
    )

    assert like_any_other(theirs) == like_any_other(ours)


def like_any_other(packet: Packet) -> bytes:
    """Return the VRRP message and TTL, TOS, protocol and destination, without checksum and flow label."""
    if packet.data[12:14] == b"\x08\x00":
        header = packet.data[:6] + packet.data[15:16] + packet.data[22:24] + packet.data[30:34]
        body = packet.data[14 + (packet.data[14] & 15) * 4 :]
    else:
        header = packet.data[:6] + packet.data[14:15] + packet.data[20:22] + packet.data[38:54]
        body = packet.data[54:]
    return header + body[:6] + body[8:]
