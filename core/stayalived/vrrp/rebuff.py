"""How a MASTER meets a router that takes itself for one, though its priority is lower (VG06, V55)."""

from stayalived.config.virtual_routers import VirtualRouter
from stayalived.timing import Duration, Instant, after, elapsed

ANSWERS_PER_INTERVAL = 10
"""How often in one advert interval a MASTER answers inferior adverts: a flood is not answered with a flood."""


class Rebuff:
    """Bounds how often that is done."""

    __slots__ = ("_announced_until", "_answered")

    def __init__(self) -> None:
        """Nobody was met yet."""
        self._announced_until: Instant | None = None
        self._answered: Instant | None = None

    def begin(self) -> None:
        """It has another state now: the next one is the first one again."""
        self._announced_until = None

    def may_answer(self, router: VirtualRouter, now: Instant) -> bool:
        """Tell whether an advert may leave out of turn; if so, it is taken to leave."""
        gap = Duration(router.advert_int // ANSWERS_PER_INTERVAL)
        if self._answered is not None and elapsed(self._answered, now) < gap:
            return False
        self._answered = now
        return True

    def may_announce(self, router: VirtualRouter, now: Instant) -> bool:
        """Tell the same of announcements: once until `garp_lower_prio_delay` has passed."""
        if self._announced_until is not None and now < self._announced_until:
            return False
        self._announced_until = after(now, router.garp_lower_prio_delay)
        return True
