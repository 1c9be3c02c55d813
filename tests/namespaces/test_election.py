"""Two vrrp processes on a real wire, without a supervisor."""

import mmap
import os
import signal
import struct
import time

import msgspec
import pytest

from namespaces.capture import Capture
from namespaces.lab import Host, Lab
from namespaces.vrrp_child import VrrpChild
from namespaces.waiting import quiet_for
from stayalived.timing import Duration, in_seconds, milliseconds, seconds
from stayalived.vrrp import main
from stayalived.vrrp.realtime import RealTime
from vrrp_machine import configuration, instance, router

QUICK = milliseconds(200)
VIP, VIP6 = "192.0.2.100/24", "2001:db8::100/64"
SLACK = 0.05
"""Seconds that a takeover may last beyond what the RFC gives."""


class Site:
    """Two hosts and a wire; `tic` is the better one."""

    def __init__(self, lab: Lab) -> None:
        self.tic = lab.host("tic", "192.0.2.1/24", "2001:db8::1/64")
        self.tac = lab.host("tac", "192.0.2.2/24", "2001:db8::2/64")
        self.wire: Capture = lab.lan.capture()

    def start(self, host: Host, priority: int, *, version: int = 3, advert_int: Duration = QUICK) -> VrrpChild:
        return VrrpChild(host, self.both(priority, version=version, advert_int=advert_int))

    def holders(self) -> list[str]:
        """Return the names of the hosts that have the addresses, both of them."""
        return [host.name for host in (self.tic, self.tac) if {VIP, VIP6} <= host.addresses()]

    def both(self, priority: int, *, version: int = 3, advert_int: Duration = QUICK):  # noqa: ANN201
        four = router(VIP, priority=priority, version=version, advert_int=advert_int)
        six = router(VIP6, priority=priority, version=3, advert_int=advert_int)
        return configuration(instance(four, six))


@pytest.fixture
def site(lab: Lab) -> Site:
    return Site(lab)


def master_down(advert_int: Duration, priority: int) -> float:
    """RFC 9568 6.1, in seconds."""
    return in_seconds(advert_int) * (3 + (256 - priority) / 256)


def silence(wire: Capture, before: str, after: str) -> float:
    """Seconds between the last advert of one host and the first that another sent after it, for each version of IP."""
    gaps = []
    for ethertype in {packet.ethertype for packet in wire.adverts(before)}:
        last = max(packet.time for packet in wire.adverts(before) if packet.ethertype == ethertype)
        first = min(packet.time for packet in wire.adverts(after, since=last) if packet.ethertype == ethertype)
        gaps.append((first - last) / 1e9)
    return max(gaps)


@pytest.mark.parametrize("first", ["tic", "tac"])
def test_the_higher_priority_wins_whichever_starts_first(site: Site, first: str) -> None:
    hosts = {"tic": (site.tic, 200), "tac": (site.tac, 100)}
    second = "tac" if first == "tic" else "tic"

    children = {first: site.start(*hosts[first])}
    children[first].wait_for_state("MASTER", within=2.0)
    children[second] = site.start(*hosts[second])
    children["tic"].wait_for_state("MASTER", within=2.0)
    children["tac"].wait_for_state("BACKUP", within=2.0)

    site.tic.wait_for_address(VIP)
    site.tic.wait_for_address(VIP6)
    site.tac.wait_for_address(VIP, present=False)
    site.tac.wait_for_address(VIP6, present=False)
    assert ["tic"] == site.holders()


