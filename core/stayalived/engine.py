"""The shape that every process has inside: a pure engine in a thin shell.

An engine is deterministic: what it answers depends on the events it was given and on the moments they came with, on
nothing else. The shell around it owns sockets, netlink, pipes and the clock and takes no decision. The simulator is
another shell around the same engines.
"""

from collections.abc import Sequence
from typing import Protocol, TypeVar

from stayalived.timing import Instant

Event_contra = TypeVar("Event_contra", contravariant=True)
Effect_co = TypeVar("Effect_co", covariant=True)


class Engine(Protocol[Event_contra, Effect_co]):
    """Turns an event and a time into effects, and says when it wants to be woken."""

    @property
    def deadline(self) -> Instant | None:
        """The earliest moment at which `wake` has something to do, or None."""
        ...

    def handle(self, event: Event_contra, now: Instant) -> Sequence[Effect_co]:
        """Take in one event and return what is to be done, in this order."""
        ...

    def wake(self, now: Instant) -> Sequence[Effect_co]:
        """Do what has become due by `now`; harmless when nothing is."""
        ...
