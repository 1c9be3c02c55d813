"""Where instances and groups stand (pure): for those who want to hear it again after a reload (N17)."""

from stayalived.child.events import Received
from stayalived.config.model import Configuration
from stayalived.messages.events import GROUP, INSTANCE
from stayalived.messages.notify import Event
from stayalived.messages.routes import topic_of
from stayalived.messages.vrrp import GroupState, InstanceState
from stayalived.timing import Instant

_TOPICS = frozenset({topic_of(InstanceState).name, topic_of(GroupState).name})
_KINDS = {"MASTER": "master", "BACKUP": "backup", "FAULT": "fault"}


class Standings:
    """The newest state of each instance and each group."""

    def __init__(self) -> None:
        """Know nobody."""
        self._states: dict[tuple[str, str], InstanceState | GroupState] = {}

    def learn(self, received: Received) -> None:
        """Take in a state, or that its subject is gone. Other messages are none of this."""
        if received.topic not in _TOPICS:
            return
        if isinstance(received.message, InstanceState | GroupState):
            self._states[received.topic, received.key] = received.message
        else:
            self._states.pop((received.topic, received.key), None)

    def again(self, configuration: Configuration, now: Instant) -> tuple[Event, ...]:
        """Return an event for where each one stands that a configuration has, instances before groups.

        They are nobody's news: their number is 0, and the state before is the same.
        """
        wanted = {*(one.name for one in configuration.instances), *(one.name for one in configuration.sync_groups)}
        states = sorted(self._states.values(), key=lambda state: (isinstance(state, GroupState), state.name))
        return tuple(_event(state, now) for state in states if state.name in wanted and state.state in _KINDS)


def _event(state: InstanceState | GroupState, now: Instant) -> Event:
    return Event(
        sequence=0,
        kind=_KINDS[state.state],
        subject_type=GROUP if isinstance(state, GroupState) else INSTANCE,
        subject=state.name,
        old=state.state,
        new=state.state,
        reason="told again after a reload",
        priority=state.priority if isinstance(state, InstanceState) else 0,
        monotonic=now,
    )
