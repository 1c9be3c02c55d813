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
from stayalived.config.model import BUNDLED, Configuration
from stayalived.messages.control import Start
from stayalived.messages.notify import Event, Ran
from stayalived.messages.routes import NOTIFY, RUNNER, may_tell
from stayalived.messages.services import Override
from stayalived.notify.actions import Actions, subject_of
from stayalived.notify.counts import Tally
from stayalived.notify.events import (
    OF_ITS_OWN,
    Abandon,
    Asked,
    Holding,
    Invoke,
    Invoked,
    Load,
    Loaded,
    NotifyEffect,
    NotifyEvent,
    Observe,
    Observed,
    ObserverFailed,
    Releasing,
    Restate,
    Use,
)
from stayalived.notify.levels import Levels
from stayalived.notify.limits import Limits
from stayalived.notify.queue import LANE_DEPTH, LAST_KINDS, LaneKey, Queue, Telling
from stayalived.notify.receipts import Receipts
from stayalived.notify.standings import Standings
from stayalived.timing import Duration, Instant, after, earliest, seconds

STOP_GRACE: Duration = seconds(0.5)
"""For telling what waits when the daemon stops. Mails are in the spool within it, and most scripts have ended."""

STOP_PATIENCE: Duration = seconds(2)
"""For telling the last things after that: a second for what is at work to end, one for the stop's scripts (N09)."""

WARNING = 30  # of the logging module


@dataclass(frozen=True, slots=True)
class _Invocation:
    key: LaneKey
    telling: Telling

    @property
    def event(self) -> Event:
        return self.telling.event


