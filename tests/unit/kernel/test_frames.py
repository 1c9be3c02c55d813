"""Frames that announce an address or carry an advert, decoded and built by somebody else."""

from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scapy.layers.inet import IP
from scapy.layers.inet6 import ICMPv6ND_NA, ICMPv6NDOptDstLLAddr, IPv6
from scapy.layers.l2 import ARP, Ether
from scapy.packet import Raw

from stayalived.kernel.frames import advert, frame_for, gratuitous_arp, group_mac, neighbour_advert

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


def test_each_family_is_announced_in_its_own_way() -> None:
    assert gratuitous_arp(MAC, "192.0.2.9") == frame_for(MAC, "192.0.2.9", router=True)
    assert neighbour_advert(MAC, "2001:db8::9", router=True) == frame_for(MAC, "2001:db8::9", router=True)


VIRTUAL_MAC = bytes.fromhex("00005e000133")


@given(
    message=st.binary(min_size=8, max_size=200),
    source=st.ip_addresses(v=4).map(str),
    identification=st.integers(0, 0xFFFF),
)
def test_an_advert_over_ipv4_is_byte_for_byte_what_scapy_builds(
    message: bytes, source: str, identification: int
) -> None:
    packet = IP(src=source, dst="224.0.0.18", tos=0xC0, ttl=255, proto=112, id=identification, flags=0)
    expected = Ether(src="00:00:5e:00:01:33", dst="01:00:5e:00:00:12") / packet / Raw(message)

    made = advert(VIRTUAL_MAC, source, "224.0.0.18", message, identification=identification)

    assert bytes(expected) == made


@given(message=st.binary(min_size=8, max_size=400), source=st.ip_addresses(v=6).map(str))
def test_an_advert_over_ipv6_is_byte_for_byte_what_scapy_builds(message: bytes, source: str) -> None:
    packet = IPv6(src=source, dst="ff02::12", tc=0xC0, hlim=255, nh=112)
    expected = Ether(src="00:00:5e:00:01:33", dst="33:33:00:00:00:12") / packet / Raw(message)

    assert bytes(expected) == advert(VIRTUAL_MAC, source, "ff02::12", message)


@pytest.mark.parametrize(
    ("group", "mac"),
    [
        ("224.0.0.18", "01:00:5e:00:00:12"),
        ("239.129.2.3", "01:00:5e:01:02:03"),
        ("239.255.255.255", "01:00:5e:7f:ff:ff"),
        ("ff02::12", "33:33:00:00:00:12"),
        ("ff05::1:ff00:1234", "33:33:ff:00:12:34"),
    ],
)
def test_a_group_has_a_hardware_address_of_its_own(group: str, mac: str) -> None:
    assert mac == group_mac(ip_address(group)).hex(":")


@pytest.mark.parametrize(
    ("source", "group", "reason"),
    [
        ("192.0.2.1", "192.0.2.2", "no multicast address"),
        ("fe80::1", "fe80::2", "no multicast address"),
        ("192.0.2.1", "ff02::12", "different families"),
        ("fe80::1", "224.0.0.18", "different families"),
        ("eth0", "224.0.0.18", "does not appear to be"),
    ],
)
def test_addresses_that_do_not_go_together_are_refused(source: str, group: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        advert(VIRTUAL_MAC, source, group, b"message")


def test_an_advert_needs_a_hardware_address_of_ethernet() -> None:
    with pytest.raises(ValueError, match="where Ethernet has 6"):
        advert(b"", "192.0.2.1", "224.0.0.18", b"message")
