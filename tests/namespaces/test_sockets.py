"""Raw sockets of VRRP between two hosts: what is sent is heard, with everything that the header said."""

import socket
import time
from collections.abc import Iterator

import pytest
from scapy.layers.inet import IP
from scapy.layers.inet6 import IPv6

from namespaces.lab import Host, Lab
from namespaces.waiting import quiet_for, wait_until
from stayalived.addresses import Family
from stayalived.errors import KernelProblem
from stayalived.kernel.neighbours import NeighbourSender
from stayalived.kernel.netlink import Netlink
from stayalived.timing import Instant
from stayalived.vrrp import ears, packet
from stayalived.vrrp.arrivals import LATE
from stayalived.vrrp.datagrams import SO_TIMESTAMPNS, Header, read_arrival, split_ipv4, split_message6
from stayalived.vrrp.effects import Listen, SendAdvert, Unlisten
from stayalived.vrrp.events import DatagramReceived, MessagesReceived, PacketsReceived, Received, SocketOverflowed
from stayalived.vrrp.packet import Advert
from stayalived.vrrp.sockets import Sockets
from stayalived.vrrp.speaker import Speaker

NOW = Instant(42)
SLOTS = 32
GROUPS = {Family.IPV4: "224.0.0.18", Family.IPV6: "ff02::12"}
BOTH = pytest.mark.parametrize("family", list(Family), ids=lambda family: f"IPv{family}")


@pytest.fixture(scope="module", autouse=True)
def _stamping() -> Iterator[None]:
    """Packets are stamped as they come: the kernel begins with that a while after a first socket has asked for it.

    net/core/dev.c: netstamp_work. Until then they are stamped when they are read.
    """
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as ear,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as mouth,
    ):
        ear.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        ear.bind(("127.0.0.1", 0))

        def stamped() -> bool:
            mouth.sendto(b"", ear.getsockname())
            quiet_for(0.01)
            came = read_arrival(ear.recvmsg(1, 64)[1])
            return came is not None and time.time_ns() - came >= 10_000_000

        wait_until(stamped, within=5.0, what="packets to be stamped when they come")
        yield


class Station:
    """A host with its sockets."""

    def __init__(self, lab: Lab, name: str, address: str) -> None:
        self.host: Host = lab.host(name, address)
        with self.host.inside():
            self.sockets = lab.keep(Sockets())
            self.page = memoryview(bytearray(8 * SLOTS)).cast("q")
            self.speaker = lab.keep(Speaker(lab.keep(NeighbourSender()), self.page))
            self.look()

    def look(self) -> None:
        with self.host.inside(), Netlink() as netlink:
            eth0 = netlink.interfaces()["eth0"]
        self.index = eth0.index
        self.source = {address.family: address.address for address in eth0.addresses}

    def listen(self, family: Family) -> None:
        with self.host.inside():
            self.sockets.listen(Listen(interface="eth0", index=self.index, family=family, address=GROUPS[family]))

    def advert(
        self, family: Family, data: bytes = b"", destination: str = "", ttl: int = 255, number: int = 7
    ) -> SendAdvert:
        source, group = self.source[family], destination or GROUPS[family]
        advert = Advert(version=3, virtual_router_id=number, priority=100, interval=10**9, addresses=())
        return SendAdvert(
            router="tic",
            slot=number,
            interface="eth0",
            index=self.index,
            family=family,
            source=source,
            destination=group,
            data=data or packet.encode(advert, family=family, source=source, destination=group),
            leaving=False,
            ttl=ttl,
        )

    def say(self, *adverts: SendAdvert) -> list[str]:
        """Send adverts; return what was refused."""
        with self.host.inside():
            return [str(problem) for _, problem in self.speaker.say(adverts, NOW)]

    def send(self, family: Family, data: bytes = b"", destination: str = "", ttl: int = 255) -> SendAdvert:
        advert = self.advert(family, data, destination, ttl)
        for problem in self.say(advert):
            raise AssertionError(problem)
        return advert

    def hear(self, count: int = 1) -> list[DatagramReceived | SocketOverflowed]:
        heard: list[DatagramReceived | SocketOverflowed] = []

        def enough() -> bool:
            heard.extend(each for event in self.sockets.received() for each in singly(event))
            return len(heard) >= count

        wait_until(enough, within=2.0, what=f"{count} packets", descriptor=self.sockets.fileno())
        return heard


def singly(event: Received) -> list[DatagramReceived | SocketOverflowed]:
    """Return what came in together one by one."""
    if isinstance(event, PacketsReceived):
        return [_datagram(event.interface, Family.IPV4, *split_ipv4(packet)) for packet in event.packets]
    if isinstance(event, MessagesReceived):
        return [_datagram(event.interface, Family.IPV6, *split_message6(message)) for message in event.messages]
    return [event]


