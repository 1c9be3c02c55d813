"""Which actions are told which events (pure)."""

from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase

import msgspec

from stayalived.config.model import GLOBAL, Action, Condition, Configuration
from stayalived.messages.events import BY_NAME
from stayalived.messages.notify import Event
from stayalived.notify.queue import Telling
from stayalived.timing import Duration, Instant, after, seconds

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
        self._first_success_is_news = False  # N18
        self._alpha: frozenset[str] = frozenset()

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
        self._first_success_is_news = configuration.globals.rs_init_notifies
        self._alpha = frozenset(_alpha(configuration))

    def matching(self, event: Event, now: Instant) -> Iterator[Telling]:
        """Yield what is told of an event: to the subject's own actions, then to global ones, specific first (N02)."""
        if self._is_start(event):
            return
        subject = subject_of(event)
        own = self._by_subject.get(subject, ())
        if self._former_until is not None and now < self._former_until:
            own = own or self._former.get(subject, ())
        for action in (*own, *self._by_subject.get(GLOBAL, ())):
            telling = _telling(action, event)
            if telling is not None:
                yield telling

    def _is_start(self, event: Event) -> bool:
        """Whether it is a server's first success after the start, which is no news (N06) unless it began as down."""
        if event.kind != "up" or event.old != "UNKNOWN" or self._first_success_is_news:
            return False
        return event.subject not in self._alpha


def _telling(action: Action, event: Event) -> Telling | None:
    """Return what an action is told of an event; None when it is told nothing."""
    if event.kind in action.ends and _is_for(action.only_if, event):
        return Telling(action, event, ending=True)
    if event.kind == "deleted" and "deleted" not in action.on:
        if event.old == "FAULT":
            return None
        event = msgspec.structs.replace(event, kind="fault", new="FAULT")  # N03: who does not ask for it sees a fault
    wanted = event.kind in action.on if action.on else event.kind not in BY_NAME
    return Telling(action, event) if wanted and _holds(action.only_if, event) else None


def _is_for(condition: Condition | None, event: Event) -> bool:
    return condition is None or _fits(event.subject, condition.subjects)


def _holds(condition: Condition | None, event: Event) -> bool:
    if condition is None:
        return True
    in_state = not condition.states or event.new.lower() in condition.states
    return _is_for(condition, event) and in_state and _fits(event.reason, condition.reasons)


def _fits(text: str, patterns: tuple[str, ...]) -> bool:
    return not patterns or any(fnmatchcase(text, pattern) for pattern in patterns)


def _grouped(actions: Iterable[Action]) -> dict[str, tuple[Action, ...]]:
    """Return the actions of each subject: those for certain events before those for all (N02)."""
    grouped: dict[str, tuple[Action, ...]] = {}
    for action in sorted(actions, key=lambda action: not action.on):
        grouped[action.subject] = (*grouped.get(action.subject, ()), action)
    return grouped


def _alpha(configuration: Configuration) -> Iterator[str]:
    """Yield the real servers that are down until a check passes (LV41): their first success is a change."""
    for service in configuration.virtual_servers:
        for server in service.real_servers:
            if service.alpha or any(check.timing.alpha for check in server.checks):
                yield f"{service.name}/{server.name}"


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
