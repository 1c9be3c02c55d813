"""Which probes there are and who listens to each; how a new configuration changes them."""

from collections import defaultdict, deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from stayalived.checker.probes import ProbeIdentity, StartProbe
from stayalived.checker.verdict import Subscriber
from stayalived.config.model import Check, Configuration
from stayalived.plugin.checks import Verdict
from stayalived.timing import NO_TIME, Duration, Instant, after, elapsed


def checks_of(configuration: Configuration) -> Iterator[Check]:
    """Return all checks in the order of the configuration."""
    for service in configuration.virtual_servers:
        for server in service.real_servers:
            yield from server.checks
    yield from configuration.tracked_checks


class Probe:
    """One question to one server, and everybody who asked for it."""

    __slots__ = (
        "ended_at",
        "identity",
        "latency",
        "running",
        "spread",
        "start",
        "started_at",
        "subscribers",
        "verdict",
    )

    def __init__(self, number: int, identity: ProbeIdentity, spread: float) -> None:
        """Make a probe that has not run yet.

        Args:
            number: never used before in this process.
            identity: what it asks.
            spread: part of the warm-up that passes before its second run, from 0 to 1.
        """
        self.identity = identity
        self.spread = spread
        self.start = StartProbe(probe=number, identity=identity)
        self.subscribers: list[Subscriber] = []
        self.running = False
        self.verdict: Verdict | None = None
        self.latency = NO_TIME
        self.started_at = self.ended_at = Instant(0)

    @property
    def number(self) -> int:
        """The number under which the shell knows this probe."""
        return self.start.probe

    @property
    def counted_at(self) -> Instant:
        """The moment that periods count from: the end of the last run, or its start where the type says so (T07)."""
        return self.started_at if self.subscribers[0].check.timing.from_start else self.ended_at

    def begin(self, now: Instant) -> StartProbe:
        """Run, and return the effect that makes it."""
        self.running = True
        self.started_at = now
        return self.start

    def end(self, now: Instant) -> None:
        """Run no more."""
        self.running = False
        self.ended_at = now

    def next_due(self, now: Instant) -> Instant:
        """Return when the next run is wanted. Periods that a long run has used up are left out."""
        since, wish = self.counted_at, self.wish()
        missed = -(-elapsed(since, now) // wish) if wish else 0
        return after(since, Duration(max(missed, 1) * wish))

    @property
    def asleep(self) -> bool:
        """Whether nobody wants a result."""
        return all(subscriber.asleep for subscriber in self.subscribers)

    def wish(self) -> Duration:
        """Return how long after `counted_at` the probe is wanted again: the shortest that anybody asks for."""
        if len(self.subscribers) == 1:
            return self.subscribers[0].wish
        wishes = (subscriber.wish for subscriber in self.subscribers if not subscriber.asleep)
        return min(wishes, default=self.subscribers[0].wish)

    def stale_at(self) -> Instant | None:
        """Return when the first of the verdicts becomes stale, or None when there is none that still can."""
        fresh = (one.stale_at() for one in self.subscribers if one.up is not None and not one.stale and not one.asleep)
        return min(fresh, default=None)

    def fits(self, subscriber: Subscriber, now: Instant) -> bool:
        """Return whether the last result is young enough to be a new subscriber's first."""
        return self.verdict is not None and elapsed(self.ended_at, now) < subscriber.check.timing.delay_loop


@dataclass(slots=True)
class Change:
    """What a new configuration changed."""

    started: list[Probe] = field(default_factory=list)
    kept: list[Probe] = field(default_factory=list)
    ended: list[int] = field(default_factory=list)
    joined: list[tuple[Probe, Subscriber]] = field(default_factory=list)
    moved: list[Subscriber] = field(default_factory=list)
    gone: list[str] = field(default_factory=list)


class Registry:
    """All probes by number and by identity, all subscribers by key and by subject."""

    def __init__(self) -> None:
        """Hold nothing."""
        self.probes: dict[int, Probe] = {}
        self.subscribers: dict[str, Subscriber] = {}
        self._by_identity: dict[ProbeIdentity, Probe] = {}
        self._by_subject: dict[str, list[Subscriber]] = {}
        self._next_number = 1

    def of_subject(self, subject: str) -> Iterable[Subscriber]:
        """Return the checks of one subject; none when it has none here."""
        return self._by_subject.get(subject, ())

    def probe_of(self, subscriber: Subscriber) -> Probe:
        """Return the probe that a check listens to."""
        return self._by_identity[subscriber.identity]

    def change(self, checks: Iterable[Check], spreads: Iterator[float], now: Instant) -> Change:
        """Take over a configuration. A check of the same subject that asks the same keeps its state (C41).

        Args:
            checks: all that shall run from now on.
            spreads: a warm-up spread for each new probe.
            now: the moment, for checks that are new.

        Returns:
            what has to be started, ended, told and forgotten.
        """
        change = Change()
        old_keys, old_probes = self.subscribers, self._by_identity
        self.subscribers, self._by_identity = {}, {}
        wanted = [(check.key, check) for check in checks]
        former = _former(old_keys, wanted)
        for key, check in wanted:
            subscriber = old_keys.get(key)
            if subscriber is None or subscriber.check != check:
                subscriber = _heir(former, check) or Subscriber(check, now)
                subscriber.follow(check)
            probe = self._by_identity.get(subscriber.identity)
            if probe is None:
                probe = self._open(subscriber.identity, old_probes, spreads, change)
            probe.subscribers.append(subscriber)
            self.subscribers[key] = subscriber
            if old_keys.get(key) is not subscriber:
                change.moved.append(subscriber)
                if subscriber.results == 0:
                    change.joined.append((probe, subscriber))
        self._close(old_keys, old_probes, change)
        return change

    def _open(
        self, identity: ProbeIdentity, old: dict[ProbeIdentity, Probe], spreads: Iterator[float], change: Change
    ) -> Probe:
        """Return the running probe of an identity without its subscribers, or a new one."""
        probe = old.get(identity)
        if probe is None:
            probe = Probe(self._next_number, identity, next(spreads))
            self._next_number += 1
            self.probes[probe.number] = probe
            change.started.append(probe)
        else:
            probe.subscribers = []
            change.kept.append(probe)
        self._by_identity[identity] = probe
        return probe

    def _close(self, old_keys: dict[str, Subscriber], old_probes: dict[ProbeIdentity, Probe], change: Change) -> None:
        """Drop what nobody asks for any more and index the rest by subject."""
        change.gone = [key for key in old_keys if key not in self.subscribers]
        change.ended = [probe.number for identity, probe in old_probes.items() if identity not in self._by_identity]
        for number in change.ended:
            del self.probes[number]
        self._by_subject = {}
        for subscriber in self.subscribers.values():
            self._by_subject.setdefault(subscriber.check.subject, []).append(subscriber)


_Former = dict[tuple[str, ProbeIdentity], deque[Subscriber]]


def _former(old: dict[str, Subscriber], wanted: Iterable[tuple[str, Check]]) -> _Former:
    """Return the subscribers whose check is not the same any more by what may still make them the same, in order."""
    unchanged = {key for key, check in wanted if key in old and old[key].check == check}
    former: _Former = defaultdict(deque)
    for key, subscriber in old.items():
        if key not in unchanged:
            former[subscriber.check.subject, subscriber.identity.question].append(subscriber)
    return former


def _heir(former: _Former, check: Check) -> Subscriber | None:
    """Take out and return the former subscriber of the same subject and question, the first there is (C41)."""
    heirs = former.get((check.subject, ProbeIdentity.of(check).question)) if former else None
    return heirs.popleft() if heirs else None
