"""One heap of things that will happen, one clock, one seed: the world in which a simulated cluster lives.

Nothing here knows routers or servers. Everything that happens is an entry `(moment, sequence, target, action)`; entries
of one moment happen in the order in which they were made, so a seed has exactly one history. The history is hashed as
it happens: the same seed must give the same hash (`Trace`).
"""

import heapq
from collections.abc import Callable
from hashlib import blake2b
from random import Random
from typing import Any

from stayalived.timing import Duration, Instant, after, seconds

START = Instant(1_000_000_000_000)
"""Where the virtual clock begins: late enough that every duration in use can be subtracted from it."""

Action = Callable[[], None]


class Trace:
    """Hashes what happened, and keeps the last lines of it for the report of a failure."""

    KEPT = 400

    def __init__(self) -> None:
        """Begin with an empty history."""
        self._hash = blake2b(digest_size=16)
        self._streams: dict[str, Any] = {}
        self.tail: list[str] = []

    def note(self, now: Instant, target: str, text: str) -> None:
        """Take in one line: at `now`, `target` did or suffered `text`."""
        line = f"{now - START:>14} {target}: {text}"
        self._hash.update(line.encode())
        stream = self._streams.get(target)
        if stream is None:
            stream = self._streams[target] = blake2b(digest_size=16)
        stream.update(line.encode())
        self.tail.append(line)
        if len(self.tail) > 2 * self.KEPT:
            del self.tail[: -self.KEPT]

    def digest(self, target: str = "") -> str:
        """Return the hash of the whole history, or of one target's."""
        if not target:
            return self._hash.hexdigest()
        stream = self._streams.get(target)
        return stream.hexdigest() if stream is not None else ""

    def targets(self) -> list[str]:
        """Return everybody that appears in the history."""
        return sorted(self._streams)


class World:
    """The clock, the heap, and the sources of chance.

    Args:
        seed: decides everything that is drawn. Each concern has a generator of its own (`chance`), so that a fault
            added in one place does not change what is drawn in another.
    """

    def __init__(self, seed: int) -> None:
        """Make an empty world at `START`."""
        self.seed = seed
        self.now = START
        self.trace = Trace()
        self.happened = 0
        self._heap: list[tuple[Instant, int, Action]] = []
        self._sequence = 0
        self._chances: dict[str, Random] = {}

    def chance(self, concern: str) -> Random:
        """Return the generator of one concern: `lan`, `weather`, `node:tic`."""
        if concern not in self._chances:
            self._chances[concern] = Random(f"{self.seed}/{concern}")  # noqa: S311  (a seed, not a secret)
        return self._chances[concern]

    def at(self, moment: Instant, action: Action) -> None:
        """Let something happen at a moment; one that is past happens next."""
        self._sequence += 1
        heapq.heappush(self._heap, (max(moment, self.now), self._sequence, action))

    def later(self, wait: Duration, action: Action) -> None:
        """Let something happen after a while."""
        self.at(after(self.now, wait), action)

    def note(self, target: str, text: str) -> None:
        """Write one line of history."""
        self.trace.note(self.now, target, text)

    def run(self, until: Instant, check: Action) -> None:
        """Let everything happen up to a moment, and call `check` after each single thing."""
        while self._heap and self._heap[0][0] <= until:
            self.now, _, action = heapq.heappop(self._heap)
            action()
            self.happened += 1
            check()
        self.now = max(self.now, until)

    @property
    def age(self) -> Duration:
        """How long the world has lived."""
        return Duration(self.now - START)


def between(chance: Random, low: float, high: float) -> Duration:
    """Draw a duration between two numbers of seconds."""
    return seconds(chance.uniform(low, high))
