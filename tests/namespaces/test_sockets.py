"""Raw sockets of VRRP between two hosts: what is sent is heard, with everything that the header said."""

import socket
import time

import pytest
from scapy.layers.inet import IP
from scapy.layers.inet6 import IPv6

from namespaces.lab import Host, Lab
from namespaces.waiting import wait_until
from stayalived.addresses import Family
from stayalived.errors import KernelProblem
from stayalived.kernel.netlink import Netlink
from stayalived.vrrp import packet, sockets
from stayalived.vrrp.effects import Listen, SendAdvert, Unlisten
from stayalived.vrrp.events import DatagramReceived, SocketOverflowed
from stayalived.vrrp.packet import Advert
from stayalived.vrrp.sockets import Sockets

GROUPS = {Family.IPV4: "224.0.0.18", Family.IPV6: "ff02::12"}
BOTH = pytest.mark.parametrize("family", list(Family), ids=lambda family: f"IPv{family}")


class Speaker:
    """A host with its sockets."""

    def __init__(self, lab: Lab, name: str, address: str) -> None:
        self.host: Host = lab.host(name, address)
        with self.host.inside():
            self.sockets = lab.keep(Sockets())
            self.look()

    def look(self) -> None:
        with self.host.inside(), Netlink() as netlink:
            eth0 = netlink.interfaces()["eth0"]
        self.index = eth0.index
        self.source = {address.family: address.address for address in eth0.addresses}

    def listen(self, family: Family) -> None:
        with self.host.inside():
            self.sockets.listen(Listen(interface="eth0", index=self.index, family=family, group=GROUPS[family]))

    def send(self, family: Family, data: bytes = b"", destination: str = "") -> SendAdvert:
        source, group = self.source[family], destination or GROUPS[family]
        advert = Advert(version=3, virtual_router_id=7, priority=100, interval=10**9, addresses=())
        effect = SendAdvert(
            router="tic",
            slot=0,
            interface="eth0",
            index=self.index,
            family=family,
            source=source,
            destination=group,
            data=data or packet.encode(advert, family=family, source=source, destination=group),
            leaving=False,
        )
        with self.host.inside():
            self.sockets.send(effect)
        return effect

    def hear(self, count: int = 1) -> list[DatagramReceived | SocketOverflowed]:
        heard: list[DatagramReceived | SocketOverflowed] = []

        def enough() -> bool:
            heard.extend(self.sockets.received())
            return len(heard) >= count

        wait_until(enough, within=2.0, what=f"{count} packets", descriptor=self.sockets.fileno())
        return heard


@pytest.fixture
def tic(lab: Lab) -> Speaker:
    return Speaker(lab, "tic", "192.0.2.1/24")


@pytest.fixture
def tac(lab: Lab) -> Speaker:
    return Speaker(lab, "tac", "192.0.2.2/24")


@BOTH
def test_an_advert_is_heard_by_the_other_host_and_not_by_the_one_that_sent_it(
    tic: Speaker, tac: Speaker, family: Family
) -> None:
    tic.listen(family)
    tac.listen(family)
    before = time.monotonic_ns()

    sent = tic.send(family)
    (heard,) = tac.hear()

    assert isinstance(heard, DatagramReceived)
    assert before <= heard.at <= time.monotonic_ns()
    expected = ("eth0", family, tic.source[family], GROUPS[family], 255, sent.data)
    assert expected == (heard.interface, heard.family, heard.source, heard.destination, heard.ttl, heard.data)
    packet.decode(
        heard.data, family=family, source=heard.source, destination=heard.destination, ttl=heard.ttl, version=3
    )
    assert list(tic.sockets.received()) == []


@BOTH
def test_the_ip_header_of_an_advert_is_that_of_the_rfc(lab: Lab, tic: Speaker, family: Family) -> None:
    wire = lab.lan.capture()

    tic.send(family)

    (frame,) = [found.scapy() for found in [wire.wait_for(lambda one: one.vrrp(), within=2.0, what="the advert")]]
    if family is Family.IPV4:
        assert ("01:00:5e:00:00:12", 255, 0xC0, 112) == (frame.dst, frame[IP].ttl, frame[IP].tos, frame[IP].proto)
    else:
        assert ("33:33:00:00:00:12", 255, 0xC0, 112) == (frame.dst, frame[IPv6].hlim, frame[IPv6].tc, frame[IPv6].nh)


