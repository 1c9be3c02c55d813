"""What comes from another director is marked before IPVS would see it; the rest is left alone."""

import socket
from collections.abc import Iterator

import pytest

from namespaces.lab import Host, Lab
from namespaces.waiting import wait_until
from stayalived.addresses import packed
from stayalived.ipvs.events import Direct, Marks
from stayalived.kernel.direction import Direction
from stayalived.kernel.peer_marks import PeerMarks

MARK = 29556
VIRTUAL, VIRTUAL6, OWN = "192.0.2.100", "2001:db8::100", "192.0.2.1"
COUNTERS = """\
table inet seen {
  counter marked { }
  counter unmarked { }
  chain input {
    type filter hook input priority 50;
    udp dport 42 meta mark 29556 counter name marked
    udp dport 42 meta mark 0 counter name unmarked
  }
}
"""


class Site:
    """A director, another one, and a client."""

    def __init__(self, lab: Lab) -> None:
        self.director = lab.host("director", f"{OWN}/24", "2001:db8::1/64")
        self.peer = lab.host("peer", "192.0.2.2/24", "2001:db8::2/64")
        self.client = lab.host("client", "192.0.2.3/24", "2001:db8::3/64")
        for address in (f"{VIRTUAL}/24", f"{VIRTUAL6}/64"):
            self.director.add_address(address)
        self.director.run(["nft", "-f", "-"], input=COUNTERS)
        self.marks = PeerMarks()

    def make(self, marks: Marks | None) -> None:
        with self.director.inside():
            self.marks.make("peers", marks)

    def wanted(self, **changes: object) -> Marks:
        mac = bytes.fromhex(self.peer.mac().replace(":", ""))
        addresses = (packed(VIRTUAL), packed(VIRTUAL6))
        usual = {"table": "peers", "priority": -1, "macs": (mac,), "mark": MARK, "addresses": addresses}
        return Marks(**{**usual, **changes})

    def counted(self) -> tuple[int, int]:
        """Return how many packets came marked and unmarked since the last look."""
        found = []
        for name in ("marked", "unmarked"):
            words = self.director.run(["nft", "reset", "counter", "inet", "seen", name]).stdout.split()
            found.append(int(words[words.index("packets") + 1]))
        return found[0], found[1]

    def send(self, host: Host, target: str) -> None:
        with host.inside(), socket.socket(socket.AF_INET6 if ":" in target else socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.connect((target, 42))
            s.send(b"x")
        # Both ends are on one kernel: what is sent has arrived, once the neighbour is known.
        host.run(["ping", "-c1", "-W5", target])

    def table(self) -> str:
        return self.director.run(["nft", "-nn", "list", "ruleset"]).stdout


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    with Lab() as lab:
        yield Site(lab)


@pytest.mark.parametrize("target", [VIRTUAL, VIRTUAL6])
def test_what_the_peer_sends_to_a_virtual_address_is_marked(site: Site, target: str) -> None:
    site.make(site.wanted())
    site.counted()

    site.send(site.client, target)
    assert (0, 1) == site.counted()
    site.send(site.peer, target)
    assert (1, 0) == site.counted()


def test_what_the_peer_sends_to_other_addresses_is_not(site: Site) -> None:
    site.make(site.wanted())
    site.counted()

    site.send(site.peer, OWN)

    assert (0, 1) == site.counted()


def test_the_table_is_made_anew_and_goes(site: Site) -> None:
    site.make(site.wanted(addresses=(packed(VIRTUAL),), fwmarks=(7,), tunnelled=True))
    site.make(site.wanted(addresses=(packed(VIRTUAL),), fwmarks=(7,), tunnelled=True))

    mac = site.peer.mac()
    rules = [line.strip() for line in site.table().splitlines() if mac in line]
    assert [
        f"ether saddr {mac} ip daddr @ipv4 meta mark set 0x00007374",
        f"ether saddr {mac} ip6 daddr @ipv6 meta mark set 0x00007374",
        f"ether saddr {mac} meta mark 0x00000007 meta mark set 0x00007374",
        *(f"ether saddr {mac} meta l4proto {number} meta mark set 0x00007374" for number in (4, 41, 47)),
    ] == rules

    site.make(None)
    assert "table inet peers" not in site.table()
    site.make(None)


def test_thousands_of_addresses_fit(site: Site) -> None:
    addresses = tuple(bytes((10, 0, high, low)) for high in range(10) for low in range(250))

    site.make(site.wanted(addresses=addresses))

    listed = site.director.run(["nft", "-nn", "list", "set", "inet", "peers", "ipv4"]).stdout
    assert len(addresses) == listed.count("10.0.")


def test_peers_by_address_are_looked_up(site: Site) -> None:
    site.director.run(["ip", "neigh", "flush", "all"])
    found = Direction()
    marks = site.wanted(macs=(), peers=("192.0.2.2", "2001:db8::2", OWN))

    def known() -> bool:
        with site.director.inside():
            return not found.carry_out(Direct(table="peers", marks=marks)).problems

    assert not known(), "nobody has asked for it yet"
    wait_until(known, within=10, what="the hardware address of the peer")

    site.counted()
    site.send(site.client, VIRTUAL)
    site.send(site.peer, VIRTUAL)
    assert (1, 1) == site.counted()
    site.director.run(["ip", "neigh", "flush", "all"])
    assert known(), "what was learned is kept"


def test_a_peer_that_is_not_there_is_named(site: Site) -> None:
    marks = site.wanted(macs=(), peers=("192.0.2.77",))

    with site.director.inside():
        (problem,) = Direction().carry_out(Direct(table="peers", marks=marks)).problems

    assert "the MAC address of 192.0.2.77 in peer_directors is not known" in problem
