"""Announcements on a real wire, decoded by scapy, and what neighbours make of them."""

import json

import pytest
from scapy.layers.inet6 import ICMPv6ND_NA, IPv6
from scapy.layers.l2 import ARP, Ether

from namespaces.lab import Host, Lab
from namespaces.waiting import wait_until
from stayalived.errors import KernelProblem
from stayalived.kernel.neighbours import FORWARDING_AGE, NeighbourSender
from stayalived.timing import Instant, after

NOW = Instant(0)


def sender_on(lab: Lab, host: Host) -> NeighbourSender:
    with host.inside():
        return lab.keep(NeighbourSender())


def known_mac(host: Host, address: str) -> str:
    rows = json.loads(host.run(["ip", "-j", "neigh", "show", "to", address]).stdout)
    return rows[0]["lladdr"] if rows and "lladdr" in rows[0] else ""


def test_a_gratuitous_arp_reaches_the_wire_as_it_was_meant(lab: Lab) -> None:
    tic = lab.host("tic")
    wire = lab.lan.capture()
    mac = bytes.fromhex(tic.mac().replace(":", ""))

    sender_on(lab, tic).send_gratuitous_arp("eth0", mac, "192.0.2.9")

    packet = wire.wait_for(lambda frame: frame.gratuitous() == "192.0.2.9", within=2.0, what="the announcement")
    frame = packet.scapy()
    assert (tic.mac(), "ff:ff:ff:ff:ff:ff") == (frame[Ether].src, frame[Ether].dst)
    assert (1, tic.mac(), "192.0.2.9", "ff:ff:ff:ff:ff:ff", "192.0.2.9") == (
        frame[ARP].op,
        frame[ARP].hwsrc,
        frame[ARP].psrc,
        frame[ARP].hwdst,
        frame[ARP].pdst,
    )


def test_a_neighbour_advert_says_router_only_while_the_interface_forwards(lab: Lab) -> None:
    tic = lab.host("tic")
    wire = lab.lan.capture()
    sender = sender_on(lab, tic)
    mac = bytes.fromhex(tic.mac().replace(":", ""))

    with tic.inside():
        sender.send_neighbour_advert("eth0", mac, "2001:db8::8", NOW)
        tic.sysctl("net.ipv6.conf.eth0.forwarding", 1)
        sender.send_neighbour_advert("eth0", mac, "2001:db8::9", after(NOW, FORWARDING_AGE))
        sender.send_neighbour_advert("eth0", mac, "2001:db8::a", Instant(after(NOW, FORWARDING_AGE) + 1))

    wire.wait_for(lambda frame: frame.gratuitous() == "2001:db8::a", within=2.0, what="the third announcement")
    frames = [packet.scapy() for packet in wire.packets() if packet.gratuitous()]
    assert [("2001:db8::8", 0), ("2001:db8::9", 0), ("2001:db8::a", 1)] == [
        (frame[ICMPv6ND_NA].tgt, frame[ICMPv6ND_NA].R) for frame in frames
    ]
    assert {("ff02::1", 255)} == {(frame[IPv6].dst, frame[IPv6].hlim) for frame in frames}


def test_neighbours_learn_the_new_hardware_address_of_both_families(lab: Lab) -> None:
    tic = lab.host("tic")
    client = lab.host("client", "192.0.2.100/24", "2001:db8::100/64")
    for address in ("192.0.2.9", "2001:db8::9"):
        client.run(["ip", "neigh", "replace", address, "lladdr", "02:00:00:00:00:99", "dev", "eth0", "nud", "stale"])
    sender = sender_on(lab, tic)
    mac = bytes.fromhex(tic.mac().replace(":", ""))

    with tic.inside():
        sender.send_gratuitous_arp("eth0", mac, "192.0.2.9")
        sender.send_neighbour_advert("eth0", mac, "2001:db8::9", NOW)

    wait_until(lambda: known_mac(client, "192.0.2.9") == tic.mac(), within=2.0, what="the client to learn by ARP")
    wait_until(lambda: known_mac(client, "2001:db8::9") == tic.mac(), within=2.0, what="the client to learn by ND")


def test_what_does_not_leave_is_told_with_its_reason(lab: Lab) -> None:
    tic = lab.host("tic")
    sender = sender_on(lab, tic)

    with pytest.raises(KernelProblem, match=r"announce 192.0.2.9 on eth7: No such device"):
        sender.send_gratuitous_arp("eth7", bytes(6), "192.0.2.9")
    tic.link(up=False)
    with pytest.raises(KernelProblem, match=r"announce 192.0.2.9 on eth0: Network is down"):
        sender.send_gratuitous_arp("eth0", bytes(6), "192.0.2.9")
    with pytest.raises(KernelProblem, match=r"where Ethernet has 6"):
        sender.send_gratuitous_arp("eth0", b"", "192.0.2.9")
