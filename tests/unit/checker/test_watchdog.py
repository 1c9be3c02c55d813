import asyncio
import logging
import sys
import time
import types
from collections.abc import Iterator

import pytest

from stayalived.checker.watchdog import TICK, Watchdog, is_waiting, labelled
from stayalived.child.base import read_clock
from stayalived.errors import PluginFailure
from stayalived.timing import Instant, in_seconds, milliseconds

LIMIT = milliseconds(5)


@pytest.fixture
def watchdog() -> Iterator[Watchdog]:
    watchdog = Watchdog("checker/acme", read_clock, LIMIT)
    yield watchdog
    watchdog.close()


def keep_the_loop(watchdog: Watchdog) -> None:
    """Turn in circles until the watchdog has noticed."""
    before, end = watchdog.blocks, time.monotonic() + 5
    while watchdog.blocks == before and time.monotonic() < end:
        pass


async def test_who_keeps_the_loop_is_named_with_its_stack(watchdog: Watchdog, caplog: pytest.LogCaptureFixture) -> None:
    watchdog.watch()
    watchdog.enter("greedy at 192.0.2.1:80")
    keep_the_loop(watchdog)
    (record,) = caplog.records
    assert record.levelno == logging.ERROR
    assert "checker/acme: check greedy at 192.0.2.1:80 keeps the loop for more than 5 ms" in record.message
    assert "in keep_the_loop" in record.message
    assert "in _look_on" not in record.message


async def test_many_short_ones_together_are_not_blamed_on_the_last(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("stayalived.checker.watchdog._open_statistics", lambda _: None)
    watchdog = Watchdog("checker", lambda: Instant(time.process_time_ns()), LIMIT)  # a busy machine stops this clock
    watchdog.watch()
    end = time.monotonic() + 5
    while not watchdog.blocks and time.monotonic() < end:
        watchdog.enter("short")
        watchdog.leave()
    watchdog.close()
    assert "no single check, but all that is to do, keeps the loop" in caplog.text
    assert {record.levelno for record in caplog.records} == {logging.WARNING}


async def test_one_that_gave_the_loop_back_just_now_is_still_named(
    watchdog: Watchdog, caplog: pytest.LogCaptureFixture
) -> None:
    watchdog.enter("regex")
    begin = time.monotonic()
    while time.monotonic() - begin < in_seconds(LIMIT):
        pass
    watchdog.leave()
    watchdog.watch()
    keep_the_loop(watchdog)
    assert "check regex keeps the loop" in caplog.text


async def test_the_same_one_is_not_named_again_at_once(watchdog: Watchdog, caplog: pytest.LogCaptureFixture) -> None:
    watchdog.enter("greedy")
    for _ in range(2):
        watchdog.watch()
        keep_the_loop(watchdog)
        await asyncio.sleep(0)
        watchdog._timer = watchdog._timer and watchdog._timer.cancel()
    assert (watchdog.blocks, len(caplog.records)) == (2, 1)


async def test_a_loop_that_turns_is_left_alone(watchdog: Watchdog, caplog: pytest.LogCaptureFixture) -> None:
    watchdog.watch()
    watchdog.enter("quick")
    await asyncio.sleep(3 * in_seconds(TICK))
    assert (watchdog.blocks, caplog.records) == (0, [])


def test_a_loop_that_waits_for_events_is_not_blocked_but_a_plugin_that_waits_is() -> None:
    def select() -> types.FrameType:
        return sys._getframe()

    def _run_once() -> types.FrameType:
        return select()

    assert is_waiting(_run_once())
    assert not is_waiting(select())
    assert not is_waiting(sys._getframe())


async def test_a_labelled_coroutine_is_named_only_while_it_has_the_loop(watchdog: Watchdog) -> None:
    seen: list[str] = []

    async def body() -> str:
        seen.append(watchdog.running)
        await asyncio.sleep(0)
        seen.append(watchdog.running)
        return "done"

    task = asyncio.ensure_future(_await(body, watchdog))
    await asyncio.sleep(0)
    assert watchdog.running == ""
    assert await task == "done"
    assert seen == ["mine", "mine"]


async def test_cancelling_and_raising_reach_the_coroutine_and_come_back(watchdog: Watchdog) -> None:
    async def convert() -> str:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError as error:
            raise ValueError("cancelled") from error
        return ""

    task = asyncio.ensure_future(_await(convert, watchdog))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(ValueError, match="cancelled"):
        await task


async def test_a_coroutine_that_wants_to_end_the_process_has_failed(watchdog: Watchdog) -> None:
    async def leave() -> str:
        raise SystemExit(1)

    with pytest.raises(PluginFailure, match="raised SystemExit"):
        await _await(leave, watchdog)


async def _await(make: object, watchdog: Watchdog) -> str:
    return await labelled(make, "mine", watchdog)  # type: ignore[arg-type]  # the coroutine functions above
