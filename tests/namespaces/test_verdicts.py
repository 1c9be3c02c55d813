"""The table of verdicts: what keepalived makes of each behaviour, ours does too, or the page says why not."""

import asyncio
from collections import Counter

from namespaces.lab import Lab
from stayalived.config.differences import DIFFERENCES
from verdicts.probing import probe_all
from verdicts.record import deviations, read
from verdicts.servers import Site
from verdicts.table import rows

NAMED = {one.name for one in DIFFERENCES if one.name}


def test_ours_are_those_of_the_record_or_the_page_says_why() -> None:
    table = rows()
    with Lab() as lab:
        site = Site(lab, table, "ours")
        with site.directors["ours"].inside():
            found = asyncio.run(probe_all(table, site.places))

    assert read().ours(table) == found


def test_the_record_has_every_behaviour_and_no_other() -> None:
    assert {row.behaviour.key for row in rows()} == set(read().verdicts)


def test_every_deviation_is_one_and_is_named_on_the_page() -> None:
    record = read().verdicts

    assert [] == [key for key, one in deviations().items() if one.verdict == record[key]]
    assert {one.why for one in deviations().values()} <= NAMED


def test_every_difference_that_is_named_is_seen_in_a_verdict() -> None:
    assert NAMED <= {one.why for one in deviations().values()}


def test_each_type_that_keepalived_has_is_asked_about_in_both_ways() -> None:
    verdicts = read().verdicts
    found = Counter((row.behaviour.type, verdicts[row.behaviour.key].split()[0]) for row in rows())

    types = {"tcp", "http", "https", "smtp", "dns", "udp", "ping", "command", "file"}
    assert {(kind, verdict) for kind in types for verdict in ("up", "down")} <= set(found)
