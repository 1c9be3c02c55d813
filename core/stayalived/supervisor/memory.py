"""What the children have told: the newest of each key, to be told again to a child that starts anew."""

from collections.abc import Iterator
from enum import Enum

from stayalived.messages.codec import Frame
from stayalived.messages.routes import TOPICS, Kind, role_of

MEMORY_SPARE = 1024
"""Keys that one sender may have beyond one for each configured object."""


class Outcome(Enum):
    """What became of a frame of state."""

    KEPT = "it is the newest of its key: forward it"
    CLAIMED = "its key is another sender's: it waits until that one ends it"
    FOREIGN = "its key is still another sender's, though it was told before: not forwarded"
    FULL = "its sender has no room left: dropped"


Place = tuple[str, str]
"""Topic and key."""


class Memory:
    """Retained frames of state. Its size is bounded for each sender: one that invents keys harms only itself.

    A key belongs to who told it first, until that one ends it or is needed no more. What another tells of it waits: at
    a reload a check may go from one child to another, and the new one's first word overtakes the old one's farewell.
    """

    def __init__(self) -> None:
        """Begin with nothing."""
        self.bound = MEMORY_SPARE
        self._kept: dict[Place, Frame] = {}
        self._claims: dict[Place, dict[str, Frame]] = {}  # what others than its owner have told of a key, by sender
        self._counts: dict[str, int] = {}

    def __len__(self) -> int:
        return len(self._kept)

    def allow_keys(self, keys: int) -> None:
        """Set the bound for a configuration with so many objects."""
        self.bound = keys + MEMORY_SPARE

    def keep(self, frame: Frame) -> Outcome:
        """Keep a frame of state, stamped with its sender, in place of the one before it; an empty body ends the key.

        After the end of a key, ask `next_of` who has it now.
        """
        place = (frame.topic, frame.key)
        owner = self._kept[place].peer if place in self._kept else frame.peer
        if owner != frame.peer:
            return self._claim(place, frame)
        if not frame.body:
            self._remove(place)
        elif place in self._kept:
            self._kept[place] = frame
        elif not self._count(frame.peer):
            return Outcome.FULL
        else:
            self._kept[place] = frame
        return Outcome.KEPT

    def next_of(self, ended: Frame) -> Frame | None:
        """Return what another sender has told of a key that was ended; the key is its own from now on."""
        place = (ended.topic, ended.key)
        claims = self._claims.get(place)
        if claims is None or place in self._kept:
            return None
        sender = next(iter(claims))
        self._kept[place] = self._unclaim(place, sender)
        return self._kept[place]

    def retell(self, receiver: str) -> Iterator[Frame]:
        """Yield what a child that starts anew has to be told, oldest key first, what it told itself included."""
        role = role_of(receiver)
        for frame in self._kept.values():
            if role in TOPICS[frame.topic].receivers:
                yield frame

    def forget_sender(self, sender: str) -> list[Frame]:
        """Drop everything of a child that is not needed any more; return the frames that tell so."""
        for place in [place for place, claims in self._claims.items() if sender in claims]:
            self._unclaim(place, sender)
        gone = [place for place, frame in self._kept.items() if frame.peer == sender]
        for place in gone:
            self._remove(place)
        self._counts.pop(sender, None)
        return [Frame(topic, key, b"", sender) for topic, key in gone]

    def _claim(self, place: Place, frame: Frame) -> Outcome:
        again = frame.peer in self._claims.get(place, {})
        if not frame.body:
            if again:
                self._unclaim(place, frame.peer)
                self._counts[frame.peer] -= 1
            return Outcome.CLAIMED if again else Outcome.FOREIGN
        if not again and not self._count(frame.peer):
            return Outcome.FULL
        self._claims.setdefault(place, {})[frame.peer] = frame
        return Outcome.FOREIGN if again else Outcome.CLAIMED

    def _unclaim(self, place: Place, sender: str) -> Frame:
        """Take a claim back; it goes on counting for its sender."""
        frame = self._claims[place].pop(sender)
        if not self._claims[place]:
            del self._claims[place]
        return frame

    def _count(self, sender: str) -> bool:
        """Count one more key of a sender. Returns whether there was room."""
        count = self._counts.get(sender, 0)
        if count >= self.bound:
            return False
        self._counts[sender] = count + 1
        return True

    def _remove(self, place: Place) -> None:
        frame = self._kept.pop(place, None)
        if frame is not None:
            self._counts[frame.peer] -= 1


def is_state(frame: Frame) -> bool:
    """Whether a frame's topic is one that is kept."""
    topic = TOPICS.get(frame.topic)
    return topic is not None and topic.kind is Kind.STATE
