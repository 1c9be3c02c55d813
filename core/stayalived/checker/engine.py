"""The checker: from a configuration to probes, from results to the state of each check.

| event | what happens |
|---|---|
| `Prepare`, `Commit`, `Abort` | the set of probes changes; an unchanged check keeps its state |
| `ProbeEnded` with a verdict | each subscriber whose period has passed judges it; changes are told |
| `ProbeEnded` with a fault of ours or of the plugin | counted and reported, no verdict changes, the probe comes again |
| `Received` `AdoptedServer` | checks without a result are UP, with their retries |
| `Received` own `CheckState`, before the first commit | the verdict stays as it was until a new result comes |
| `Received` `AddressPresent` | checks of that virtual server go on, at once, or sleep (`ha_suspend`) |
| `Asked` by a probe | the runner is asked for a program; it answers with `Ran`, or dies: that counts as never run |
| `Stop` | running probes are abandoned; verdicts stay with whoever was told |

The work for one event does not depend on the number of probes.
"""

import logging
from collections.abc import Iterable, Iterator, Sequence
from random import Random

from stayalived.checker.faults import Faults
from stayalived.checker.news import PluginEvents, failure_line, fault_line, stale_line, verdict_line
from stayalived.checker.probes import (
    AbandonProbe,
    Asked,
    LocalFault,
    PluginFault,
    ProbeEffect,
    ProbeEnded,
    ProbeEvent,
)
from stayalived.checker.registry import Change, Probe, Registry, checks_of
from stayalived.checker.schedule import Pace, Wheel
from stayalived.checker.shards import distribution_of, makes
from stayalived.checker.sleep import Sleep
from stayalived.checker.verdict import Subscriber
from stayalived.child.events import (
    Abort,
    AnswerPrepared,
    ChildEffect,
    ChildEvent,
    Commit,
    Finished,
    Forget,
    Prepare,
    Received,
    Report,
    Stop,
    Tell,
)
from stayalived.child.programs import Requests, Withdrawn
from stayalived.config.model import Configuration
from stayalived.errors import Bug
from stayalived.messages.control import Start
from stayalived.messages.notify import Ran
from stayalived.messages.services import AddressPresent, AdoptedServer, CheckState, state_type
from stayalived.plugin.checks import Verdict
from stayalived.timing import Instant, after, earliest, elapsed, seconds

MOST_STARTS = 200
"""Probes started in one wake-up: after a stall the sockets are looked at between two batches."""

LOCAL_RETRY = seconds(1)
"""A probe that failed for a reason of ours comes again after this time, or its period where that is shorter."""

REFRESH = seconds(60)
"""A result that changes nothing is told after this time all the same, for the latency that people see."""

CheckerEvent = ChildEvent | ProbeEvent
CheckerEffect = ChildEffect | ProbeEffect


