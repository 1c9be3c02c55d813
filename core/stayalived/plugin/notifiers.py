"""What a notify plugin is made of. Import it from `stayalived.plugin`."""

from abc import ABC, abstractmethod
from typing import ClassVar, Protocol

import msgspec

from stayalived.messages.notify import Event
from stayalived.plugin.programs import Outcome, Program
from stayalived.timing import Duration, seconds

ACTION_LIMIT = seconds(60)  # of an action that does not say its own


class NotifierOptions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Root of an action's options: its fields are the keys that a user may write beside `type` and `on`."""


class Tools(Protocol):
    """What an action may use of the daemon."""

    async def run(self, program: Program) -> Outcome:
        """Have the runner start a program; return when it has ended."""
        ...


class Notifier(ABC):
    """One type of notify action. An object is made for each action of the configuration."""

    name: ClassVar[str]
    Options: ClassVar[type[NotifierOptions]] = NotifierOptions

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
