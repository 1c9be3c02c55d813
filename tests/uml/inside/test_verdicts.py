"""keepalived's verdicts are those of the record, and ours, from the same configuration, are those of the table."""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from namespaces.daemon import Daemon
from namespaces.lab import Host, Lab
from namespaces.waiting import TooLate, wait_until
from verdicts.record import Record, read, write
from verdicts.servers import Site
from verdicts.table import Row, ours, rows, theirs, verdicts

LIMIT = 120.0
SETTLED = 20.0
"""Seconds without a change before what keepalived says is recorded."""

RECORD = "STAYALIVED_VERDICTS_RECORD"

TOO_SLOW = "command: "
"""Dozens of programs a second are more than the one processor here can start; `namespaces` holds them to the table."""

pytestmark = pytest.mark.timeout(240)


class Bench:
    """The site with one host for keepalived and one for ours."""

    def __init__(self, lab: Lab) -> None:
        self.lab = lab
        self.table: list[Row] = rows()
        self.site = Site(lab, self.table, "theirs", "ours")

    def seen(self, name: str) -> dict[str, str]:
        """Return what the kernel's table of a host says."""
        return verdicts(self.table, self.host(name).run(["ipvsadm", "-Sn"]).stdout.splitlines())

    def host(self, name: str) -> Host:
        return self.site.directors[name]

    def start_theirs(self) -> Callable[[], str]:
        """Start keepalived; the answer returns its log."""
        file = self.lab.folder / "keepalived.conf"
        file.write_text(theirs(self.table, self.site.places))
        pids = ["--pid", str(self.lab.folder / "pid"), "--checkers_pid", str(self.lab.folder / "checkers.pid")]
        process = self.host("theirs").popen(
            ["keepalived", "--dont-fork", "--log-console", "--log-detail", "--check", "--use-file", str(file), *pids]
        )
        self.stop_theirs = lambda: process.stop(within=30.0)
        return process.log

    def start_ours(self) -> Daemon:
        daemon = Daemon(self.host("ours"), {"50-services.toml": ours(self.table, self.site.places)})
        daemon.start()
        return daemon


@pytest.fixture(scope="module")
def bench() -> Iterator[Bench]:
    with Lab() as lab:
        yield Bench(lab)


def settled(bench: Bench, name: str) -> dict[str, str]:
    """Return what a host's table says once it has not changed for a while."""
    last: dict[str, str] = {}
    since = time.monotonic()

    def quiet() -> bool:
        nonlocal last, since
        now = bench.seen(name)
        if now != last:
            last, since = now, time.monotonic()
        return time.monotonic() - since > SETTLED

    with suppress(TooLate):
        wait_until(quiet, within=LIMIT, what="a table that stays", glance=1.0)
    return last


def test_keepalived_still_says_what_was_recorded(bench: Bench) -> None:
    log = bench.start_theirs()
    words = bench.host("theirs").run(["keepalived", "--version"]).stderr.split()
    version = f"keepalived {words[1].lstrip('v')}"
    if target := os.environ.get(RECORD):
        write(Record(version, settled(bench, "theirs")), Path(target))
        Path(target).with_suffix(".log").write_text(log())
    else:
        record = read()
        with suppress(TooLate):
            wait_until(lambda: bench.seen("theirs") == record.verdicts, within=LIMIT, what="the record", glance=1.0)
        assert record.verdicts == bench.seen("theirs"), log()
    bench.stop_theirs()


def test_ours_says_the_same_or_the_page_says_why(bench: Bench) -> None:
    daemon = bench.start_ours()
    expected = {key: verdict for key, verdict in read().ours(bench.table).items() if not key.startswith(TOO_SLOW)}

    def seen() -> dict[str, str]:
        return {key: verdict for key, verdict in bench.seen("ours").items() if key in expected}

    with suppress(TooLate):
        wait_until(lambda: seen() == expected, within=LIMIT, what="our verdicts", glance=1.0)
    assert expected == seen(), daemon.log()
