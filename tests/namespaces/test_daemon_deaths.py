"""What a death costs: children, many of them in a row, and the supervisor, with a keepalived waiting to take over."""

import os
import signal
import time
from collections.abc import Callable, Iterator

import pytest

from namespaces.daemon import Daemon
from namespaces.kinds import SLACK, Kind
from namespaces.lab import Lab
from namespaces.ownership import AddressMonitor, longest_overlap
from namespaces.rivals import VIP4, VIP6, Rivals
from namespaces.waiting import quiet_for, wait_for_exit, wait_until

RESPAWN_LIMIT = 0.2
"""Seconds from the kill of a child until its replacement runs."""

BLOCK = 5
"""`garp_master_repeat`."""

PEER = 100
"""Priority of the peer; ours has 200."""

CHILDREN = ("vrrp", "ipvs", "checker", "notify", "runner", "api", "log")
Property = Callable[[str, object], None]

SERVICES = """\
[virtual_server.web]
address = "192.0.2.100:80"
protocol = "tcp"
scheduler = "rr"
forward = "DR"
check = { type = "tcp", delay_loop = 1, connect_timeout = 1 }
[virtual_server.web.real_server.one]
address = "192.0.2.2"
"""
NOTIFY = 'notify = [{ type = "script", command = ["/bin/true"] }]'


class Site(Rivals):
    """`tic`, ours with every kind of child, is MASTER; `peer`, keepalived, waits."""

    def __init__(self, lab: Lab) -> None:
        super().__init__(lab, Kind(version=3, addresses=(VIP4, VIP6), advert_int=0.2))
        files = {"10-vrrp.toml": self.kind.text(200, NOTIFY), "20-services.toml": SERVICES}
        self.ours = Daemon(self.tic, files)
        self.ours.start()
        self.wait_for_master("tic")
        self.start("peer", PEER)
        self.theirs.wait_for_backup(within=5.0)
        self.wait_for_adverts("tic", 5)
        # Every announcement has been made: what comes from now on comes of what a test does.
        wait_until(
            lambda: (
                sum(bool(packet.gratuitous()) for packet in self.wire.packets()) == 2 * BLOCK * len(self.kind.addresses)
            ),
            within=5.0,
            what="both blocks of announcements",
        )
        self.addresses = AddressMonitor(self.tic)


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    with Lab() as lab:
        yield Site(lab)


@pytest.mark.parametrize("name", CHILDREN)
def test_nobody_notices_the_death_of_a_child(site: Site, name: str, record_property: Property) -> None:
    before = site.ours.child(name)
    assert before
    begun = time.time_ns()

    killed = time.monotonic()
    os.kill(before, signal.SIGKILL)
    after = site.ours.wait_for_child(name, before, within=2.0)
    respawned = time.monotonic() - killed
    site.wait_for_adverts("tic", 8)

    record_property("seconds", round(respawned, 3))
    assert respawned < RESPAWN_LIMIT
    assert after != before
    assert site.addresses.changes(VIP4, VIP6) == []
    assert site.ours.instance()["state"] == "MASTER"
    assert site.wire.adverts("peer") == []
    assert [packet for packet in site.wire.packets() if packet.gratuitous() and packet.time > begun] == []
    for router in site.kind.routers:
        assert max(site.gaps("tic", router)) < 2 * site.kind.advert_int


class Clocked(Rivals):
    """Two routers and a record of who had the address when."""

    def __init__(self, lab: Lab, advert_int: float) -> None:
        super().__init__(lab, Kind(version=3, addresses=(VIP4,), advert_int=advert_int))
        self.monitors = [AddressMonitor(self.tic), AddressMonitor(self.peer)]
        self.start("tic", 200)
        self.wait_for_master("tic")
        self.start("peer", PEER)
        self.theirs.wait_for_backup(within=5.0)
        self.wait_for_adverts("tic", 2)

    def overlap(self) -> float:
        """Return the longest time in seconds for which both had the address."""
        mine, theirs = (monitor.changes(VIP4) for monitor in self.monitors)
        return longest_overlap(mine, theirs)


def test_a_vrrp_that_keeps_dying_leaves_the_address_to_the_peer(lab: Lab, record_property: Property) -> None:
    site = Clocked(lab, advert_int=1)
    pid = 0
    for _ in range(6):
        pid = site.ours.wait_for_child("vrrp", pid, within=12.0)
        os.kill(pid, signal.SIGKILL)

    site.wait_for_master("peer")
    quiet_for(site.kind.master_down(PEER))

    record_property("overlap", round(site.overlap(), 4))
    assert site.overlap() < 0.05
    assert site.monitors[1].changes(VIP4)[-1].present
    assert not site.monitors[0].changes(VIP4)[-1].present
    assert "vrrp will not be back before its peers take over" in site.ours.log()


def test_the_death_of_the_supervisor_is_a_clean_end(lab: Lab, record_property: Property) -> None:
    site = Clocked(lab, advert_int=0.2)
    children = [int(row["pid"]) for row in site.ours.children().values()]

    killed = time.monotonic()
    site.ours.process.send(signal.SIGKILL)
    assert all(wait_for_exit(pid, within=2.0) for pid in children)
    gone = time.monotonic() - killed
    site.wait_for_master("peer")

    record_property("seconds", round(gone, 3))
    record_property("overlap", round(site.overlap(), 4))
    assert gone < 1.0
    assert site.overlap() < 0.05
    assert site.silence("tic", "peer") < site.kind.skew(PEER) + SLACK
