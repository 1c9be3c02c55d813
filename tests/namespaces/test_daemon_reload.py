"""Reloads of a whole daemon that is MASTER: what changed is touched, and nothing else."""

import itertools
import signal
import time
from collections.abc import Callable, Iterator
from functools import partial

import pytest

from namespaces.capture import Packet
from namespaces.daemon import Daemon, vrrp_instance
from namespaces.lab import Lab
from namespaces.ownership import AddressMonitor
from namespaces.waiting import wait_until

Property = Callable[[str, object], None]

ADVERT = 0.2
VIP4, VIP6, OTHER, NEW = "192.0.2.100/24", "2001:db8::100/64", "192.0.2.200/24", "192.0.2.101/24"
SETTLED = 4
"""Adverts after which whatever a reload does has been done."""

# One block of announcements: the second one of a test would come while the next looks.
instance = partial(vrrp_instance, advert_int=ADVERT, garp_master_delay=0)


def files(
    *, priority: int = 200, addresses: tuple[str, ...] = (VIP4, VIP6), head: str = "[global]\n"
) -> dict[str, str]:
    return {
        "00-global.toml": head,
        "10-site.toml": instance(*addresses, priority=priority),
        "11-other.toml": instance(OTHER, name="other", priority=50, virtual_router_id=2),
    }


class Site:
    """One daemon, MASTER of two instances, and all that it sends."""

    def __init__(self, lab: Lab) -> None:
        self.host = lab.host("tic", "192.0.2.1/24", "2001:db8::1/64")
        self.daemon = Daemon(self.host, files())
        self.daemon.start()
        for name in ("site", "other"):
            self.daemon.wait_for_state("MASTER", within=5.0, instance=name)
        wait_until(self.is_master_of_all, within=5.0, what="the routers of both families to be MASTER")
        self.wire = lab.lan.capture(everything=True)
        self.monitor = AddressMonitor(self.host)

    def reset(self) -> None:
        """Go back to what the daemon was started with, and begin to watch anew."""
        self.daemon.write(files())
        assert self.daemon.reload().returncode == 0
        wait_until(self.is_master_of_all, within=5.0, what="the routers of both families to be MASTER")
        self.settle()
        self.begun, self.since = time.time_ns(), time.time()
        self.instances = self.states()
        wait_until(lambda: len(self.adverts(1)) > 1, within=5.0, what="adverts from before the reload")

    def settle(self) -> None:
        """Wait until both instances have sent so many adverts that a change would be seen."""
        before = len(self.wire.adverts())
        wait_until(
            lambda: len(self.wire.adverts()) >= before + 3 * SETTLED, within=10.0, what="more adverts of all routers"
        )

    def is_master_of_all(self) -> bool:
        """Return whether each router of each instance, one for each family, is MASTER."""
        rows = self.daemon.peek()["instances"]
        return all(half["state"] == "MASTER" and half["became_master"] for row in rows for half in row["routers"])

    def states(self) -> dict[str, tuple[str, int]]:
        """Return state of each instance and how often it became MASTER."""
        rows = self.daemon.peek()["instances"]
        return {row["name"]: (row["state"], sum(half["became_master"] for half in row["routers"])) for row in rows}

    def sent(self) -> list[Packet]:
        """Return what left the host since `reset`."""
        return [packet for packet in self.wire.packets() if packet.time >= self.begun and not packet.is_chatter()]

    def adverts(self, router: int) -> list[Packet]:
        """Return the IPv4 adverts of one instance since `reset`."""
        return [
            packet
            for packet in self.sent()
            if packet.vrrp() and packet.vrrp().virtual_router_id == router and packet.ethertype == 0x0800
        ]

    def check_that_nothing_stirred(self) -> None:
        """No advert is missing, no state changed, no address came or went, and nothing but adverts was sent."""
        assert [f"{packet.time} {packet.scapy().summary()}" for packet in self.sent() if not packet.vrrp()] == []
        self.check_that_it_went_on()
        assert self.monitor.changes(since=self.since) == []

    def check_that_it_went_on(self) -> None:
        """No advert is missing and no state changed."""
        for router in (1, 2):
            times = [packet.time for packet in self.adverts(router)]
            gaps = [(after - before) / 1e9 for before, after in itertools.pairwise(times)]
            assert len(gaps) > 3
            assert max(gaps) < 2 * ADVERT
        assert self.states() == self.instances


@pytest.fixture(scope="module")
def whole() -> Iterator[Site]:
    with Lab() as lab:
        yield Site(lab)


@pytest.fixture
def site(whole: Site) -> Site:
    whole.reset()
    return whole


