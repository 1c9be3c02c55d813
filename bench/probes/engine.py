"""One measurement in a process of its own: the checker's engine and prober, joined as its shell joins them. I/O."""

import asyncio
import gc
import os
import resource
import time
from collections.abc import Iterable
from pathlib import Path
from random import Random

from probes.sites import FARM_HOSTS, farm, many
from stayalived.checker.engine import CheckerEffect, CheckerEngine
from stayalived.checker.probe import Prober
from stayalived.checker.probes import AbandonProbe, ProbeEnded, StartProbe
from stayalived.checker.tidiness import Tidiness
from stayalived.checker.watchdog import Watchdog
from stayalived.child.base import read_clock
from stayalived.child.events import Commit, Prepare
from stayalived.config.model import BUNDLED, Configuration
from stayalived.messages.control import Start
from stayalived.plugin import manager
from stayalived.timing import Instant

Figures = dict[str, float]
MOST_LATENESSES = 200_000
SETTLE = 3.0
"""Seconds before a measurement that is not a short one: all checks are made by then."""


class Bench:
    """The engine and the prober, without a supervisor."""

    def __init__(self) -> None:
        catalogue = manager.load({BUNDLED}).catalogue
        self.engine = CheckerEngine("checker", Random(1))
        self.watchdog = Watchdog("bench", read_clock)
        self.prober = Prober(
            lambda identity: catalogue.checks[identity.type].make(identity.options),
            self.ended,
            read_clock,
            self.watchdog,
            grown=Tidiness(asyncio.get_running_loop().call_later).grown,
        )
        self.loop = asyncio.get_running_loop()
        self.timer: asyncio.TimerHandle | None = None
        self.timer_at: Instant | None = None
        self.results = self.failures = 0
        self.due: dict[int, Instant] = {}
        self.late: list[int] | None = None

    def perform(self, effects: Iterable[CheckerEffect]) -> None:
        for effect in effects:
            if isinstance(effect, StartProbe):
                due = self.due.get(effect.probe)
                if due is not None and self.late is not None and len(self.late) < MOST_LATENESSES:
                    self.late.append(read_clock() - due)
                self.prober.start(effect)
            elif isinstance(effect, AbandonProbe):
                self.prober.abandon(effect.probe)

    def ended(self, event: ProbeEnded) -> None:
        self.results += 1
        self.failures += not getattr(event.outcome, "up", False)
        now = read_clock()
        effects = self.engine.handle(event, now)
        self.due[event.probe] = self.engine.registry.probes[event.probe].next_due(now)
        self.perform(effects)
        self.settle()

    def settle(self) -> None:
        moment = self.engine.deadline
        if moment == self.timer_at:
            return
        if self.timer is not None:
            self.timer.cancel()
        self.timer_at = moment
        self.timer = None if moment is None else self.loop.call_at(moment / 1e9, self.wake)

    def wake(self) -> None:
        self.timer = self.timer_at = None
        self.perform(self.engine.wake(read_clock()))
        self.settle()

    def begin(self, config: Configuration) -> None:
        now = read_clock()
        self.engine.handle(Prepare(generation=1, configuration=config), now)
        self.perform(self.engine.handle(Commit(generation=1, start=Start.FIRST), now))
        self.settle()

    def close(self) -> None:
        if self.timer is not None:
            self.timer.cancel()
        self.prober.close()
        self.watchdog.close()


def measure(kind: str, targets: int, rate: int, length: float, certificate: str, core: int) -> Figures:
    """Probe so many targets at a rate for a while; 0 targets are the farm."""
    os.sched_setaffinity(0, {core})
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(hard, 65536)), hard))
    gc.collect()
    gc.freeze()
    before = memory()
    config = many(kind, targets, rate, certificate) if targets else farm(kind, rate, certificate)
    return asyncio.run(_run(config, rate, (targets or FARM_HOSTS) / rate, length)) | {"memory at start, MiB": before}


async def _run(config: Configuration, rate: int, period: float, length: float) -> Figures:
    bench = Bench()
    began = time.perf_counter()
    bench.begin(config)
    committed = time.perf_counter() - began
    await asyncio.sleep(max(min(SETTLE, 4 * length), 2.5 * period))
    bench.late, bench.failures, results = [], 0, bench.results
    cpu, user, start = time.process_time(), os.times().user, time.monotonic()
    await asyncio.sleep(length)
    user = os.times().user - user
    cpu, took, results = time.process_time() - cpu, time.monotonic() - start, bench.results - results
    late = sorted(bench.late[len(bench.late) // 50 :]) or [0]
    figures = {
        "asked/s": float(rate),
        "probes/s": results / took,
        "us a probe": cpu / max(results, 1) * 1e6,
        "of it ours": user / max(results, 1) * 1e6,
        "core": cpu / took,
        "late p50, ms": late[len(late) // 2] / 1e6,
        "late p99, ms": late[len(late) * 99 // 100] / 1e6,
        "memory, MiB": memory(),
        "failed": float(bench.failures),
        "checks": float(len(bench.engine.registry.subscribers)),
        "probes": float(len(bench.engine.registry.probes)),
        "commit, s": committed,
    }
    bench.close()
    return figures


def memory() -> float:
    """Return the proportional set size of this process in MiB."""
    lines = Path("/proc/self/smaps_rollup").read_text().splitlines()
    return sum(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1024
