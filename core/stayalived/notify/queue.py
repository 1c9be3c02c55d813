"""Which events wait for which action (pure): one lane for each action and subject, bounded, in order.

A lane tells one event at a time. When it is full the oldest event that waits is merged into its successor, which then
says what was before both: the last state is always told, and what was left out is counted.
"""

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import msgspec

from stayalived.config.model import Action
from stayalived.messages.notify import Event

LANE_DEPTH = 1_000  # events that wait in one lane
AT_ONCE = 200  # events that are being told at the same time, in all lanes


@dataclass(frozen=True, slots=True)
class LaneKey:
    """An action and the subject it is told of: an action of `global` has a lane for each."""

    action: Action
    subject: str  # `instance tic`


@dataclass(slots=True)
class Queue:
    """All lanes, and those whose first event may be told."""

    merged: int = 0
    _waiting: dict[LaneKey, deque[Event]] = field(default_factory=dict)
    _busy: set[LaneKey] = field(default_factory=set)
    _ready: deque[LaneKey] = field(default_factory=deque)

    def append(self, key: LaneKey, event: Event) -> bool:
        """Let an event wait; return whether the oldest of its lane had to be merged into the next for it."""
        lane = self._waiting.get(key)
        if lane is None:
            lane = self._waiting[key] = deque()
            if key not in self._busy:
                self._ready.append(key)
        lane.append(event)
        if len(lane) <= LANE_DEPTH:
            return False
        oldest = lane.popleft()
        lane[0] = msgspec.structs.replace(lane[0], old=oldest.old)
        self.merged += 1
        return True

    def next(self) -> tuple[LaneKey, Event] | None:
        """Return the next event to tell, whose lane is now busy; None when none may be told."""
        if not self._ready or len(self._busy) >= AT_ONCE:
            return None
        key = self._ready.popleft()
        lane = self._waiting[key]
        event = lane.popleft()
        if not lane:
            del self._waiting[key]
        self._busy.add(key)
        return key, event

    def free(self, key: LaneKey) -> None:
        """The event of this lane has been told; the next one may be."""
        self._busy.discard(key)
        if key in self._waiting:
            self._ready.append(key)

    def keep(self, wanted: Callable[[LaneKey, Event], bool]) -> int:
        """Drop the events that are not wanted any more and return how many those were."""
        dropped = 0
        for key in list(self._waiting):
            lane = self._waiting[key]
            kept = deque(event for event in lane if wanted(key, event))
            dropped += len(lane) - len(kept)
            if kept:
                self._waiting[key] = kept
            else:
                del self._waiting[key]
        self._ready = deque(key for key in self._ready if key in self._waiting)
        return dropped

    def __iter__(self) -> Iterator[LaneKey]:
        """Yield the lanes in which something waits or is being told."""
        yield from self._waiting.keys() | self._busy
