"""What a flood of bad packets makes of the log: at most ten lines a second and class, and a count of the rest.

From the engine through the shell and the pipe to the log child's limits, in virtual time.
"""

import itertools
import logging
import random
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from stayalived.addresses import Family
from stayalived.child import base
from stayalived.child.bootstrap import Context
from stayalived.child.events import Report
from stayalived.child.link import make_pair
from stayalived.child.shell import Shell
from stayalived.log.collector import Collector
from stayalived.log.limits import LINES, WINDOW
from stayalived.log.pipe import from_log_record, to_log_record
from stayalived.log.record import Record, decode, encode
from stayalived.log.writers import StreamWriter
from stayalived.messages.control import Start
from stayalived.timing import Instant, elapsed, seconds
from stayalived.vrrp.events import DatagramReceived
from vrrp_machine import GROUPS, Machine, instance, router

ROUTERS = 250
PACKETS = 40_000
SECONDS = 20
GOOD = bytes.fromhex("3101c8010064d3a3c0000264")
"""An advert of priority 200; whatever its checksum is, no sender's is right for it."""

COUNTED = re.compile(r"(\d+) (?:more lines of class|lines like earlier ones)")


class Ledger(Collector):
    """The log child's limits, in virtual time: lines that may be written are kept with the moment, and not written."""

    def __init__(self, machine: Machine) -> None:
        self.lines: list[tuple[Instant, str]] = []
        super().__init__(StreamWriter(), clock=lambda: machine.now)

    def count(self) -> None:
        """Tell what was held back and is due."""
        with self._changed:
            self._tell_held_back()

    def _keep(self, child: str, record: Record) -> None:
        self.lines.append((self._clock(), record.text))

    def _take(self) -> None:
        """The writing thread waits for the end."""
        with self._changed:
            while not self._ending:
                self._changed.wait()


class Site:
    """A vrrp process and its log, but for the processes: all of their code that a line passes."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.machine = Machine()
        monkeypatch.setattr(base, "read_clock", lambda: self.machine.now)
        theirs, ours = make_pair()
        self._ends = (theirs, ours)
        context = Context(
            name="vrrp", start=Start.FIRST, link=ours, run_dir=Path("/"), config_dir=Path("/"), host_id="x", user="me"
        )
        self.shell: Shell[object, object] = Shell(self.machine.engine, context, lambda effect: None)
        self.ledger = Ledger(self.machine)
        self._logger = logging.getLogger("stayalived.vrrp")
        self._logger.addHandler(_Pipe(self.ledger))

    def start(self) -> None:
        routers = [
            instance(router(f"198.51.100.{number}/32", instance=f"r{number}", virtual_router_id=number))
            for number in range(1, ROUTERS + 1)
        ]
        self.log(self.machine.start(*routers))

    def hear(self, event: DatagramReceived) -> None:
        self.log(self.machine.do(event))

    def pass_time(self, end: Instant) -> None:
        self.log(self.machine.pass_time(elapsed(self.machine.now, end)))
        self.shell._do_own(self.machine.now)
        self.ledger.count()

    def log(self, effects: list[object]) -> None:
        self.shell._carry_out([effect for effect in effects if isinstance(effect, Report)])
        self.machine.effects.clear()

    def end(self) -> None:
        for handler in list(self._logger.handlers):
            self._logger.removeHandler(handler)
        assert self.ledger.finish(5.0)
        for end in self._ends:
            end.close()


class _Pipe(logging.Handler):
    """Takes a line through the bytes that cross between processes."""

    def __init__(self, collector: Ledger) -> None:
        super().__init__()
        self._collector = collector

    def emit(self, record: logging.LogRecord) -> None:
        crossed = decode(encode(from_log_record(record)))
        self._collector.emit(to_log_record(crossed, "vrrp"))


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    made = Site(monkeypatch)
    try:
        yield made
    finally:
        made.end()


def bad_packets(count: int) -> Iterator[tuple[bytes, str, int]]:
    """Return messages, senders and TTLs, hardly one like another, for all routers in turn."""
    rng = random.Random(112)
    for number in range(count):
        data = bytearray(GOOD)
        data[1] = number % ROUTERS + 1
        kind = rng.randrange(5)
        ttl = rng.randrange(255) if kind == 0 else 255
        if kind == 1:
            data[0] = rng.choice((0x21, 0x41, 0x32, 0x3F))
        elif kind == 2:
            data[4:6] = b"\0\0"
        elif kind == 3:
            del data[rng.randrange(2, 12) :]
        yield bytes(data), f"192.0.2.{rng.randrange(2, 255)}", ttl


def flood(site: Site) -> None:
    began = site.machine.now
    for number, (data, source, ttl) in enumerate(bad_packets(PACKETS)):
        if number % 100 == 0:
            site.pass_time(Instant(began + number * seconds(SECONDS) // PACKETS))
        event = DatagramReceived(
            interface="eth0",
            family=Family.IPV4,
            source=source,
            destination=GROUPS[Family.IPV4],
            ttl=ttl,
            data=data,
            at=site.machine.now,
        )
        site.hear(event)


def kind_of(line: str) -> str:
    """Return what a line says is wrong with a packet, or nothing."""
    found = re.search(r"dropped an advert of \S+: (\w+):", line)
    return found[1] if found else ""


def test_a_flood_of_bad_packets_from_many_senders_is_ten_lines_a_second_and_class(site: Site) -> None:
    site.start()

    flood(site)
    for _ in range(70):  # until the last count is told
        site.pass_time(Instant(site.machine.now + seconds(1)))

    kinds = Counter(kind_of(line) for _, line in site.ledger.lines if kind_of(line))
    assert {"ttl", "version", "interval", "length", "checksum"} <= kinds.keys()
    for kind in kinds:
        times = [at for at, line in site.ledger.lines if kind_of(line) == kind]
        for first, later in zip(times, itertools.islice(times, LINES, None), strict=False):
            assert elapsed(first, later) >= WINDOW, kind
    said = [line for _, line in site.ledger.lines]
    assert len([line for line in said if kind_of(line) or COUNTED.match(line)]) < SECONDS * len(kinds) * (LINES + 1)


def test_every_line_of_a_flood_is_written_or_counted(site: Site) -> None:
    site.start()

    flood(site)
    for _ in range(70):
        site.pass_time(Instant(site.machine.now + seconds(1)))

    written = sum(bool(kind_of(line)) for _, line in site.ledger.lines)
    counted = sum(int(found[1]) for _, line in site.ledger.lines if (found := COUNTED.match(line)))
    assert PACKETS == written + counted


@pytest.mark.parametrize("seconds_later", [1, 100])
def test_without_a_flood_nothing_is_counted(site: Site, seconds_later: int) -> None:
    site.start()

    site.pass_time(Instant(site.machine.now + seconds(seconds_later)))

    assert [line for _, line in site.ledger.lines if kind_of(line) or COUNTED.match(line)] == []
