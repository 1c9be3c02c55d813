"""What a notify plugin is made of. Import it from `stayalived.plugin`."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal, Protocol, TypeVar

import msgspec

from stayalived.config.model import Configuration
from stayalived.errors import PluginFailure
from stayalived.messages.notify import Event
from stayalived.plugin.programs import Outcome, Program
from stayalived.timing import NO_TIME, Duration, seconds

ACTION_LIMIT = seconds(60)  # of an action that does not say its own


Shared = TypeVar("Shared")


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


class Room(Protocol):
    """What an action may use as long as its process lives, not only while it tells an event."""

    @property
    def configuration(self) -> Configuration:
        """The configuration in force."""
        ...

    @property
    def folder(self) -> Path:
        """Folder of all actions of this type for what must outlive the process, in `state_dir`; it may not exist."""
        ...

    def share(self, key: Hashable, make: Callable[[], Shared]) -> Shared:
        """Return what all actions of this type in this process share under a key; the first one makes it."""
        ...

    def report(self, text: str) -> None:
        """Write a warning into the log."""
        ...

    async def run(self, program: Program) -> Outcome:
        """Have the runner start a program; return when it has ended."""
        ...


class Notifier(ABC):
    """One type of notify action. An object is made for each action of the configuration.

    Attributes:
        name: as it stands in a configuration.
        Options: the model of its options.
        inherits: options that an action has from `[global]`, under the same names, where it does not say them itself.
        usual: the events that are told where `on` is left out; empty: all.
        answers: the key of objects that, when it is true, means this action as `[global]` says; empty: none.
        needs: keys of `[global]` without which nobody is told where that key is left out.
    """

    name: ClassVar[str]
    Options: ClassVar[type[NotifierOptions]] = NotifierOptions
    inherits: ClassVar[tuple[str, ...]] = ()
    usual: ClassVar[frozenset[str]] = frozenset()
    answers: ClassVar[str] = ""
    needs: ClassVar[tuple[str, ...]] = ()
    in_turn: ClassVar[bool] = False
    """Whether all actions of this type that are told of one subject take turns, in the order of the events."""
    holds: ClassVar[bool] = False
    """Whether it holds something until the opposite event, at which `end` is called."""

    def __init__(self, options: NotifierOptions) -> None:
        """Keep the validated options."""
        self.options = options

    @classmethod
    def implied(cls, common: Mapping[str, Any]) -> Iterable[tuple[str, Mapping[str, Any]]]:  # noqa: ARG003  (for those that override it)
        """Return the actions that keys of `[global]` mean by themselves: the key, and the options as in a file.

        Args:
            common: what `[global]` says, as it is written there.
        """
        return ()

    def open(self, room: Room) -> None:  # noqa: B027  (most have nothing to open)
        """Begin what runs as long as the action is in force. Called before its first event, once; must not wait."""

    async def close(self) -> None:  # noqa: B027  (the same)
        """End what `open` began, within three seconds: the action is no longer in force, or the process ends."""

    def restate(self, event: Event) -> None:  # noqa: B027  (most are told what is new, and no more)
        """Hear after a reload where an instance or a group stands, whose number is 0; must not wait."""

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
