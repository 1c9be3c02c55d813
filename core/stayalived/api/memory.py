"""The last events, as lines of JSON, for whoever asks from a certain one on (pure)."""

from collections import deque
from dataclasses import dataclass

import msgspec

from stayalived.messages.notify import Event

EVENTS_KEPT = 10_000
"""Of 400 bytes each, most of them: some 4 MB."""

_encoder = msgspec.json.Encoder()


def line_of(event: Event) -> bytes:
    """Return an event as one line of JSON: an object with all of its fields."""
    return _encoder.encode(msgspec.structs.asdict(event)) + b"\n"


@dataclass(frozen=True, slots=True)
class Piece:
    """What is there from a place on.

    Attributes:
        lines: the events.
        missed: how many before them are not kept any more.
        place: where the next ones begin.
    """

    lines: tuple[bytes, ...]
    missed: int
    place: int


class Memory:
    """Events in the order in which they came. Places count from the start of this process and never come twice."""

    def __init__(self, kept: int = EVENTS_KEPT) -> None:
        """Keep so many at most."""
        self._kept: deque[tuple[int, bytes]] = deque(maxlen=kept)
        self._end = 0

    @property
    def end(self) -> int:
        """The place of the next event."""
        return self._end

    def append(self, event: Event) -> None:
        """Keep an event; the oldest one makes room."""
        self._kept.append((event.sequence, line_of(event)))
        self._end += 1

    def after(self, sequence: int) -> tuple[int, bool]:
        """Return the place after an event, and whether nothing between the two can be missing.

        Events of several processes do not come in the order of their numbers, so the place counts and not the number.
        For an event that is not kept it is that of the first one with a higher number; for 0 that of the oldest.
        """
        begin = self._end - len(self._kept)
        higher = self._end
        for place, (number, _) in enumerate(self._kept, begin):
            if number == sequence:
                return place + 1, True
            if number > sequence:
                higher = min(higher, place)
        return higher, sequence == 0 and begin == 0

    def read(self, place: int, most: int) -> Piece:
        """Return at most so many events from a place on."""
        begin = self._end - len(self._kept)
        first = max(place, begin)
        count = min(most, self._end - first)
        lines = tuple(self._kept[first - begin + number][1] for number in range(count))
        return Piece(lines, first - place, first + count)
