"""Ours elects with routers that nobody here wrote: every version, family and way of each, through all that happens."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from namespaces.capture import ETH_P_ARP, Packet
from namespaces.decoders import Tshark, as_list
from namespaces.elections import EVENTS, LOW, OURS, Contest
from namespaces.kinds import Kind, Router
from namespaces.lab import Lab
from namespaces.scenes import Scene, Seen
from namespaces.stories import Publish, Stories

pytestmark = pytest.mark.alone

V2 = {"version": 2, "advert_int": 1, "ours": "child"}
V3 = {"version": 3, "advert_int": 0.2, "ours": "child"}
IPV4 = ("192.0.2.101/24", "192.0.2.100/32")
IPV6 = ("2001:db8::101/64", "2001:db8::100/128")

KINDS = {  # the slowest first
    "keepalived-v2-IPv4": Kind(**V2, addresses=IPV4),
    "frr-v2-IPv4": Kind(**V2, addresses=IPV4, peer="frr"),
    "keepalived-v2-IPv4-password": Kind(**V2, addresses=IPV4, password="s3cret"),
    "keepalived-v2-IPv4-unicast": Kind(**V2, addresses=IPV4, way="unicast"),
    "keepalived-v2-IPv4-vmac": Kind(**V2, addresses=IPV4, way="vmac"),
    "frr-v2-IPv4-vmac": Kind(**V2, addresses=IPV4, peer="frr", way="vmac"),
    "keepalived-v3-both": Kind(**(V3 | {"ours": "daemon"}), addresses=IPV4 + IPV6),
    "keepalived-v3-both-their-vmac": Kind(**V3, addresses=IPV4 + IPV6, way="their vmac"),
    "keepalived-v3-IPv4": Kind(**V3, addresses=IPV4),
    "keepalived-v3-IPv6": Kind(**V3, addresses=IPV6),
    "keepalived-v3-both-unicast": Kind(**V3, addresses=IPV4 + IPV6, way="unicast"),
    "keepalived-v3-IPv4-unicast": Kind(**V3, addresses=IPV4, way="unicast"),
    "keepalived-v3-IPv6-unicast": Kind(**V3, addresses=IPV6, way="unicast"),
    "frr-v3-both": Kind(**V3, addresses=IPV4 + IPV6, peer="frr"),
    "frr-v3-IPv4": Kind(**V3, addresses=IPV4, peer="frr"),
    "frr-v3-IPv6": Kind(**V3, addresses=IPV6, peer="frr"),
    "keepalived-v3-both-vmac": Kind(**V3, addresses=IPV4 + IPV6, way="vmac"),
    "keepalived-v3-IPv4-vmac": Kind(**V3, addresses=IPV4, way="vmac"),
    "keepalived-v3-IPv6-vmac": Kind(**V3, addresses=IPV6, way="vmac"),
    "frr-v3-both-vmac": Kind(**V3, addresses=IPV4 + IPV6, peer="frr", way="vmac"),
    "frr-v3-IPv4-vmac": Kind(**V3, addresses=IPV4, peer="frr", way="vmac"),
    "frr-v3-IPv6-vmac": Kind(**V3, addresses=IPV6, peer="frr", way="vmac"),
    "keepalived-v3-groups": Kind(**V3, addresses=IPV4 + IPV6, grouped=True),
    # Whether what is asked of ours is what two keepaliveds do.
    "reference-v3-both": Kind(**(V3 | {"ours": "keepalived"}), addresses=IPV4 + IPV6),
}
AT_ONCE = 12
"""Stories that are told at a time on two processors: a story of a fifth of a second between adverts uses a hundredth of
one, and keeps its times as long as the processes that speak VRRP are real-time ones."""

LOG_KEPT = 4000
"""Characters of each log that are shown when a story breaks off."""

BLOCK = 5
"""`garp_master_repeat`."""

Property = Callable[[str, object], None]
EVERY_KIND = pytest.mark.parametrize("name", KINDS)
KEEPALIVEDS = pytest.mark.parametrize("name", [name for name, kind in KINDS.items() if kind.peer == "keepalived"])


def teller(kind: Kind) -> Callable[[Publish[Seen]], None]:
    """Return what tells the story of one kind; when it breaks off, with the logs of all who took part."""

    def tell(publish: Publish[Seen]) -> None:
        with Lab() as lab:
            try:
                Contest(lab, kind).play(publish)
            except BaseException as error:
                logs = [f"── {process.log_path.name}\n{process.log()[-LOG_KEPT:]}" for process in lab.processes()]
                error.add_note("\n".join(logs))
                raise

    return tell


@pytest.fixture(scope="module")
def stories(request: pytest.FixtureRequest) -> Iterator[Stories[Seen]]:
    """The stories that any of the chosen tests asks for."""
    items = [item for item in request.session.items if item.module is request.module]
    wanted = {name for item in items for name in asked_for(item)}
    told = Stories(((name, teller(kind)) for name, kind in KINDS.items() if name in wanted), at_once=AT_ONCE)
    yield told
    told.close()


def asked_for(item: pytest.Item) -> list[str]:
    """Return the stories that one test asks for: the one of its parameter, or all."""
    return [item.callspec.params["name"]] if hasattr(item, "callspec") else list(KINDS)


def scene_of(stories: Stories[Seen], name: str, event: str) -> Scene:
    seen = stories.told(name)
    assert event in seen.scenes, stories.how_it_ended(name)
    return seen.scenes[event]


@pytest.mark.parametrize("event", EVENTS)
@EVERY_KIND
def test_mastership_is_where_it_belongs_in_time(
    stories: Stories[Seen], name: str, event: str, record_property: Property
) -> None:
    scene = scene_of(stories, name, event)

    record_property("seconds", [round(each, 4) for each in scene.seconds])
    assert () == scene.odd
    assert all(scene.least < each < scene.most for each in scene.seconds), scene


@EVERY_KIND
def test_nobody_finds_anything_wrong_with_what_is_said(stories: Stories[Seen], name: str) -> None:
    seen = stories.told(name)

    assert "" == stories.how_it_ended(name)
    assert [] == seen.complaints
    assert {} == seen.errors


@EVERY_KIND
def test_our_adverts_are_theirs_but_for_what_is_our_own(stories: Stories[Seen], name: str) -> None:
    """Byte by byte: an advert and a last one in each family."""
    seen = stories.told(name)

    assert 2 * len(KINDS[name].routers) == len(seen.adverts["tic"])
    assert seen.adverts["peer"] == seen.adverts["tic"]


@KEEPALIVEDS
def test_our_announcements_are_keepaliveds_but_for_the_hardware_address(stories: Stories[Seen], name: str) -> None:
    """Byte by byte, in its order, as many in the first block."""
    ours = scene_of(stories, name, "they_die").announced
    theirs = scene_of(stories, name, "they_return").announced

    for router in KINDS[name].routers:
        count = BLOCK * len(router.addresses)
        mine, others = (of_router(frames, router)[:count] for frames in (ours, theirs))
        assert count == len(mine)
        assert others == mine


def of_router(frames: tuple[bytes, ...], router: Router) -> list[bytes]:
    """Return the announcements of the addresses of one virtual router."""
    bare = {address.partition("/")[0] for address in router.addresses}
    return [frame for frame in frames if Packet(time=0, sender="", data=frame).gratuitous() in bare]


@EVERY_KIND
def test_k14_k20_k166_k1528_whoever_hears_the_loser_of_a_split_announces_its_addresses_again(
    stories: Stories[Seen], name: str
) -> None:
    """Neighbours had learned those of the other half; without it they would talk to it until their entries expire."""
    scene = scene_of(stories, name, "we_win_a_tie")
    heard = any(last > 0 for last in scene.seconds)

    for router in KINDS[name].routers if heard else ():
        assert len(of_router(scene.announced, router)) >= BLOCK * len(router.addresses)


def test_tshark_reads_in_all_our_packets_what_was_meant(stories: Stories[Seen], tmp_path: Path) -> None:
    ours = [name for name, kind in KINDS.items() if kind.ours != "keepalived"]
    told = [(KINDS[name], packet) for name in ours for packet in stories.told(name).packets]
    tshark = Tshark([packet for _, packet in told], tmp_path / "ours.pcap")
    layers = tshark.layers()

    assert len(told) == len(layers) > 100
    for (kind, packet), layer in zip(told, layers, strict=True):
        if packet.vrrp():
            check_advert(kind, packet, layer)
        elif packet.ethertype == ETH_P_ARP:
            assert ("1", "1") == (layer["arp"]["arp.opcode"], layer["arp"]["arp.isgratuitous"])
        else:
            assert ("136", "1") == (layer["icmpv6"]["icmpv6.type"], layer["icmpv6"]["icmpv6.checksum.status"])
    assert [] == tshark.complaints()


def check_advert(kind: Kind, packet: Packet, layer: dict[str, Any]) -> None:
    """Compare an advert as tshark reads it with what it should have said."""
    (router,) = [each for each in kind.routers if each.says(packet)]
    family = router.family
    vrrp = layer["vrrp"]
    found = (vrrp["vrrp.typever_tree"]["vrrp.version"], vrrp["vrrp.virt_rtr_id"], vrrp["vrrp.checksum.status"])
    assert (str(kind.version), str(router.number), "1") == found
    assert vrrp["vrrp.prio"] in {"0", str(OURS), str(LOW)}
    addresses = as_list(vrrp["vrrp.ip_addr" if family == 4 else "vrrp.ipv6_addr"])
    assert [address.partition("/")[0] for address in router.addresses] == addresses
    assert "255" == (layer["ip"]["ip.ttl"] if family == 4 else layer["ipv6"]["ipv6.hlim"])
