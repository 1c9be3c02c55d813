"""What every invariant is: something that must hold, with the clause that says so, and the moments at which it looks.

An invariant comes from an RFC or from a promise of this project's documents, never from intuition: among equals of a
VRRP election whoever is master stays, so "the highest address wins" would be wrong (RFC 9568 6.4.2, step 6.4.3).
"""

from abc import ABC, abstractmethod
from collections.abc import Hashable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NoReturn

from stayalived.child.events import Commit, Forget, Tell
from stayalived.errors import KernelProblem
from stayalived.kernel.api import Change
from stayalived.simulation.glass import Glass, Move
from stayalived.simulation.lan import Datagram
from stayalived.timing import Duration, Instant, elapsed, for_people, milliseconds, seconds
from stayalived.vrrp.effects import SendAdvert

if TYPE_CHECKING:
    from stayalived.simulation.cluster import Cluster
    from stayalived.simulation.machine import Machine

SETTLED = milliseconds(20)
"""What the kernel says reaches vrrp within a tenth of a millisecond, and what it asks of the kernel is done at once."""

AFTER_REFUSAL = seconds(1.5)
"""What the kernel refused is asked of it again after a second."""


class Violation(AssertionError):
    """An invariant does not hold. Names the invariant, where, and what was seen."""

    def __init__(self, invariant: str, where: str, what: str) -> None:
        """Say it in one line."""
        super().__init__(f"{invariant}: {where}: {what}")
        self.invariant = invariant


class Invariant:
    """Something that must hold. A subclass overrides what it wants to see.

    Attributes:
        NAME: how it is called where it is violated; its clause stands in the class's first line.
    """

    NAME = ""

    def __init__(self, cluster: "Cluster") -> None:
        """Begin with a cluster that is switched off."""
        self.cluster = cluster

    def has(self, name: str) -> bool:
        """Tell whether it looks at a moment of this name."""
        return getattr(type(self), name) is not getattr(Invariant, name)

    def fail(self, where: str, what: str) -> NoReturn:
        """Say that it does not hold.

        Raises:
            Violation: always.
        """
        raise Violation(self.NAME, where, what)

    def begun(self, glass: Glass) -> None:
        """A vrrp process was forked."""

    def before(self, glass: Glass, event: Any, datagrams: tuple[Datagram, ...]) -> None:
        """An event is about to be handled; None: a deadline."""

    def moved(self, glass: Glass, moves: Sequence[Move]) -> None:
        """Virtual routers have moved within one event; its effects are carried out."""

    def committed(self, glass: Glass, event: Commit) -> None:
        """A configuration was brought into force; its moves were told before."""

    def after(self, glass: Glass, event: Any, datagrams: tuple[Datagram, ...]) -> None:
        """An event was handled, and its effects were carried out."""

    def sending(self, glass: Glass, advert: SendAdvert) -> None:
        """An advert is about to leave."""

    def changed(self, glass: Glass, changes: Sequence[Change], answers: Sequence[KernelProblem | None]) -> None:
        """The kernel was asked for changes, and has answered."""

    def announcing(self, glass: Glass, interface: str, address: str) -> None:
        """An address is announced to the neighbours."""

    def telling(self, glass: Glass, tell: Tell) -> None:
        """Something is told to other processes."""

    def forgetting(self, glass: Glass, forget: Forget) -> None:
        """Something is not to be told any more."""

    def finished(self, glass: Glass) -> None:
        """A process says that it has released everything."""

    def ended(self, glass: Glass) -> None:
        """A process is gone, in order or not."""

    def lost(self, machine: "Machine") -> None:
        """A machine has lost its power, and its kernel with all that was in it."""


class Continuous(Invariant, ABC):
    """Something that may be wrong for a while, and not for longer. It is looked at when a machine has changed."""

    def __init__(self, cluster: "Cluster") -> None:
        """Begin with nothing wrong."""
        super().__init__(cluster)
        self._timed = Timed()

    @abstractmethod
    def wrong(self, machine: "Machine") -> Mapping[Any, Duration] | None:
        """Return what is wrong on a machine now, and for how long it may be; None: nothing can be said."""

    def in_words(self, what: Any) -> str:
        """Return what is wrong for people."""
        return str(what)

    def note(self, machine: "Machine", wrong: Mapping[Any, Duration] | None) -> None:
        """Take in what is wrong now.

        Raises:
            Violation: something was wrong for too long.
        """
        found = self._timed.note(machine.name, wrong, machine.world.now)
        if found is not None:
            self.fail(machine.name, f"{self.in_words(found[0])} for {found[1]}")


class Timed:
    """Things that may be wrong for a while: since when each of them is, and how long it may be.

    Nothing changes between two looks, so what was wrong at the last one has been wrong until now.
    """

    def __init__(self) -> None:
        """Begin with nothing wrong."""
        self._wrong: dict[Hashable, dict[Hashable, tuple[Instant, Duration]]] = {}

    def note(self, scope: Hashable, wrong: Mapping[Any, Duration] | None, now: Instant) -> tuple[Any, str] | None:
        """Take in what is wrong in a scope now, each with how long it may be; None: nothing can be said.

        Returns:
            what was wrong for too long, and for how long; None when all is well.
        """
        before = self._wrong.get(scope)
        if not before and not wrong:
            return None
        found = None
        for what, (since, limit) in (before or {}).items():
            if elapsed(since, now) > limit:
                found = (what, for_people(elapsed(since, now)))
        known = before or {}
        self._wrong[scope] = {
            what: (known[what][0] if what in known else now, limit) for what, limit in (wrong or {}).items()
        }
        return found