def test_a_machine_that_is_lost_is_replaced_within_the_master_down_time(site: Site) -> None:
    tic, tac = site.start(site.tic, 200), site.start(site.tac, 100)
    tic.wait_for_state("MASTER", within=2.0)
    site.wire.wait_for(lambda packet: packet.gratuitous() and packet.sender == "tic", within=2.0, what="announcements")

    tic.kill()
    site.tic.cut()
    tac.wait_for_state("MASTER", within=2.0)

    expected = master_down(QUICK, 100)
    assert expected - SLACK < silence(site.wire, "tic", "tac") < expected + SLACK
    site.tac.wait_for_address(VIP)
    site.tac.wait_for_address(VIP6)
    for address in ("192.0.2.100", "2001:db8::100"):
        site.wire.wait_for(
            lambda packet, address=address: packet.gratuitous() == address and packet.sender == "tac",
            within=2.0,
            what=f"announcements of {address}",
        )


def test_a_clean_stop_hands_over_within_the_skew(site: Site) -> None:
    tic, tac = site.start(site.tic, 200), site.start(site.tac, 100)
    tic.wait_for_state("MASTER", within=2.0)

    assert tic.stop() == 0
    tac.wait_for_state("MASTER", within=2.0)

    skew = in_seconds(QUICK) * (256 - 100) / 256
    assert silence(site.wire, "tic", "tac") < skew + SLACK
    assert site.wire.adverts("tic")[-1].vrrp().priority == 0
    assert site.tic.addresses() == {"192.0.2.1/24", "2001:db8::1/64"}


def test_a_pulled_cable_is_a_fault_and_its_return_an_election(site: Site) -> None:
    tic, tac = site.start(site.tic, 200), site.start(site.tac, 100)
    tic.wait_for_state("MASTER", within=2.0)

    site.tic.plug(into=False)
    tic.wait_for_state("FAULT", within=2.0)
    tac.wait_for_state("MASTER", within=2.0)
    site.tic.wait_for_address(VIP, present=False)

    site.tic.plug(into=True)
    tic.wait_for_state("MASTER", within=5.0)
    tac.wait_for_state("BACKUP", within=2.0)
    site.tic.wait_for_address(VIP6)
    site.tac.wait_for_address(VIP, present=False)
    assert ["tic"] == site.holders()


def test_a_killed_process_is_replaced_and_nobody_notices(site: Site) -> None:
    tic, tac = site.start(site.tic, 200), site.start(site.tac, 100)
    tic.wait_for_state("MASTER", within=2.0)
    tac.wait_for_state("BACKUP", within=2.0)
    site.wire.wait_for(lambda packet: packet.gratuitous() and packet.sender == "tic", within=2.0, what="announcements")
    before = time.time_ns()
    announced = len([packet for packet in site.wire.packets() if packet.gratuitous()])

    memory = tic.kill()
    assert VIP in site.tic.addresses()
    again = VrrpChild(site.tic, site.both(200), memory)
    again.wait_for_state("MASTER", within=1.0)
    site.wire.wait_for(
        lambda packet: packet.vrrp() and packet.sender == "tic", within=1.0, what="adverts", since=before
    )
    quiet_for(master_down(QUICK, 100))

    assert site.wire.adverts("tac", since=before) == []
    assert tac.state() == "BACKUP"
    assert {VIP, VIP6} < site.tic.addresses()
    assert len([packet for packet in site.wire.packets() if packet.gratuitous()]) == announced


def test_the_loss_of_the_supervisor_is_a_clean_stop(site: Site) -> None:
    tic = site.start(site.tic, 200)
    tic.wait_for_state("MASTER", within=2.0)

    tic.lose_supervisor()

    assert tic.process.wait(within=5.0) == 0
    assert site.wire.adverts("tic")[-1].vrrp().priority == 0
    assert site.tic.addresses() == {"192.0.2.1/24", "2001:db8::1/64"}


def test_the_page_of_send_times_has_the_moment_of_the_last_advert_until_it_leaves(site: Site) -> None:
    tic = site.start(site.tic, 200)
    tic.wait_for_state("MASTER", within=2.0)
    site.tic.wait_for_address(VIP)

    written = struct.unpack_from("@2q", tic.memory.page)
    now = time.monotonic_ns()
    assert all(now - 2 * QUICK < moment <= now for moment in written)

    assert tic.stop() == 0
    assert struct.unpack_from("@2q", tic.memory.page) == (0, 0)


