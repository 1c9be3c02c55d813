"""Events that a child was given and has not said to be told: what its successor begins with.

A child may die with events in its pipe, in its lanes, or half told. Who sent them has long gone on; so the supervisor
keeps each one until the child has acknowledged it, in memory alone, and nobody waits for that.
"""

from collections.abc import Iterable, Iterator

from stayalived.messages.codec import Frame

UNTOLD_EVENTS = 8192
"""Events that are kept for one child, as many as its outbox holds. Beyond, who has the most loses its oldest."""


class Untold:
    """The events of one child that it has not acknowledged, by sender and number."""

    def __init__(self) -> None:
        """Begin with nothing kept."""
        self._kept: dict[str, dict[int, tuple[int, Frame]]] = {}  # place in the order of arrival, and the event
        self._beyond: dict[str, int] = {}  # that were given to the child and are kept no more
        self._arrived = 0
        self._size = 0

    def __len__(self) -> int:
        return self._size

    def keep(self, frame: Frame) -> str | None:
        """Keep an event, stamped with its sender; return whose oldest one is kept no more for it, if one is not."""
        mine = self._kept.setdefault(frame.peer, {})
        self._arrived += 1
        if mine.pop(frame.sequence, None) is None:  # a number that comes twice names one event
            self._size += 1
        mine[frame.sequence] = (self._arrived, frame)
        if self._size <= UNTOLD_EVENTS:
            return None
        sender = max(self._kept, key=lambda name: len(self._kept[name]))
        self._remove(sender, next(iter(self._kept[sender])))
        return sender

    def give_up(self, sender: str) -> None:
        """Note that the event of this sender which is kept no more is with the child, and lost only if that dies."""
        self._beyond[sender] = self._beyond.get(sender, 0) + 1

    def acknowledge(self, sender: str, numbers: Iterable[int]) -> None:
        """Keep these no more: they are told."""
        for number in numbers:
            if number in self._kept.get(sender, ()):
                self._remove(sender, number)
            elif self._beyond.get(sender, 0):
                self._beyond[sender] -= 1

    def lose(self) -> dict[str, int]:
        """The child died: return how many events of each sender are lost with it, since they were too many to keep."""
        lost, self._beyond = {sender: count for sender, count in self._beyond.items() if count}, {}
        return lost

    def __iter__(self) -> Iterator[Frame]:
        """Yield what is kept, in the order in which it came."""
        everything = (entry for mine in self._kept.values() for entry in mine.values())
        return (frame for _, frame in sorted(everything, key=lambda entry: entry[0]))

    def _remove(self, sender: str, number: int) -> None:
        mine = self._kept[sender]
        del mine[number]
        self._size -= 1
        if not mine:
            del self._kept[sender]
