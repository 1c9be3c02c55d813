"""How long to wait before a dead child is started again (P30)."""

from stayalived.timing import NO_TIME, Duration, seconds

LONG_LIFE = seconds(60)
"""A child that lived so long starts with a clean slate."""

FIRST_DELAY = seconds(1)
LONGEST_DELAY = seconds(60)


class Backoff:
    """The delays of one child: none after its first death or a long life, then 1, 2, 4 … 60 s."""

    def __init__(self) -> None:
        """Begin with a clean slate."""
        self._next = NO_TIME

    def after_death(self, lived: Duration) -> Duration:
        """Return how long to wait now that the child has died.

        Args:
            lived: from its start to its death.
        """
        if lived >= LONG_LIFE:
            self._next = NO_TIME
        delay = self._next
        self._next = Duration(min(delay * 2, LONGEST_DELAY)) if delay else FIRST_DELAY
        return delay
