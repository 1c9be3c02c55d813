"""How many lines of one class of errors are written (pure): a storm shall not hide what else happens."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

from stayalived.timing import Duration, Instant, after, earliest, elapsed, seconds

LINES = 10  # of one class in any window
WINDOW: Duration = seconds(1)
COUNT_WINDOW: Duration = seconds(60)  # between two counts of a class of which one line is enough
CLASSES = 1024  # distinct classes that are told apart in one window; those beyond share one


@dataclass(slots=True)
class _Class:
    """One class: when its last lines were written, how many were held back since, and when that is told."""

    written: deque[Instant] = field(default_factory=lambda: deque(maxlen=LINES))
    held_back: int = 0
    count_due: Instant | None = None
    for_good: bool = False

    def hold_back(self, due: Instant) -> None:
        self.held_back += 1
        if self.count_due is None:
            self.count_due = due


class Limiter:
    """Admits at most `LINES` lines of a class in any `WINDOW`, or one for ever, and counts those that it held back."""

    def __init__(self) -> None:
        """Begin with no class."""
        self._classes: dict[str, _Class] = {}

    @property
    def deadline(self) -> Instant | None:
        """When the first count of lines held back is due, or None."""
        return earliest(each.count_due for each in self._classes.values())

    def admit(self, kind: str, now: Instant) -> bool:
        """Return whether a line of this class may be written; call `due` before, with the same moment."""
        key = kind if kind in self._classes or len(self._classes) < CLASSES else "other classes"
        found = self._classes.setdefault(key, _Class())
        if len(found.written) < LINES or elapsed(found.written[0], now) >= WINDOW:
            found.written.append(now)
            return True
        found.hold_back(after(now, WINDOW))
        return False

    def admit_once(self, kind: str, now: Instant) -> bool:
        """Return whether this is the first line of this class; the others are counted, each `COUNT_WINDOW`.

        The caller bounds the number of such classes: they are never forgotten.
        """
        found = self._classes.setdefault(kind, _Class(for_good=True))
        if not found.written:
            found.written.append(now)
            return True
        found.hold_back(after(now, COUNT_WINDOW))
        return False

    def due(self, now: Instant) -> Sequence[tuple[str, int]]:
        """Return class and count of those whose lines were held back for long enough; forget classes that are over."""
        counts = []
        for kind, each in list(self._classes.items()):
            if each.count_due is not None and each.count_due <= now:
                counts.append((kind, each.held_back))
                each.held_back, each.count_due = 0, None
            if not each.for_good and each.count_due is None and elapsed(each.written[-1], now) >= WINDOW:
                del self._classes[kind]
        return counts
