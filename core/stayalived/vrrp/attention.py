"""Whether to be woken by each packet, or to look every few milliseconds.

To be woken costs a process five times what a packet costs. Where adverts are dense, it is cheaper to look at all
sockets at fixed moments, and nothing is lost by it: what has come in is read before an expired deadline is acted on.
Masters of thousands of routers send in a burst at the beginning of each interval, so density is that of a whole second,
and in the silence between two bursts nobody looks: the first packet of the next one wakes.
"""

from stayalived.timing import Duration, Instant, elapsed, milliseconds, seconds

DENSE = 300
"""Packets a second from which it pays to look instead of being woken."""

SPARSE = 200
"""Packets a second below which it no longer does."""

WINDOW = seconds(1)
"""How long packets are counted before it is decided."""

IN_VAIN = 3
"""When nothing has come for so many pauses, a burst is over."""

LONGEST, SHORTEST = milliseconds(20), milliseconds(1)
"""Time between two looks."""

LOOKS_IN_AN_INTERVAL = 10
"""At least so many looks are taken in one advert interval."""

_SECOND = 1_000_000_000


class Attention:
    """Counts packets and decides.

    Attributes:
        looks: whether this process looks by itself now.
        pause: time from one look to the next.
    """

    def __init__(self) -> None:
        """Be woken, at first."""
        self.looks = False
        self.pause = LONGEST
        self._is_dense = False
        self._found_at = Instant(0)
        self._count = 0
        self._since = Instant(0)

    def suit(self, advert_int: Duration) -> None:
        """Look often enough for the shortest advert interval of a configuration."""
        self.pause = Duration(max(SHORTEST, min(LONGEST, advert_int // LOOKS_IN_AN_INTERVAL)))

    def note(self, count: int, now: Instant) -> None:
        """Take in how many packets a look has found, or a wake-up."""
        self._count += count
        if count:
            self._found_at = now
        passed = elapsed(self._since, now)
        if passed >= WINDOW:
            rate = self._count * _SECOND // passed
            self._is_dense = rate > (SPARSE if self._is_dense else DENSE)
            self._count, self._since = 0, now
        self.looks = self._is_dense and elapsed(self._found_at, now) < IN_VAIN * self.pause
