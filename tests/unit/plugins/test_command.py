import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import msgspec
import pytest

from stayalived.addresses import NOWHERE
from stayalived.plugin import (
    RUN_MARGIN,
    Endpoint,
    LocalFailure,
    Outcome,
    Program,
    Target,
    Verdict,
    seconds,
)
from stayalived.plugin.testing import run_check, target_for
from stayalived.timing import milliseconds
from stayalived_plugins.checks.command import CommandCheck

PERIOD = seconds(5)
SERVER = Endpoint("192.0.2.11", 80)


class Runner:
    """Keeps what it was asked to run and answers as told."""

    def __init__(self, **outcome: Any) -> None:
        self.outcome = Outcome(**{"status": 0, "signal": 0, "output": b"", "problem": "", **outcome})
        self.programs: list[Program] = []

    async def __call__(self, program: Program) -> Outcome:
        self.programs.append(program)
        return self.outcome


def command(**options: Any) -> CommandCheck:
    return CommandCheck(CommandCheck.Options(**{"command": ("/usr/local/bin/check-site", "-q"), **options}))


def target(check: CommandCheck, endpoint: Endpoint = SERVER) -> Target:
    return replace(target_for(endpoint), limit=check.limit(PERIOD))


async def verdict(outcome: Callable[..., Any] | Runner, check: CommandCheck | None = None) -> Verdict:
    one = check or command()
    return await run_check(one, target(one), outcome)


async def test_status_0_is_up() -> None:
    assert await verdict(Runner()) == Verdict.passed("command", "exit status 0")


@pytest.mark.parametrize(
    ("outcome", "text"),
    [
        ({"status": 3, "output": b"one\nno route to host\n"}, "command: exit status 3: no route to host"),
        ({"status": -1, "signal": 11}, "command: ended by signal 11"),
        ({"status": -1, "signal": 9, "problem": "ran longer than 5 s"}, "command: ran longer than 5 s"),
        ({"status": 0, "problem": "it is gone"}, "command: it is gone"),
    ],
)
async def test_anything_else_is_down_and_says_how_it_ended(outcome: dict[str, Any], text: str) -> None:
    found = await verdict(Runner(**outcome))

    assert (found.up, str(found)) == (False, text)


async def test_a_program_that_was_not_run_is_no_verdict() -> None:
    async def refuse(program: Program) -> Outcome:
        raise LocalFailure("/srv has mode 0777: others may change it; run `chmod go-w /srv`")

    with pytest.raises(OSError, match="run `chmod go-w /srv`"):
        await verdict(refuse)


async def test_without_a_runner_it_says_so() -> None:
    one = command()

    with pytest.raises(OSError, match="there is no process here that could"):
        await run_check(one, target(one))


async def test_the_runner_is_asked_for_exactly_what_the_options_say() -> None:
    runner = Runner()
    check = command(user="backup", group="adm", timeout=1.5)

    await verdict(runner, check)

    (program,) = runner.programs
    assert program == Program(
        argv=("/usr/local/bin/check-site", "-q"),
        user="backup",
        group="adm",
        environment=(("STAYALIVED_ADDRESS", "192.0.2.11"), ("STAYALIVED_PORT", "80")),
        limit=seconds(1.5),
    )


async def test_without_a_time_limit_of_its_own_it_has_its_period() -> None:
    runner = Runner()

    await verdict(runner)

    assert [program.limit for program in runner.programs] == [PERIOD]
    assert command().limit(PERIOD) == PERIOD + RUN_MARGIN


async def test_a_check_of_nobody_in_particular_says_nothing_of_whom_it_checks() -> None:
    runner, check = Runner(), command()

    await run_check(check, target(check, NOWHERE), runner)

    assert [program.environment for program in runner.programs] == [()]


@pytest.mark.parametrize(
    ("status", "up", "weight"), [(0, True, None), (1, False, None), (2, True, 0), (12, True, 10), (255, True, 253)]
)
async def test_with_dynamic_the_status_sets_the_weight(status: int, up: bool, weight: int | None) -> None:
    found = await verdict(Runner(status=status), command(dynamic=True))

    assert (found.up, found.server_weight) == (up, weight)


async def test_with_dynamic_a_program_that_was_ended_sets_no_weight() -> None:
    found = await verdict(Runner(status=-1, signal=15, problem="ran longer than 5 s"), command(dynamic=True))

    assert (found.up, found.server_weight) == (False, None)


async def test_without_dynamic_every_status_but_0_fails() -> None:
    assert not (await verdict(Runner(status=12))).up


async def test_a_program_that_is_not_waited_for_any_more_is_left_to_the_runner_to_end() -> None:
    cancelled = asyncio.Event()

    async def hang(program: Program) -> Outcome:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.set()
            raise
        raise AssertionError("never reached")

    check = command()
    found = await run_check(check, replace(target_for(SERVER), limit=milliseconds(20)), hang)

    assert (cancelled.is_set(), str(found)) == (True, "probe: no verdict within 20 ms")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"command": []}, "whole path"),
        ({"command": ["check-site"]}, "whole path"),
        ({"command": ["/bin/true"], "timeout": 0}, "timeout"),
        ({"command": ["/bin/true"], "timeout": 100_000}, "timeout"),
        ({"command": ["/bin/true"], "dynamic": "yes"}, "dynamic"),
        ({"command": ["/bin/true"], "script": "x"}, "script"),
        ({}, "command"),
    ],
)
def test_options_that_could_never_work_are_refused(options: dict[str, Any], words: str) -> None:
    with pytest.raises(msgspec.ValidationError, match=words):
        msgspec.convert(options, CommandCheck.Options)
