"""Announcements on a real wire, decoded by scapy, and what neighbours make of them."""

import json
from pathlib import Path

import pytest
from scapy.layers.inet6 import ICMPv6ND_NA, IPv6
from scapy.layers.l2 import ARP, Ether

from namespaces.lab import Host, Lab
from namespaces.waiting import wait_until
from stayalived.errors import KernelProblem
from stayalived.kernel.frames import advert, frame_for, gratuitous_arp, neighbour_advert
from stayalived.kernel.neighbours import FORWARDING_AGE, NeighbourSender
from stayalived.timing import Instant, after

NOW = Instant(0)


def sender_on(lab: Lab, host: Host) -> NeighbourSender:
    with host.inside():
        return lab.keep(NeighbourSender())


def announce_by_ipv6(sender: NeighbourSender, mac: bytes, address: str, now: Instant) -> None:
    sender.send("eth0", neighbour_advert(mac, address, router=sender.forwards("eth0", now)))


def known_mac(host: Host, address: str) -> str:
    rows = json.loads(host.run(["ip", "-j", "neigh", "show", "to", address]).stdout)
    return rows[0]["lladdr"] if rows and "lladdr" in rows[0] else ""


def test_a_gratuitous_arp_reaches_the_wire_as_it_was_meant(lab: Lab) -> None:
    tic = lab.host("tic")
    wire = lab.lan.capture()
    mac = bytes.fromhex(tic.mac().replace(":", ""))

    sender = sender_on(lab, tic)
    with tic.inside():
        sender.send("eth0", gratuitous_arp(mac, "192.0.2.9"))

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
        announce_by_ipv6(sender, mac, "2001:db8::8", NOW)
        tic.sysctl("net.ipv6.conf.eth0.forwarding", 1)
        announce_by_ipv6(sender, mac, "2001:db8::9", after(NOW, FORWARDING_AGE))
        announce_by_ipv6(sender, mac, "2001:db8::a", Instant(after(NOW, FORWARDING_AGE) + 1))

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
        sender.send("eth0", gratuitous_arp(mac, "192.0.2.9"))
        announce_by_ipv6(sender, mac, "2001:db8::9", NOW)

    wait_until(lambda: known_mac(client, "192.0.2.9") == tic.mac(), within=2.0, what="the client to learn by ARP")
    wait_until(lambda: known_mac(client, "2001:db8::9") == tic.mac(), within=2.0, what="the client to learn by ND")


def test_what_does_not_leave_is_told_with_its_reason(lab: Lab) -> None:
    tic = lab.host("tic")
    sender = sender_on(lab, tic)

    with tic.inside(), pytest.raises(KernelProblem, match=r"send a frame by eth7: No such device"):
        sender.send("eth7", bytes(60))


def test_an_interface_that_comes_back_up_is_sent_by_at_once(lab: Lab) -> None:
    tic = lab.host("tic")
    wire = lab.lan.capture()
    sender = sender_on(lab, tic)
    frame = frame_for(bytes.fromhex(tic.mac().replace(":", "")), "192.0.2.9", router=False)
    with tic.inside():
        sender.send("eth0", frame)
        tic.link(up=False)
        with pytest.raises(KernelProblem, match="send a frame by eth0: Network is down"):
            sender.send("eth0", frame)
        tic.link(up=True)
        sender.send("eth0", frame)

    wait_until(lambda: len(wire.packets()) >= 2, within=2.0, what="both frames")
    assert {frame} == {packet.data for packet in wire.packets() if packet.gratuitous()}


def test_many_interfaces_take_one_socket_and_one_that_is_made_again_is_sent_by_at_once(lab: Lab) -> None:
    tic = lab.host("tic")
    sender = sender_on(lab, tic)
    make = ["ip", "link", "add", "link", "eth0", "name", "one", "up", "type", "macvlan"]
    tic.run(make)

    with tic.inside():
        before = descriptors()
        for interface in ("eth0", "one"):
            sender.send(interface, bytes(60))
        assert descriptors() == before

        tic.run(["ip", "link", "del", "one"])
        with pytest.raises(KernelProblem, match="No such device"):
            sender.send("one", bytes(60))
        tic.run(make)
        sender.send("one", bytes(60))


def descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


@pytest.mark.parametrize(
    ("source", "group", "mac"),
    [("192.0.2.1", "224.0.0.18", "00:00:5e:00:01:33"), ("fe80::1", "ff02::12", "00:00:5e:00:02:33")],
)
def test_an_advert_leaves_with_the_hardware_address_of_the_virtual_router(
    lab: Lab, source: str, group: str, mac: str
) -> None:
    tic = lab.host("tic")
    wire = lab.lan.capture()
    sender = sender_on(lab, tic)
    message = bytes.fromhex("31339601006400 00c0000209".replace(" ", ""))

    with tic.inside():
        sender.send("eth0", advert(bytes.fromhex(mac.replace(":", "")), source, group, message))

    packet = wire.wait_for(lambda frame: frame.vrrp() is not None, within=2.0, what="the advert")
    header = packet.vrrp()
    assert header is not None
    assert (mac, source, group, 255) == (packet.scapy().src, header.source, header.destination, header.ttl)
    assert (3, 0x33, 0x96) == (header.version, header.virtual_router_id, header.priority)
