"""What all virtual routers of this process share: the order of their effects, the announcements, the counters."""

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from typing import Protocol

from stayalived.child.events import ChildEffect, Report, Tell
from stayalived.kernel.api import Change
from stayalived.messages.notify import Event
from stayalived.messages.routes import VRRP
from stayalived.timing import Instant
from stayalived.vrrp.announcer import Announcer
from stayalived.vrrp.counters import CounterTeller
from stayalived.vrrp.effects import ApplyChanges, SendAdvert, SendAdverts, VrrpEffect

# Levels of the logging module, which an engine does not import.
INFO = 20
WARNING = 30
ERROR = 40

CHANGES = 100
"""Changes of the kernel's state that are asked for in one go: about 1 ms, so that adverts that are due do not wait."""

TALK = 50
"""Messages and lines for the log that leave in one go: about 2 ms."""

Effect = ChildEffect | VrrpEffect


class Teller(Protocol):
    """Whoever has a present state to tell. It is asked for it when it is its turn, so it tells each state at most once.

    Attributes:
        is_queued: waits for its turn. `Tray` sets it, the teller takes it back.
    """

    is_queued: bool

    def tell(self) -> Sequence[Effect]:
        """Return what there is to tell now."""
        ...


class Tray:
    """Effects on their way out: what must precede packets, adverts, changes of the kernel, and then the talk about it.

    A takeover sends its advert first, which stops a race of two candidates (keepalived's V51), then adds the
    addresses, and tells others once the kernel has been asked. With thousands of routers that is a second of work, and
    adverts fall due meanwhile: so changes and talk leave in slices, talk when no change waits any more.
    """

    def __init__(self) -> None:
        """Start empty."""
        self._sweeps: list[Change] = []
        self._first: list[Effect] = []
        self._adverts: list[SendAdvert] = []
        self._changes: deque[Change] = deque()
        self._works: deque[VrrpEffect] = deque()
        self._talk: deque[Effect | Callable[[], Sequence[Effect]]] = deque()

    @property
    def is_waiting(self) -> bool:
        """Whether anything is left for the next slice."""
        return bool(self._changes or self._works or self._talk)

    def sweep(self, change: Change) -> None:
        """Put in a leftover that is to be removed before anything else."""
        self._sweeps.append(change)

    def before_packets(self, effect: Effect) -> None:
        """Put in what must be done before the first packet leaves."""
        self._first.append(effect)

    def advert(self, adverts: Iterable[SendAdvert]) -> None:
        """Put in adverts."""
        self._adverts.extend(adverts)

    def change(self, changes: Iterable[Change]) -> None:
        """Put in changes of addresses, routes, rules and barriers."""
        self._changes.extend(changes)

    def work(self, effect: VrrpEffect) -> None:
        """Put in another request to the kernel, which takes about as long as a slice of changes; after the changes."""
        self._works.append(effect)

    def tell(self, effect: Effect) -> None:
        """Put in a message, a line for the log, or anything else that can wait for the others."""
        self._talk.append(effect)

    def tell_state(self, teller: Teller) -> None:
        """Let somebody tell its state when it is its turn."""
        if not teller.is_queued:
            teller.is_queued = True
            self._talk.append(teller.tell)

    def report(self, level: int, text: str, *, once: str = "", **fields: str) -> None:
        """Put in a line for the log.

        The last word of `once` is a class of errors: so many lines of it are written a second, whoever they are of.
        """
        if text and once:
            fields["class"] = once.rpartition(" ")[2]
        self._talk.append(Report(level=level, text=text, fields=fields, once=once))

    def take(self) -> Sequence[Effect]:
        """Take out the next slice, in the order in which it is to be done."""
        effects = self.take_urgent()
        if self._changes:
            count = min(CHANGES, len(self._changes))
            effects.append(ApplyChanges(changes=tuple(self._changes.popleft() for _ in range(count))))
        elif self._works:
            effects.append(self._works.popleft())
        if not (self._changes or self._works):
            self._take_talk(effects, TALK)
        return effects

    def take_all(self) -> Sequence[Effect]:
        """Take everything out: nothing comes after."""
        effects = self.take_urgent()
        if self._changes:
            effects.append(ApplyChanges(changes=tuple(self._changes)))
            self._changes.clear()
        effects.extend(self._works)
        self._works.clear()
        self._take_talk(effects, len(self._talk))
        return effects

    def take_urgent(self) -> list[Effect]:
        """Take out what precedes packets, and adverts."""
        effects, self._first = self._first, []
        if self._sweeps:
            effects.insert(0, ApplyChanges(changes=tuple(self._sweeps)))
            self._sweeps.clear()
        if self._adverts:
            effects.append(SendAdverts(adverts=tuple(self._adverts)))
            self._adverts.clear()
        return effects

    def _take_talk(self, effects: list[Effect], limit: int) -> None:
        for _ in range(min(limit, len(self._talk))):
            talk = self._talk.popleft()
            if callable(talk):
                effects.extend(talk())
            else:
                effects.append(talk)


class Desk:
    """One for each engine; every virtual router works at it.

    Attributes:
        tray: effects on their way out.
        announcer: gratuitous ARPs and neighbour advertisements.
        counters: whose counters are to be told.
        no_preemption_before: end of the start hold, or None; see `[global] start_hold`.
        sequence: number of the last event; follows the monotonic clock, so that no restart repeats one.
    """

    def __init__(self) -> None:
        """Start with nothing on it."""
        self.tray = Tray()
        self.announcer = Announcer()
        self.counters = CounterTeller()
        self.no_preemption_before: Instant | None = None
        self.sequence = 0

    def next_sequence(self, now: Instant) -> int:
        """Return the number of the next event."""
        self.sequence = max(self.sequence + 1, now)
        return self.sequence

    def stalled(self, reason: str, now: Instant) -> Tell:
        """Return the event that this process stood still."""
        sequence = self.next_sequence(now)
        event = Event(
            sequence=sequence,
            kind="stalled",
            subject_type="child",
            subject=VRRP,
            old="",
            new="",
            reason=reason,
            priority=0,
            monotonic=now,
        )
        return Tell(message=event, sequence=sequence)
