"""Every packet of a daemon's life, decoded by two strangers: scapy and tshark."""

import itertools
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any

import pytest
from scapy.layers.inet import IP
from scapy.layers.inet6 import ICMPv6ND_NA, IPv6
from scapy.layers.l2 import ARP, Ether
from scapy.layers.vrrp import VRRP, VRRPv3

from namespaces.capture import ETH_P_ARP
from namespaces.daemon import Daemon, vrrp_instance
from namespaces.decoders import Tshark, as_list
from namespaces.lab import Lab
from namespaces.waiting import wait_until

REPEAT = 5
"""`garp_master_repeat`: packets for each address at once, and again after `garp_master_delay`."""

MAC = {4: "01:00:5e:00:00:12", 6: "33:33:00:00:00:12"}
GROUP = {4: "224.0.0.18", 6: "ff02::12"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A virtual router of one family."""

    family: int
    version: int
    addresses: tuple[str, ...]
    advert_int: float = 0.2

    @property
    def bare(self) -> list[str]:
        return [address.partition("/")[0] for address in self.addresses]


CASES = {
    "v2-IPv4": Case(family=4, version=2, addresses=("192.0.2.101/24", "192.0.2.100/32"), advert_int=1),
    "v3-IPv4": Case(family=4, version=3, addresses=("192.0.2.101/24", "192.0.2.100/32")),
    "v3-IPv6": Case(family=6, version=3, addresses=("2001:db8::101/64", "2001:db8::100/128")),
}


class Life:
    """What a daemon put on the wire from its start to its end."""

    def __init__(self, lab: Lab, case: Case) -> None:
        self.case = case
        self.host = lab.host("tic", "192.0.2.1/24", "2001:db8::1/64")
        self.own = {4: "192.0.2.1", 6: self._link_local()}
        wire = lab.lan.capture()
        text = vrrp_instance(
            *case.addresses, priority=150, advert_int=case.advert_int, version=case.version, virtual_router_id=42
        )
        daemon = Daemon(self.host, {"10-vrrp.toml": text})
        daemon.start()
        wait_until(
            lambda: sum(bool(packet.gratuitous()) for packet in wire.packets()) >= 2 * REPEAT * len(case.addresses),
            within=10.0,
            what="both blocks of announcements",
        )
        assert daemon.stop() == 0
        self.packets = [packet for packet in wire.packets() if packet.sender == "tic" and not packet.is_chatter()]
        self.adverts = [packet for packet in self.packets if packet.vrrp()]
        self.announcements = [packet for packet in self.packets if packet.gratuitous()]
        self.tshark = Tshark(self.adverts, lab.folder / "adverts.pcap")

    def _link_local(self) -> str:
        (found,) = [text for text in self.host.addresses(link_local=True) if text.startswith("fe80")]
        return found.partition("/")[0]


@pytest.fixture(scope="module", params=CASES.values(), ids=CASES.keys())
def life(request: pytest.FixtureRequest) -> Iterator[Life]:
    with Lab() as lab:
        yield Life(lab, request.param)


def test_scapy_finds_in_each_advert_what_was_meant(life: Life) -> None:
    case = life.case
    for number, packet in enumerate(life.adverts):
        frame = packet.scapy()
        body = frame[VRRP] if case.version == 2 else frame[VRRPv3]
        last = number == len(life.adverts) - 1

        assert (life.host.mac(), MAC[case.family]) == (frame[Ether].src, frame[Ether].dst)
        assert (case.version, 1, 42) == (body.version, body.type, body.vrid)
        assert (0 if last else 150) == body.priority
        assert case.bare == list(body.addrlist)
        assert len(case.addresses) == body.ipcount
        assert (case.advert_int if case.version == 2 else case.advert_int * 100) == body.adv
        if case.version == 2:
            assert (0, 0, 0) == (body.authtype, body.auth1, body.auth2)
        check_header(life, frame)
        assert recomputed(frame) == bytes(frame)


def check_header(life: Life, frame: Any) -> None:
    if life.case.family == 4:
        header = frame[IP]
        assert (255, 0xC0, 112) == (header.ttl, header.tos, header.proto)
        assert not header.options
    else:
        header = frame[IPv6]
        assert (255, 0xC0, 112) == (header.hlim, header.tc, header.nh)
    assert (life.own[life.case.family], GROUP[life.case.family]) == (header.src, header.dst)


def recomputed(frame: Any) -> bytes:
    """Return the frame as scapy makes it when it computes all the lengths and checksums itself."""
    again = Ether(bytes(frame))
    body = again[VRRP] if VRRP in again else again[VRRPv3]
    body.chksum = None
    if IP in again:
        again[IP].chksum = again[IP].len = None
    else:
        again[IPv6].plen = None
    return bytes(again)


def test_tshark_finds_in_each_advert_what_was_meant(life: Life) -> None:
    case = life.case
    layers = life.tshark.layers()

    assert len(life.adverts) == len(layers) >= 3
    for number, layer in enumerate(layers):
        vrrp = layer["vrrp"]
        priority = 0 if number == len(layers) - 1 else 150
        assert ("1", str(priority), "42") == (vrrp["vrrp.checksum.status"], vrrp["vrrp.prio"], vrrp["vrrp.virt_rtr_id"])
        assert case.bare == as_list(vrrp["vrrp.ip_addr" if case.family == 4 else "vrrp.ipv6_addr"])
        if case.family == 4:
            header = layer["ip"]
            found = (header["ip.ttl"], header["ip.dsfield"], header["ip.checksum.status"])
            assert ("255", "0xc0", "1") == found
        else:
            header = layer["ipv6"]
            assert ("255", "0x000000c0") == (header["ipv6.hlim"], header["ipv6.tclass"])


def test_tshark_has_nothing_to_complain_of(life: Life) -> None:
    assert life.tshark.text().count("[Checksum Status: Good]") == len(life.adverts)
    assert life.tshark.complaints() == []


def test_each_address_is_announced_in_two_blocks(life: Life) -> None:
    counts = Counter(packet.gratuitous() for packet in life.announcements)
    times = sorted(packet.time for packet in life.announcements)
    gaps = [(after - before) / 1e9 for before, after in itertools.pairwise(times)]

    assert dict.fromkeys(life.case.bare, 2 * REPEAT) == counts
    assert 0.9 < max(gaps) < 1.2
    assert sorted(gaps)[-2] < 0.1
    assert gaps.index(max(gaps)) == REPEAT * len(life.case.addresses) - 1


def test_each_announcement_says_what_was_meant(life: Life) -> None:
    mac = life.host.mac()
    for packet in life.announcements:
        frame = packet.scapy()
        if packet.ethertype == ETH_P_ARP:
            arp = frame[ARP]
            assert ("ff:ff:ff:ff:ff:ff", mac) == (frame[Ether].dst, frame[Ether].src)
            assert (mac, arp.psrc) == (arp.hwsrc, arp.pdst)
            continue
        advert = frame[ICMPv6ND_NA]
        assert ("33:33:00:00:00:01", mac) == (frame[Ether].dst, frame[Ether].src)
        assert ("ff02::1", 255) == (frame[IPv6].dst, frame[IPv6].hlim)
        assert (0, 0, 1) == (advert.R, advert.S, advert.O)
        assert mac == advert.payload.lladdr
        assert ip_address(advert.tgt) in {ip_address(address) for address in life.case.bare}


def test_nothing_else_is_sent(life: Life) -> None:
    assert len(life.packets) == len(life.adverts) + len(life.announcements)
