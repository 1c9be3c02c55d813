"""Weights that somebody wants for real servers beside the configured ones, and drains: levels, not events. Pure.

Order of application: configured, set, factor, add, what checks add; then between 0 and 2^31 - 1. A drain is stronger
than all of them: weight 0 until no connection is left or its deadline has come, then out of the table.
"""

import math
from collections.abc import Callable, Container, Iterable, Mapping
from dataclasses import dataclass

from stayalived.messages.services import BIGGEST_WEIGHT, Override
from stayalived.timing import Instant, earliest

DRAIN = "drain"
COMMAND = "command"
"""Source of what a person asked for on the command line. A weight that it sets wins over those of actions."""

MODES = ("set", "factor", "add", DRAIN)
"""In the order in which they are applied."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Adjustment:
    """What is wanted of one server.

    Attributes:
        levels: of its weight, in the order of their application.
        drain: it takes no new connections, and this is who wants it so.
        drained: its connections have ended, or the deadline has come: it is out of the table.
    """

    levels: tuple[Override, ...] = ()
    drain: Override | None = None
    drained: bool = False

    @property
    def draining(self) -> bool:
        """Whether it waits for the end of its connections."""
        return self.drain is not None and not self.drained

    def weight(self, configured: int, delta: int) -> int:
        """Return the weight of a server, which checks want to be greater by `delta`."""
        if self.drain is not None:
            return 0
        weight: float = configured
        for level in self.levels:
            weight = _APPLY[level.mode](weight, level.value)
        return clamped(round(weight) + delta)

    def in_words(self) -> tuple[str, ...]:
        """Return what is wanted, for people: the strongest first."""
        words = [f"{'drained' if self.drained else 'draining'}: {_cause(self.drain)}"] if self.drain else []
        return (*words, *(f"{level.mode} {level.value:g}: {_cause(level)}" for level in self.levels))


AS_CONFIGURED = Adjustment()
Adjustments = Mapping[str, Adjustment]
"""By the server's name."""


class Levels:
    """All that is wanted of servers, by its key on the pipe, and which drains are over.

    Attributes:
        deadline: when the next level ends by itself, or the next drain is out of time; kept, for it is asked
            each turn; it may be too early, never too late.
    """

    def __init__(self, wall_offset: int) -> None:
        """Begin with nothing.

        Args:
            wall_offset: what to add to a moment to have nanoseconds of the wall clock, in which levels end.
        """
        self._offset = wall_offset
        self._levels: dict[str, Override] = {}
        self._keys: dict[str, set[str]] = {}  # of each server
        self._drained: set[str] = set()
        self.deadline: Instant | None = None

    def hear(self, key: str, level: Override | None) -> str:
        """Take in a level, or that it is withdrawn. Returns the server that it is about, "" for nobody."""
        before = self._levels.pop(key, None)
        if before is not None:
            self._keys[before.server].discard(key)
        if level is not None and level.mode in MODES and math.isfinite(level.value):
            self._levels[key] = level
            self._keys.setdefault(level.server, set()).add(key)
            self.deadline = earliest((self.deadline, self._end_of(level)))
        known = level or before
        if known is None:
            return ""
        if not self._drains(known.server):
            self._drained.discard(known.server)
        return known.server

    def of(self, server: str) -> Adjustment:
        """Return what is wanted of a server: `service42/tic`."""
        keys = self._keys.get(server)
        if not keys:
            return AS_CONFIGURED
        levels = sorted((self._levels[key] for key in keys), key=_rank)
        drain = next((level for level in levels if level.mode == DRAIN), None)
        return Adjustment(
            levels=tuple(level for level in levels if level.mode != DRAIN),
            drain=drain,
            drained=drain is not None and server in self._drained,
        )

    def end_drain(self, server: str) -> None:
        """Note that the connections of a server that is drained have ended."""
        self._drained.add(server)

    def pass_time(self, now: Instant) -> set[str]:
        """End what is over by `now`. Returns the servers of which something else is wanted since."""
        if self.deadline is None or now < self.deadline:
            return set()
        wall = now + self._offset
        over = [(key, level) for key, level in self._levels.items() if level.until and level.until <= wall]
        changed = {self.hear(key, None) for key, _ in over}
        for level in self._levels.values():
            if level.mode == DRAIN and level.deadline and level.deadline <= wall and level.server not in self._drained:
                self._drained.add(level.server)
                changed.add(level.server)
        self._look_for_ends()
        return changed

    @property
    def servers(self) -> list[str]:
        """The servers of which something else is wanted than what is configured, in order."""
        return sorted(server for server, keys in self._keys.items() if keys)

    def keep(self, servers: Container[str]) -> None:
        """Forget which drains are over of servers that are not there any more: they may come back with connections."""
        self._drained = {server for server in self._drained if server in servers}
        self._look_for_ends()

    def _look_for_ends(self) -> None:
        self.deadline = earliest(self._end_of(level) for level in self._levels.values())

    def _end_of(self, level: Override) -> Instant | None:
        """Return when a level ends by itself, or its drain is out of time."""
        waits = level.mode == DRAIN and level.server not in self._drained
        ends = [moment for moment in (level.until, level.deadline if waits else 0) if moment]
        return Instant(min(ends) - self._offset) if ends else None

    def _drains(self, server: str) -> bool:
        return any(self._levels[key].mode == DRAIN for key in self._keys.get(server, ()))


def clamped(weight: int) -> int:
    """Return a weight within what the kernel takes."""
    return min(max(weight, 0), BIGGEST_WEIGHT)


def cause_of(levels: Iterable[Override]) -> str:
    """Return for people why a weight is not the configured one."""
    return ", ".join(dict.fromkeys(_cause(level) for level in levels))


def _cause(level: Override) -> str:
    return f"{level.source}, {level.reason}" if level.reason else level.source


def _rank(level: Override) -> tuple[int, bool, str]:
    """Return the place of a level: a weight set by command comes last, so that it is the one that holds."""
    return MODES.index(level.mode), level.source == COMMAND, level.source


def _multiplied(weight: float, factor: float) -> float:
    """Return a part of a weight; of a server that has some it leaves some, for 0 would be another order."""
    return max(weight * factor, 1) if weight >= 1 and factor > 0 else 0


_APPLY: dict[str, Callable[[float, float], float]] = {
    "set": lambda _, value: value,
    "factor": _multiplied,
    "add": lambda weight, value: weight + value,
}
