"""The notify engine (pure): who is told what, in which order, and what happens to those that fail."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from stayalived.child.events import (
    Abort,
    AnswerPrepared,
    ChildEffect,
    ChildEvent,
    Commit,
    Finished,
    Prepare,
    Received,
    Report,
    Stop,
)
from stayalived.child.programs import Requests, Withdrawn
from stayalived.config.model import Configuration
from stayalived.messages.notify import Event, Ran
from stayalived.messages.routes import RUNNER, may_tell
from stayalived.notify.actions import Actions, subject_of
from stayalived.notify.events import (
    OF_ITS_OWN,
    Abandon,
    Asked,
    Invoke,
    Invoked,
    Load,
    Loaded,
    NotifyEffect,
    NotifyEvent,
    Observe,
    ObserverFailed,
    Use,
)
from stayalived.notify.queue import LANE_DEPTH, LaneKey, Queue
from stayalived.timing import Duration, Instant, after, seconds

LAST_KINDS = frozenset({"stop", "deleted"})  # what is still told while the daemon stops
STOP_PATIENCE: Duration = seconds(1)  # for telling that (N09)
WARNING = 30  # of the logging module


@dataclass(frozen=True, slots=True)
class _Invocation:
    key: LaneKey
    event: Event


class NotifyEngine:
    """Tells events to the actions of one distribution.

    Args:
        distribution: whose actions run in this process.
    """

    def __init__(self, distribution: str) -> None:
        """Begin without a configuration: nothing is told."""
        self.failures: Counter[tuple[str, str]] = Counter()
        self.foreign: Counter[str] = Counter()  # events that were not their sender's to tell
        self._actions = Actions(distribution)
        self._queue = Queue()
        self._prepared: dict[int, Configuration] = {}
        self._told: dict[int, _Invocation] = {}
        self._tokens = 0
        self._committed = False
        self._stopping = False
        self._give_up: Instant | None = None
        self._requests = Requests()
        self._effects: list[ChildEffect | NotifyEffect] = []

    @property
    def deadline(self) -> Instant | None:
        """When a stop waits no longer."""
        return self._give_up

    def handle(self, event: ChildEvent | NotifyEvent, now: Instant) -> Sequence[ChildEffect | NotifyEffect]:
        """Take in one event."""
        match event:
            case Received(sender=sender, message=Event() as happened):
                if self._believes(sender, happened):
                    self._take(happened, now)
            case Received(message=Ran() as ran):
                self._effects += self._requests.ended(ran)
            case Invoked(token=token, failure=failure):
                self._finish(token, failure)
            case Asked():
                self._ask(event, now)
            case Withdrawn(call=call):
                self._effects += self._requests.withdraw(call)
            case ObserverFailed(text=text):
                self._report(text, "observer")
            case Stop():
                self._stop(now)
            case Prepare() | Loaded() | Commit() | Abort():
                self._change(event, now)
        effects, self._effects = self._effects, []
        return effects

    def wake(self, now: Instant) -> Sequence[ChildEffect | NotifyEffect]:
        """End a stop that has waited long enough."""
        if self._give_up is None or now < self._give_up:
            return []
        self._give_up = None
        return [*(Abandon(token=token) for token in self._told), Finished()]

    def _ask(self, asked: Asked, now: Instant) -> None:
        """Ask the runner for a program: of an event that is still being told, or of an action's own."""
        if asked.token == OF_ITS_OWN:
            lane = f"for {asked.program.argv[-1]}"
        elif asked.token in self._told:
            lane = _lane(self._told[asked.token].key)
        else:
            return
        self._effects.append(self._requests.ask(asked.call, lane, asked.program, now))

    def _change(self, event: Prepare | Loaded | Commit | Abort, now: Instant) -> None:
        match event:
            case Prepare(generation=generation, configuration=configuration):
                self._prepared[generation] = configuration
                self._effects.append(Load(generation=generation, actions=self._actions.of(configuration)))
            case Loaded(generation=generation, problems=problems):
                self._effects.append(AnswerPrepared(generation=generation, problems=problems))
            case Commit(generation=generation):
                configuration = self._prepared.pop(generation)
                self._effects.append(Use(actions=self._actions.of(configuration), configuration=configuration))
                self._actions.use(configuration, now)
                self._prepared.clear()
                self._committed = True
            case Abort(generation=generation):
                self._prepared.pop(generation, None)

    def _take(self, event: Event, now: Instant) -> None:
        """Let an event wait in the lane of each action that is told it."""
        if event.kind == "child_died" and event.subject == RUNNER:
            self._effects += self._requests.lose()
        if self._stopping and event.kind not in LAST_KINDS:
            return
        if self._committed:
            self._effects.append(Observe(event=event))
        for action in self._actions.matching(event, now):
            key = LaneKey(action, subject_of(event))
            if self._queue.append(key, event):
                text = f"action {action.type} is {LANE_DEPTH} events behind with {key.subject}: the oldest was left out"
                self._report(text, f"behind: {action.type} {key.subject}")
        self._tell_next()

    def _believes(self, sender: str, event: Event) -> bool:
        """Whether an event is its sender's to tell; others are counted, and the first of a sender's is reported."""
        if may_tell(sender, event):
            return True
        self.foreign[sender] += 1
        text = f"{sender} told of {event.subject_type} {event.subject}, which is not its own: left out, like all such"
        once = f"notify: foreign events of {sender}"
        self._effects.append(Report(level=WARNING, text=text, fields={"child": sender}, once=once))
        return False

    def _tell_next(self) -> None:
        while (chosen := self._queue.next()) is not None:
            self._tokens += 1
            self._told[self._tokens] = _Invocation(*chosen)
            self._effects.append(Invoke(token=self._tokens, action=chosen[0].action, event=chosen[1]))

    def _finish(self, token: int, failure: str) -> None:
        """An action has told its event, or failed to: count that, go on with its lane."""
        told = self._told.pop(token, None)
        if told is None:  # it was abandoned
            return
        if failure:
            action = told.key.action
            self.failures[action.distribution, action.type] += 1
            where = f"action {action.type} of {action.distribution}"
            self._report(f"{where}: {told.event.kind} of {told.key.subject} was not told: {failure}", where)
        self._queue.free(told.key)
        self._tell_next()
        self._finish_when_idle()

    def _report(self, text: str, kind: str) -> None:
        self._effects.append(Report(level=WARNING, text=text, fields={"class": kind}))

    def _stop(self, now: Instant) -> None:
        """Tell nothing any more but what tells of the end, and that within `STOP_PATIENCE`."""
        if self._stopping:
            return
        self._stopping = True
        self._give_up = after(now, STOP_PATIENCE)
        dropped = self._queue.keep(lambda _, event: event.kind in LAST_KINDS)
        if dropped:
            self._report(f"the daemon stops; events that were not told any more: {dropped}", "stop")
        for token, told in list(self._told.items()):
            if told.event.kind not in LAST_KINDS:
                self._effects.append(Abandon(token=token))
                del self._told[token]
                self._queue.free(told.key)
        self._tell_next()
        self._finish_when_idle()

    def _finish_when_idle(self) -> None:
        if self._stopping and not any(self._queue):
            self._effects.append(Finished())
            self._give_up = None


def _lane(key: LaneKey) -> str:
    """Return the runner's lane for the programs of an action and a subject."""
    return f"{key.subject} {key.action.type} {' '.join(key.action.on)}"
