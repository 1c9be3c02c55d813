"""What came of the events, by type of action and by observer (pure): told to api, not too often."""

from collections.abc import Callable
from dataclasses import dataclass, field

import msgspec

from stayalived.child.events import ChildEffect, Tell
from stayalived.messages.notify import Counts
from stayalived.notify.events import Observed
from stayalived.timing import Instant, after, seconds

TOLD_EVERY = seconds(2)
OBSERVERS = "observers"


@dataclass(slots=True)
class Tally:
    """The counts of one process.

    Attributes:
        distribution: whose actions run in it.
    """

    distribution: str
    _counts: dict[str, Counts] = field(default_factory=dict)
    _changed: set[str] = field(default_factory=set)
    _due: Instant | None = None

    @property
    def deadline(self) -> Instant | None:
        """When the changes are to be told."""
        return self._due

    def add(self, name: str, now: Instant, *, told: int = 0, failed: int = 0) -> None:
        """Actions of this type have told so many events, or have failed to; with neither, something waits."""
        counts = self._of(self.distribution, name)
        self._put(msgspec.structs.replace(counts, told=counts.told + told, failed=counts.failed + failed), now)

    def observed(self, seen: Observed, now: Instant) -> None:
        """The observers of a distribution were shown so many events until now."""
        counts = self._of(seen.distribution, OBSERVERS)
        told = seen.calls - seen.failures
        self._put(msgspec.structs.replace(counts, told=told, failed=seen.failures, longest=seen.longest), now)

    def tell(self, now: Instant, behind: Callable[[str], tuple[int, int, int]]) -> list[ChildEffect]:
        """Return what has changed, when it is time for it.

        Args:
            now: the present moment.
            behind: returns for a type of action how many events were merged, how many limited, and how many wait.
        """
        if self._due is None or now < self._due:
            return []
        effects: list[ChildEffect] = []
        for key in sorted(self._changed):
            counts = self._counts[key]
            if counts.name != OBSERVERS:
                merged, limited, waiting = behind(counts.name)
                counts = msgspec.structs.replace(counts, merged=merged, limited=limited, waiting=waiting)
            effects.append(Tell(message=counts, key=key))
        self._changed.clear()
        self._due = None
        return effects

    def _of(self, distribution: str, name: str) -> Counts:
        fresh = Counts(
            distribution=distribution, name=name, told=0, failed=0, merged=0, limited=0, waiting=0, longest=0
        )
        return self._counts.get(f"{distribution} {name}", fresh)

    def _put(self, counts: Counts, now: Instant) -> None:
        key = f"{counts.distribution} {counts.name}"
        self._counts[key] = counts
        self._changed.add(key)
        if self._due is None:
            self._due = after(now, TOLD_EVERY)
