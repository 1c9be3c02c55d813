"""How many lines of one class of errors are written (pure): a storm shall not hide what else happens."""

from collections.abc import Sequence
from dataclasses import dataclass

from stayalived.timing import Duration, Instant, after, earliest, seconds

LINES = 10  # of one class in one window
WINDOW: Duration = seconds(1)
COUNT_WINDOW: Duration = seconds(60)  # between two counts of a class of which one line is enough
CLASSES = 1024  # distinct classes that are told apart in one window; those beyond share one


@dataclass(slots=True)
class _Window:
    ends: Instant
    lines: int = 0
    held_back: int = 0
    for_good: bool = False


class Limiter:
    """Admits at most `LINES` lines of a class in a `WINDOW`, or one for ever, and remembers how many it held back."""

    def __init__(self) -> None:
        """Begin with no window open."""
        self._windows: dict[str, _Window] = {}

    @property
    def deadline(self) -> Instant | None:
        """When the first count of lines held back is due, or None."""
        return earliest(window.ends for window in self._windows.values() if window.held_back)

    def admit(self, kind: str, now: Instant) -> bool:
        """Return whether a line of this class may be written; call `due` before, with the same moment."""
        key = kind if kind in self._windows or len(self._windows) < CLASSES else "other classes"
        window = self._windows.setdefault(key, _Window(after(now, WINDOW)))
        if window.lines < LINES:
            window.lines += 1
            return True
        window.held_back += 1
        return False

    def admit_once(self, kind: str, now: Instant) -> bool:
        """Return whether this is the first line of this class; the others are counted, each `COUNT_WINDOW`.

        The caller bounds the number of such classes: they are never forgotten.
        """
        window = self._windows.setdefault(kind, _Window(after(now, COUNT_WINDOW), for_good=True))
        window.lines += 1
        if window.lines > 1:
            window.held_back += 1
        return window.lines == 1

    def due(self, now: Instant) -> Sequence[tuple[str, int]]:
        """Close the windows that have ended and return class and count of those that held lines back."""
        ended = [(kind, window) for kind, window in self._windows.items() if window.ends <= now]
        counts = [(kind, window.held_back) for kind, window in ended if window.held_back]
        for kind, window in ended:
            if window.for_good:
                window.ends, window.held_back = after(now, COUNT_WINDOW), 0
            else:
                del self._windows[kind]
        return counts
