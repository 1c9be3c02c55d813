"""The whole daemon against Debian's keepalived: elections, takeovers and hand-overs, timed on the wire."""

from collections.abc import Callable

import pytest

from namespaces.lab import Lab
from namespaces.rivals import EVERY_KIND, SLACK, Kind, Rivals

Property = Callable[[str, object], None]


@pytest.fixture
def site(lab: Lab, kind: Kind) -> Rivals:
    return Rivals(lab, kind)


@EVERY_KIND
@pytest.mark.parametrize("better", ["tic", "peer"])
def test_the_better_one_takes_over_from_a_master_that_was_there_first(site: Rivals, better: str) -> None:
    """The other order of starts is how the other tests begin."""
    first = "peer" if better == "tic" else "tic"

    site.start(first, 100)
    site.wait_for_master(first)
    site.start(better, 200)

    site.wait_for_master(better)
    site.ours.wait_for_state("MASTER" if better == "tic" else "BACKUP", within=site.kind.limit)


@EVERY_KIND
def test_ours_takes_over_in_time_when_keepaliveds_machine_is_lost(site: Rivals, record_property: Property) -> None:
    site.start("peer", 200)
    site.wait_for_master("peer")
    site.start("tic", 100)
    site.ours.wait_for_state("BACKUP", within=site.kind.limit)
    site.wait_for_adverts("peer", 2)

    site.theirs.kill()
    site.peer.cut()
    site.wait_for_adverts("tic", 1)

    taken = site.silence("peer", "tic")
    record_property("seconds", round(taken, 4))
    assert site.kind.master_down - SLACK < taken < site.kind.master_down + SLACK


@EVERY_KIND
def test_keepalived_takes_over_in_time_when_our_machine_is_lost(site: Rivals, record_property: Property) -> None:
    site.start("tic", 200)
    site.wait_for_master("tic")
    site.start("peer", 100)
    site.theirs.process.wait_for_log("Entering BACKUP STATE", within=5.0)
    site.wait_for_adverts("tic", 2)

    site.ours.kill_machine()
    site.wait_for_adverts("peer", 1)

    taken = site.silence("tic", "peer")
    record_property("seconds", round(taken, 4))
    assert taken < site.kind.master_down + SLACK


@EVERY_KIND
def test_each_hands_over_within_the_skew_when_it_is_told_to_stop(site: Rivals, record_property: Property) -> None:
    site.start("peer", 200)
    site.wait_for_master("peer")
    site.start("tic", 100)
    site.ours.wait_for_state("BACKUP", within=site.kind.limit)
    site.wait_for_adverts("peer", 2)

    site.theirs.stop()
    site.wait_for_master("tic")
    to_us = site.silence("peer", "tic")

    site.start("peer", 100 - 1)
    site.theirs.process.wait_for_log("Entering BACKUP STATE", within=5.0)
    site.wait_for_adverts("tic", 2)
    assert site.ours.stop() == 0
    site.wait_for_master("peer")
    to_them = site.silence("tic", "peer")

    record_property("seconds", (round(to_us, 4), round(to_them, 4)))
    assert to_us < site.kind.skew + SLACK
    assert to_them < site.kind.skew + SLACK
    assert {0} == {site.of("tic", ethertype)[-1].vrrp().priority for ethertype in site.kind.ethertypes}
