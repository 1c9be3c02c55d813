from typing import Any

import msgspec
import pytest

from stayalived.plugin import Event, Level, Outcome, Program, Tools, seconds
from stayalived_plugins.notifiers import stayalived_notifiers
from stayalived_plugins.notifiers.weight import Weight

DOWN = Event(
    sequence=7,
    kind="down",
    subject_type="real_server",
    subject="web/tic",
    old="UP",
    new="DOWN",
    reason="refused",
    priority=0,
    monotonic=1,
)


class Hand(Tools):
    """Notes what is held and released."""

    def __init__(self) -> None:
        self.held: list[Level] = []
        self.released: list[str] = []

    async def run(self, program: Program) -> Outcome:
        raise AssertionError(f"no program is needed: {program}")

    def hold(self, level: Level) -> None:
        self.held.append(level)

    def release(self, server: str) -> None:
        self.released.append(server)


def weight(**options: Any) -> Weight:
    return Weight(msgspec.convert({"servers": ["web/tac", "web/toe"], **options}, Weight.Options))


def test_it_is_registered_and_holds_something() -> None:
    assert Weight in stayalived_notifiers()
    assert Weight.holds


@pytest.mark.parametrize(
    ("options", "mode", "value"), [({"set": 0}, "set", 0), ({"add": -5}, "add", -5), ({"factor": 0.5}, "factor", 0.5)]
)
async def test_an_event_holds_the_level_of_each_server(options: dict[str, Any], mode: Any, value: float) -> None:
    hand = Hand()
    await weight(**options).notify(DOWN, hand)
    assert hand.held == [Level(server=server, mode=mode, value=value) for server in ("web/tac", "web/toe")]


async def test_the_opposite_event_releases_it() -> None:
    hand = Hand()
    await weight(set=1).end(DOWN, hand)
    assert hand.released == ["web/tac", "web/toe"]


async def test_one_for_some_time_is_not_ended_by_the_opposite() -> None:
    hand, action = Hand(), weight(set=1, until=30)
    await action.notify(DOWN, hand)
    await action.end(DOWN, hand)
    assert [level.lasts for level in hand.held] == [seconds(30)] * 2
    assert hand.released == []


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({}, "exactly one"),
        ({"set": 1, "add": 1}, "exactly one"),
        ({"set": -1}, "set must be"),
        ({"add": 70_000}, "add must be"),
        ({"factor": -0.5}, "factor must be"),
        ({"set": 1, "servers": []}, "servers"),
        ({"set": 1, "until": "tomorrow"}, "until"),
        ({"set": 1, "until": 0}, "until"),
    ],
)
def test_options_that_could_never_work_are_refused(options: dict[str, Any], words: str) -> None:
    with pytest.raises(msgspec.ValidationError, match=words):
        weight(**options)
