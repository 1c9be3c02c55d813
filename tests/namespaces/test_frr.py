"""What is special about FRR's vrrpd as a peer: each thing that `peers` and the documentation say of it."""

import re
import time
from collections.abc import Iterator
from ipaddress import ip_address
from pathlib import Path

import pytest
from scapy.layers.inet import IP
from scapy.layers.inet6 import ICMPv6ND_RA, ICMPv6NDOptPrefixInfo
from scapy.layers.vrrp import VRRPv3

from namespaces.capture import ETH_P_ARP, Packet
from namespaces.kinds import CARRIER_BACK, SLACK, Kind, address_of, mac_of
from namespaces.lab import Host, Lab, ip
from namespaces.peers import MACVLANS, Frr
from namespaces.rivals import VIP4, VIP6, Rivals, carried
from namespaces.voices import advert, say
from namespaces.waiting import quiet_for

KIND = Kind(version=3, addresses=(VIP4, VIP6), advert_int=0.2, peer="frr", ours="child")
PAGE = Path(__file__).parents[2] / "docs" / "interop.md"
BARE = "192.0.2.100"
ROUTER_ADVERT = 134
ARP_REPLY = 2


class Site(Rivals):
    """FRR is master of both families, ours waits."""

    def __init__(self, lab: Lab) -> None:
        super().__init__(lab, KIND)
        self.bystander: Host = lab.host("bystander", "192.0.2.66/24")
        begin(self)

    def said(self) -> list[Packet]:
        """Return all frames of FRR's host until now."""
        return [packet for packet in self.wire.packets() if packet.sender == "peer"]


def begin(site: Rivals) -> None:
    """Start FRR, and ours when FRR is master."""
    site.start("peer", 200)
    site.wait_for_adverts("peer", 2)
    site.start("tic", 100)
    site.wait_for_backup()


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    with Lab() as lab:
        yield Site(lab)


def test_it_announces_each_address_once(site: Site) -> None:
    quiet_for(1.2)  # somebody else's second block would have come by now

    assert [BARE, "2001:db8::100"] == sorted(packet.gratuitous() for packet in site.said() if packet.gratuitous())


def test_it_speaks_from_the_virtual_mac_and_from_the_address_below(site: Site) -> None:
    four, six = (site.of("peer", router)[-1] for router in KIND.routers)

    assert "00005e000101" == four.data[6:12].hex()
    assert address_of("peer", 4) == four.vrrp().source
    assert "00005e000201" == six.data[6:12].hex()
    assert "fe80::12" == six.vrrp().source


def test_its_checksum_over_ipv4_counts_the_pseudo_header(site: Site) -> None:
    frame = site.of("peer", KIND.routers[0])[-1].scapy()
    found = frame[VRRPv3].chksum
    frame[VRRPv3].chksum = None

    assert found == IP(bytes(frame[IP]))[VRRPv3].chksum


def test_it_drops_an_advert_whose_checksum_leaves_the_pseudo_header_out(site: Site) -> None:
    say(site.bystander, advert([BARE], priority=254, source="192.0.2.66", pseudo=False))
    site.theirs.process.wait_for_log("Bad VRRP checksum", within=2.0)

    assert "Master" == site.theirs.show()["v4"]["status"]


def test_it_does_not_answer_an_inferior_advert(site: Site) -> None:
    begun = time.time_ns()
    say(site.bystander, advert([BARE], priority=1, source="192.0.2.66"))
    site.wait_for_adverts("peer", 4, begun)

    assert min(site.gaps("peer", KIND.routers[0], begun)) > KIND.advert_int - SLACK
    assert [] == [packet for packet in site.said() if packet.time > begun and packet.gratuitous()]


def test_it_advertises_itself_as_a_router_for_the_prefix_of_its_address(site: Site) -> None:
    def is_router_advert(packet: Packet) -> bool:
        return packet.sender == "peer" and packet.data[20:21] == b"\x3a" and packet.data[54] == ROUTER_ADVERT

    frame = site.wire.wait_for(is_router_advert, within=2.0, what="a router advertisement").scapy()

    assert "00:00:5e:00:02:01" == frame.src
    assert "2001:db8::" == frame[ICMPv6ND_RA][ICMPv6NDOptPrefixInfo].prefix