def _datagram(interface: str, family: Family, header: Header, data: bytes) -> DatagramReceived:
    values = {"source": header.source, "destination": header.destination, "ttl": header.ttl}
    return DatagramReceived(interface=interface, family=family, data=data, at=Instant(time.monotonic_ns()), **values)


@pytest.fixture
def tic(lab: Lab) -> Station:
    return Station(lab, "tic", "192.0.2.1/24")


@pytest.fixture
def tac(lab: Lab) -> Station:
    return Station(lab, "tac", "192.0.2.2/24")


@BOTH
def test_an_advert_is_heard_by_the_other_host_and_not_by_the_one_that_sent_it(
    tic: Station, tac: Station, family: Family
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
def test_the_ip_header_of_an_advert_is_that_of_the_rfc(lab: Lab, tic: Station, family: Family) -> None:
    wire = lab.lan.capture()

    tic.send(family)

    (frame,) = [found.scapy() for found in [wire.wait_for(lambda one: one.vrrp(), within=2.0, what="the advert")]]
    if family is Family.IPV4:
        assert ("01:00:5e:00:00:12", 255, 0xC0, 112) == (frame.dst, frame[IP].ttl, frame[IP].tos, frame[IP].proto)
    else:
        assert ("33:33:00:00:00:12", 255, 0xC0, 112) == (frame.dst, frame[IPv6].hlim, frame[IPv6].tc, frame[IPv6].nh)


@BOTH
def test_a_forged_ttl_is_heard_as_it_is(tic: Station, tac: Station, family: Family) -> None:
    tac.listen(family)
    level, option = {
        Family.IPV4: (socket.IPPROTO_IP, socket.IP_MULTICAST_TTL),
        Family.IPV6: (socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_HOPS),
    }[family]
    with tic.host.inside(), socket.socket(ears._AF[family], socket.SOCK_RAW, 112) as forger:
        forger.setsockopt(level, option, 7)
        forger.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"eth0")
        forger.sendto(b"12345678", (GROUPS[family], 0))

    (heard,) = tac.hear()

    assert isinstance(heard, DatagramReceived)
    assert heard.ttl == 7


@BOTH
def test_other_groups_are_not_heard_even_when_the_host_has_joined_them(
    tic: Station, tac: Station, family: Family
) -> None:
    other = {Family.IPV4: "224.0.0.99", Family.IPV6: "ff02::99"}[family]
    with tac.host.inside():
        tac.sockets.listen(Listen(interface="eth0", index=tac.index, family=family, address=other))
    tac.listen(family)

    tic.send(family, destination=other)
    tic.send(family)

    heard = tac.hear(2)
    assert [other, GROUPS[family]] == [each.destination for each in heard if isinstance(each, DatagramReceived)]


@BOTH
def test_after_unlisten_the_group_is_left_and_nothing_is_heard(tic: Station, tac: Station, family: Family) -> None:
    tac.listen(family)
    leave = Unlisten(interface="eth0", family=family, address=GROUPS[family])
    tac.sockets.unlisten(leave)
    tac.sockets.unlisten(leave)

    tic.send(family)

    assert GROUPS[family] not in tac.host.run(["ip", "maddress", "show", "dev", "eth0"]).stdout
    assert list(tac.sockets.received()) == []


@BOTH
def test_listening_survives_a_flap_of_the_link(tic: Station, tac: Station, family: Family) -> None:
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
    lab: Lab, tic: Station, tac: Station, family: Family
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


def test_losses_are_told_after_the_packets(tic: Station, tac: Station, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ears, "RECEIVE_BUFFER", 2048)
    monkeypatch.setattr(ears, "MANY", 1)
    tac.listen(Family.IPV4)
    for _ in range(50):
        tic.send(Family.IPV4)

    *heard, overflow = tac.hear(2)

    assert 0 < len(heard) < 50
    assert isinstance(overflow, SocketOverflowed)
    assert overflow.lost == 50 - len(heard)
    tic.send(Family.IPV4)
    assert [DatagramReceived] == [type(each) for each in tac.hear()]


@BOTH
def test_what_waited_while_nobody_looked_is_told_with_the_moments_at_which_it_came(
    tic: Station, tac: Station, family: Family
) -> None:
    tac.listen(family)
    tic.send(family)
    begin = time.monotonic_ns()
    quiet_for(2 * LATE / 1e9)
    tic.send(family)

    heard = list(tac.sockets.received())

    assert [type(each) for each in heard] == [DatagramReceived, DatagramReceived]
    assert heard[0].at <= begin + 2_000_000
    assert heard[1].at - heard[0].at >= LATE


