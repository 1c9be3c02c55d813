"""What all virtual routers of this process share: the order of their effects, the announcements, the counters."""

from collections.abc import Sequence

from stayalived.child.events import ChildEffect, Report
from stayalived.timing import Instant
from stayalived.vrrp.announcer import Announcer
from stayalived.vrrp.counters import CounterTeller
from stayalived.vrrp.effects import AddAddresses, Listen, RemoveAddresses, SendAdvert, VrrpEffect

# Levels of the logging module, which an engine does not import.
INFO = 20
WARNING = 30
ERROR = 40

Effect = ChildEffect | VrrpEffect


class Tray:
    """Effects on their way out: what must precede packets, adverts, addresses, and then the talk about it.

    A takeover sends its advert first, which stops a race of two candidates (keepalived's V51), then adds the
    addresses, and tells others once the kernel has been asked. Addresses of many routers stand together, so that a
    shell can put them into few netlink messages.
    """

    def __init__(self) -> None:
        """Start empty."""
        self._first: list[Effect] = []
        self._adverts: list[Effect] = []
        self._kernel: list[Effect] = []
        self._last: list[Effect] = []

    def before_packets(self, effect: Listen | RemoveAddresses) -> None:
        """Put in what must be done before the first packet leaves."""
        self._first.append(effect)

    def advert(self, effect: SendAdvert) -> None:
        """Put in an advert."""
        self._adverts.append(effect)

    def addresses(self, effect: AddAddresses | RemoveAddresses) -> None:
        """Put in a change of addresses."""
        self._kernel.append(effect)

    def tell(self, effect: Effect) -> None:
        """Put in a message, a line for the log, or anything else that can wait for the others."""
        self._last.append(effect)

    def report(self, level: int, text: str, *, once: str = "", **fields: str) -> None:
        """Put in a line for the log."""
        self._last.append(Report(level=level, text=text, fields=fields, once=once))

    def empty(self) -> Sequence[Effect]:
        """Take everything out, in the order in which it is to be done."""
        if not (self._first or self._adverts or self._kernel or self._last):
            return ()
        effects = [*self._first, *self._adverts, *self._kernel, *self._last]
        for rank in (self._first, self._adverts, self._kernel, self._last):
            rank.clear()
        return effects


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