def test_leftovers_of_a_crash_are_removed_by_a_first_start(site: Site) -> None:
    site.tic.add_address(VIP)
    tac = site.start(site.tac, 200)
    tac.wait_for_state("MASTER", within=2.0)

    site.start(site.tic, 100)

    site.tic.wait_for_address(VIP, present=False)
    assert [packet.vrrp().priority for packet in site.wire.adverts("tic")] == []


def test_an_address_that_somebody_deletes_is_put_back(site: Site) -> None:
    tic = site.start(site.tic, 200)
    tic.wait_for_state("MASTER", within=2.0)
    site.tic.wait_for_address(VIP)

    site.tic.run(["ip", "address", "del", VIP, "dev", "eth0"])

    tic.process.wait_for_log("somebody deleted", within=2.0)
    site.tic.wait_for_address(VIP)
    assert tic.state() == "MASTER"


def test_a_short_advert_interval_makes_the_process_real_time(site: Site) -> None:
    fast = site.both(200)
    fast = msgspec.structs.replace(fast, globals=msgspec.structs.replace(fast.globals, realtime=True))
    tic = VrrpChild(site.tic, fast)
    tic.wait_for_state("MASTER", within=2.0)

    shown = site.tic.run(["chrt", "-p", str(tic.process.pid)]).stdout
    assert "SCHED_RR|SCHED_RESET_ON_FORK" in shown
    assert "priority: 1" in shown


def test_a_frozen_master_that_wakes_up_yields_to_what_was_said_meanwhile(site: Site) -> None:
    tic, tac = site.start(site.tic, 150), site.start(site.tac, 100)
    tic.wait_for_state("MASTER", within=2.0)

    tic.process.send(signal.SIGSTOP)
    tac.wait_for_state("MASTER", within=2.0)
    tic.process.send(signal.SIGCONT)

    tac.wait_for_state("BACKUP", within=2.0)
    site.tic.wait_for_address(VIP)
    site.tac.wait_for_address(VIP, present=False)
    assert ["tic"] == site.holders()


def test_a_master_that_was_suspended_leaves_it_to_its_peers(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the reading of CLOCK_BOOTTIME is staged: a laboratory cannot be put to sleep."""
    slept = mmap.mmap(-1, 8)
    monkeypatch.setattr(main, "_time_slept", lambda: Duration(int.from_bytes(slept[:8], "little")))
    tic = site.start(site.tic, 200)
    tic.wait_for_state("MASTER", within=2.0)

    slept[:8] = seconds(60).to_bytes(8, "little")

    tic.wait_for_state("BACKUP", within=2.0)
    tic.wait_for_state("MASTER", within=2.0)
    site.tic.wait_for_address(VIP6)
    assert ["tic"] == site.holders()


def test_real_time_that_is_refused_is_one_notice(lab: Lab) -> None:
    host = lab.host("tic")

    def want() -> None:
        os.setresuid(65534, 65534, 65534)
        realtime = RealTime()
        for _ in range(3):
            realtime.want(1)
            realtime.want(0)

    process = host.fork(want)

    assert process.wait(within=5.0) == 0
    assert process.log().count("no real-time scheduling: Operation not permitted") == 1
    assert "CAP_SYS_NICE" in process.log()


def test_a_process_that_computes_for_a_second_under_real_time_says_where_and_leaves_it(lab: Lab) -> None:
    host = lab.host("tic")

    def compute() -> None:
        RealTime().want(1)
        while os.sched_getscheduler(0) & ~os.SCHED_RESET_ON_FORK == os.SCHED_RR:
            pass

    process = host.fork(compute)

    assert process.wait(within=10.0) == 0
    assert "left the real-time class" in process.log()
    assert "in compute" in process.log()
