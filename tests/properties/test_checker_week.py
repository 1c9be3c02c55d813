"""A week of checks in virtual time, with faults, stalls and reloads, against a model that a page explains.

The model knows one check at a time, as docs/configuration.md tells it: retries before a server that was up is down,
`rise` and `fall`, `fast_interval`; a fault of ours or of a plugin changes nothing. It knows no wheel, no probe and no
subscriber.
"""

import gc
import os
import sys
from dataclasses import dataclass
from random import Random

import pytest

from checker_kit import PASSED, REFUSED, START, Driver, check
from stayalived.checker.faults import MOST_KINDS
from stayalived.checker.probes import LocalFault, PluginFault
from stayalived.config.model import Check
from stayalived.messages.control import Start
from stayalived.timing import Duration, Instant, after, elapsed, milliseconds, seconds

IS_LONG = "STAYALIVED_TEST_LONG" in os.environ
PROBES = 1_000_000 if IS_LONG else 60_000
"""About so many in the week: the periods are chosen for it."""

WEEK = seconds(7 * 86400)
CHECKS = 150
MOST_GROWTH = 2000
"""Blocks of memory that may have come to be in the second half of the week, of some 100,000."""


@dataclass
class Model:
    """What one check has come to, from its results alone."""

    check: Check
    up: bool | None = None
    failures: int = 0
    rounds: int = 0
    passes: int = 0
    first: bool = True

    def take(self, passed: bool) -> Duration | None:
        """Take in a result; return how long after it the next one is wanted, None where chance has a say."""
        timing, first = self.check.timing, self.first
        self.first = False
        if self.up is None:
            self.enter(passed)
            return None if timing.warmup else timing.delay_loop
        if passed:
            self.failures = self.rounds = 0
            self.passes += 1
            if self.up is False and self.passes >= timing.rise:
                self.enter(True)
        else:
            self.passes = 0
            if self.up:
                self.fail()
        if self.up and self.failures:
            return timing.delay_before_retry
        is_changing = self.rounds or (not self.up and self.passes)
        assert not first
        return timing.fast_interval if timing.fast_interval and is_changing else timing.delay_loop

    def fail(self) -> None:
        timing = self.check.timing
        self.failures += 1
        if self.failures > timing.retry:
            self.failures = 0
            self.rounds += 1
            if self.rounds >= timing.fall:
                self.enter(False)

    def enter(self, up: bool) -> None:
        self.up = up
        self.failures = self.rounds = self.passes = 0


def drawn(chance: Random, period: Duration) -> list[Check]:
    """Return checks of every manner, each of a target of its own."""
    return [
        check(
            f"service{number % 7}/server{number}",
            target=f"192.0.2.{number + 1}:80",
            delay_loop=Duration(period * chance.choice((1, 2, 3))),
            delay_before_retry=seconds(chance.choice((1, 5))),
            retry=chance.randrange(4),
            rise=chance.randrange(1, 4),
            fall=chance.randrange(1, 3),
            fast_interval=seconds(chance.choice((0, 2))),
            warmup=chance.choice((Duration(0), seconds(3))),
        )
        for number in range(CHECKS)
    ]


class Week:
    """The engine and the model side by side."""

    def __init__(self, seed: int) -> None:
        self.chance = Random(seed)
        self.period = Duration(WEEK * CHECKS // PROBES // 2)
        self.checks = drawn(self.chance, self.period)
        self.models = {one.key: Model(one) for one in self.checks}
        self.keys = {str(one.target): one.key for one in self.checks}
        self.wanted: dict[str, Instant] = {}
        self.sick = 0.02
        self.ended = 0
        self.driver = Driver(seed=seed)
        self.driver.commit(*self.checks, start_rate=0)

    def run(self, length: Duration) -> None:
        """Let so much time pass."""
        until = after(self.driver.now, length)
        while self.driver.now < until:
            deadline = self.driver.engine.deadline
            assert deadline is not None, "nothing is due, for good"
            self.driver.wake_until(deadline)
            self.look_at_starts()
            for probe in list(self.driver.running):
                self.end(probe)
            if self.ended % 5000 < 3:
                self.shake()

    def look_at_starts(self) -> None:
        """Assert that what has begun was due: not before its time, and within a slot of it, unless the loop stood."""
        for started in self.driver.running.values():
            wanted = self.wanted.get(self.keys[str(started.identity.target)])
            assert wanted is None or -1 <= elapsed(wanted, self.driver.now), "too early"
            assert wanted is None or elapsed(wanted, self.driver.now) < seconds(2), "forgotten"

    def end(self, probe: int) -> None:
        """Let a probe end somehow, and compare."""
        key = self.keys[str(self.driver.running[probe].identity.target)]
        outcome, passed = self.outcome()
        latency = milliseconds(self.chance.choice((0, 1, 3)))
        self.driver.end(outcome, probe, latency)
        self.ended += 1
        if passed is None:
            self.wanted.pop(key, None)
        else:
            wish = self.models[key].take(passed)
            if wish is None:
                self.wanted.pop(key, None)
            else:
                self.wanted[key] = after(self.driver.now, wish)
        up = self.driver.engine.registry.subscribers[key].up
        assert up is self.models[key].up, f"{key} after {outcome}: engine {up}, model {self.models[key].up}"

    def outcome(self) -> tuple[object, bool | None]:
        chance = self.chance.random()
        if chance < 0.01:
            return LocalFault(text="no descriptor"), None
        if chance < 0.02:
            return PluginFault(text=f"ValueError: {self.chance.random()}"), None  # a new text each time
        return (REFUSED, False) if chance < 0.02 + self.sick else (PASSED, True)

    def shake(self) -> None:
        """Change the weather, reload, or let the machine stand still for a while."""
        self.sick = self.chance.choice((0.0, 0.02, 0.5, 0.98))
        match self.chance.randrange(3):
            case 0:
                self.driver.commit(*self.checks, start=Start.RELOAD, start_rate=0)
            case 1:
                self.driver.now = after(self.driver.now, seconds(1))  # nobody was woken meanwhile
        self.driver.told.clear()  # what the driver remembers, not what the engine does
        self.driver.reports.clear()
        self.driver.events.clear()


@pytest.mark.timeout(1200)
def test_a_week_of_checks_comes_out_as_the_model_says_and_leaves_nothing_behind() -> None:
    week = Week(seed=7)
    week.run(Duration(WEEK // 2))
    gc.collect()
    blocks = sys.getallocatedblocks()
    week.run(Duration(WEEK // 2))
    gc.collect()
    grown = sys.getallocatedblocks() - blocks
    engine = week.driver.engine

    assert grown < MOST_GROWTH
    assert len(engine.registry.probes) == len(engine.registry.subscribers) == CHECKS
    assert len(engine._due) + len(week.driver.running) == CHECKS
    assert len(engine.faults._tallies) <= MOST_KINDS + 1
    assert elapsed(START, week.driver.now) >= WEEK
    assert week.ended > PROBES // 2