class NotifyEngine:
    """Tells events to the actions of one distribution.

    Args:
        distribution: whose actions run in this process.
    """

    def __init__(self, distribution: str) -> None:
        """Begin without a configuration: nothing is told."""
        self.failures: Counter[tuple[str, str]] = Counter()
        self.foreign: Counter[str] = Counter()  # events that were not their sender's to tell
        self._own_name = NOTIFY if distribution == BUNDLED else f"{NOTIFY}/{distribution}"
        self._actions = Actions(distribution)
        self._queue = Queue()
        self._limits = Limits()
        self._levels = Levels()
        self._tally = Tally(distribution)
        self._receipts = Receipts()
        self._standings = Standings()
        self._prepared: dict[int, Configuration] = {}
        self._told: dict[int, _Invocation] = {}
        self._tokens = 0
        self._committed = False
        self._stopping = False
        self._over = False
        self._cut: Instant | None = None
        self._give_up: Instant | None = None
        self._requests = Requests()
        self._effects: list[ChildEffect | NotifyEffect] = []

    @property
    def deadline(self) -> Instant | None:
        """When a stop waits no longer, a rate allows more, a level is over, counts or receipts are to be told."""
        if self._stopping:
            return earliest((self._cut, self._give_up))
        engaged = (self._limits.deadline, self._levels.deadline, self._tally.deadline)
        return earliest((*engaged, self._receipts.deadline))

    def handle(self, event: ChildEvent | NotifyEvent, now: Instant) -> Sequence[ChildEffect | NotifyEffect]:
        """Take in one event."""
        match event:
            case Received():
                self._receive(event, now)
            case Invoked(token=token, failure=failure):
                self._finish(token, failure, now)
            case Asked() | Withdrawn() | Holding() | Releasing():
                self._serve(event, now)
            case Observed():
                self._tally.observed(event, now)
            case ObserverFailed(text=text):
                self._report(text, "observer")
            case Stop():
                self._stop(now)
            case Prepare() | Loaded() | Commit() | Abort():
                self._change(event, now)
        return self._settled(now)

    def wake(self, now: Instant) -> Sequence[ChildEffect | NotifyEffect]:
        """Tell what was held back, withdraw what is over, end a stop that has waited long enough."""
        for key, telling in self._limits.due(now):
            self._enqueue(key, telling, now)
        self._effects += self._levels.expire(now)
        self._tell_next()
        if not self._stopping:
            self._effects += self._tally.tell(now, self._behind)
        if self._cut is not None and now >= self._cut:
            self._tell_the_end_only()
        if self._give_up is not None and now >= self._give_up:
            self._effects += [Abandon(token=token) for token in self._told]
        return self._settled(now)

    def _settled(self, now: Instant) -> Sequence[ChildEffect | NotifyEffect]:
        """Give the receipts that are due, the last ones before the end, and return what has come together."""
        for given_up in (self._queue.given_up, self._limits.given_up):
            for event in given_up:
                self._receipts.settle(event, now)
            given_up.clear()
        late = self._give_up is not None and now >= self._give_up
        over = self._stopping and (late or not any(self._queue))
        effects, self._effects = [*self._effects, *self._receipts.give(now, at_once=over)], []
        if over and not self._over:
            self._over, self._cut, self._give_up = True, None, None
            effects.append(Finished())
        return effects

    def _receive(self, received: Received, now: Instant) -> None:
        match received.message:
            case Event() as happened:
                tellings = self._take(happened, now) if self._believes(received.sender, happened) else 0
                if tellings is not None:
                    self._receipts.take(received.sender, happened, tellings, now)
                self._tell_next()
            case Ran() as ran:
                self._effects += self._requests.ended(ran)
            case Override() as override if received.sender == self._own_name:
                self._levels.remember(received.key, override)
            case _:
                self._standings.learn(received)

    def _serve(self, event: Asked | Withdrawn | Holding | Releasing, now: Instant) -> None:
        """Do what an action that is at work asks for."""
        match event:
            case Withdrawn(call=call):
                self._effects += self._requests.withdraw(call)
            case Asked():
                self._ask(event, now)
            case Holding(token=token, level=level) if token in self._told:
                telling = self._told[token].telling
                self._effects += self._levels.hold(telling.action, telling.event, level, now)
            case Releasing(token=token, server=server) if token in self._told:
                telling = self._told[token].telling
                self._effects += self._levels.release(telling.action, telling.event, server)

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
            case Commit(generation=generation, start=start):
                configuration = self._prepared.pop(generation)
                self._use(configuration, now)
                if start is Start.RELOAD:
                    self._effects.append(Restate(events=self._standings.again(configuration, now)))
            case Abort(generation=generation):
                self._prepared.pop(generation, None)

    def _use(self, configuration: Configuration, now: Instant) -> None:
        actions = self._actions.of(configuration)
        self._effects.append(Use(actions=actions, configuration=configuration))
        self._actions.use(configuration, now)
        self._limits.keep(frozenset(actions))
        self._effects += self._levels.use(actions)
        self._prepared.clear()
        self._committed = True

    def _take(self, event: Event, now: Instant) -> int | None:
        """Let an event wait in the lane of each action that is told it; return how many those are.

        None: it is told no more, and whoever has kept it for us may do so for the process after this one.
        """
        if event.kind == "child_died" and event.subject == RUNNER:
            self._effects += self._requests.lose()
        if self._stopping and self._cut is None and event.kind not in LAST_KINDS:
            return None
        if self._committed:
            self._effects.append(Observe(event=event))
        tellings = tuple(self._actions.matching(event, now))
        for telling in tellings:
            key = LaneKey.of(telling.action, subject_of(event))
            admitted = telling if self._stopping or telling.ending else self._limits.admit(key, telling, now)
            if admitted is not None:
                self._enqueue(key, admitted, now)
        return len(tellings)

    def _enqueue(self, key: LaneKey, telling: Telling, now: Instant) -> None:
        """Let an event wait in its lane; what is at work there may have to end for it."""
        action = telling.action
        if action.overlap == "kill":
            for token, told in list(self._told.items()):
                if told.key == key and told.telling.action == action:
                    self._abandon(token)
                    self._receipts.settle(told.event, now)
        if self._queue.append(key, telling):
            text = f"action {action.type} is {LANE_DEPTH} events behind with {key.subject}: the oldest was left out"
            self._report(text, f"behind: {action.type} {key.subject}")
        self._tally.add(action.type, now)

    def _behind(self, kind: str) -> tuple[int, int, int]:
        return self._queue.merged[kind], self._limits.left_out[kind], self._queue.waiting[kind]

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
            key, telling = chosen
            self._told[self._tokens] = _Invocation(key, telling)
            self._effects.append(
                Invoke(token=self._tokens, action=telling.action, event=telling.event, ending=telling.ending)
            )

    def _finish(self, token: int, failure: str, now: Instant) -> None:
        """An action has told its event, or failed to: count that, go on with its lane."""
        told = self._told.pop(token, None)
        if told is None:  # it was abandoned
            return
        action = told.telling.action
        if failure:
            self.failures[action.distribution, action.type] += 1
            where = f"action {action.type} of {action.distribution}"
            self._report(f"{where}: {told.event.kind} of {told.key.subject} was not told: {failure}", where)
        self._queue.free(told.key)
        self._receipts.settle(told.event, now)
        self._tally.add(action.type, now, told=not failure, failed=bool(failure))
        self._tell_next()

    def _abandon(self, token: int) -> None:
        """Have an action end at once what it is doing; its lane is free for the next event."""
        told = self._told.pop(token)
        self._effects.append(Abandon(token=token))
        self._queue.free(told.key)

    def _report(self, text: str, kind: str) -> None:
        self._effects.append(Report(level=WARNING, text=text, fields={"class": kind}))

    def _stop(self, now: Instant) -> None:
        """Tell what waits within `STOP_GRACE`, after that only what tells of the end."""
        if self._stopping:
            return
        self._stopping = True
        self._cut = after(now, STOP_GRACE)
        self._give_up = after(self._cut, STOP_PATIENCE)
        for key, telling in self._limits.end():
            self._enqueue(key, telling, now)
        self._tell_next()

    def _tell_the_end_only(self) -> None:
        """Tell nothing any more but what tells of the end. For the rest there is no receipt: somebody may keep it."""
        self._cut = None
        dropped = self._queue.keep(lambda event: event.kind in LAST_KINDS)
        left_out = dropped
        for token, told in list(self._told.items()):
            if told.event.kind not in LAST_KINDS:
                self._abandon(token)
                left_out += 1
        if left_out:
            self._report(f"stopping: events that this process has not told: {left_out}", "stop")
        self._tell_next()


def _lane(key: LaneKey) -> str:
    """Return the runner's lane for the programs of a lane."""
    return f"{key.subject} {key.type} {' '.join(key.action.on) if key.action else ''}".rstrip()
