"""What both sides must have alike and what may differ, ours beside keepalived: one virtual router for each setting."""

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import msgspec
import pytest

from namespaces.capture import Capture
from namespaces.kinds import GLOBAL_DEFS, SLACK, address_of
from namespaces.lab import Host, Lab
from namespaces.peers import Keepalived
from namespaces.rivals import carried
from namespaces.voices import advert, say
from namespaces.vrrp_child import VrrpChild
from namespaces.waiting import quiet_for, wait_until
from stayalived.timing import seconds
from vrrp_machine import configuration, instance, router

V2 = {"version": 2, "advert_int": 1}
V3 = {"version": 3, "advert_int": 0.2}
SLOWEST = "another interval in version 2"
LEARNED = "another interval in version 3"
BETTER = "another interval in version 3, ours is better"
WITHOUT = "checksum of ours without the pseudo-header"
SETTLES_WITHIN = 15.0
"""Seconds in which the slowest of them, 2 s between adverts, has become master."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A setting that differs. `masters` are those who have the addresses in the end; ours has priority 100."""

    ours: Mapping[str, object]
    theirs: Mapping[str, object]
    masters: set[str]
    their_priority: int = 200
    our_errors: set[str] = field(default_factory=set)


CASES = {
    "another version": Case(ours=V3, theirs=V2, masters={"tic", "peer"}, our_errors={"version"}),
    SLOWEST: Case(ours=V2, theirs=V2 | {"advert_int": 2}, masters={"tic", "peer"}, our_errors={"interval"}),
    "another password": Case(
        ours=V2 | {"authentication": b"ours".ljust(8, b"\0")},
        theirs=V2 | {"password": "theirs"},
        masters={"tic", "peer"},
        our_errors={"auth_failure"},
    ),
    "a password on one side": Case(
        ours=V2, theirs=V2 | {"password": "theirs"}, masters={"tic", "peer"}, our_errors={"authtype_mismatch"}
    ),
    LEARNED: Case(ours=V3 | {"advert_int": 0.4}, theirs=V3, masters={"peer"}),
    BETTER: Case(ours=V3 | {"advert_int": 0.4}, theirs=V3, masters={"tic"}, their_priority=50),
    WITHOUT: Case(ours=V3 | {"checksum_as_v2": True}, theirs=V3, masters={"tic", "peer"}, their_priority=50),
    "addresses in another order": Case(
        ours=V3 | {"more": ".1 .2"}, theirs=V3 | {"more": ".2 .1"}, masters={"tic"}, their_priority=50
    ),
    "other addresses": Case(
        ours=V3 | {"more": ".1 .2"}, theirs=V3 | {"more": ".1"}, masters={"peer"}, our_errors={"addresses"}
    ),
    # keepalived before 2.3.3 drops such adverts.
    "other addresses, ours is better": Case(
        ours=V3 | {"more": ".1 .2"},
        theirs=V3 | {"more": ".1"},
        masters={"tic", "peer"},
        their_priority=50,
        our_errors={"addresses"},
    ),
}
NUMBERS = {name: number for number, name in enumerate(CASES, 11)}


def addresses(number: int, settings: Mapping[str, object]) -> list[str]:
    """Return the addresses of a virtual router: `.1 .2` are the first and second of its own subnet."""
    return [f"198.51.{number}{last}/32" for last in str(settings.get("more", ".1")).split()]


class Site:
    """Both machines with all the virtual routers, when they have settled."""

    def __init__(self, lab: Lab) -> None:
        self.tic: Host = lab.host("tic", f"{address_of('tic', 4)}/24")
        self.peer: Host = lab.host("peer", f"{address_of('peer', 4)}/24")
        self.bystander: Host = lab.host("bystander", "192.0.2.66/24")
        self.wire: Capture = lab.lan.capture()
        instances = "".join(self._theirs(name, case) for name, case in CASES.items())
        self.theirs = Keepalived(self.peer, GLOBAL_DEFS + instances)
        self.theirs.start()
        whole = configuration(*(self._ours(name, case) for name, case in CASES.items()))
        whole = msgspec.structs.replace(whole, globals=msgspec.structs.replace(whole.globals, realtime=True))
        self.ours = VrrpChild(self.tic, whole)
        wait_until(lambda: self.masters(SLOWEST) == {"tic", "peer"}, within=SETTLES_WITHIN, what="the slowest master")

    def _ours(self, name: str, case: Case):  # noqa: ANN202
        number, settings = NUMBERS[name], dict(case.ours)
        words = " ".join(addresses(number, settings))
        settings.pop("more", None)
        settings["advert_int"] = seconds(settings["advert_int"])
        return instance(router(words, instance=f"site{number}", virtual_router_id=number, **settings))

    def _theirs(self, name: str, case: Case) -> str:
        number, settings = NUMBERS[name], case.theirs
        lines = "\n".join(addresses(number, settings))
        password = settings.get("password")
        authentication = f"authentication {{\nauth_type PASS\nauth_pass {password}\n}}" if password else ""
        return f"""
vrrp_instance peer{number} {{
    interface eth0
    version {settings["version"]}
    virtual_router_id {number}
    priority {case.their_priority}
    advert_int {settings["advert_int"]}
    {authentication}
    virtual_ipaddress {{
{lines}
    }}
}}
"""

    def masters(self, name: str) -> set[str]:
        """Return who has any of the addresses."""
        subnet = f"198.51.{NUMBERS[name]}."
        hosts = (self.tic, self.peer)
        return {host.name for host in hosts if any(address.startswith(subnet) for address in carried(host))}

    def speakers(self, name: str, since: int) -> set[str]:
        """Return who has sent adverts since a moment."""
        return {
            packet.sender
            for packet in self.wire.adverts(since=since)
            if packet.vrrp().virtual_router_id == NUMBERS[name]
        }


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    with Lab() as lab:
        yield Site(lab)


