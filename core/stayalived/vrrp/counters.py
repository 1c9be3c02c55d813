"""What each virtual router has counted, and when it is told: each at most once a second, and 50 of them a second."""

from dataclasses import dataclass, field

from stayalived.child.events import Tell
from stayalived.messages.vrrp import RouterCounters
from stayalived.timing import Instant, after, seconds

ROUND = seconds(1)
"""Shortest time from one telling of a router's counters to the next."""

TOLD_AT_ONCE = 50
"""Counters that are told in one go. To tell one costs vrrp, supervisor and api together more than several adverts do,
so those of 200 routers are up to four seconds old, those of 4,000 up to eighty."""

BETWEEN = seconds(1)
"""From one go to the next."""


@dataclass(slots=True, kw_only=True)
class Counters:
    """Counters of one virtual router, or (the errors) of what belongs to none on one interface."""

    key: str
    adverts_sent: int = 0
    adverts_received: int = 0
    became_master: int = 0
    released_master: int = 0
    priority_zero_sent: int = 0
    priority_zero_received: int = 0
    trailers_received: int = 0
    errors: dict[str, int] = field(default_factory=dict)

    def fail(self, kind: str, by: int = 1) -> None:
        """Count an error of this kind."""
        self.errors[kind] = self.errors.get(kind, 0) + by

    def go_on_from(self, told: RouterCounters) -> None:
        """Continue where the process before this one stopped."""
        self.adverts_sent = told.adverts_sent
        self.adverts_received = told.adverts_received
        self.became_master = told.became_master
        self.released_master = told.released_master
        self.priority_zero_sent = told.priority_zero_sent
        self.priority_zero_received = told.priority_zero_received
        self.trailers_received = told.trailers_received
        self.errors = dict(told.errors)

    def message(self) -> RouterCounters:
        """Return the counters as they are told."""
        return RouterCounters(
            key=self.key,
            adverts_sent=self.adverts_sent,
            adverts_received=self.adverts_received,
            became_master=self.became_master,
            released_master=self.released_master,
            priority_zero_sent=self.priority_zero_sent,
            priority_zero_received=self.priority_zero_received,
            errors=dict(self.errors),
            trailers_received=self.trailers_received,
        )


class CounterTeller:
    """Tells counters that have changed, in rounds that begin a second or more apart."""

    def __init__(self) -> None:
        """Start with nothing to tell."""
        self._changed: dict[str, Counters] = {}
        self._round: list[Counters] = []
        self._next_round = Instant(0)
        self._next_go = Instant(0)

    @property
    def deadline(self) -> Instant | None:
        """When the next ones may be told."""
        if self._round:
            return self._next_go
        return self._next_round if self._changed else None

    def note(self, counters: Counters) -> None:
        """Remember that these have changed."""
        self._changed[counters.key] = counters

    def forget(self, key: str) -> None:
        """Tell nothing of this key any more."""
        self._changed.pop(key, None)
        self._round = [counters for counters in self._round if counters.key != key]

    def take(self, now: Instant) -> list[Tell]:
        """Return what may be told now."""
        if not self._round and self._changed and now >= self._next_round:
            self._round = list(self._changed.values())
            self._changed.clear()
            self._next_round = after(now, ROUND)
            self._next_go = now
        if not self._round or now < self._next_go:
            return []
        going, self._round = self._round[:TOLD_AT_ONCE], self._round[TOLD_AT_ONCE:]
        self._next_go = after(now, BETWEEN)
        return [Tell(message=counters.message(), key=counters.key) for counters in going]
