"""What a notify plugin is made of. Import it from `stayalived.plugin`."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar, Literal, Protocol

import msgspec

from stayalived.errors import PluginFailure
from stayalived.messages.notify import Event
from stayalived.plugin.programs import Outcome, Program
from stayalived.timing import NO_TIME, Duration, seconds

ACTION_LIMIT = seconds(60)  # of an action that does not say its own


class NotifierOptions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Root of an action's options: its fields are the keys that a user may write beside `type` and `on`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """Another weight for a real server, as long as it is held.

    Attributes:
        server: `VIRTUAL_SERVER/NAME`.
        mode: how `value` counts: instead of the weight, multiplied with it, or added to it.
        value: weight, factor or difference.
        lasts: how long it holds at most; 0: until it is released.
    """

    server: str
    mode: Literal["set", "factor", "add"]
    value: float
    lasts: Duration = NO_TIME


class Tools(Protocol):
    """What an action may use of the daemon."""

    async def run(self, program: Program) -> Outcome:
        """Have the runner start a program; return when it has ended."""
        ...

    def hold(self, level: Level) -> None:
        """Give a real server another weight for the subject of this event; only for a type that `holds`."""
        raise PluginFailure(f"{level.server}: nothing can be held here")

    def release(self, server: str) -> None:
        """Take back what is held of a real server for the subject of this event."""
        raise PluginFailure(f"{server}: nothing can be held here")


class Notifier(ABC):
    """One type of notify action. An object is made for each action of the configuration."""

    name: ClassVar[str]
    Options: ClassVar[type[NotifierOptions]] = NotifierOptions
    in_turn: ClassVar[bool] = False
    """Whether all actions of this type that are told of one subject take turns, in the order of the events."""
    holds: ClassVar[bool] = False
    """Whether it holds something until the opposite event, at which `end` is called."""

    def __init__(self, options: NotifierOptions) -> None:
        """Keep the validated options."""
        self.options = options

    @property
    def limit(self) -> Duration:
        """How long `notify` may take for one event; then it is cancelled, and that counts as a failure."""
        return ACTION_LIMIT

    @abstractmethod
    async def notify(self, event: Event, tools: Tools) -> None:
        """Tell one event. The next event of the same subject waits until this returns.

        Raises:
            PluginFailure: it could not be told; the text says why and what to do.
        """

    async def end(self, event: Event, tools: Tools) -> None:  # noqa: ARG002  (for who overrides it)
        """Take back what is held: the opposite of an event at `on` has come. Called only for a type that `holds`."""
        raise PluginFailure(f"{self.name}: it says that it holds something, and has no `end` (of {event.kind})")
