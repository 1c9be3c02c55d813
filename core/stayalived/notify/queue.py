"""Which events wait for which action (pure): lanes, bounded, each in order.

A lane tells one event at a time. Actions of a type that takes turns share one for each subject, so that a script sees
an event only when all scripts have seen the ones before; every other action has its own. When a lane is full the oldest
event that waits is merged into the next one for its action, which then says what was before both, and how many were
left out: the last state is always told.
"""

from collections import Counter, deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

import msgspec

from stayalived.config.model import Action
from stayalived.messages.notify import Event

LANE_DEPTH = 1_000  # events that wait in one lane
AT_ONCE = 200  # events that are being told at the same time by one type of action, in all lanes
LAST_KINDS = frozenset({"stop", "deleted"})  # what is still told while the daemon stops


@dataclass(frozen=True, slots=True)
class LaneKey:
    """Whose events a lane holds: those of one action and one subject, or of one type and one subject."""

    action: Action | None
    type: str
    subject: str  # `instance tic`

    @classmethod
    def of(cls, action: Action, subject: str) -> "LaneKey":
        """Return the lane of an action and a subject."""
        return cls(None if action.in_turn else action, action.type, subject)


@dataclass(frozen=True, slots=True)
class Telling:
    """One event for one action; `ending` when it is the opposite of what the action asked for."""

    action: Action
    event: Event
    ending: bool = False

    def swallow(self, before: "Telling") -> "Telling":
        """Return this with the one before it merged into it."""
        event = self.event
        count = event.merged + before.event.merged + 1
        return replace(self, event=msgspec.structs.replace(event, old=before.event.old, merged=count))


@dataclass(slots=True)
class Queue:
    """All lanes, and those whose first event may be told.

    Attributes:
        merged: how many events were left out, by type of action.
        waiting: how many wait, by type of action.
        given_up: the events that were left out since somebody last emptied this list.
    """

    merged: Counter[str] = field(default_factory=Counter)
    waiting: Counter[str] = field(default_factory=Counter)
    given_up: list[Event] = field(default_factory=list)
    _waiting: dict[LaneKey, deque[Telling]] = field(default_factory=dict)
    _busy: set[LaneKey] = field(default_factory=set)
    _at_work: Counter[str] = field(default_factory=Counter)
    _ready: dict[str, deque[LaneKey]] = field(default_factory=dict)

    def append(self, key: LaneKey, telling: Telling) -> bool:
        """Let an event wait; return whether another one was left out because the lane is full."""
        lane = self._waiting.get(key)
        if lane is None:
            lane = self._waiting[key] = deque()
            if key not in self._busy:
                self._make_ready(key)
        if telling.action.overlap != "queue" and self._overtake(lane, telling):
            return False
        lane.append(telling)
        self.waiting[key.type] += 1
        if len(lane) <= LANE_DEPTH:
            return False
        self.given_up.append(self._merge_oldest(lane))
        self._leave_out(key.type, 1)
        return True

    def next(self) -> tuple[LaneKey, Telling] | None:
        """Return the next event to tell, whose lane is now busy; None when none may be told."""
        for kind, ready in self._ready.items():
            if ready and self._at_work[kind] < AT_ONCE:
                return self._take(ready.popleft())
        return None

    def free(self, key: LaneKey) -> None:
        """The event of this lane has been told; the next one may be."""
        if key in self._busy:
            self._busy.discard(key)
            self._at_work[key.type] -= 1
        if key in self._waiting:
            self._make_ready(key)

    def keep(self, wanted: Callable[[Event], bool]) -> int:
        """Drop the events that are not wanted any more and return how many those were."""
        dropped = 0
        for key in list(self._waiting):
            lane = self._waiting[key]
            kept = deque(telling for telling in lane if wanted(telling.event))
            dropped += len(lane) - len(kept)
            self.waiting[key.type] -= len(lane) - len(kept)
            if kept:
                self._waiting[key] = kept
            else:
                del self._waiting[key]
        for kind, ready in self._ready.items():
            self._ready[kind] = deque(key for key in ready if key in self._waiting)
        return dropped

    def __iter__(self) -> Iterator[LaneKey]:
        """Yield the lanes in which something waits or is being told."""
        yield from self._waiting.keys() | self._busy

    def _make_ready(self, key: LaneKey) -> None:
        self._ready.setdefault(key.type, deque()).append(key)

    def _take(self, key: LaneKey) -> tuple[LaneKey, Telling]:
        lane = self._waiting[key]
        telling = lane.popleft()
        self.waiting[key.type] -= 1
        if not lane:
            del self._waiting[key]
        self._busy.add(key)
        self._at_work[key.type] += 1
        return key, telling

    def _overtake(self, lane: deque[Telling], telling: Telling) -> bool:
        """Put an event into the place of the one that waits for the same action; at the end it might wait for ever."""
        for place, other in enumerate(lane):
            if other.action == telling.action:
                lane[place] = telling.swallow(other)
                self.merged[telling.action.type] += 1
                self.given_up.append(other.event)
                return True
        return False

    def _leave_out(self, kind: str, count: int) -> None:
        self.merged[kind] += count
        self.waiting[kind] -= count

    @staticmethod
    def _merge_oldest(lane: deque[Telling]) -> Event:
        """Merge the oldest event that has a successor for its action into that; without one drop the oldest of all.

        Returns the event that is told no more.
        """
        for place, oldest in enumerate(lane):
            for later in range(place + 1, len(lane)):
                if lane[later].action == oldest.action:
                    lane[later] = lane[later].swallow(oldest)
                    del lane[place]
                    return oldest.event
        return lane.popleft().event  # as many actions as the lane is deep
