"""Which actions are told which events (pure)."""

from collections.abc import Iterable, Iterator

from stayalived.config.model import Action, Configuration
from stayalived.messages.notify import Event
from stayalived.timing import Duration, Instant, after, seconds

GLOBAL = "global"
FORMER_LIFE: Duration = seconds(10)
"""How long the actions of an object that a reload removed go on being told: its last events come after the reload."""


def subject_of(event: Event) -> str:
    """Return whom an event is about, as `Action.subject` names it: `instance tic`."""
    return f"{event.subject_type} {event.subject}"


class Actions:
    """The actions of one distribution, by subject."""

    def __init__(self, distribution: str) -> None:
        """Begin with none."""
        self._distribution = distribution
        self._by_subject: dict[str, tuple[Action, ...]] = {}
        self._former: dict[str, tuple[Action, ...]] = {}
        self._former_until: Instant | None = None

    def of(self, configuration: Configuration) -> tuple[Action, ...]:
        """Return those of a configuration, each once, in its order."""
        mine = (action for action in configuration.actions if action.distribution == self._distribution)
        return tuple(dict.fromkeys(mine))

    def use(self, configuration: Configuration, now: Instant) -> None:
        """Use those of a configuration from now on, and those of objects that it removed for a while yet."""
        present = set(_subjects(configuration))
        before = self._by_subject
        self._by_subject = _grouped(self.of(configuration))
        self._former = {subject: actions for subject, actions in before.items() if subject not in present}
        self._former_until = after(now, FORMER_LIFE)

    def matching(self, event: Event, now: Instant) -> Iterator[Action]:
        """Yield the actions that are told an event, in the order of the configuration."""
        subject = subject_of(event)
        own = self._by_subject.get(subject, ())
        if self._former_until is not None and now < self._former_until:
            own = own or self._former.get(subject, ())
        for action in (*own, *self._by_subject.get(GLOBAL, ())):
            if not action.on or event.kind in action.on:
                yield action


def _grouped(actions: Iterable[Action]) -> dict[str, tuple[Action, ...]]:
    grouped: dict[str, tuple[Action, ...]] = {}
    for action in actions:
        grouped[action.subject] = (*grouped.get(action.subject, ()), action)
    return grouped


def _subjects(configuration: Configuration) -> Iterator[str]:
    yield GLOBAL
    for instance in configuration.instances:
        yield f"instance {instance.name}"
    for group in configuration.sync_groups:
        yield f"group {group.name}"
    for service in configuration.virtual_servers:
        yield f"virtual_server {service.name}"
        for server in service.real_servers:
            yield f"real_server {service.name}/{server.name}"