@BOTH
def test_a_forged_ttl_is_heard_as_it_is(tic: Speaker, tac: Speaker, family: Family) -> None:
    tac.listen(family)
    level, option = {
        Family.IPV4: (socket.IPPROTO_IP, socket.IP_MULTICAST_TTL),
        Family.IPV6: (socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_HOPS),
    }[family]
    with tic.host.inside(), socket.socket(sockets._AF[family], socket.SOCK_RAW, 112) as forger:
        forger.setsockopt(level, option, 7)
        forger.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"eth0")
        forger.sendto(b"12345678", (GROUPS[family], 0))

    (heard,) = tac.hear()

    assert isinstance(heard, DatagramReceived)
    assert heard.ttl == 7


@BOTH
def test_other_groups_are_not_heard_even_when_the_host_has_joined_them(
    tic: Speaker, tac: Speaker, family: Family
) -> None:
    other = {Family.IPV4: "224.0.0.99", Family.IPV6: "ff02::99"}[family]
    with tac.host.inside():
        tac.sockets.listen(Listen(interface="eth0", index=tac.index, family=family, group=other))
    tac.listen(family)

    tic.send(family, destination=other)
    tic.send(family)

    heard = tac.hear(2)
    assert [other, GROUPS[family]] == [each.destination for each in heard if isinstance(each, DatagramReceived)]


@BOTH
def test_after_unlisten_the_group_is_left_and_nothing_is_heard(tic: Speaker, tac: Speaker, family: Family) -> None:
    tac.listen(family)
    leave = Unlisten(interface="eth0", family=family, group=GROUPS[family])
    tac.sockets.unlisten(leave)
    tac.sockets.unlisten(leave)

    tic.send(family)

    assert GROUPS[family] not in tac.host.run(["ip", "maddress", "show", "dev", "eth0"]).stdout
    assert list(tac.sockets.received()) == []


@BOTH
def test_listening_survives_a_flap_of_the_link(tic: Speaker, tac: Speaker, family: Family) -> None:
    tac.listen(family)
    for up in (False, True):
        tac.host.link(up=up)
        tic.host.link(up=up)
    for speaker in (tic, tac):
        speaker.host._wait_for_link_local("eth0")
        speaker.look()

    tic.send(family)

    assert len(tac.hear()) == 1


@BOTH
def test_an_interface_that_comes_back_as_another_is_heard_again(
    lab: Lab, tic: Speaker, tac: Speaker, family: Family
) -> None:
    tac.listen(family)
    tac.host.run(["ip", "link", "del", "eth0"])
    tac.sockets.forget("eth0")
    tac.host.attach(lab.lan, "eth0", "192.0.2.2/24")
    tac.look()
    tac.listen(family)

    tic.send(family)
    tac.send(family)

    assert len(tac.hear()) == 1


def test_losses_are_told_after_the_packets(tic: Speaker, tac: Speaker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sockets, "RECEIVE_BUFFER", 2048)
    tac.listen(Family.IPV4)
    for _ in range(50):
        tic.send(Family.IPV4)
    first = tac.hear()
    tic.send(Family.IPV4)
    then = tac.hear(2)

    assert len(first) < 50
    assert isinstance(then[0], DatagramReceived)
    assert isinstance(then[-1], SocketOverflowed)
    assert then[-1].lost == 50 - len(first)


def test_what_cannot_be_sent_or_heard_is_told_with_its_reason(tic: Speaker) -> None:
    tic.source[Family.IPV4] = "192.0.2.77"
    with pytest.raises(KernelProblem, match=r"send to 224.0.0.18 from 192.0.2.77 on eth0: Cannot assign requested"):
        tic.send(Family.IPV4)
    nowhere = Listen(interface="eth7", index=7, family=Family.IPV4, group="224.0.0.18")
    with pytest.raises(KernelProblem, match=r"listen to 224.0.0.18 on eth7: No such device"):
        tic.sockets.listen(nowhere)


def test_sending_works_again_once_the_link_is_back(tic: Speaker, tac: Speaker) -> None:
    tac.listen(Family.IPV4)
    tic.send(Family.IPV4)
    tic.host.link(up=False)
    with pytest.raises(KernelProblem, match="Network is"):
        tic.send(Family.IPV4)
    tic.host.link(up=True)

    tic.send(Family.IPV4)

    assert len(tac.hear(2)) == 2