class CheckerEngine:
    """The engine of one checker process."""

    def __init__(self, name: str, chance: Random) -> None:
        """Make an engine without a configuration.

        Args:
            name: of the process: `checker`, `checker#2` or `checker/DIST`.
            chance: seeded source of the warm-up's spread.
        """
        self.name = name
        self.distribution = distribution_of(name)
        self.registry = Registry()
        self.faults = Faults()
        self._chance = chance
        self._prepared: tuple[int, Configuration] | None = None
        self._due: Wheel[int] = Wheel()
        self._aging: Wheel[int] = Wheel()
        self._adopted: set[str] = set()
        self._retold: dict[str, CheckState] = {}
        self._committed = False
        self._sleep = Sleep()
        self._pace = Pace(0)
        self._programs = Requests()
        self._plugin_events = PluginEvents(self.distribution)

    @property
    def deadline(self) -> Instant | None:
        """When the next probe is due or the next verdict becomes stale."""
        return earliest((self._due.deadline, self._aging.deadline))

    def handle(self, event: CheckerEvent, now: Instant) -> Sequence[CheckerEffect]:
        """Take in one event and return what is to be done."""
        if isinstance(event, ProbeEnded):
            return self._probe_ended(event, now)
        match event:
            case Asked(call=call, lane=lane, program=program):
                return [self._programs.ask(call, lane, program, now)]
            case Withdrawn(call=call):
                return self._programs.withdraw(call)
            case Prepare():
                self._prepared = (event.generation, event.configuration)
                return [AnswerPrepared(generation=event.generation)]
            case Commit():
                return list(self._commit(event, now))
            case Abort():
                self._prepared = None
                return []
            case Received():
                return list(self._received(event, now))
            case Stop():
                return [*self._abandon(list(self.registry.probes)), Finished()]

    def wake(self, now: Instant) -> Sequence[CheckerEffect]:
        """Start the probes that are due and mark the verdicts that have become stale."""
        effects: list[CheckerEffect] = []
        for number in self._due.take(now, MOST_STARTS):
            probe = self.registry.probes[number]
            effects.append(probe.begin(now))
        for number in self._aging.take(now, MOST_STARTS):
            effects.extend(self._age(self.registry.probes[number], now))
        return effects

    # ----------------------------------------------------------------------------------------------- configuration

    def _commit(self, event: Commit, now: Instant) -> Iterator[CheckerEffect]:
        """Run the checks of the prepared configuration."""
        if self._prepared is None or self._prepared[0] != event.generation:
            raise Bug(f"generation {event.generation} is committed but was not prepared")
        configuration = self._prepared[1]
        self._prepared = None
        processes = configuration.globals.checker_processes
        checks = [check for check in checks_of(configuration) if makes(self.name, check, processes)]
        change = self.registry.change(checks, iter(self._chance.random, 1.0), now)
        yield from self._abandon(change.ended)
        yield Report(
            level=logging.INFO,
            text=f"checks of {self.distribution}: {len(checks)}, by probes: {len(self.registry.probes)} "
            f"(new {len(change.started)}, ended {len(change.ended)})",
        )
        self._sleep.configure(configuration, self.registry.subscribers.values(), now)
        yield from self._begin(change, event.start, now)
        self._pace = Pace(configuration.globals.start_rate, processes)
        self._schedule(change, now)
        self._retold = {}
        self._committed = True

    def _begin(self, change: Change, start: Start, now: Instant) -> Iterator[CheckerEffect]:
        """Give the checks that are new here their first state and tell what is not known yet."""
        restored = self._retold if start is Start.RESPAWNED else {}
        for probe, subscriber in change.joined:
            state = restored.get(subscriber.check.key)
            if state is not None:
                subscriber.restore(state, now)
            if subscriber.check.subject in self._adopted and start is not Start.RELOAD:
                subscriber.adopt(now)
            if probe.verdict is not None and probe.fits(subscriber, now):
                subscriber.judge(probe.verdict, probe.latency, probe.ended_at, probe.spread, probe.counted_at)
        for subscriber in change.moved:
            check = subscriber.check
            is_expected = subscriber.up is None and not self._committed and state_type(check.subject) is CheckState
            if check.key not in restored and not is_expected:
                yield self._tell(subscriber, now)
        gone = [*change.gone, *(key for key in restored if key not in self.registry.subscribers)]
        yield from (Forget(message=state_type(key), key=key) for key in gone)

    def _schedule(self, change: Change, now: Instant) -> None:
        """File new probes behind each other, and those that go on under what their subscribers want now."""
        for probe in change.started:
            self._due.file(probe.number, self._pace.next(now))
        for probe in change.kept:
            if not probe.running and (probe.verdict is not None or probe.number not in self._due):
                due = after(probe.counted_at, probe.wish())
                self._due.file(probe.number, due if due > now else self._pace.next(now))
        for probe in (*change.started, *change.kept):
            self._aging.file(probe.number, min(subscriber.stale_at() for subscriber in probe.subscribers))
        if self._sleep.possible:
            for probe in (*change.started, *change.kept):
                self._rest(probe)

    def _rest(self, probe: Probe) -> bool:
        """Leave a probe alone when nobody wants a result, until `_go_on`; return whether that is so."""
        if not probe.asleep:
            return False
        self._due.drop(probe.number)
        self._aging.drop(probe.number)
        return True

    def _go_on(self, message: AddressPresent, now: Instant) -> None:
        """Let the checks of a virtual server go on, or sleep."""
        for subject in self._sleep.take(message):
            for subscriber in self.registry.of_subject(subject):
                subscriber.suspend(not message.present, now)
                probe = self.registry.probe_of(subscriber)
                if self._rest(probe) or subscriber.suspended:
                    continue
                if not probe.running:
                    self._due.file(probe.number, self._pace.next(now))
                self._aging.file(probe.number, min(one.stale_at() for one in probe.subscribers))

    def _abandon(self, numbers: Iterable[int]) -> Iterator[CheckerEffect]:
        """End probes."""
        for number in numbers:
            self._due.drop(number)
            self._aging.drop(number)
            yield AbandonProbe(probe=number)

    # ----------------------------------------------------------------------------------------------------- results

    def _probe_ended(self, event: ProbeEnded, now: Instant) -> list[CheckerEffect]:
        """Take in what a probe found and file its next run."""
        effects: list[CheckerEffect] = []
        probe = self.registry.probes.get(event.probe)
        if probe is None or not probe.running:
            return effects  # abandoned while its answer was on the way
        probe.end(now)
        outcome = event.outcome
        if isinstance(outcome, Verdict):
            probe.verdict, probe.latency = outcome, event.latency
            for subscriber in probe.subscribers:
                if subscriber.is_due(probe.counted_at):
                    effects.extend(self._judge(subscriber, probe, now))
            if not (self._sleep.possible and self._rest(probe)):
                self._due.file(probe.number, probe.next_due(now))
            return effects
        is_early = isinstance(outcome, LocalFault) and probe.wish() > LOCAL_RETRY
        self._due.file(probe.number, after(now, LOCAL_RETRY) if is_early else probe.next_due(now))
        effects.extend(self._fault(probe, outcome, now))
        return effects

    def _judge(self, subscriber: Subscriber, probe: Probe, now: Instant) -> Iterator[CheckerEffect]:
        """Let one subscriber judge the probe's result; tell and report what changed."""
        before = (subscriber.up, subscriber.weight, subscriber.value, subscriber.stale)
        reason = subscriber.reason
        assert probe.verdict is not None
        changed = subscriber.judge(probe.verdict, probe.latency, now, probe.spread, probe.counted_at)
        is_news = before != (subscriber.up, subscriber.weight, subscriber.value, subscriber.stale)
        if is_news or (reason != subscriber.reason and not subscriber.up) or elapsed(subscriber.told_at, now) > REFRESH:
            yield self._tell(subscriber, now)
        if changed:
            yield verdict_line(subscriber, probe.verdict, before[0])
        elif subscriber.check.timing.log_all_failures and not subscriber.passed:
            yield failure_line(subscriber, probe.verdict)

    def _fault(self, probe: Probe, fault: LocalFault | PluginFault, now: Instant) -> Iterator[CheckerEffect]:
        """Count a fault that is not the server's; report its kind at once, then at most once a minute."""
        is_local = isinstance(fault, LocalFault)
        for subscriber in probe.subscribers:
            if subscriber.excuse(fault.text):
                yield self._tell(subscriber, now)
        count = self.faults.count(f"{'local' if is_local else probe.identity.type}: {fault.text}", now)
        if not count:
            return
        yield fault_line(self.distribution, probe.identity, probe.subscribers[0].check.subject, fault, count)
        if not is_local:
            yield self._plugin_events.failed(f"check {probe.identity.type}: {fault.text}", now)

    def _age(self, probe: Probe, now: Instant) -> Iterator[CheckerEffect]:
        """Mark the verdicts of a probe that have become stale and file the next look."""
        for subscriber in probe.subscribers:
            if subscriber.asleep:
                continue
            if subscriber.up is not None and not subscriber.stale and subscriber.stale_at() <= now:
                subscriber.stale = True
                yield self._tell(subscriber, now)
                yield stale_line(subscriber, now)
        shortest = min(subscriber.check.timing.delay_loop for subscriber in probe.subscribers)
        self._aging.file(probe.number, probe.stale_at() or after(now, shortest))

    # ---------------------------------------------------------------------------------------------------- messages

    def _received(self, event: Received, now: Instant) -> Iterator[CheckerEffect]:
        """Take in what others tell: servers found at start, and our own state of before our death."""
        message = event.message
        if message is None:
            self._adopted.discard(event.key)  # a key of another topic is never a subject of this set
        yield from self._programs.watch(event)
        if isinstance(message, Ran):
            yield from self._programs.ended(message)
        if isinstance(message, CheckState) and event.sender == self.name and not self._committed:
            self._retold[event.key] = message
        if isinstance(message, AddressPresent):
            self._go_on(message, now)
        if isinstance(message, AdoptedServer) and message.weight > 0:
            self._adopted.add(message.subject)
            for subscriber in self.registry.of_subject(message.subject):
                if subscriber.adopt(now):
                    yield self._tell(subscriber, now)

    def _tell(self, subscriber: Subscriber, now: Instant) -> Tell:
        """Return the message of a check's whole present state."""
        subscriber.told_at = now
        return Tell(message=subscriber.state(), key=subscriber.check.key)
