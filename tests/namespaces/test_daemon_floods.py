"""Packets that nobody should send, a hundred thousand of them, at a MASTER."""

import itertools
import random
import socket
import struct
import time
from collections.abc import Callable, Iterator
from ipaddress import ip_address
from pathlib import Path

import pytest

from namespaces.daemon import Daemon, vrrp_instance
from namespaces.lab import Host, Lab
from namespaces.waiting import wait_until
from stayalived.addresses import Family
from stayalived.timing import seconds
from stayalived.vrrp import packet

pytestmark = pytest.mark.alone

WARMING_UP = 6
PACKETS = 40_000
DIFFERENT = 5_000
ADVERT = 0.2
ROUTER, PRIORITY = 1, 200
VIPS = {Family.IPV4: "192.0.2.100", Family.IPV6: "2001:db8::100"}
GROUPS = {Family.IPV4: "224.0.0.18", Family.IPV6: "ff02::12"}
LINES_A_SECOND = 10
GROWTH = 2 * 1024
"""KiB by which the process may grow while the last packets come in, beyond what it ever had before."""

Property = Callable[[str, object], None]


class Attacker:
    """Frames from a host, made of adverts and of nothing."""

    def __init__(self, host: Host, seed: int = 1) -> None:
        self._random = random.Random(seed)
        self._mac = bytes.fromhex(host.mac().replace(":", ""))
        link_local = next(text for text in host.addresses(link_local=True) if text.startswith("fe80"))
        self._sources = {Family.IPV4: "192.0.2.66", Family.IPV6: link_local.partition("/")[0]}
        with host.inside():
            self._socket = host.lab.keep(socket.socket(socket.AF_PACKET, socket.SOCK_RAW))
        self._socket.bind(("eth0", 0))

    def frames(self, count: int) -> list[bytes]:
        """Return different frames, none of which a master may give way to."""
        makers = (self._garbage, self._flipped, self._torn, self._of_strangers, self._badly_addressed, self._lower)
        return [makers[number % len(makers)](list(Family)[number // len(makers) % 2]) for number in range(count)]

    def send(self, frames: Iterator[bytes]) -> None:
        for frame in frames:
            self._socket.send(frame)

    def _advert(self, family: Family, *, router: int = ROUTER, priority: int = 100) -> bytes:
        advert = packet.Advert(
            version=3,
            virtual_router_id=router,
            priority=priority,
            interval=seconds(ADVERT),
            addresses=(ip_address(VIPS[family]).packed,),
        )
        return packet.encode(advert, family=family, source=self._sources[family], destination=GROUPS[family])

    def _garbage(self, family: Family) -> bytes:
        return self._framed(family, self._random.randbytes(self._random.randrange(80)))

    def _flipped(self, family: Family) -> bytes:
        """One bit of a good advert is wrong, so its checksum is."""
        data = bytearray(self._advert(family, priority=255))
        data[self._random.randrange(len(data))] ^= 1 << self._random.randrange(8)
        return self._framed(family, bytes(data))

    def _torn(self, family: Family) -> bytes:
        data = self._advert(family, priority=255)
        return self._framed(family, data[: self._random.randrange(1, len(data))])

    def _of_strangers(self, family: Family) -> bytes:
        return self._framed(family, self._advert(family, router=self._random.randrange(2, 256), priority=255))

    def _badly_addressed(self, family: Family) -> bytes:
        return self._framed(family, self._advert(family, priority=255), ttl=self._random.randrange(255))

    def _lower(self, family: Family) -> bytes:
        return self._framed(family, self._advert(family, priority=self._random.randrange(1, PRIORITY)))

    def _framed(self, family: Family, data: bytes, ttl: int = 255) -> bytes:
        source, group = (ip_address(text).packed for text in (self._sources[family], GROUPS[family]))
        if family is Family.IPV4:
            head = struct.pack("!BBHHHBBH4s4s", 0x45, 0xC0, 20 + len(data), 0, 0, ttl, 112, 0, source, group)
            total = sum(struct.unpack("!10H", head))
            total = (total & 0xFFFF) + (total >> 16)
            head = head[:10] + struct.pack("!H", ~(total + (total >> 16)) & 0xFFFF) + head[12:]
            return b"\x01\x00\x5e\x00\x00\x12" + self._mac + b"\x08\x00" + head + data
        head = struct.pack("!IHBB16s16s", 0x6C000000, len(data), 112, ttl, source, group)
        return b"\x33\x33\x00\x00\x00\x12" + self._mac + b"\x86\xdd" + head + data


def resident(pid: int) -> int:
    """Return how much memory a process has, in KiB."""
    (line,) = [text for text in Path(f"/proc/{pid}/status").read_text().splitlines() if text.startswith("VmRSS")]
    return int(line.split()[1])


@pytest.fixture
def tic(lab: Lab) -> Daemon:
    host = lab.host("tic", "192.0.2.1/24", "2001:db8::1/64")
    text = vrrp_instance("192.0.2.100/24", "2001:db8::100/64", priority=PRIORITY, advert_int=ADVERT)
    daemon = Daemon(host, {"10-vrrp.toml": text})
    daemon.start()
    daemon.wait_for_state("MASTER", within=5.0)
    host.wait_for_address("2001:db8::100/64")
    return daemon


def test_a_master_stays_master_under_a_flood(lab: Lab, tic: Daemon, record_property: Property) -> None:
    attacker = Attacker(lab.host("mallory", "192.0.2.66/24", "2001:db8::66/64"))
    frames = itertools.cycle(attacker.frames(DIFFERENT))
    vrrp = tic.child("vrrp")
    lines, begun = len(tic.log().splitlines()), time.monotonic()

    sizes = []
    for _ in range(WARMING_UP):  # until bursts have been as long as they get, and what is remembered of senders is full
        attacker.send(itertools.islice(frames, PACKETS))
        wait_for_silence(tic)
        sizes.append(resident(vrrp))
    wire = tic.host.capture(outgoing=True)
    attacker.send(itertools.islice(frames, PACKETS))
    wait_for_silence(tic)
    grown, took = resident(vrrp) - max(sizes), time.monotonic() - begun

    routers = tic.instance()["routers"]
    heard = sum(router["adverts_received"] for router in routers)
    record_property("heard", heard)
    record_property("seconds", round(took, 2))
    record_property("grown", grown)
    assert "MASTER" == tic.instance()["state"]
    assert [1, 1] == [router["became_master"] for router in routers]
    assert (vrrp, 0) == (tic.child("vrrp"), tic.children()["vrrp"]["restarts"])
    assert heard > PACKETS / 10
    assert all(router["errors"]["checksum"] > 0 for router in routers)
    assert grown < GROWTH
    written = tic.log().splitlines()[lines:]
    assert len(written) <= LINES_A_SECOND * took, "\n".join(written[:50])
    for ethertype in (0x0800, 0x86DD):
        times = [sent.time for sent in wire.adverts() if sent.ethertype == ethertype]
        assert max(after - before for before, after in itertools.pairwise(times)) / 1e9 < 2 * ADVERT
    assert tic.stop() == 0


def wait_for_silence(daemon: Daemon) -> None:
    """Wait until the process has read all that waits for it: its counters stand still."""
    last: list[int] = []

    def still() -> bool:
        last.append(sum(router["adverts_received"] for router in daemon.instance()["routers"]))
        return len(last) > 50 and len(set(last[-50:])) == 1

    wait_until(still, within=60.0, what="the end of the flood")
