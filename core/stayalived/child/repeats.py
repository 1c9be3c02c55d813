"""Lines of which one is enough (pure): which classes were written already, and how many like them were held back."""

from stayalived.timing import Duration, Instant, after, seconds

COUNT_WINDOW: Duration = seconds(60)
"""From the first line that is held back to the line that counts them."""

NAMED = 10
"""Classes that are named in such a line, those with the most lines first."""


class Repeats:
    """Admits the first line of each class and counts the others. The caller bounds the number of classes.

    Attributes:
        deadline: when the lines held back are to be counted, or None while there are none.
    """

    def __init__(self) -> None:
        """Begin with no class."""
        self.deadline: Instant | None = None
        self._held_back: dict[str, int] = {}
        self._forgotten: dict[str, int] = {}

    def admit(self, kind: str, now: Instant) -> bool:
        """Return whether a line of this class is the first one; count it if it is not."""
        if kind not in self._held_back:
            self._held_back[kind] = self._forgotten.pop(kind, 0)
            return True
        self._held_back[kind] += 1
        if self.deadline is None:
            self.deadline = after(now, COUNT_WINDOW)
        return False

    def forget(self, beginning: str) -> None:
        """Let every class that begins so be written again; what was held back of it is counted all the same."""
        for kind in [kind for kind in self._held_back if kind.startswith(beginning)]:
            count = self._held_back.pop(kind)
            if count:
                self._forgotten[kind] = self._forgotten.get(kind, 0) + count

    def count(self, now: Instant) -> str:
        """Return the line that counts what was held back, when it is due; else nothing."""
        if self.deadline is None or now < self.deadline:
            return ""
        counts = {kind: count for kind, count in self._held_back.items() if count} | self._forgotten
        self._held_back = dict.fromkeys(self._held_back, 0)
        self._forgotten.clear()
        self.deadline = None
        most = sorted(counts, key=lambda kind: (-counts[kind], kind))
        named = ", ".join(f"{kind}: {counts[kind]}" for kind in most[:NAMED])
        others = f", and {len(most) - NAMED} classes more" if len(most) > NAMED else ""
        return f"{sum(counts.values())} lines like earlier ones were held back ({named}{others})"
