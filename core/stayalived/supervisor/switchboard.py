"""Who may say what to whom. Bodies are not looked at: they are for the receiver."""

from collections import Counter, deque
from collections.abc import Callable, Iterable
from enum import StrEnum

import msgspec

from stayalived.messages.codec import Frame
from stayalived.messages.notify import Told
from stayalived.messages.routes import NOTIFY, SUPERVISOR, TOPICS, Kind, Topic, role_of
from stayalived.supervisor.memory import Memory, Outcome
from stayalived.supervisor.untold import Untold

HELD_FRAMES = 1024
"""Events and calls that wait for a child which is being started; beyond, the oldest is dropped and counted."""


class Fault(StrEnum):
    """Why a frame was dropped."""

    NOT_A_FRAME = "not a frame"
    UNKNOWN_TOPIC = "unknown topic"
    NOT_ALLOWED = "topic not allowed for this sender"
    NO_RECEIVER = "no such receiver"
    FOREIGN_KEY = "key of another sender"
    TOO_MANY_KEYS = "more keys than are configured"
    HELD_TOO_LONG = "too many for a receiver that is not there"
    UNTOLD = "too many that notify had not told when it died"


Deliver = Callable[[str, Frame], None]


_FAULTS = {Outcome.FULL: Fault.TOO_MANY_KEYS, Outcome.FOREIGN: Fault.FOREIGN_KEY}


class Switchboard:
    """Forwards frames between children, keeps state, holds back events for a child that is being replaced.

    Those for notify are kept until it says that it has told them, so its death loses none of them.

    Attributes:
        memory: the newest of each key.
        faults: how many frames of each sender were dropped, and why.
    """

    def __init__(self, deliver: Deliver) -> None:
        """Make a switchboard.

        Args:
            deliver: sends a frame to a child that listens.
        """
        self.memory = Memory()
        self.faults: Counter[tuple[str, Fault]] = Counter()
        self._deliver = deliver
        self._members: dict[str, bool] = {}  # name → whether it runs; one that does not gets its events later
        self._listeners: set[str] = set()
        self._held: dict[str, deque[Frame]] = {}
        self._untold: dict[str, Untold] = {}

    def join(self, name: str) -> None:
        """A child is needed: from now on events and calls for it are held until it runs."""
        if name not in self._members:
            self._members[name] = False
            self._held[name] = deque()
            if role_of(name) == NOTIFY:
                self._untold[name] = Untold()

    def leave(self, name: str) -> None:
        """A child is not needed any more: nothing is held for it, and what it told is taken back."""
        self._members.pop(name, None)
        self._held.pop(name, None)
        self._untold.pop(name, None)
        self._listeners.discard(name)
        for frame in self.memory.forget_sender(name):
            self._spread_state(frame)

    def listen(self, name: str) -> None:
        """A child has said Hello: retell it the state that it needs, and forward what changes from now on."""
        if name in self._members:
            self._listeners.add(name)
        for frame in self.memory.retell(name):
            self._deliver(name, frame)

    def run(self, name: str) -> None:
        """A child has its configuration: give it the events and calls that were held, and the next ones at once."""
        if name not in self._members:
            return
        if self._members[name]:
            return
        self._members[name] = True
        for frame in self._untold.get(name, ()):
            self._deliver(name, frame)
        held = self._held[name]
        while held:
            self._deliver(name, held.popleft())

    def pause(self, name: str) -> None:
        """A child's process ended: hold its events and calls until the next one runs."""
        self._listeners.discard(name)
        if name in self._members:
            self._members[name] = False
        for sender, number in self._untold[name].lose().items() if name in self._untold else ():
            self.count(sender, Fault.UNTOLD, number)

    def acknowledge(self, name: str, told: Told) -> None:
        """A child has told events: its successor is not given them again."""
        for sender, numbers in told.events:
            if name in self._untold:
                self._untold[name].acknowledge(sender, numbers)

    def untold(self, name: str) -> int:
        """Return how many events a child has been given, or will be, that it has not said to have told."""
        return len(self._untold.get(name, ()))

    def count(self, sender: str, fault: Fault, number: int = 1) -> None:
        """Take note of frames that were dropped."""
        self.faults[sender, fault] += number

    def permitted(self, sender: str, frame: Frame) -> Topic | None:
        """Return the frame's topic if this child may send it; otherwise count and return None."""
        topic = TOPICS.get(frame.topic)
        if topic is None:
            self.count(sender, Fault.UNKNOWN_TOPIC)
            return None
        if role_of(sender) not in topic.senders:
            self.count(sender, Fault.NOT_ALLOWED)
            return None
        return topic

    def forward(self, sender: str, frame: Frame, topic: Topic) -> None:
        """Pass on a permitted frame that is not for the supervisor itself, stamped with its true sender."""
        stamped = msgspec.structs.replace(frame, peer=sender)
        if topic.kind is Kind.STATE:
            self._keep(stamped)
        elif frame.peer:
            self._give_one(sender, frame.peer, topic, stamped)
        elif topic.kind is Kind.CALL:
            self.count(sender, Fault.NO_RECEIVER)
        else:
            self._spread(topic, stamped)

    def tell(self, frame: Frame) -> None:
        """Pass on what the supervisor itself has to say."""
        self.forward(SUPERVISOR, frame, TOPICS[frame.topic])

    def held(self) -> Iterable[tuple[str, int]]:
        """Yield the children for which frames wait, and how many."""
        return ((name, len(frames)) for name, frames in self._held.items() if frames)

    def _keep(self, frame: Frame) -> None:
        outcome = self.memory.keep(frame)
        if outcome is Outcome.KEPT:
            self._spread_state(frame)
        elif outcome in _FAULTS:
            self.count(frame.peer, _FAULTS[outcome])

    def _spread_state(self, frame: Frame) -> None:
        """Tell the newest of a key; at its end also what another sender has told of it meanwhile."""
        self._spread(TOPICS[frame.topic], frame)
        following = None if frame.body else self.memory.next_of(frame)
        if following is not None:
            self._spread(TOPICS[following.topic], following)

    def _give_one(self, sender: str, receiver: str, topic: Topic, frame: Frame) -> None:
        if receiver not in self._members or role_of(receiver) not in topic.receivers:
            self.count(sender, Fault.NO_RECEIVER)
        else:
            self._give(receiver, frame, topic)

    def _spread(self, topic: Topic, frame: Frame) -> None:
        for name in self._members:
            if name != frame.peer and role_of(name) in topic.receivers:
                self._give(name, frame, topic)

    def _give(self, name: str, frame: Frame, topic: Topic) -> None:
        if topic.kind is Kind.STATE:
            if name in self._listeners:
                self._deliver(name, frame)
        elif topic.kind is Kind.EVENT and name in self._untold:
            self._give_event(name, frame)
        elif self._members[name]:
            self._deliver(name, frame)
        else:
            held = self._held[name]
            if len(held) >= HELD_FRAMES:
                held.popleft()
                self.count(frame.peer, Fault.HELD_TOO_LONG)
            held.append(frame)

    def _give_event(self, name: str, frame: Frame) -> None:
        """Keep an event until it is told, and give it to the child if that runs."""
        runs, untold = self._members[name], self._untold[name]
        left_out = untold.keep(frame)
        if left_out is not None and runs:
            untold.give_up(left_out)
        elif left_out is not None:
            self.count(left_out, Fault.HELD_TOO_LONG)
        if runs:
            self._deliver(name, frame)
