"""Faults that are not the servers': counted by kind, told at once and then at most once a minute."""

from dataclasses import dataclass

from stayalived.timing import Instant, elapsed, seconds

TELL_AGAIN = seconds(60)
MOST_KINDS = 256
"""Kinds told apart; a plugin that raises a new text each time fills this and is then counted as one."""

_OTHERS = "others"


@dataclass(slots=True)
class _Tally:
    """How often a kind came since it was told."""

    told_at: Instant
    count: int = 0


class Faults:
    """A bounded memory of faults by kind."""

    def __init__(self) -> None:
        """Remember nothing."""
        self.total = 0
        self._tallies: dict[str, _Tally] = {}

    def count(self, kind: str, now: Instant) -> int:
        """Count a fault.

        Returns:
            how many of its kind there were since it was last told, when it is time to tell; else 0.
        """
        self.total += 1
        if kind not in self._tallies and len(self._tallies) >= MOST_KINDS:
            kind = _OTHERS
        tally = self._tallies.get(kind)
        if tally is None:
            self._tallies[kind] = _Tally(now)
            return 1
        tally.count += 1
        if elapsed(tally.told_at, now) < TELL_AGAIN:
            return 0
        counted, tally.count, tally.told_at = tally.count, 0, now
        return counted
