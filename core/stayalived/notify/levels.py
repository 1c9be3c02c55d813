"""The weights that actions hold (pure): told as levels, withdrawn by the opposite event, by time, or by a reload.

The supervisor keeps them, so they outlive this process; the next one takes them up again and withdraws those whose
action the configuration has no more.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from stayalived.child.events import ChildEffect, Forget, Tell
from stayalived.config.model import GLOBAL, Action
from stayalived.messages.notify import Event
from stayalived.messages.services import Override
from stayalived.plugin.notifiers import Level
from stayalived.timing import Instant, after, earliest


@dataclass(frozen=True, slots=True)
class _Held:
    override: Override
    until: Instant | None = None


class Levels:
    """Everything that this process holds, by its key on the pipe."""

    def __init__(self) -> None:
        """Begin with nothing held."""
        self._held: dict[str, _Held] = {}
        self._sources: dict[Action, str] = {}

    @property
    def deadline(self) -> Instant | None:
        """When the first one is over."""
        return earliest(held.until for held in self._held.values())

    def remember(self, key: str, override: Override) -> None:
        """Take up what the process before this one held. When it is over, `until` tells ipvs."""
        self._held.setdefault(key, _Held(override))

    def use(self, actions: Iterable[Action]) -> list[ChildEffect]:
        """Go on with the actions of another configuration; return what withdraws the levels of the others."""
        self._sources = dict(_named(actions))
        sources = set(self._sources.values())
        gone = [key for key, held in self._held.items() if _action_in(held.override.source) not in sources]
        return self._withdraw(gone)

    def hold(self, action: Action, event: Event, level: Level, now: Instant) -> list[ChildEffect]:
        """Return what gives a server another weight because of an event."""
        override = Override(
            server=level.server,
            source=self._source(action, event),
            mode=level.mode,
            value=level.value,
            until=event.wall + level.lasts if level.lasts else 0,
            reason=f"{event.kind} of {event.subject}",
        )
        self._held[_key(override)] = _Held(override, after(now, level.lasts) if level.lasts else None)
        return [Tell(message=override, key=_key(override))]

    def release(self, action: Action, event: Event, server: str) -> list[ChildEffect]:
        """Return what takes back an action's level of a server, if it holds one because of this subject."""
        key = f"{server} {self._source(action, event)}"
        return self._withdraw([key] if key in self._held else [])

    def expire(self, now: Instant) -> list[ChildEffect]:
        """Return what withdraws the levels whose time is over."""
        return self._withdraw([key for key, held in self._held.items() if held.until is not None and held.until <= now])

    def _source(self, action: Action, event: Event) -> str:
        name = self._sources.get(action, f"{action.subject} {action.type}")
        return f"{name} for {event.subject}" if action.subject == GLOBAL else name

    def _withdraw(self, keys: Iterable[str]) -> list[ChildEffect]:
        effects: list[ChildEffect] = []
        for key in keys:
            del self._held[key]
            effects.append(Forget(message=Override, key=key))
        return effects


def _key(override: Override) -> str:
    return f"{override.server} {override.source}"


def _action_in(source: str) -> str:
    """Return the action's name in the source of a level; a global one's is followed by the subject."""
    return source.partition(" for ")[0]


def _named(actions: Iterable[Action]) -> Iterable[tuple[Action, str]]:
    """Yield each action with its name for people: `instance tic weight#0`."""
    numbers: dict[str, int] = {}
    for action in actions:
        name = f"{action.subject} {action.type}"
        number = numbers[name] = numbers.get(name, -1) + 1
        yield action, f"{name}#{number}"