@BOTH
def test_many_packets_that_come_together_are_told_together(tic: Station, tac: Station, family: Family) -> None:
    tac.listen(family)
    for _ in range(20):
        tic.send(family)

    (event,) = tac.sockets.received()

    assert len(singly(event)) == 20


@BOTH
def test_unicast_is_heard_by_the_address_that_it_is_sent_to(tic: Station, tac: Station, family: Family) -> None:
    own = tac.source[family]
    with tac.host.inside():
        tac.sockets.listen(Listen(interface="eth0", index=tac.index, family=family, address=own))
    tac.listen(family)

    tic.send(family, destination=own, ttl=64)

    (heard,) = tac.hear()
    assert (own, 64, tic.source[family]) == (heard.destination, heard.ttl, heard.source)


@BOTH
def test_a_socket_that_speaks_to_a_peer_keeps_nothing_of_what_the_peer_says(
    tic: Station, tac: Station, family: Family
) -> None:
    tac.send(family, destination=tic.source[family])

    tic.send(family, destination=tac.source[family])

    (mouth,) = tac.speaker._mouths.values()
    with pytest.raises(BlockingIOError):
        mouth._socket.recv(100)


@BOTH
def test_a_peer_that_speaks_no_vrrp_costs_no_advert(tic: Station, tac: Station, family: Family) -> None:
    wire = tic.host.lab.lan.capture()

    for _ in range(3):  # the host answers the first one: no such protocol
        tic.send(family, destination=tac.source[family])
        wire.wait_for(lambda one: one.sender == "tac", within=2.0, what="what ICMP says")

    assert len(wire.adverts("tic")) == 3


def test_what_cannot_be_sent_or_heard_is_told_with_its_reason(tic: Station) -> None:
    tic.source[Family.IPV4] = "192.0.2.77"
    (refused,) = tic.say(tic.advert(Family.IPV4))
    assert refused.startswith("send to 224.0.0.18 from 192.0.2.77 on eth0: Cannot assign requested")
    nowhere = Listen(interface="eth7", index=7, family=Family.IPV4, address="224.0.0.18")
    with pytest.raises(KernelProblem, match=r"listen to 224.0.0.18 on eth7: No such device"):
        tic.sockets.listen(nowhere)


def test_sending_works_again_once_the_link_is_back(tic: Station, tac: Station) -> None:
    tac.listen(Family.IPV4)
    tic.send(Family.IPV4)
    tic.host.link(up=False)
    (refused,) = tic.say(tic.advert(Family.IPV4))
    assert "Network is" in refused
    tic.host.link(up=True)

    tic.send(Family.IPV4)

    assert len(tac.hear(2)) == 2


@BOTH
def test_adverts_that_leave_together_again_and_again_all_arrive_in_their_order(
    tic: Station, tac: Station, family: Family
) -> None:
    adverts = [tic.advert(family, number=number) for number in range(1, 21)]
    tac.listen(family)

    for _ in range(4):
        assert tic.say(*adverts) == []

    heard = tac.hear(80)
    assert [advert.data for advert in adverts] * 4 == [one.data for one in heard if isinstance(one, DatagramReceived)]
    assert [0, *[NOW] * 20, *[0] * 11] == tic.page.tolist()


def test_of_adverts_that_leave_together_each_refusal_is_told_until_the_link_is_back(tic: Station, tac: Station) -> None:
    adverts = [tic.advert(Family.IPV4, number=number) for number in range(1, 11)]
    tac.listen(Family.IPV4)
    for _ in range(3):
        tic.say(*adverts)
    assert len(tac.hear(30)) == 30
    tic.page[1:11] = memoryview(bytearray(80)).cast("q")

    tic.host.link(up=False)
    for _ in range(2):
        assert len(tic.say(*adverts)) == 10
    assert set(tic.page.tolist()) == {0}
    tic.host.link(up=True)
    for _ in range(3):
        assert tic.say(*adverts) == []

    assert len(tac.hear(30)) == 30


def test_other_adverts_of_the_same_routers_are_not_mistaken_for_those_before(tic: Station, tac: Station) -> None:
    tac.listen(Family.IPV4)
    first = [tic.advert(Family.IPV4, number=number) for number in range(1, 11)]
    second = [first[0], *(tic.advert(Family.IPV4, number=number) for number in range(11, 20))]

    for adverts in (first, first, first, second, second, second):
        tic.say(*adverts)

    heard = [one.data for one in tac.hear(60) if isinstance(one, DatagramReceived)]
    assert [advert.data for advert in first * 3 + second * 3] == heard
