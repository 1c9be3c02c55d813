"""What may happen on a simulated machine, and when: its clock, and the times at which it stands still."""

from collections.abc import Callable, Sequence

from stayalived.messages.codec import Frame
from stayalived.simulation.world import World, between
from stayalived.timing import NO_TIME, Duration, Instant

Action = Callable[[], None]


class Clockwork:
    """Lets things happen on one machine, unless it is frozen, and later then; or not at all when it was switched off.

    Args:
        world: where it stands.
        name: for the history.
        clock: what the machine's monotonic clock shows at the world's beginning, less the world's.

    Attributes:
        touched: something has happened here since somebody last looked.
        frozen_until: the machine stands still up to this moment of the world.
        suspended: it stands still because it sleeps: packets do not reach it.
    """

    def __init__(self, world: World, name: str, clock: Duration = NO_TIME) -> None:
        """Let time pass."""
        self.world = world
        self.name = name
        self.clock = clock
        self.touched = False
        self.frozen_until: Instant | None = None
        self.suspended = False
        self._boots = 0
        self._thawing: list[Action] = []

    @property
    def now(self) -> Instant:
        """What the machine's monotonic clock shows."""
        return Instant(self.world.now + self.clock)

    def in_world(self, moment: Instant) -> Instant:
        """Return the moment of the world at which the machine's clock shows this, if it does not stand still."""
        return Instant(moment - self.clock)

    def touch(self) -> None:
        """Note that something has happened here."""
        self.touched = True

    def at(self, moment: Instant, action: Callable[[], None]) -> None:
        """Let something happen on this machine, unless it has been switched off in between."""
        self.world.at(moment, self.guard(action))

    def later(self, seconds: tuple[float, float], action: Callable[[], None]) -> None:
        """Let something happen on this machine after a time drawn between two numbers of seconds."""
        wait = between(self.world.chance(f"{self.name}/later"), *seconds)
        self.at(Instant(self.world.now + wait), action)

    def guard(self, action: Callable[[], None]) -> Callable[[], None]:
        """Return an action that waits while the machine is frozen and is lost when it was switched off."""
        boot = self._boots

        def guarded() -> None:
            if boot != self._boots:
                return
            if self.frozen_until is not None:
                self._thawing.append(guarded)
                return
            self.touched = True
            action()

        return guarded

    def guarded(self, deliver: Callable[[Frame, int | None], None]) -> Callable[[Frame, int | None], None]:
        """Return a reader of a pipe that waits while the machine is frozen."""

        def guarded(frame: Frame, blob: int | None) -> None:
            if self.frozen_until is None:
                self.touched = True
                deliver(frame, blob)
            else:
                self.guard(lambda: deliver(frame, blob))()

        return guarded

    def freeze(self, until: Instant, *, suspended: bool = False) -> None:
        """Let nothing happen on this machine until a moment; what comes meanwhile happens then.

        Args:
            until: moment of the world.
            suspended: the machine sleeps: its clock stands still, and packets do not reach it.
        """
        if self.frozen_until is None:
            self.frozen_until, self.suspended = until, suspended
            asleep = Duration(until - self.world.now)
            self.world.note(self.name, "is suspended" if suspended else "is frozen", asleep)
            self.touch()
            self.world.at(until, lambda: self._thaw(until, asleep if suspended else NO_TIME))

    def forget_all(self) -> None:
        """Let nothing happen any more of what was to happen: the machine was switched off, or starts anew."""
        self._boots += 1
        self._thawing.clear()
        self.frozen_until, self.suspended = None, False

    def thawed(self, slept: Duration, waiting: Sequence[Action]) -> None:
        """Do what was put off; a machine has more to do then."""
        del slept
        for action in waiting:
            action()

    def _thaw(self, until: Instant, slept: Duration) -> None:
        if self.frozen_until != until:
            return  # it was switched off meanwhile
        self.frozen_until, self.suspended = None, False
        self.clock = Duration(self.clock - slept)
        self.world.note(self.name, "goes on")
        self.touch()
        waiting, self._thawing = self._thawing, []
        self.thawed(slept, waiting)
