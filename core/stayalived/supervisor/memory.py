"""What the children have told: the newest of each key, to be told again to a child that starts anew."""

from collections.abc import Iterator

from stayalived.messages.codec import Frame
from stayalived.messages.routes import TOPICS, Kind, role_of

MEMORY_SPARE = 1024
"""Keys that one sender may have beyond one for each configured object."""


class Memory:
    """Retained frames of state. Its size is bounded for each sender: one that invents keys harms only itself."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self.bound = MEMORY_SPARE
        self.refused = 0
        self._kept: dict[tuple[str, str], Frame] = {}
        self._counts: dict[str, int] = {}

    def __len__(self) -> int:
        return len(self._kept)

    def allow_keys(self, keys: int) -> None:
        """Set the bound for a configuration with so many objects."""
        self.bound = keys + MEMORY_SPARE

    def keep(self, frame: Frame) -> bool:
        """Keep a frame of state, stamped with its sender, in place of the one before it; an empty body ends the key.

        Returns:
            whether there was room; a frame for which there is none is counted and must not be forwarded either.
        """
        place = (frame.topic, frame.key)
        previous = self._kept.get(place)
        if not frame.body:
            if previous is not None:
                self._remove(place, previous)
            return True
        if previous is None or previous.peer != frame.peer:
            if self._counts.get(frame.peer, 0) >= self.bound:
                self.refused += 1
                return False
            if previous is not None:
                self._remove(place, previous)
            self._counts[frame.peer] = self._counts.get(frame.peer, 0) + 1
        self._kept[place] = frame
        return True

    def retell(self, receiver: str) -> Iterator[Frame]:
        """Yield what a child that starts anew has to be told, oldest key first, what it told itself included."""
        role = role_of(receiver)
        for frame in self._kept.values():
            if role in TOPICS[frame.topic].receivers:
                yield frame

    def forget_sender(self, sender: str) -> list[Frame]:
        """Drop everything of a child that is not needed any more; return the frames that tell so."""
        gone = [(place, frame) for place, frame in self._kept.items() if frame.peer == sender]
        for place, frame in gone:
            self._remove(place, frame)
        return [Frame(frame.topic, frame.key, b"", sender) for _, frame in gone]

    def _remove(self, place: tuple[str, str], frame: Frame) -> None:
        del self._kept[place]
        self._counts[frame.peer] -= 1


def is_state(frame: Frame) -> bool:
    """Whether a frame's topic is one that is kept."""
    topic = TOPICS.get(frame.topic)
    return topic is not None and topic.kind is Kind.STATE
