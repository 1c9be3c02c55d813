"""Pipes between the supervisor and its children, in virtual time: whole frames, in order, bounded, end-of-file last.

The bytes are those of the real codec and what waits, waits in the real outbox.
"""

from collections import Counter
from collections.abc import Callable

from stayalived.child.outbox import Outbox
from stayalived.messages.codec import Frame, decode
from stayalived.simulation.world import World
from stayalived.timing import Instant, after, milliseconds

CROSSING = milliseconds(0.05)
"""Time from one end of a pipe to the other."""

CAPACITY = 2000
"""Frames that fit into a pipe of 4 MiB before its writer has to wait."""

Deliver = Callable[[Frame, int | None], None]


class Pipe:
    """One direction of a pipe.

    Args:
        world: where it lies.
        name: for the history, such as `tic/vrrp>`.
        deliver: gets each frame, with the number of the blob that came along.
        counts: what happened to every frame, shared by all pipes of a node.
    """

    def __init__(self, world: World, name: str, deliver: Deliver, counts: Counter[str]) -> None:
        """Make an empty, open pipe."""
        self.world = world
        self.name = name
        self.capacity = CAPACITY
        self.counts = counts
        self._deliver = deliver
        self._outbox = Outbox()
        self._flying = 0
        self._reader_gone = False
        self._ended = False
        self._last_arrival = Instant(0)
        self._at_end: Callable[[], None] | None = None
        self._losses_seen = 0

    def send(self, frame: Frame, blob: int | None = None) -> None:
        """Write a frame; what does not fit waits in the outbox."""
        self.counts["sent"] += 1
        if self._reader_gone or self._ended:
            self.counts["reader gone"] += 1
            return
        self._outbox.push(frame, blob)
        self._count_losses()
        self._pump()

    def end(self, at_end: Callable[[], None]) -> None:
        """Close the writing end, as a death does; the reader learns it after all that was written before.

        What still waited in the writer's memory is lost with the writer, and counted.
        """
        self._ended = True
        self.counts["lost with the writer"] += len(self._outbox)
        self._outbox.clear()
        self._at_end = at_end
        if self._flying == 0:
            self.world.later(CROSSING, at_end)

    def abandon(self) -> None:
        """Close the reading end: what is on its way is lost, and counted."""
        self._reader_gone = True
        self.counts["reader gone"] += self._flying + len(self._outbox)
        self._outbox.clear()

    def resize(self, capacity: int) -> None:
        """Change how many frames fit: 0 is a full pipe."""
        self.capacity = capacity
        self._pump()

    @property
    def under_way(self) -> int:
        """Frames that are in the pipe, or wait for room in it, and will be read."""
        return 0 if self._reader_gone else self._flying + len(self._outbox)

    def _pump(self) -> None:
        while self._flying < self.capacity and (parcel := self._outbox.peek()) is not None:
            self._outbox.pop()
            self._flying += 1
            moment = max(after(self.world.now, CROSSING), self._last_arrival)
            self._last_arrival = moment
            self.world.at(moment, lambda parcel=parcel: self._arrive(parcel.data, parcel.descriptor))  # type: ignore[misc]  # mypy does not infer a lambda's default

    def _arrive(self, data: bytes, blob: int | None) -> None:
        if self._reader_gone:
            return  # counted when the reader left
        self._flying -= 1
        self.counts["delivered"] += 1
        self._deliver(decode(data), blob)
        self._pump()
        if self._flying == 0 and self._at_end is not None:
            at_end, self._at_end = self._at_end, None
            self.world.later(CROSSING, at_end)

    def _count_losses(self) -> None:
        losses = self._outbox.losses
        total = losses.merged + losses.dropped
        self.counts["merged or dropped"] += total - self._losses_seen
        self._losses_seen = total
