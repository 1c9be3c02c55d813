"""A notify child that dies at any moment: no event is lost, each lane keeps its order, repeats come of deaths alone."""

from collections import deque
from itertools import count

from hypothesis import given, settings
from hypothesis import strategies as st

from plain_configuration import action, configuration
from plain_event import plain_event
from stayalived.child.conversation import Conversation
from stayalived.child.events import Commit, Prepare, Stop, Tell
from stayalived.messages.control import Start
from stayalived.messages.notify import Told
from stayalived.messages.routes import VRRP, pack, unpack
from stayalived.notify.engine import NotifyEngine
from stayalived.notify.events import Abandon, Invoke, Invoked
from stayalived.supervisor.switchboard import Switchboard
from stayalived.timing import Instant, after, milliseconds

NAME = "notify"
SUBJECTS = ("tic", "tac")
ACTIONS = (action("global"), action("instance tic", kind="mail"), action("instance tac", kind="fifo"))
WANTED = {"tic": {"script", "mail"}, "tac": {"script", "fifo"}}

happen = st.tuples(st.just("happen"), st.sampled_from(SUBJECTS))
read = st.tuples(st.just("read"), st.integers(1, 4))
finish = st.tuples(st.just("finish"), st.integers(0, 5))
acknowledge = st.tuples(st.just("acknowledge"), st.integers(1, 3))
wait, die = st.just(("wait",)), st.just(("die",))
Step = tuple[object, ...]
steps = st.lists(st.one_of(happen, happen, read, finish, finish, wait, acknowledge, die), max_size=60)


class Telling:
    """The real switchboard and the real notify engine, with pipes between them that a death empties as it does."""

    def __init__(self) -> None:
        self.now = Instant(1_000_000)
        self.lives = 0
        self.happened: list[tuple[int, str]] = []
        self.begun: list[tuple[int, str, str, int]] = []  # life, action, subject, number
        self._numbers = count(1)
        self._down: deque[object] = deque()
        self._up: deque[Told] = deque()
        self.board = Switchboard(lambda _, frame: self._down.append(frame))
        self.board.join(NAME)
        self._live()

    def play(self, step: Step) -> None:
        match step:
            case ("happen", str() as subject):
                self._happen(subject)
            case ("read", int() as number):
                for _ in range(min(number, len(self._down))):
                    self._give(self._conversation.frames_in(self._down.popleft()))
            case ("finish", int() as which) if self._told:
                token = list(self._told)[which % len(self._told)]
                del self._told[token]
                self._give(Invoked(token=token))
            case ("wait",):
                self.now = after(self.now, milliseconds(60))
                self._perform(self.engine.wake(self.now))
            case ("acknowledge", int() as number):
                for _ in range(min(number, len(self._up))):
                    self.board.acknowledge(NAME, self._up.popleft())
            case ("die",):
                self._die()

    def calm(self) -> None:
        """Let everything be told and acknowledged."""
        while self._down or self._told or self._up or self.engine.deadline is not None:
            for step in (("read", 9), ("finish", 0), ("wait",), ("acknowledge", 9)):
                self.play(step)
            if not self._down and not self._told and not self._up and self.board.untold(NAME) == 0:
                return

    def _happen(self, subject: str) -> None:
        number = next(self._numbers)
        self.happened.append((number, subject))
        event = plain_event(sequence=number, subject=subject, old="")
        frame = pack(event, sequence=number)
        self.board.forward(VRRP, frame, self.board.permitted(VRRP, frame))

    def _live(self) -> None:
        self.lives += 1
        self.engine = NotifyEngine("stayalived")
        self._conversation = Conversation()
        self._told: dict[int, Invoke] = {}
        self._give(Prepare(generation=1, configuration=configuration(*ACTIONS)))
        self._give(Commit(generation=1, start=Start.RESPAWNED))
        self.board.listen(NAME)
        self.board.run(NAME)

    def _die(self) -> None:
        """What it had written is read (`Processes._bury`); what it had not read is gone."""
        self.play(("acknowledge", len(self._up)))
        self._down.clear()
        self.board.pause(NAME)
        self._live()

    def _give(self, event: object) -> None:
        self._perform(self.engine.handle(event, self.now))

    def _perform(self, effects: object) -> None:
        for effect in effects:
            match effect:
                case Invoke(token=token, action=told, event=event):
                    self._told[token] = effect
                    self.begun.append((self.lives, told.type, event.subject, event.sequence))
                case Abandon(token=token):
                    self._told.pop(token, None)
                case Tell(message=Told() as receipt):
                    self._up.append(unpack(pack(receipt)))


def faults(telling: Telling) -> list[str]:
    """Return what does not hold of a history that has come to rest, and must hold of each."""
    found: list[str] = []
    lanes = sorted((kind, subject) for subject in SUBJECTS for kind in WANTED[subject])
    for kind, subject in lanes:
        expected = [number for number, of in telling.happened if of == subject]
        told = [(life, number) for life, name, of, number in telling.begun if (name, of) == (kind, subject)]
        firsts = list(dict.fromkeys(number for _, number in told))
        if expected != firsts:
            found.append(f"{kind} of {subject}: {firsts} were told, {expected} happened")
        if told != sorted(set(told)):
            found.append(f"{kind} of {subject}: out of order, or twice in one life: {told}")
    if telling.board.untold(NAME):
        found.append(f"{telling.board.untold(NAME)} are kept for ever")
    return found + [f"{fault}: {number}" for fault, number in telling.board.faults.items()]


@settings(deadline=None)
@given(steps)
def test_no_event_is_lost_and_each_lane_keeps_its_order_whenever_notify_dies(sequence: list[Step]) -> None:
    telling = Telling()
    for step in sequence:
        telling.play(step)
    telling.calm()
    assert [] == faults(telling)


STORY: tuple[Step, ...] = (
    ("happen", "tic"), ("happen", "tac"), ("happen", "tic"), ("read", 2), ("finish", 0), ("happen", "tic"),
    ("read", 2), ("finish", 1), ("wait",), ("finish", 0), ("acknowledge", 1), ("finish", 0), ("happen", "tac"),
    ("finish", 0), ("wait",), ("read", 1), ("finish", 0), ("finish", 0), ("acknowledge", 1), ("wait",),
)  # fmt: skip


def test_one_death_at_every_point_of_a_story_and_two_at_every_pair_of_points() -> None:
    for first in range(len(STORY) + 1):
        for second in range(first, len(STORY) + 1):
            telling = Telling()
            for place, step in enumerate((*STORY, ("wait",))):
                for _ in range((place == first) + (place == second)):
                    telling.play(("die",))
                telling.play(step)
            telling.calm()
            assert [] == faults(telling)


def test_without_a_death_nothing_is_told_twice_and_everything_is_acknowledged() -> None:
    telling = Telling()
    for step in STORY:
        telling.play(step)
    telling.calm()
    assert [] == faults(telling)
    assert len(telling.begun) == 2 * len(telling.happened)


def test_a_stop_for_a_successor_leaves_to_it_what_was_not_told() -> None:
    telling = Telling()
    for step in (("happen", "tic"), ("happen", "tic"), ("read", 2)):
        telling.play(step)
    telling._give(Stop())
    telling.play(("die",))
    telling.calm()
    assert [] == faults(telling)