@pytest.mark.parametrize("name", CASES)
def test_who_is_master_when_a_setting_differs(site: Site, name: str) -> None:
    assert CASES[name].masters == site.masters(name)


@pytest.mark.parametrize("name", CASES)
def test_what_cannot_be_accepted_is_counted(site: Site, name: str) -> None:
    key, expected = f"site{NUMBERS[name]}/4", CASES[name].our_errors

    wait_until(lambda: site.ours.errors(key).keys() >= expected, within=3.0, what=f"the counters {expected}")

    assert expected == site.ours.errors(key).keys()


def test_a_keepalived_that_refuses_our_adverts_is_master_without_a_word(site: Site) -> None:
    """It puts its own advert off whenever it hears one, good or bad: who looks at the wire alone sees one master."""
    begun = time.time_ns()
    for name in ("another version", SLOWEST):
        assert "peer" in site.masters(name)
    quiet_for(3.0)

    assert {"tic"} == site.speakers("another version", begun) == site.speakers(SLOWEST, begun)


def test_keepalived_drops_an_advert_whose_checksum_leaves_the_pseudo_header_out(site: Site) -> None:
    number = NUMBERS[LEARNED]
    words = [f"198.51.{number}.1"]

    say(site.bystander, advert(words, priority=254, source="192.0.2.66", number=number, pseudo=False))
    site.theirs.process.wait_for_log(f"(peer{number}) Invalid VRRPv3 checksum", within=2.0)

    assert {"peer"} == site.masters(LEARNED)


@pytest.mark.parametrize("name", [LEARNED, BETTER])
def test_a_master_answers_an_inferior_advert_at_once(site: Site, name: str) -> None:
    """Keepalived is master of the one, with 0.2 s between adverts, ours of the other, with 0.4 s."""
    number, (master,) = NUMBERS[name], CASES[name].masters

    def said(since: int) -> list[int]:
        adverts = site.wire.adverts(master, since)
        return [packet.time for packet in adverts if packet.vrrp().virtual_router_id == number]

    begun = time.time_ns()
    wait_until(lambda: said(begun), within=2.0, what="an advert in its turn")
    asked = time.time_ns()
    say(site.bystander, advert([f"198.51.{number}.1"], priority=1, source="192.0.2.66", number=number))
    wait_until(lambda: said(asked), within=2.0, what="an answer")

    assert (said(asked)[0] - asked) / 1e9 < 0.1


def test_ours_takes_either_form_of_the_checksum(site: Site) -> None:
    number, entered = NUMBERS[BETTER], f"(site{NUMBERS[BETTER]}) Entering BACKUP STATE (advert of higher priority"
    before = site.ours.process.log().count(entered)

    for count, pseudo in enumerate((True, False), 1):
        site.ours.wait_for_state("MASTER", within=5.0, instance=f"site{number}")
        say(
            site.bystander,
            advert([f"198.51.{number}.1"], priority=254, source="192.0.2.66", number=number, pseudo=pseudo),
        )
        wait_until(
            lambda count=count: site.ours.process.log().count(entered) == before + count, within=2.0, what=entered
        )

    assert {} == site.ours.errors(f"site{number}/4")


def test_the_checksum_leaves_the_pseudo_header_out_where_that_is_configured(site: Site) -> None:
    number = NUMBERS[WITHOUT]
    adverts = [packet for packet in site.wire.adverts("tic") if packet.vrrp().virtual_router_id == number]

    assert {advert([f"198.51.{number}.1"], priority=100, source=address_of("tic", 4), number=number, pseudo=False)} == {
        packet.data[34:] for packet in adverts
    }
    assert f"(peer{number}) Invalid VRRPv3 checksum" in site.theirs.log()


def test_another_interval_of_the_master_is_ours_too_as_long_as_it_is_master(site: Site) -> None:
    """Its interval is 0.2 s, ours 0.4 s: silence is noticed after three of its own, and a skew of its own."""

    def said(who: str, since: int = 0) -> list[int]:
        adverts = site.wire.adverts(who, since)
        return [packet.time for packet in adverts if packet.vrrp().virtual_router_id == NUMBERS[LEARNED]]

    begun = time.time_ns()
    wait_until(lambda: len(said("peer", begun)) > 1, within=3.0, what="adverts after those of the bystander")
    site.theirs.kill()
    last = said("peer")[-1]
    wait_until(lambda: said("tic", last), within=3.0, what="our advert")

    expected = 3 * 0.2 + (256 - 100) / 256 * 0.2
    assert expected - SLACK < (said("tic", last)[0] - last) / 1e9 < expected + SLACK
