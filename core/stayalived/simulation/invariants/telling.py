"""What vrrp tells others: the state that is the case, and each event once, in order."""

from typing import TYPE_CHECKING

from stayalived.child.events import Forget, Tell
from stayalived.messages.notify import Event
from stayalived.messages.vrrp import GroupState, InstanceState
from stayalived.simulation.glass import Glass
from stayalived.simulation.invariants.base import SETTLED, Continuous, Invariant
from stayalived.timing import Duration
from stayalived.vrrp.states import State

if TYPE_CHECKING:
    from stayalived.simulation.cluster import Cluster
    from stayalived.simulation.machine import Machine

Subject = tuple[str, str]
"""Type and name."""

OTHER_KINDS = frozenset({"lower_priority", "priority", "stalled"})
"""Events that are no moves."""


class ToldAsItIs(Continuous):
    """What is told of an instance or a sync group is the case: state, priority, members (docs/status.md; SY04)."""

    NAME = "told as it is"

    def wrong(self, machine: "Machine") -> dict[str, Duration] | None:
        """Compare what was told last with what is."""
        glass = machine.watch.glass
        if glass is None or not glass.works or glass.stands:
            return None
        told, limit = glass.process.told, Duration(SETTLED)
        wrong: dict[str, Duration] = {}
        for group in glass.engine.roster.groups.values():
            if group.name:
                state = told.get(("GroupState", group.name))
                right = isinstance(state, GroupState) and state.state == group.state
                if not right and not (state is None and group.state is State.INIT):
                    wrong[f"group {group.name} is {group.state}, told: {_state_in(state)}"] = limit
            for instance in group.instances:
                state = told.get(("InstanceState", instance.name))
                right = isinstance(state, InstanceState) and (state.state, state.priority, state.group) == (
                    group.state, instance.priority, group.name,
                )  # fmt: skip
                if not right and not (state is None and group.state is State.INIT):
                    wrong[f"{instance.name} is {group.state}, told: {_state_in(state)}"] = limit
        return wrong


class EventsInOrder(Invariant):
    """Each move is one event, and events follow each other: the old state is the new one of before (K#2087, N08)."""

    NAME = "events in order"

    def __init__(self, cluster: "Cluster") -> None:
        """Begin with nothing told."""
        super().__init__(cluster)
        self._last: dict[str, dict[Subject, str]] = {}
        self._sequence: dict[str, int] = {}
        self._waiting: set[tuple[str, str]] = set()

    def begun(self, glass: Glass) -> None:
        """A new process: numbers go on from its clock."""
        self._last[glass.machine.name] = {}
        self._sequence[glass.machine.name] = 0

    def forgetting(self, glass: Glass, forget: Forget) -> None:
        """A subject that is forgotten begins anew if it comes back."""
        kinds = {InstanceState: "instance", GroupState: "group"}
        if forget.message in kinds:
            subject = (kinds[forget.message], forget.key)
            self._last[glass.machine.name][subject] = State.INIT

    def telling(self, glass: Glass, tell: Tell) -> None:
        """Look at one event."""
        event, name = tell.message, glass.machine.name
        if isinstance(event, InstanceState) and event.state == State.INIT:
            self._waiting.add((name, event.name))  # perhaps it waits to begin: no move, and no event
        if not isinstance(event, Event):
            return
        if event.sequence <= self._sequence[name]:
            self.fail(name, f"event {event.kind} of {event.subject} has number {event.sequence} again")
        self._sequence[name] = event.sequence
        if event.kind in OTHER_KINDS:
            return
        subject = (event.subject_type, event.subject)
        before = self._last[name].setdefault(subject, self._said_before(glass, subject))
        if event.old == State.INIT and (name, event.subject) in self._waiting:
            before = State.INIT
        self._waiting.discard((name, event.subject))
        if event.old != before or event.new == event.old:
            self.fail(name, f"event of {event.subject} from {event.old} to {event.new}, before it was {before}")
        self._last[name][subject] = event.new

    def _said_before(self, glass: Glass, subject: Subject) -> str:
        """Return what the process before this one has told, which is no news."""
        kind = "InstanceState" if subject[0] == "instance" else "GroupState"
        retold = glass.process.retold.get((kind, subject[1]))
        return _state_in(retold) or State.INIT


def _state_in(told: object) -> str:
    return told.state if isinstance(told, InstanceState | GroupState) else ""
