"""When what is due: a wheel of 10 ms slots, and the pace of a start.

Probes that fall due within one slot start together: a wake-up costs more than a probe, and nobody can tell 10 ms
in a period of seconds. Every operation costs the same however many keys are filed.
"""

from collections.abc import Hashable
from heapq import heappop, heappush
from typing import Generic, TypeVar

from stayalived.timing import Duration, Instant, after, milliseconds, seconds

SLOT = milliseconds(10)
Key = TypeVar("Key", bound=Hashable)


class Wheel(Generic[Key]):
    """Keys filed under the moment at which they are due; each key once."""

    def __init__(self) -> None:
        """Make an empty wheel."""
        self._slots: dict[int, dict[Key, None]] = {}
        self._places: dict[Key, int] = {}
        self._order: list[int] = []  # heap of the slots' numbers; an emptied slot stays until it is on top

    def __len__(self) -> int:
        return len(self._places)

    def __contains__(self, key: Key) -> bool:
        return key in self._places

    @property
    def deadline(self) -> Instant | None:
        """The moment at which the first slot is due, or None for an empty wheel."""
        while self._order:
            if self._slots[self._order[0]]:
                return Instant(self._order[0] * SLOT)
            del self._slots[heappop(self._order)]
        return None

    def file(self, key: Key, due: Instant) -> None:
        """File a key under a moment, in place of the one it had. It comes up at that moment or up to a slot later."""
        if key in self._places:
            self.drop(key)
        slot = -(-due // SLOT)
        keys = self._slots.get(slot)
        if keys is None:
            keys = self._slots[slot] = {}
            heappush(self._order, slot)
        keys[key] = None
        self._places[key] = slot

    def drop(self, key: Key) -> None:
        """Take a key out; harmless when it is not filed."""
        slot = self._places.pop(key, None)
        if slot is not None:
            del self._slots[slot][key]

    def take(self, now: Instant, limit: int) -> list[Key]:
        """Take out and return the keys that are due, the longest overdue first, at most `limit` of them."""
        taken: list[Key] = []
        while len(taken) < limit:
            deadline = self.deadline
            if deadline is None or deadline > now:
                break
            for key in list(self._slots[deadline // SLOT])[: limit - len(taken)]:
                self.drop(key)
                taken.append(key)
        return taken


class Pace:
    """Hands out moments, at most so many in a second: the first at once, the others behind it."""

    def __init__(self, rate: int, sharers: int = 1) -> None:
        """Take the rate, in moments for each second, 0: all may come at once; and how many processes share it."""
        self._step = Duration(seconds(1) * sharers // rate) if rate else Duration(0)
        self._free = Instant(0)

    def next(self, now: Instant) -> Instant:
        """Return the next free moment, not before `now`."""
        moment = max(now, self._free)
        self._free = after(moment, self._step)
        return moment
