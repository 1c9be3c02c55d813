"""Unicast: whose adverts count. What is asked of ours is asked of keepalived first."""

import time
from dataclasses import replace

import pytest

from namespaces.kinds import Kind, address_of
from namespaces.lab import Host, Lab
from namespaces.rivals import VIP4, Rivals
from namespaces.voices import GROUP, advert, say
from namespaces.waiting import quiet_for

KIND = Kind(version=3, addresses=(VIP4,), advert_int=0.2, way="unicast")
STRANGER, OURS = "192.0.2.66", address_of("tic", 4)
BOTH = pytest.mark.parametrize("ours", ["keepalived", "child"])


class Site(Rivals):
    """Ours is master, and a stranger is about; the peers that it knows are not there."""

    def __init__(self, lab: Lab, kind: Kind) -> None:
        super().__init__(lab, kind)
        self.stranger: Host = lab.host("stranger", f"{STRANGER}/24")
        self.start("tic", 200)
        self.wait_for_master("tic")
        self.wait_for_adverts("tic", 2)

    def goes_on_when_it_hears(self, to: str) -> bool:
        """Let the stranger say that it is better; tell whether ours goes on with its own adverts."""
        begun = time.time_ns()
        say(self.stranger, advert(["192.0.2.100"], priority=254, source=STRANGER, to=to), to=to)
        heard = self.wire.wait_for(
            lambda packet: packet.sender == "stranger" and packet.vrrp(), within=2.0, what="it on the wire", since=begun
        )
        quiet_for(1.5 * self.kind.advert_int)
        return bool(self.wire.adverts("tic", heard.time))


@BOTH
@pytest.mark.parametrize("checked", [False, True])
def test_a_stranger_counts_unless_only_peers_may_speak(lab: Lab, ours: str, checked: bool) -> None:
    site = Site(lab, replace(KIND, ours=ours, check_unicast_src=checked))

    assert checked == site.goes_on_when_it_hears(to=OURS)


@BOTH
def test_an_advert_by_multicast_is_none_for_it(lab: Lab, ours: str) -> None:
    site = Site(lab, replace(KIND, ours=ours))

    assert site.goes_on_when_it_hears(to=GROUP)
