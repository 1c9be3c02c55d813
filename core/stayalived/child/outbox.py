"""What waits to leave through a pipe that is full: bounded, the newest of each key, nothing lost without a count."""

from collections import deque
from dataclasses import dataclass

from stayalived.messages.codec import BadFrame, Frame, encode
from stayalived.messages.routes import TOPICS, Kind

OUTBOX_SPARE = 1024
"""Frames that may wait beyond one for each configured key."""

EVENTS_WAITING = 8192
"""Events that may wait; beyond, the oldest makes room."""

_MERGED_CONTROL = "control.alive"
"""The one control frame that replaces its predecessor: a second sign of life says no more than one."""

_Key = tuple[str, str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Parcel:
    """One datagram that is ready to leave, with the descriptor that goes along with it."""

    data: bytes
    descriptor: int | None


@dataclass(slots=True, kw_only=True)
class Losses:
    """What an outbox did not carry as it was given."""

    merged: int = 0
    dropped_states: int = 0
    dropped_events: int = 0
    dropped_calls: int = 0
    oversized: int = 0

    @property
    def dropped(self) -> int:
        """Frames that will never arrive."""
        return self.dropped_states + self.dropped_events + self.dropped_calls + self.oversized


class Outbox:
    """The frames that wait for one receiver.

    State keeps its place in the queue and takes the newest value, so that a key that changes all the time is neither
    starved nor sent twice. Events and calls are never merged. Control frames are few and always accepted.
    """

    def __init__(self, keys: int = 0) -> None:
        """Make an empty outbox.

        Args:
            keys: how many keys are configured; `OUTBOX_SPARE` more than that may wait.
        """
        self.bound = keys + OUTBOX_SPARE
        self.losses = Losses()
        self._queue: deque[_Key | Parcel] = deque()
        self._newest: dict[_Key, Parcel] = {}
        self._events = 0
        self._calls = 0
        self._kinds: deque[Kind] = deque()

    def __len__(self) -> int:
        return len(self._queue)

    def push(self, frame: Frame, descriptor: int | None = None) -> list[int]:
        """Take in a frame that has to wait.

        Args:
            frame: what is to be sent.
            descriptor: an open file that goes along; the outbox does not close it.

        Returns:
            descriptors that will not be sent after all: the caller closes them.
        """
        try:
            parcel = Parcel(data=encode(frame), descriptor=descriptor)
        except BadFrame:
            self.losses.oversized += 1
            return _descriptors(descriptor)
        topic = TOPICS.get(frame.topic)
        kind = Kind.CONTROL if topic is None else topic.kind
        if kind is Kind.STATE or frame.topic == _MERGED_CONTROL:
            return self._push_state((frame.topic, frame.key, frame.peer), parcel)
        if kind is Kind.EVENT:
            return self._push_event(parcel)
        if kind is Kind.CALL:
            return self._push_call(parcel)
        self._append(parcel, kind)
        return []

    def peek(self) -> Parcel | None:
        """Return what leaves next, or None when nothing waits."""
        if not self._queue:
            return None
        first = self._queue[0]
        return first if isinstance(first, Parcel) else self._newest[first]

    def pop(self) -> None:
        """Forget what `peek` returned: it has left."""
        first = self._queue.popleft()
        kind = self._kinds.popleft()
        if not isinstance(first, Parcel):
            del self._newest[first]
        elif kind is Kind.EVENT:
            self._events -= 1
        elif kind is Kind.CALL:
            self._calls -= 1

    def clear(self) -> list[int]:
        """Forget everything: the receiver is gone. Returns the descriptors to be closed."""
        waiting = [entry if isinstance(entry, Parcel) else self._newest[entry] for entry in self._queue]
        self._queue.clear()
        self._kinds.clear()
        self._newest.clear()
        self._events = self._calls = 0
        return [parcel.descriptor for parcel in waiting if parcel.descriptor is not None]

    def _append(self, entry: "_Key | Parcel", kind: Kind) -> None:
        self._queue.append(entry)
        self._kinds.append(kind)

    def _push_state(self, key: _Key, parcel: Parcel) -> list[int]:
        previous = self._newest.get(key)
        if previous is None:
            if len(self._newest) >= self.bound:
                self.losses.dropped_states += 1
                return _descriptors(parcel.descriptor)
            self._append(key, Kind.STATE)
        else:
            self.losses.merged += 1
        self._newest[key] = parcel
        return _descriptors(previous.descriptor) if previous is not None else []

    def _push_event(self, parcel: Parcel) -> list[int]:
        discarded: list[int] = []
        if self._events >= EVENTS_WAITING:
            oldest = self._kinds.index(Kind.EVENT)
            entry = self._queue[oldest]
            del self._queue[oldest]
            del self._kinds[oldest]
            self._events -= 1
            self.losses.dropped_events += 1
            discarded = _descriptors(entry.descriptor) if isinstance(entry, Parcel) else []
        self._append(parcel, Kind.EVENT)
        self._events += 1
        return discarded

    def _push_call(self, parcel: Parcel) -> list[int]:
        if self._calls >= self.bound:
            self.losses.dropped_calls += 1
            return _descriptors(parcel.descriptor)
        self._append(parcel, Kind.CALL)
        self._calls += 1
        return []


def _descriptors(descriptor: int | None) -> list[int]:
    return [] if descriptor is None else [descriptor]