def test_the_macvlans_of_the_page_are_what_it_needs(lab: Lab) -> None:
    site = Rivals(lab, KIND)
    (block,) = re.findall(r"```console\n(.*?)```", PAGE.read_text(), re.DOTALL)
    for command in block.splitlines():
        site.peer.run(command.split())

    begin(site)
    site.theirs.stop()
    site.wait_for_master("tic")
    assert set() == {VIP4, VIP6} & carried(site.peer)


def test_killed_it_leaves_what_it_held(lab: Lab) -> None:
    site = Site(lab)

    site.theirs.kill()
    site.wait_for_adverts("tic", 2)

    assert {VIP4, VIP6} <= carried(site.peer)


def test_without_arp_ignore_the_wrong_interfaces_answer_too(lab: Lab) -> None:
    """The address is on one macvlan, but it is the kernel's, so it answers by any interface that is asked."""
    below, ours = mac_of("peer"), mac_of("tic")
    virtual, of_ipv6 = (router.virtual_mac for router in KIND.routers)
    site = Site(lab)
    assert {below, virtual, of_ipv6} == who_answers(site)

    site.theirs.stop()
    site.wait_for_master("tic")
    assert {below, ours} == who_answers(site)

    site.peer.sysctl("net.ipv4.conf.all.arp_ignore", 1)
    assert {ours} == who_answers(site)

    assert site.ours.stop() == 0
    site.start("peer", 200)
    site.wait_for_master("peer")
    assert {virtual} == who_answers(site)


def who_answers(site: Site) -> set[str]:
    """Ask for the hardware address of the virtual address; return those that are given."""
    begun = time.time_ns()
    ip("-n", site.bystander.namespace, "neighbour", "flush", "dev", "eth0")
    site.bystander.run(["ping", "-c2", "-i0.3", "-W1", BARE])
    frames = [packet for packet in site.wire.packets() if packet.time > begun and packet.ethertype == ETH_P_ARP]
    address = ip_address(BARE).packed
    replies = [frame.data for frame in frames if frame.data[21] == ARP_REPLY and frame.data[28:32] == address]
    return {data[22:28].hex(":") for data in replies}


def test_its_first_advert_over_ipv6_is_an_interval_late(lab: Lab) -> None:
    site = Site(lab)
    site.theirs.stop()
    site.wait_for_master("tic")
    site.start("peer", 50)
    site.theirs.wait_for_backup(within=KIND.limit)

    assert site.ours.stop() == 0
    site.wait_for_adverts("peer", 2)

    four, six = site.silences("tic", "peer")
    skew = KIND.their_skew(50)
    assert skew - SLACK < four < skew + CARRIER_BACK
    assert skew + KIND.advert_int - SLACK < six < skew + KIND.advert_int + CARRIER_BACK


def test_without_preempt_it_leaves_a_lower_master_in_peace(lab: Lab) -> None:
    site = Rivals(lab, Kind(version=3, addresses=(VIP4,), advert_int=0.5, peer="frr", ours="child"))
    site.start("tic", 100)
    site.wait_for_master("tic")
    begun = time.time_ns()
    site.theirs = Frr(site.peer, (VIP4,), priority=200, advert_int=0.5, more=["no vrrp 1 preempt"])
    site.theirs.start()
    site.theirs.wait_for_backup(within=3.0)

    quiet_for(1.5 * site.kind.master_down(200))

    assert [] == site.wire.adverts("peer", begun)


@pytest.mark.parametrize("how", ["vrrp 1 shutdown", "the interface is down", "its macvlan is down"])
def test_ours_takes_over_when_frr_is_shut_down(lab: Lab, how: str) -> None:
    site = Rivals(lab, Kind(version=3, addresses=(VIP4,), advert_int=0.2, peer="frr", ours="child"))
    site.start("peer", 200)
    site.wait_for_master("peer")
    site.start("tic", 100)
    site.wait_for_backup()
    site.wait_for_adverts("peer", 2)

    if how == "vrrp 1 shutdown":
        site.theirs.configure("interface eth0", how)
    else:
        site.peer.link(up=False, interface="eth0" if how == "the interface is down" else MACVLANS[4])
    site.wait_for_adverts("tic", 2)

    clean = site.of("peer", site.kind.routers[0])[-1].vrrp().priority == 0
    expected = site.kind.skew(100) if clean else site.kind.master_down(100)
    assert (how == "vrrp 1 shutdown") == clean
    assert expected - SLACK < site.silence("peer", "tic") < expected + SLACK
