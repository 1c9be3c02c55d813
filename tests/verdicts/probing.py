"""Our verdicts without a daemon: every check of a configuration once, all at the same time, in this process."""

import asyncio
import itertools
from collections.abc import Callable, Sequence

from configuration_kit import read
from stayalived.checker.echo import Pinger, open_echo_sockets
from stayalived.checker.probe import Prober
from stayalived.checker.probes import ProbeEnded, ProbeIdentity, StartProbe
from stayalived.checker.registry import checks_of
from stayalived.checker.verdict import Subscriber
from stayalived.checker.watchdog import Watchdog
from stayalived.child.base import read_clock
from stayalived.child.programs import run_of
from stayalived.config.model import Check as Configured
from stayalived.plugin import Check, LocalFailure, Outcome, Program, Verdict
from stayalived.plugin.manager import load
from stayalived.runner.engine import TERM_PATIENCE, Ended, Start
from stayalived.runner.programs import Programs
from stayalived.timing import Instant, in_seconds
from verdicts.table import Places, Row, ours, spoken

NOW = Instant(0)
PATIENCE = (1, 20)
"""`connect_timeout` of checks that hear silence, and of those that hear an answer, however busy the machine is."""

MOST_WEIGHT = 2**31 - 1  # C38


class _Guard:
    """Nobody has to be told what runs: the test ends what it started."""

    def started(self, pid: int) -> None:
        """A program runs."""

    def ended(self, pid: int) -> None:
        """It has ended."""


class Runner:
    """Starts programs as the runner does, and ends them as its engine would have it."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._programs = Programs(self, self._end, _Guard())
        self._waiting: dict[int, asyncio.Future[Ended]] = {}
        self._tokens = itertools.count(1)

    def watch(self, fd: int, callback: Callable[[], None]) -> None:
        """Call back whenever the descriptor is readable."""
        self._loop.add_reader(fd, callback)

    def unwatch(self, fd: int) -> None:
        """Do not any more."""
        self._loop.remove_reader(fd)

    async def run(self, program: Program) -> Outcome:
        """Run a program to its end."""
        token = next(self._tokens)
        ended = self._waiting[token] = self._loop.create_future()
        self._programs.start(Start(token=token, run=run_of(program, token), user="root"))
        expired = False
        for patience, end in ((program.limit, self._programs.terminate), (TERM_PATIENCE, self._programs.kill)):
            await asyncio.wait([ended], timeout=in_seconds(patience))
            if not ended.done():
                expired = True
                end(token)
        how = await ended
        if how.problem and not expired:
            raise LocalFailure(how.problem)
        problem = how.problem or ("too long" if expired else "")
        return Outcome(status=how.status, signal=how.signal, output=how.output, problem=problem)

    def _end(self, ended: Ended) -> None:
        self._waiting.pop(ended.token).set_result(ended)


async def probe_all(table: Sequence[Row], places: Places) -> dict[str, str]:
    """Return our verdicts as the record has them."""
    plugins = load()
    configuration, problems = read(ours(table, places, patience=PATIENCE), loaded=plugins)
    assert configuration is not None, problems[:5]
    checks = {}
    for check in checks_of(configuration):
        service, server = check.subject.split("/")
        if service.startswith("alpha"):
            checks[server] = check
    runner, pinger = Runner(), Pinger(open_echo_sockets())

    def make(identity: ProbeIdentity) -> Check:
        return plugins.catalogue.checks[identity.type].make(identity.options)

    waiting = {row.number: asyncio.get_running_loop().create_future() for row in table}
    watchdog = Watchdog("verdicts", read_clock)
    prober = Prober(
        make, lambda ended: waiting[ended.probe].set_result(ended), read_clock, watchdog, runner.run, pinger.ping
    )

    async def judge(row: Row) -> str:
        check = checks[f"b{row.number}"]
        prober.start(StartProbe(probe=row.number, identity=ProbeIdentity.of(check)))
        ended: ProbeEnded = await waiting[row.number]
        return _spoken(check, ended)

    try:
        found = await asyncio.gather(*map(judge, table))
    finally:
        prober.close()
        watchdog.close()
        pinger.close()
    return {row.behaviour.key: verdict for row, verdict in zip(table, found, strict=True)}


def _spoken(check: Configured, ended: ProbeEnded) -> str:
    """Return what becomes of a server that had no result yet."""
    if not isinstance(ended.outcome, Verdict):
        return spoken(None, 0)
    subscriber = Subscriber(check, NOW)
    subscriber.judge(ended.outcome, ended.latency, NOW, 0.0)
    return spoken(subscriber.up, min(max(check.server_weight + subscriber.weight, 0), MOST_WEIGHT))
