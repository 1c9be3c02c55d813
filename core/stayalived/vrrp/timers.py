"""How long a virtual router waits: skew and master-down interval, exact in nanoseconds, and who is woken next."""

import heapq
from collections.abc import Iterator
from typing import Generic, Protocol, TypeVar

from stayalived.timing import Duration, Instant, seconds

_PRIORITIES = 256
_SECOND = seconds(1)


def skew(version: int, priority: int, master_interval: Duration) -> Duration:
    """Return the time by which a lower priority waits longer than a higher one.

    Args:
        version: 2 takes parts of a second (RFC 3768 6.1), 3 parts of the master's interval (RFC 9568 6.1).
        priority: our own, 1 to 255.
        master_interval: the advert interval of the master last heard, or our own.
    """
    unit = _SECOND if version == 2 else master_interval
    return Duration((_PRIORITIES - priority) * unit // _PRIORITIES)


def master_down_interval(version: int, priority: int, master_interval: Duration, adverts: int) -> Duration:
    """Return how long a backup waits for the next advert before it takes over.

    Args:
        version: 2 or 3.
        priority: our own.
        master_interval: the advert interval of the master last heard, or our own.
        adverts: how many adverts may be missed; the RFCs say 3, keepalived's `down_timer_adverts` may say otherwise.
    """
    return Duration(adverts * master_interval + skew(version, priority, master_interval))


class Sleeper(Protocol):
    """Whoever wants to be woken.

    Attributes:
        filed: belongs to `Alarms`; None at first.
    """

    filed: Instant | None

    @property
    def deadline(self) -> Instant | None:
        """When, or None. It may change at any time; an earlier one must be filed."""
        ...


AnySleeper = TypeVar("AnySleeper", bound=Sleeper)


class Alarms(Generic[AnySleeper]):
    """Who is woken next, of thousands. A deadline that moves later costs nothing until its old moment comes up.

    That is the usual case: each advert that a backup hears moves its master-down timer.
    """

    def __init__(self) -> None:
        """Start with nobody."""
        self._heap: list[tuple[Instant, int, AnySleeper]] = []
        self._count = 0

    def file(self, sleeper: AnySleeper) -> None:
        """Take note of a deadline that is new, or earlier than it was; harmless otherwise."""
        deadline = sleeper.deadline
        if deadline is not None and (sleeper.filed is None or deadline < sleeper.filed):
            sleeper.filed = deadline
            self._count += 1
            heapq.heappush(self._heap, (deadline, self._count, sleeper))

    def next(self) -> Instant | None:
        """Return the earliest deadline of all, or None."""
        heap = self._heap
        while heap:
            moment, number, sleeper = heap[0]
            if moment != sleeper.filed:  # it was filed anew for an earlier moment, which has passed or is ahead
                heapq.heappop(heap)
            elif sleeper.deadline is None:
                sleeper.filed = None
                heapq.heappop(heap)
            elif sleeper.deadline > moment:
                sleeper.filed = sleeper.deadline
                heapq.heapreplace(heap, (sleeper.deadline, number, sleeper))
            else:
                return moment
        return None

    def due(self, now: Instant, limit: int) -> Iterator[AnySleeper]:
        """Take out those whose deadline has come, at most `limit`. Who wants to be woken again must be filed again."""
        while limit > 0:
            moment = self.next()
            if moment is None or moment > now:
                return
            sleeper = heapq.heappop(self._heap)[2]
            sleeper.filed = None
            limit -= 1
            yield sleeper
