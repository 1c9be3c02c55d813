"""Frames that announce an address, decoded by somebody else."""

import pytest
from scapy.layers.inet6 import ICMPv6ND_NA, ICMPv6NDOptDstLLAddr, IPv6
from scapy.layers.l2 import ARP, Ether

from stayalived.kernel.neighbours import gratuitous_arp, neighbour_advert

MAC = bytes.fromhex("020000000001")
MAC_TEXT = "02:00:00:00:00:01"
BROADCAST = "ff:ff:ff:ff:ff:ff"


def test_a_gratuitous_arp_is_a_broadcast_request_for_itself() -> None:
    frame = Ether(gratuitous_arp(MAC, "192.0.2.9"))

    assert (BROADCAST, MAC_TEXT, 0x0806) == (frame.dst, frame.src, frame.type)
    arp = frame[ARP]
    assert (1, 0x0800, 6, 4, 1) == (arp.hwtype, arp.ptype, arp.hwlen, arp.plen, arp.op)
    assert (MAC_TEXT, "192.0.2.9") == (arp.hwsrc, arp.psrc)
    assert (BROADCAST, "192.0.2.9") == (arp.hwdst, arp.pdst)


def test_a_neighbour_advert_overrides_what_all_nodes_know() -> None:
    frame = Ether(neighbour_advert(MAC, "2001:db8::9", router=False))

    assert ("33:33:00:00:00:01", MAC_TEXT) == (frame.dst, frame.src)
    assert ("2001:db8::9", "ff02::1", 255) == (frame[IPv6].src, frame[IPv6].dst, frame[IPv6].hlim)
    advert = frame[ICMPv6ND_NA]
    assert (0, 0, 1, "2001:db8::9") == (advert.R, advert.S, advert.O, advert.tgt)
    assert advert[ICMPv6NDOptDstLLAddr].lladdr == MAC_TEXT


def test_a_router_says_that_it_is_one() -> None:
    assert Ether(neighbour_advert(MAC, "2001:db8::9", router=True))[ICMPv6ND_NA].R == 1


@pytest.mark.parametrize("address", ["2001:db8::9", "fe80::ffff:ffff:ffff:ffff", "::1", "ffff:ffff::"])
def test_the_checksum_of_a_neighbour_advert_is_right(address: str) -> None:
    made = neighbour_advert(MAC, address, router=True)
    again = Ether(made)
    del again[ICMPv6ND_NA].cksum
    del again[IPv6].plen

    assert bytes(again) == made


@pytest.mark.parametrize("mac", [b"", bytes(5), bytes(20)])
def test_a_hardware_address_that_is_not_ethernets_is_refused(mac: bytes) -> None:
    with pytest.raises(ValueError, match="where Ethernet has 6"):
        gratuitous_arp(mac, "192.0.2.9")
    with pytest.raises(ValueError, match="where Ethernet has 6"):
        neighbour_advert(mac, "2001:db8::9", router=False)


def test_an_address_of_the_other_family_is_refused() -> None:
    with pytest.raises(ValueError):
        gratuitous_arp(MAC, "2001:db8::9")
    with pytest.raises(ValueError):
        neighbour_advert(MAC, "192.0.2.9", router=False)
