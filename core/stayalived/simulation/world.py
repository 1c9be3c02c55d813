"""One heap of things that will happen, one clock, one seed: the world in which a simulated cluster lives.

Nothing here knows routers or servers. Everything that happens is an entry `(moment, sequence, action)`; entries of one
moment happen in the order in which they were made, so a seed has exactly one history. The history can be hashed as it
happens: the same seed must give the same hash (`Trace`).
"""

import heapq
from collections import deque
from collections.abc import Callable
from hashlib import blake2b
from random import Random
from typing import Any

from stayalived.timing import Duration, Instant, after, seconds

START = Instant(1_000_000_000_000)
"""Where the virtual clock begins: late enough that every duration in use can be subtracted from it."""

FOLDED = 4096
"""Lines of history that are kept as values before they become text; most of them never do."""

Action = Callable[[], None]
_Line = tuple[Instant, str, tuple[object, ...]]


class Trace:
    """Keeps the last lines of what happened, for the report of a failure, and the hash of all of it where it is wanted.

    Args:
        hashed: whether `digest` will be asked for. It costs a fifth of the time of a seed.
    """

    KEPT = 400

    def __init__(self, *, hashed: bool = True) -> None:
        """Begin with an empty history."""
        self._hashed = hashed
        self._recent: list[_Line] = []
        self._hash = blake2b(digest_size=16)
        self._streams: dict[str, Any] = {}
        self._tail: deque[str] = deque(maxlen=self.KEPT)

    def note(self, now: Instant, target: str, words: tuple[object, ...]) -> None:
        """Take in one line: at `now`, `target` did or suffered what the words say; they must never change."""
        self._recent.append((now, target, words))
        if len(self._recent) >= FOLDED:
            self._fold()

    @property
    def tail(self) -> list[str]:
        """The last lines."""
        self._fold()
        return list(self._tail)

    def digest(self, target: str = "") -> str:
        """Return the hash of the whole history, or of one target's."""
        assert self._hashed, "the history of this world is not hashed"
        self._fold()
        if not target:
            return self._hash.hexdigest()
        stream = self._streams.get(target)
        return stream.hexdigest() if stream is not None else ""

    def targets(self) -> list[str]:
        """Return everybody that appears in the history."""
        self._fold()
        return sorted(self._streams)

    def _fold(self) -> None:
        """Turn the lines at hand into text: all of them for the hashes, else those that are kept."""
        recent, self._recent = self._recent, []
        for now, target, words in recent if self._hashed else recent[-self.KEPT :]:
            line = f"{now - START:>14} {target}: {' '.join(map(_text, words))}"
            self._tail.append(line)
            if self._hashed:
                data = line.encode() + b"\n"
                self._hash.update(data)
                stream = self._streams.get(target)
                if stream is None:
                    stream = self._streams[target] = blake2b(digest_size=16)
                stream.update(data)


class World:
    """The clock, the heap, and the sources of chance.

    Args:
        seed: decides everything that is drawn. Each concern has a generator of its own (`chance`), so that a fault
            added in one place does not change what is drawn in another.
        hashed: whether the history is hashed.
    """

    def __init__(self, seed: int, *, hashed: bool = True) -> None:
        """Make an empty world at `START`."""
        self.seed = seed
        self.now = START
        self.trace = Trace(hashed=hashed)
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

    def note(self, target: str, *words: object) -> None:
        """Write one line of history; it is made of the words when somebody reads it."""
        self.trace.note(self.now, target, words)

    def run(self, until: Instant, check: Action) -> None:
        """Let everything happen up to a moment, and call `check` after each single thing."""
        heap, pop = self._heap, heapq.heappop
        while heap and heap[0][0] <= until:
            self.now, _, action = pop(heap)
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


def _text(word: object) -> str:
    return word.hex() if isinstance(word, bytes) else str(word)
