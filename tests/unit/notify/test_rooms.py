"""What actions keep running: opened once, shared, closed when nobody tells them anything any more."""

import asyncio
import logging
from pathlib import Path
from typing import ClassVar

import pytest

from plain_configuration import action, configuration
from stayalived.config.model import Action
from stayalived.errors import Bug
from stayalived.messages.notify import Event
from stayalived.notify import rooms
from stayalived.notify.rooms import Rooms
from stayalived.plugin.notifiers import Notifier, NotifierOptions, Room, Tools
from stayalived.plugin.programs import Outcome, Program
from stayalived.timing import Duration

CONFIGURATION = configuration(state_dir="/var/lib/here")


class Keeping(Notifier):
    name = "keeping"
    told: ClassVar[list[str]] = []

    def open(self, room: Room) -> None:
        self.room = room
        self.told.append("open")

    async def close(self) -> None:
        self.told.append("close")

    async def notify(self, event: Event, tools: Tools) -> None:
        """Nothing is told here."""


class Broken(Keeping):
    name = "broken"

    def open(self, room: Room) -> None:
        raise ZeroDivisionError("of a stranger")

    async def close(self) -> None:
        raise ZeroDivisionError("at its end")


class Clinging(Keeping):
    name = "clinging"

    async def close(self) -> None:
        await asyncio.Event().wait()


async def run(token: int, program: Program) -> Outcome:
    return Outcome(status=token, signal=0, output=program.argv[0].encode(), problem="")


@pytest.fixture
def told() -> list[str]:
    Keeping.told.clear()
    return Keeping.told


def made(kind: type[Keeping], subject: str = "global") -> tuple[Action, Keeping]:
    return action(subject, kind=kind.name), kind(NotifierOptions())


async def test_an_action_is_opened_once_and_closed_at_the_end(told: list[str]) -> None:
    house = Rooms(run)
    actions = dict([made(Keeping)])

    house.use(actions, CONFIGURATION)
    house.use(actions, CONFIGURATION)
    assert told == ["open"]
    await house.close()

    assert told == ["open", "close"]


async def test_an_action_that_a_reload_removes_is_closed_when_its_last_events_are_told(
    told: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rooms, "FORMER_LIFE", Duration(1))
    house = Rooms(run)
    house.use(dict([made(Keeping)]), CONFIGURATION)

    house.use({}, CONFIGURATION)
    async with asyncio.timeout(2):
        while told != ["open", "close"]:  # noqa: ASYNC110  (what is waited for is another's timer)
            await asyncio.sleep(0)


async def test_an_action_that_comes_back_meanwhile_stays_open(told: list[str]) -> None:
    house = Rooms(run)
    actions = dict([made(Keeping)])
    house.use(actions, CONFIGURATION)
    house.use({}, CONFIGURATION)

    house.use(actions, CONFIGURATION)

    assert told == ["open"]
    await house.close()


async def test_actions_of_a_type_share_and_know_their_folder(told: list[str]) -> None:
    house = Rooms(run)
    first, second = made(Keeping), made(Keeping, "instance tic")
    house.use(dict([first, second]), CONFIGURATION)
    room, other = first[1].room, second[1].room

    assert room.share("list", list) is other.share("list", list)
    assert room.folder == Path("/var/lib/here/notify/keeping")
    assert room.configuration is CONFIGURATION
    outcome = await room.run(Program(argv=("/bin/true",)))
    assert (outcome.status, outcome.output) == (0, b"/bin/true")


async def test_what_one_raises_is_reported_and_costs_no_other(
    told: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    house = Rooms(run)
    caplog.set_level(logging.WARNING)

    house.use(dict([made(Broken), made(Keeping)]), CONFIGURATION)
    await house.close()

    assert told == ["open", "close"]
    assert [record.getMessage() for record in caplog.records] == [
        "action broken of stayalived: of a stranger",
        "action broken of stayalived, at its end: at its end",
    ]


async def test_one_that_never_closes_holds_up_nobody(told: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rooms, "CLOSE_PATIENCE", Duration(1))
    house = Rooms(run)
    house.use(dict([made(Clinging), made(Keeping)]), CONFIGURATION)

    await asyncio.wait_for(house.close(), 2)

    assert told == ["open", "open", "close"]


async def test_a_report_names_the_type(told: list[str], caplog: pytest.LogCaptureFixture) -> None:
    house = Rooms(run)
    one = made(Keeping)
    house.use(dict([one]), CONFIGURATION)

    one[1].room.report("the shelf is full")

    assert caplog.messages == ["keeping: the shelf is full"]


def test_there_is_no_configuration_before_one_is_used() -> None:
    with pytest.raises(Bug):
        _ = rooms._Room(Rooms(run), "keeping").configuration
