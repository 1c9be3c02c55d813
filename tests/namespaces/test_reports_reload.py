"""What users of keepalived have reported of its reload, and must not find here. Each test has the reports' numbers.

`K#123` is issue 123 of acassen/keepalived.
"""

import signal
import time

from namespaces.daemon import Daemon
from namespaces.kinds import SLACK
from namespaces.lab import Lab
from namespaces.reported import ADVERT, HIGH, KIND, LOW, OTHER, Site, files, other_text, site_text, written
from namespaces.rivals import VIP4, VIP6, Rivals
from namespaces.waiting import quiet_for, wait_until

MOVING = "192.0.2.150/24"


def test_k2159_an_instance_that_is_no_longer_configured_takes_no_other_along(lab: Lab) -> None:
    site = Site(lab, site_text(), other_text())
    site.tic.wait_for_address(OTHER)
    site.settle()

    site.reload(site_text())

    site.tic.wait_for_address(OTHER, present=False)
    site.check_that_nobody_noticed()
    assert set() == site.announced()
    last = [packet for packet in site.wire.adverts("tic") if packet.vrrp().virtual_router_id == 2][-1]
    assert 0 == last.vrrp().priority


def test_k1854_an_address_moves_from_one_instance_to_another_without_an_event_on_the_wire(lab: Lab) -> None:
    site = Site(lab, written(VIP4, VIP6, MOVING, priority=HIGH), other_text())
    site.tic.wait_for_address(OTHER)
    site.tic.wait_for_address(MOVING)
    site.settle(alone=True)  # this keepalived would go by no advert with other addresses than its own

    site.reload(site_text(), other_text(MOVING))
    site.reload(written(VIP4, VIP6, MOVING, priority=HIGH), other_text())

    assert [] == site.monitor.changes()
    assert set() == site.announced()
    site.check_that_nobody_noticed()


def test_k2700_addresses_that_a_new_backup_finds_on_the_machine_are_removed(lab: Lab) -> None:
    """The master of them is another machine; here they are left over from something."""
    site = Site(lab, other_text())
    site.start("peer", HIGH)
    site.wait_for_master("peer")
    for address in (VIP4, VIP6):
        site.tic.add_address(address)

    site.reload(site_text(priority=LOW), other_text(), master="peer")

    site.daemon.wait_for_state("BACKUP", within=2.0)
    for address in (VIP4, VIP6):
        site.tic.wait_for_address(address, present=False)
    assert set() == {VIP4, VIP6} & site.tic.addresses()


def test_k349_a_backup_that_is_told_to_reload_all_the_time_takes_over_all_the_same(lab: Lab) -> None:
    site = Site(lab, other_text())
    site.start("peer", HIGH)
    site.wait_for_master("peer")
    site.reload(site_text(priority=LOW), other_text(), master="peer")
    site.daemon.wait_for_state("BACKUP", within=2.0)

    site.theirs.kill()
    begun = time.monotonic()
    while time.monotonic() - begun < 4 * KIND.master_down(LOW):
        site.daemon.process.send(signal.SIGHUP)
        quiet_for(ADVERT / 2)

    assert site.silence("peer", "tic") < KIND.master_down(LOW) + SLACK
    assert "MASTER" == site.daemon.instance()["state"]


def test_k2649_k2387_k2403_k1884_both_start_at_once_and_are_told_to_reload_meanwhile(lab: Lab) -> None:
    """Two masters that never hear one another were what came of it."""
    site = Rivals(lab, KIND)
    site.daemon = site.ours = Daemon(site.tic, files(site_text()))
    process = site.daemon.launch()
    site.start("peer", LOW)
    wait_until(site.daemon.peek, within=10.0, what="the control socket")
    for _ in range(5):
        process.send(signal.SIGHUP)
        site.theirs.process.send(signal.SIGHUP)
        quiet_for(ADVERT)

    site.wait_for_master("tic")
    begun = time.time_ns()
    site.wait_for_adverts("tic", 5, begun)
    assert [] == site.wire.adverts("peer", begun)


def test_k366_a_reload_does_not_forget_what_checks_have_found(lab: Lab) -> None:
    """The priority counts a check that passes; it must not sink until the check has run again."""
    track = 'track = [{ check = { type = "tcp", delay_loop = 1 }, target = "127.0.0.1:4242", weight = 40 }]'
    text = written(VIP4, VIP6, priority=HIGH, more=track)
    site = Site(lab, text, other_text())
    site.tic.popen(["nc", "-lk", "127.0.0.1", "4242"])
    wait_until(lambda: site.daemon.instance().get("priority") == HIGH + 40, within=5.0, what="the check to pass")
    site.settle()

    site.reload(text)
    site.reload(text, other_text())

    adverts = [packet.vrrp() for packet in site.wire.adverts("tic", site.begun)]
    assert {HIGH + 40} == {head.priority for head in adverts if head.virtual_router_id == 1}
    site.check_that_nobody_noticed()
