"""What the notify child does with actions that misbehave; the shell is one that keeps what it is told."""

import asyncio
import contextlib
from typing import Any, ClassVar

import pytest

from plain_configuration import action
from plain_event import plain_event
from stayalived.child.programs import Answer, Withdrawn
from stayalived.config.model import Action
from stayalived.errors import PluginFailure
from stayalived.messages.notify import Event, Ran
from stayalived.notify.events import (
    Abandon,
    Asked,
    Invoke,
    Invoked,
    Load,
    Loaded,
    Observe,
    ObserverFailed,
)
from stayalived.notify.main import Teller
from stayalived.plugin.calls import Observer, Observers
from stayalived.plugin.catalogue import Catalogue, Provided
from stayalived.plugin.manager import Plugins
from stayalived.plugin.notifiers import Notifier, Tools
from stayalived.plugin.programs import Program
from stayalived.timing import Duration, milliseconds

EVENT = plain_event()
PROGRAM = Program(argv=("/bin/true",))


class Plain(Notifier):
    name = "plain"
    told: ClassVar[list[Event]] = []

    @property
    def limit(self) -> Duration:
        return milliseconds(20)

    async def notify(self, event: Event, tools: Tools) -> None:
        self.told.append(event)


class Raising(Plain):
    name = "raising"

    async def notify(self, event: Event, tools: Tools) -> None:
        raise ZeroDivisionError("of a stranger")


class Failing(Plain):
    name = "failing"

    async def notify(self, event: Event, tools: Tools) -> None:
        raise PluginFailure("the pager is off; switch it on")


class Hanging(Plain):
    name = "hanging"

    async def notify(self, event: Event, tools: Tools) -> None:
        await asyncio.Event().wait()


class Deaf(Plain):
    """Ignores that it is cancelled, until it is cancelled again."""

    name = "deaf"

    async def notify(self, event: Event, tools: Tools) -> None:
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.Event().wait()
        await asyncio.Event().wait()


class NoCoroutine(Plain):
    name = "no coroutine"

    def notify(self, event: Event, tools: Tools) -> None:  # type: ignore[override]  # as a careless author may write
        del event, tools


class Running(Plain):
    name = "running"

    async def notify(self, event: Event, tools: Tools) -> None:
        outcome = await tools.run(PROGRAM)
        raise PluginFailure(f"status {outcome.status}")


class Unmakeable(Plain):
    name = "unmakeable"

    def __init__(self, options: Any) -> None:
        raise RuntimeError("not today")


KINDS = (Plain, Raising, Failing, Hanging, Deaf, NoCoroutine, Running, Unmakeable)


class Desk:
    """A shell that keeps what is posted."""

    def __init__(self) -> None:
        self.posted: list[Any] = []
        self.arrived = asyncio.Event()

    def post(self, event: Any) -> None:
        self.posted.append(event)
        self.arrived.set()

    async def wait_for(self, kind: type) -> Any:
        while not (found := [event for event in self.posted if isinstance(event, kind)]):
            self.arrived.clear()
            await asyncio.wait_for(self.arrived.wait(), 5)
        return found[0]


class Scene:
    def __init__(self) -> None:
        provided = {kind.name: Provided(kind.name, kind, "acme", "1.0") for kind in KINDS}
        self.plugins = Plugins(catalogue=Catalogue(notifiers=provided))
        self.desk = Desk()
        self.teller = Teller(self.desk, self.plugins)  # type: ignore[arg-type]  # only `post` of the shell is used

    def load(self, *actions: Action) -> Loaded:
        self.teller.perform(Load(generation=1, actions=actions))
        loaded: Loaded = self.desk.posted.pop()
        return loaded

    def invoke(self, kind: str, token: int = 1) -> None:
        wanted = named(kind)
        self.load(wanted)
        self.teller.perform(Invoke(token=token, action=wanted, event=EVENT))

    async def outcome(self, kind: str) -> str:
        self.invoke(kind)
        invoked: Invoked = await self.desk.wait_for(Invoked)
        return invoked.failure


def named(kind: str) -> Action:
    return action("instance tic", distribution="acme", kind=kind)


@pytest.fixture
async def scene() -> Scene:
    return Scene()


async def test_an_action_that_returns_has_told(scene: Scene) -> None:
    assert await scene.outcome("plain") == ""
    assert Plain.told[-1] == EVENT


@pytest.mark.parametrize(
    ("kind", "failure"),
    [
        ("raising", "ZeroDivisionError: of a stranger"),
        ("failing", "the pager is off; switch it on"),
        ("hanging", "took longer than 20 ms"),
        ("deaf", "took longer than 20 ms"),
        ("no coroutine", "TypeError: object NoneType can't be used in 'await' expression"),
    ],
)
async def test_one_that_misbehaves_is_a_failure_and_no_more(scene: Scene, kind: str, failure: str) -> None:
    assert await scene.outcome(kind) == failure
    scene.desk.posted.clear()
    assert await scene.outcome("plain") == ""


async def test_one_that_cannot_be_made_is_a_warning_and_its_events_are_failures(scene: Scene) -> None:
    loaded = scene.load(named("unmakeable"), named("unknown"))
    assert ["RuntimeError: not today" in problem.expected for problem in loaded.problems] == [True, False]
    assert all(problem.warning for problem in loaded.problems)
    assert await scene.outcome("unmakeable") == "it could not be loaded"


async def test_an_action_that_stays_keeps_its_object(scene: Scene) -> None:
    scene.load(named("plain"))
    before = scene.teller._find(named("plain"))
    scene.load(named("plain"), named("failing"))
    assert scene.teller._find(named("plain")) is before


async def test_a_program_is_asked_for_and_its_end_comes_back(scene: Scene) -> None:
    scene.invoke("running", token=3)
    asked: Asked = await scene.desk.wait_for(Asked)
    assert (asked.token, asked.program) == (3, PROGRAM)
    ran = Ran(identifier=1, status=4, signal=0, output=b"", problem="", duration=1)
    scene.teller.perform(Answer(call=asked.call, ran=ran))
    assert await scene.desk.wait_for(Invoked) == Invoked(token=3, failure="status 4")


async def test_an_abandoned_action_withdraws_its_program_and_says_nothing_more(scene: Scene) -> None:
    scene.invoke("running")
    asked: Asked = await scene.desk.wait_for(Asked)
    scene.teller.perform(Abandon(token=1))
    assert await scene.desk.wait_for(Withdrawn) == Withdrawn(call=asked.call)
    assert not [event for event in scene.desk.posted if isinstance(event, Invoked)]
    ran = Ran(identifier=1, status=0, signal=15, output=b"", problem="", duration=1)
    scene.teller.perform(Answer(call=asked.call, ran=ran))
    assert [type(event) for event in scene.desk.posted] == [Asked, Withdrawn]


async def test_an_observer_that_raises_is_named_and_the_others_see_the_event(scene: Scene) -> None:
    seen: list[object] = []
    broken = Observer("acme", lambda **_: 1 / 0)
    scene.plugins.events = Observers(
        "stayalived_event", (broken, Observer("zeta", lambda **given: seen.append(given["event"])))
    )
    scene.teller.perform(Observe(event=EVENT))
    failed, *observed = scene.desk.posted
    assert failed == ObserverFailed(text="plugin acme: stayalived_event: ZeroDivisionError: division by zero")
    assert [(one.distribution, one.calls, one.failures) for one in observed] == [("acme", 1, 1), ("zeta", 1, 0)]
    assert seen == [EVENT]
