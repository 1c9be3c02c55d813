"""How often an action is told (pure): so many events in so much time, and of the others the last of each subject.

What is above the limit is held until the time is over; a later event of the same subject takes its place and says how
many were left out. So whoever is told knows the last state of everything, only later.
"""

from collections import Counter
from dataclasses import dataclass, field

from stayalived.config.model import Action
from stayalived.messages.notify import Event
from stayalived.notify.queue import LaneKey, Telling
from stayalived.timing import Duration, Instant, after, earliest


@dataclass(slots=True)
class _Window:
    """What one action was told since when, and what is held back for it."""

    ends: Instant
    told: int = 0
    held: dict[LaneKey, Telling] = field(default_factory=dict)


class Limits:
    """The actions that have a `rate`.

    Attributes:
        left_out: how many events were merged into later ones, by type of action.
        given_up: the events that were left out since somebody last emptied this list.
    """

    def __init__(self) -> None:
        """Begin with nothing told."""
        self.left_out: Counter[str] = Counter()
        self.given_up: list[Event] = []
        self._windows: dict[Action, _Window] = {}

    @property
    def deadline(self) -> Instant | None:
        """When something that is held may be told."""
        return earliest(window.ends for window in self._windows.values() if window.held)

    def admit(self, key: LaneKey, telling: Telling, now: Instant) -> Telling | None:
        """Return what may be told now, with what was held of its subject merged into it; None when it has to wait."""
        action = telling.action
        if not action.rate_events:
            return telling
        window = self._windows.get(action)
        if window is None or (now >= window.ends and not window.held):
            window = self._windows[action] = _Window(after(now, Duration(action.rate_period)))
        before = window.held.pop(key, None)
        if before is not None:
            telling = telling.swallow(before)
            self.left_out[action.type] += 1
            self.given_up.append(before.event)
        if window.told >= action.rate_events:
            window.held[key] = telling
            return None
        window.told += 1
        return telling

    def due(self, now: Instant) -> list[tuple[LaneKey, Telling]]:
        """Return what was held and may be told now, in order; what is above the limit again goes on waiting."""
        found: list[tuple[LaneKey, Telling]] = []
        for action, window in self._windows.items():
            if now < window.ends or not window.held:
                continue
            window.ends = after(now, Duration(action.rate_period))
            ready = list(window.held.items())[: action.rate_events]
            window.told = len(ready)
            for key, _ in ready:
                del window.held[key]
            found += ready
        return found

    def end(self) -> list[tuple[LaneKey, Telling]]:
        """Return all that is held: nothing comes after."""
        found = [pair for window in self._windows.values() for pair in window.held.items()]
        self._windows.clear()
        return found

    def keep(self, actions: frozenset[Action]) -> None:
        """Forget the actions that are no more, and what was held for them."""
        gone = [window for action, window in self._windows.items() if action not in actions]
        self.given_up += [telling.event for window in gone for telling in window.held.values()]
        self._windows = {action: window for action, window in self._windows.items() if action in actions}
