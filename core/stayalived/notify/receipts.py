"""Which events are told to everybody whom they are for (pure): so that who keeps them for our death need not any more.

An event is told when each of its actions has told it, has failed to, or was told a later one instead of it. Until then
the supervisor keeps it, and gives it to the process after this one.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from stayalived.child.events import ChildEffect, Tell
from stayalived.messages.notify import Event, Told
from stayalived.timing import Duration, Instant, after, milliseconds

GIVEN_EVERY: Duration = milliseconds(50)
"""How long a receipt waits for others at most: what is told within it is told again after a death."""

AT_ONCE = 512  # receipts in one message


@dataclass(slots=True)
class _Debt:
    """Who sent the events of a number, and how many actions have not told them."""

    senders: list[str] = field(default_factory=list)
    tellings: int = 0


class Receipts:
    """The events that are being told, and the receipts for those that are."""

    def __init__(self) -> None:
        """Owe nothing."""
        self._debts: dict[int, _Debt] = {}
        self._paid: dict[str, list[int]] = {}
        self._due: Instant | None = None

    @property
    def deadline(self) -> Instant | None:
        """When receipts are to be given."""
        return self._due

    def take(self, sender: str, event: Event, tellings: int, now: Instant) -> None:
        """An event has come that so many actions are to be told."""
        debt = self._debts.setdefault(event.sequence, _Debt())
        debt.senders.append(sender)
        debt.tellings += tellings
        self._pay(event.sequence, debt, now)

    def settle(self, event: Event, now: Instant) -> None:
        """An action has told an event, or will never be told it."""
        debt = self._debts.get(event.sequence)
        if debt is not None:
            debt.tellings -= 1
            self._pay(event.sequence, debt, now)

    def give(self, now: Instant, *, at_once: bool = False) -> list[ChildEffect]:
        """Return the receipts when it is time for them."""
        if self._due is None or (now < self._due and not at_once):
            return []
        pairs = [(sender, number) for sender, numbers in self._paid.items() for number in numbers]
        self._paid, self._due = {}, None
        groups = (pairs[first : first + AT_ONCE] for first in range(0, len(pairs), AT_ONCE))
        return [Tell(message=Told(events=_grouped(group))) for group in groups]

    def _pay(self, number: int, debt: _Debt, now: Instant) -> None:
        if debt.tellings > 0:
            return
        del self._debts[number]
        for sender in debt.senders:
            self._paid.setdefault(sender, []).append(number)
        if self._due is None:
            self._due = after(now, GIVEN_EVERY)


def _grouped(pairs: Iterable[tuple[str, int]]) -> tuple[tuple[str, tuple[int, ...]], ...]:
    by_sender: dict[str, list[int]] = {}
    for sender, number in pairs:
        by_sender.setdefault(sender, []).append(number)
    return tuple((sender, tuple(numbers)) for sender, numbers in by_sender.items())
