"""Programs that probes ask for: from the probe to the runner's request and back."""

import asyncio
from collections.abc import Callable

import pytest

from checker_kit import Driver, check
from stayalived.checker import programs as module
from stayalived.checker.engine import LOCAL_RETRY
from stayalived.checker.probes import Asked, LocalFault
from stayalived.checker.programs import PATIENCE, Programs, lane_of
from stayalived.checker.schedule import SLOT
from stayalived.child.events import Received
from stayalived.child.programs import Answer, Withdrawn
from stayalived.messages.control import ChildState
from stayalived.messages.notify import Cancel, Ran, Run
from stayalived.plugin import RUN_MARGIN, LocalFailure, Outcome, Program, seconds
from stayalived.timing import Duration, milliseconds

PROGRAM = Program(argv=("/bin/check", "-q"), limit=seconds(5))


def ran(identifier: int = 1, **changes: object) -> Ran:
    values: dict[str, object] = {
        "identifier": identifier, "status": 0, "signal": 0, "output": b"", "problem": "", "duration": 1,
    }  # fmt: skip
    return Ran(**(values | changes))  # type: ignore[arg-type]  # the tests' own values


# ---------------------------------------------------------------------------------------------------- in the engine


def asked(driver: Driver, call: int = 1) -> Run:
    driver.send(Asked(call=call, lane="lane", program=PROGRAM))
    message = driver.requests[-1].message
    assert isinstance(message, Run)
    return message


def runner_is(driver: Driver, pid: int) -> None:
    state = ChildState(name="runner", pid=pid, state="running", since=0, restarts=0, user="root", note="")
    driver.send(Received(topic="daemon.child", key="runner", sender="supervisor", message=state))


def test_a_probe_that_asks_for_a_program_gets_how_it_ended() -> None:
    driver = Driver()
    run = asked(driver, 9)

    answer = ran(run.identifier, status=3)
    driver.send(Received(topic="runner.ran", key="", sender="runner", message=answer))

    assert (run.argv, run.lane, run.limit) == (PROGRAM.argv, "lane", seconds(5))
    assert driver.answers == [Answer(call=9, ran=answer)]


def test_a_probe_that_gives_up_has_its_program_ended() -> None:
    driver = Driver()
    run = asked(driver)

    driver.send(Withdrawn(call=1))

    assert driver.requests[-1].message == Cancel(identifier=run.identifier)


def test_the_death_of_the_runner_makes_the_run_one_that_never_was_and_it_comes_again() -> None:
    driver = Driver()
    runner_is(driver, 700)
    driver.commit(check("track:answers", delay_loop=seconds(60)))
    driver.pass_time(SLOT)
    asked(driver)

    runner_is(driver, 0)
    assert [answer.ran.void for answer in driver.answers] == [True]
    driver.end(LocalFault(text=driver.answers[0].ran.problem))

    assert driver.states["track:answers#0"].up is None
    driver.pass_time(Duration(LOCAL_RETRY + SLOT))
    assert len(driver.running) == 1


# ------------------------------------------------------------------------------------------------------- in the shell


class Desk:
    """Stands in for the engine: keeps what is posted and answers as told."""

    def __init__(self, *answers: Ran) -> None:
        self.posted: list[Asked | Withdrawn] = []
        self._answers = list(answers)
        self.programs = Programs(self.post)

    def post(self, event: Asked | Withdrawn) -> None:
        self.posted.append(event)
        if isinstance(event, Asked) and self._answers:
            answer = Answer(call=event.call, ran=self._answers.pop(0))
            asyncio.get_running_loop().call_soon(self.programs.answer, answer)


async def test_a_program_that_has_run_is_an_outcome() -> None:
    desk = Desk(ran(status=3, output=b"no route"))

    outcome = await desk.programs.run(PROGRAM)

    assert outcome == Outcome(status=3, signal=0, output=b"no route", problem="")
    assert desk.posted == [Asked(call=1, lane=lane_of(PROGRAM), program=PROGRAM)]


async def test_one_that_used_up_its_time_is_an_outcome_too() -> None:
    desk = Desk(ran(status=-1, signal=15, problem="ran longer than 5 s"))

    assert (await desk.programs.run(PROGRAM)).problem == "ran longer than 5 s"


async def test_one_that_counts_as_never_run_is_a_fault_of_this_machine() -> None:
    desk = Desk(ran(status=-1, problem="/srv has mode 0777", void=True))

    with pytest.raises(LocalFailure, match="/bin/check counts as not run: /srv has mode 0777"):
        await desk.programs.run(PROGRAM)


async def test_a_runner_that_does_not_come_to_it_is_a_fault_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PATIENCE", milliseconds(10))
    desk = Desk()

    with pytest.raises(LocalFailure, match="did not come to its end within 20 ms: too many programs run"):
        await desk.programs.run(Program(argv=("/bin/check",), limit=milliseconds(10)))

    assert desk.posted[1:] == [Withdrawn(call=1)]


async def test_a_cancelled_probe_withdraws_and_a_late_answer_reaches_nobody() -> None:
    desk = Desk()
    task = asyncio.get_running_loop().create_task(desk.programs.run(PROGRAM))
    await asyncio.sleep(0)

    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    desk.programs.answer(Answer(call=1, ran=ran()))

    assert desk.posted[1:] == [Withdrawn(call=1)]


def test_the_runner_is_waited_for_less_long_than_a_probe_may_take() -> None:
    assert PATIENCE < RUN_MARGIN


@pytest.mark.parametrize(
    "other",
    [
        lambda: Program(argv=("/bin/check", "-v")),
        lambda: Program(argv=("/bin/check", "-q"), user="backup"),
        lambda: Program(argv=("/bin/check", "-q"), group="backup"),
        lambda: Program(argv=("/bin/check", "-q"), environment=(("STAYALIVED_ADDRESS", "192.0.2.1"),)),
    ],
)
def test_only_the_same_program_waits_for_itself(other: Callable[[], Program]) -> None:
    assert lane_of(other()) != lane_of(PROGRAM)
    assert lane_of(Program(argv=("/bin/check", "-q"), limit=seconds(9))) == lane_of(PROGRAM)
