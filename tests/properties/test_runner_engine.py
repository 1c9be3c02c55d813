"""Whatever is asked of the runner in whatever order: one program of a lane at a time, one answer for each request."""

from collections import Counter
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from plain_configuration import configuration
from stayalived.child.events import Commit, Finished, Prepare, Received, Stop, Tell
from stayalived.messages import control
from stayalived.messages.notify import Cancel, Ran, Run
from stayalived.runner.engine import Ended, Kill, RunnerEngine, Start, Terminate
from stayalived.runner.lanes import RUNNING_OF_SENDER
from stayalived.timing import Duration, Instant, after, seconds

STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("run"), st.sampled_from(["notify", "notify/acme"]), st.sampled_from("abc")),
        st.tuples(st.just("cancel"), st.sampled_from(["notify", "notify/acme"]), st.integers(0, 30)),
        st.tuples(st.just("end"), st.integers(0, 30)),
        st.tuples(st.just("wait"), st.sampled_from([1, 2, 5, 30])),
    ),
    max_size=60,
)


class World:
    """An engine with programs that end when a step says so."""

    def __init__(self) -> None:
        self.now = Instant(0)
        self.engine = RunnerEngine()
        self.alive: dict[int, tuple[str, str]] = {}  # lane by token
        self.asked: Counter[tuple[str, int]] = Counter()
        self.answered: Counter[tuple[str, int]] = Counter()
        self.begun: dict[tuple[str, str], list[int]] = {}
        self.senders: dict[int, str] = {}
        self.tokens: dict[int, int] = {}  # by identifier
        self.finished = False
        self.post(Prepare(generation=1, configuration=configuration()))
        self.post(Commit(generation=1, start=control.Start.FIRST))

    def post(self, event: Any) -> None:
        self.carry_out(self.engine.handle(event, self.now))

    def carry_out(self, effects: Any) -> None:
        for effect in effects:
            match effect:
                case Start(token=token, run=run):
                    lane = (self.senders[run.identifier], run.lane)
                    assert lane not in self.alive.values()
                    self.alive[token] = lane
                    self.tokens[run.identifier] = token
                    self.begun.setdefault(lane, []).append(run.identifier)
                    assert len(self.alive) <= 2 * RUNNING_OF_SENDER
                case Terminate(token=token) | Kill(token=token):
                    assert token in self.alive
                case Tell(message=Ran(identifier=identifier, problem=problem), to=sender):
                    self.answered[sender, identifier] += 1
                    if "survives KILL" in problem:  # given up: its lane may go on
                        del self.alive[self.tokens[identifier]]
                case Finished():
                    assert not self.finished
                    self.finished = True

    def step(self, number: int, step: tuple[Any, ...]) -> None:
        match step:
            case ("run", sender, lane):
                self.senders[number] = sender
                self.asked[sender, number] += 1
                self.post(Received(topic="runner.run", key="", sender=sender, message=asked(number, lane)))
            case ("cancel", sender, identifier):
                self.post(Received(topic="", key="", sender=sender, message=Cancel(identifier=identifier)))
            case ("end", which) if self.alive:
                self.end(sorted(self.alive)[which % len(self.alive)])
            case ("wait", length):
                self.now = after(self.now, seconds(length))
                self.carry_out(self.engine.wake(self.now))

    def end(self, token: int) -> None:
        del self.alive[token]
        self.post(Ended(token=token, status=0, signal=0, output=b""))


def asked(identifier: int, lane: str) -> Run:
    limit = Duration(seconds(3))
    return Run(
        identifier=identifier, lane=lane, argv=("/bin/true",), user="", group="", environment=(), input=b"", limit=limit
    )


@given(STEPS)
def test_every_request_is_answered_once_in_the_order_of_its_lane(steps: list[tuple[Any, ...]]) -> None:
    world = World()
    for number, step in enumerate(steps):
        world.step(number, step)
    world.post(Stop())
    while world.alive:
        world.end(min(world.alive))
    assert world.finished
    assert world.answered == world.asked
    assert all(begun == sorted(begun) for begun in world.begun.values())