def test_a_reload_of_the_same_is_not_seen_by_anybody(site: Site, record_property: Property) -> None:
    """K#1425: each reload of keepalived was once a change to BACKUP and back, and announced all addresses again."""
    begun = time.monotonic()
    done = site.daemon.reload()
    took = time.monotonic() - begun
    site.settle()

    assert (0, "") == (done.returncode, done.stderr)
    assert "in force" in done.stdout
    record_property("seconds", round(took, 3))
    assert took < 3.0
    site.check_that_nothing_stirred()


def test_a_changed_priority_changes_the_adverts_of_that_instance(site: Site) -> None:
    site.daemon.write(files(priority=180))
    assert site.daemon.reload().returncode == 0
    site.settle()

    site.check_that_nothing_stirred()
    assert [200, 180] == [priority for priority, _ in itertools.groupby(of(site.adverts(1)))]
    assert {50} == set(of(site.adverts(2)))
    assert site.daemon.instance()["priority"] == 180


def of(adverts: list[Packet]) -> list[int]:
    return [packet.vrrp().priority for packet in adverts]


def test_an_added_address_is_added_and_announced_and_no_other(site: Site) -> None:
    site.daemon.write(files(addresses=(VIP4, NEW, VIP6)))
    assert site.daemon.reload().returncode == 0
    site.host.wait_for_address(NEW)
    site.settle()

    site.check_that_it_went_on()
    assert [(NEW, True)] == [(change.address, change.present) for change in site.monitor.changes(since=site.since)]
    announced = {packet.gratuitous() for packet in site.sent() if not packet.vrrp()}
    assert {"192.0.2.101"} == announced


def test_a_removed_address_is_removed_and_no_other(site: Site) -> None:
    site.daemon.write(files(addresses=(VIP4,)))
    assert site.daemon.reload().returncode == 0
    site.host.wait_for_address(VIP6, present=False)
    site.settle()

    assert [(VIP6, False)] == [(change.address, change.present) for change in site.monitor.changes(since=site.since)]
    assert [packet.scapy().summary() for packet in site.sent() if not packet.vrrp()] == []


def test_a_broken_file_is_refused_with_its_place_and_nothing_changes(site: Site) -> None:
    broken = files(priority=120)
    broken["11-other.toml"] = broken["11-other.toml"].replace("priority", "prority").replace("= 2\n", "= 300\n", 1)
    site.daemon.write(broken)

    done = site.daemon.reload()
    site.settle()

    assert done.returncode == 1
    assert "nothing changed" in done.stderr
    for text in (
        "11-other.toml:3",
        "vrrp_instance.other.virtual_router_id",
        "300",
        "255",
        "vrrp_instance.other.prority",
        "priority",
    ):
        assert text in done.stderr
    assert "virtual_router_id" in site.daemon.log()
    site.check_that_nothing_stirred()
    refused = site.daemon.status()["daemon"]["refused"]
    assert any("300" in line for line in refused)


def test_a_file_that_is_no_toml_is_refused_with_its_line(site: Site) -> None:
    site.daemon.write({**files(), "12-torn.toml": "[vrrp_instance.torn\n"})

    done = site.daemon.reload()
    site.settle()

    assert done.returncode == 1
    assert "12-torn.toml:1" in done.stderr
    site.check_that_nothing_stirred()


def test_ten_reloads_in_a_second_end_in_the_last_one(site: Site) -> None:
    for number in range(10):
        site.daemon.write(files(priority=100 + number))
        site.daemon.process.send(signal.SIGHUP)

    wait_until(lambda: site.daemon.instance().get("priority") == 109, within=5.0, what="the last priority")
    site.settle()

    site.check_that_nothing_stirred()
    assert of(site.adverts(1))[0] == 200
    assert of(site.adverts(1))[-1] == 109


def test_each_of_ten_callers_is_answered_when_what_it_wrote_is_in_force(site: Site) -> None:
    callers = []
    for number in range(10):
        site.daemon.write(files(priority=100 + number))
        words = [*site.daemon.program, "reload", "--run-dir", str(site.daemon.run_dir)]
        callers.append(site.host.popen(words))

    assert [0] * 10 == [caller.wait(within=20.0) for caller in callers], [caller.log() for caller in callers]
    site.settle()

    assert site.daemon.instance()["priority"] == 109
    site.check_that_nothing_stirred()


def test_what_needs_a_restart_is_refused(site: Site) -> None:
    site.daemon.write(files(head='[global]\nlog = "syslog"\n'))

    done = site.daemon.reload()
    site.settle()

    assert done.returncode == 1
    assert "without a restart" in done.stderr
    assert "global.log: found syslog" in done.stderr
    site.check_that_nothing_stirred()
