from typing import Any

import pytest

from plain_configuration import action, configuration
from stayalived.child.events import Abort, AnswerPrepared, Commit, Finished, Prepare, Received, Stop, Tell
from stayalived.config.problems import Problem
from stayalived.messages import control
from stayalived.messages.notify import Cancel, Ran, Run
from stayalived.runner import engine as engine_module
from stayalived.runner.engine import (
    FORMER_LIFE,
    KILL_PATIENCE,
    STOP_PATIENCE,
    TERM_PATIENCE,
    Ended,
    Inspect,
    Inspected,
    Kill,
    RunnerEngine,
    Start,
    Terminate,
)
from stayalived.runner.lanes import LANE_DEPTH, RUNNING_OF_SENDER, WAITING_OF_SENDER
from stayalived.runner.requests import Permit
from stayalived.timing import Duration, Instant, after, seconds

NOW = Instant(1_000_000)
LIMIT = seconds(30)
ACTION = action(command=("/bin/true",))
ACME = action(command=("/bin/true",), distribution="acme")


def asked(
    identifier: int,
    lane: str = "tic",
    sender: str = "notify",
    argv: tuple[str, ...] = ("/bin/true",),
    limit: int = LIMIT,
) -> Any:
    run = Run(identifier=identifier, lane=lane, argv=argv, user="", group="", environment=(), input=b"", limit=limit)
    return Received(topic="runner.run", key="", sender=sender, message=run)


def cancelled(identifier: int, sender: str = "notify") -> Any:
    return Received(topic="runner.cancel", key="", sender=sender, message=Cancel(identifier=identifier))


def ended(token: int, status: int = 0, **rest: Any) -> Any:
    return Ended(token=token, status=status, **{"signal": 0, "output": b"", **rest})


@pytest.fixture
def engine() -> Any:
    engine = RunnerEngine()
    engine.handle(Prepare(generation=1, configuration=configuration(ACTION, ACME)), NOW)
    engine.handle(Commit(generation=1, start=control.Start.FIRST), NOW)
    return engine


def started(effects: Any) -> Any:
    return [effect.run.identifier for effect in effects if isinstance(effect, Start)]


def token(effects: Any) -> Any:
    [start] = [effect for effect in effects if isinstance(effect, Start)]
    return start.token


def answers(effects: Any) -> Any:
    return [(effect.to, effect.message) for effect in effects if isinstance(effect, Tell)]


def problems(effects: Any) -> Any:
    return [ran.problem for _, ran in answers(effects)]


def test_a_program_is_started_and_answered_when_it_has_ended(engine: RunnerEngine) -> None:
    start = token(engine.handle(asked(7), NOW))
    effects = engine.handle(ended(start, status=3, output=b"no route"), after(NOW, seconds(2)))
    assert answers(effects) == [
        ("notify", Ran(identifier=7, status=3, signal=0, output=b"no route", problem="", duration=seconds(2)))
    ]
    assert engine.deadline is None


def test_programs_of_one_lane_run_one_after_the_other_in_order(engine: RunnerEngine) -> None:
    first = token(engine.handle(asked(1), NOW))
    assert started(engine.handle(asked(2), NOW)) == []
    assert started(engine.handle(asked(3), NOW)) == []
    effects = engine.handle(ended(first), NOW)
    assert started(effects) == [2]
    assert started(engine.handle(ended(token(effects)), NOW)) == [3]


def test_lanes_and_senders_do_not_wait_for_each_other(engine: RunnerEngine) -> None:
    engine.handle(asked(1), NOW)
    assert started(engine.handle(asked(2, lane="tac"), NOW)) == [2]
    assert started(engine.handle(asked(1, sender="notify/acme"), NOW)) == [1]


def test_a_program_that_takes_too_long_gets_term_then_kill(engine: RunnerEngine) -> None:
    start = token(engine.handle(asked(1), NOW))
    over = after(NOW, LIMIT)
    assert engine.deadline == over
    assert engine.wake(Instant(over - 1)) == []
    assert engine.wake(over) == [Terminate(token=start)]
    assert engine.deadline == after(over, TERM_PATIENCE)
    assert engine.wake(engine.deadline) == [Kill(token=start)]
    effects = engine.handle(ended(start, status=-1, signal=9), after(over, TERM_PATIENCE))
    [(_, ran)] = answers(effects)
    assert (ran.status, ran.signal, ran.problem) == (-1, 9, "ran longer than 30 s")
    assert not ran.void


def test_a_program_that_survives_kill_is_answered_and_its_lane_goes_on(engine: RunnerEngine) -> None:
    start = token(engine.handle(asked(1), NOW))
    engine.handle(asked(2), NOW)
    for _ in range(2):
        engine.wake(engine.deadline)
    effects = engine.wake(engine.deadline)
    assert "survives KILL" in problems(effects)[0]
    assert started(effects) == [2]
    assert engine.handle(ended(start), NOW) == []


def test_only_a_program_that_ended_by_itself_or_used_up_its_time_counts_as_run(engine: RunnerEngine) -> None:
    first = token(engine.handle(asked(1), NOW))
    refused = engine.handle(ended(first, status=-1, problem="/tmp has mode 0777"), NOW)
    second = token(engine.handle(asked(2), NOW))
    engine.handle(cancelled(2), NOW)
    cut_short = engine.handle(ended(second, status=0), NOW)
    third = token(engine.handle(asked(3), NOW))
    failed = engine.handle(ended(third, status=1), NOW)
    token(engine.handle(asked(4), NOW))
    for _ in range(3):
        unkillable = engine.wake(engine.deadline)

    voids = [ran.void for effects in (refused, cut_short, failed, unkillable) for _, ran in answers(effects)]

    assert voids == [True, True, False, False]
    assert [ran.void for _, ran in answers(engine.handle(asked(5, argv=("/bin/false",)), NOW))] == [True]


def test_what_the_end_of_the_daemon_cuts_short_counts_as_never_run(engine: RunnerEngine) -> None:
    start = token(engine.handle(asked(1), NOW))
    engine.handle(Stop(), NOW)

    assert [ran.void for _, ran in answers(engine.handle(ended(start, signal=15), NOW))] == [True]


def test_each_request_is_answered_exactly_once(engine: RunnerEngine) -> None:
    start = token(engine.handle(asked(1), NOW))
    assert len(answers(engine.handle(ended(start), NOW))) == 1
    assert engine.handle(ended(start), NOW) == []
    assert engine.handle(cancelled(1), NOW) == []
    assert engine.wake(after(NOW, seconds(100))) == []


def test_a_running_program_can_be_cancelled(engine: RunnerEngine) -> None:
    start = token(engine.handle(asked(1), NOW))
    assert engine.handle(cancelled(1), NOW) == [Terminate(token=start)]
    assert engine.handle(cancelled(1), NOW) == []
    assert problems(engine.handle(ended(start, signal=15), NOW)) == ["cancelled"]


def test_a_waiting_request_can_be_cancelled_and_is_answered(engine: RunnerEngine) -> None:
    first = token(engine.handle(asked(1), NOW))
    engine.handle(asked(2), NOW)
    engine.handle(asked(3), NOW)
    assert problems(engine.handle(cancelled(2), NOW)) == ["cancelled"]
    assert started(engine.handle(ended(first), NOW)) == [3]


def test_the_only_request_of_a_lane_that_waits_for_a_place_can_be_cancelled(engine: RunnerEngine) -> None:
    for number in range(RUNNING_OF_SENDER):
        engine.handle(asked(number, lane=str(number)), NOW)
    engine.handle(asked(900, lane="late"), NOW)
    assert problems(engine.handle(cancelled(900), NOW)) == ["cancelled"]
    assert started(engine.handle(asked(901, lane="late"), NOW)) == []


def test_nobody_can_cancel_what_another_asked_for(engine: RunnerEngine) -> None:
    engine.handle(asked(1), NOW)
    assert engine.handle(cancelled(1, sender="checker"), NOW) == []


def test_a_full_lane_refuses_and_says_so(engine: RunnerEngine) -> None:
    for number in range(LANE_DEPTH):
        engine.handle(asked(number), NOW)
    assert problems(engine.handle(asked(LANE_DEPTH), NOW)) == ["1000 programs wait in lane 'tic' already"]


def test_a_sender_that_floods_costs_only_itself(engine: RunnerEngine) -> None:
    for number in range(RUNNING_OF_SENDER):
        assert started(engine.handle(asked(number, lane=str(number), sender="notify/acme"), NOW)) == [number]
    assert started(engine.handle(asked(900, lane="more", sender="notify/acme"), NOW)) == []
    assert started(engine.handle(asked(1), NOW)) == [1]


def test_a_place_that_becomes_free_goes_to_who_waited_longest(engine: RunnerEngine) -> None:
    first = token(engine.handle(asked(0, lane="0"), NOW))
    for number in range(1, RUNNING_OF_SENDER + 2):
        engine.handle(asked(number, lane=str(number)), NOW)
    assert started(engine.handle(ended(first), NOW)) == [RUNNING_OF_SENDER]


def test_the_requests_of_a_sender_that_wait_are_bounded(engine: RunnerEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(RUNNING_OF_SENDER + WAITING_OF_SENDER):
        engine.handle(asked(number, lane=str(number % 5000)), NOW)
    assert "wait already" in problems(engine.handle(asked(0, lane="one more"), NOW))[0]


def test_a_request_without_a_permit_is_refused(engine: RunnerEngine) -> None:
    engine.handle(Prepare(generation=2, configuration=configuration()), NOW)
    engine.handle(Commit(generation=2, start=control.Start.RELOAD), NOW)
    assert "no action or check" in problems(engine.handle(asked(1), after(NOW, FORMER_LIFE)))[0]
    assert "no action or check" in problems(engine.handle(asked(2, argv=("/bin/false",)), NOW))[0]


def test_what_a_reload_took_out_may_still_tell_the_end(engine: RunnerEngine) -> None:
    engine.handle(Prepare(generation=2, configuration=configuration()), NOW)
    engine.handle(Commit(generation=2, start=control.Start.RELOAD), NOW)
    assert started(engine.handle(asked(1), NOW)) == [1]


def test_a_request_that_makes_no_sense_is_refused(engine: RunnerEngine) -> None:
    assert "whole path" in problems(engine.handle(asked(1, argv=("logger",)), NOW))[0]


def test_requests_that_come_before_the_configuration_wait_for_it() -> None:
    engine = RunnerEngine()
    assert engine.handle(asked(1), NOW) == []
    engine.handle(Prepare(generation=1, configuration=configuration(ACTION)), NOW)
    assert started(engine.handle(Commit(generation=1, start=control.Start.RESPAWNED), NOW)) == [1]


def test_too_many_early_requests_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine_module, "LANE_DEPTH", 2)
    engine = RunnerEngine()
    engine.handle(asked(1), NOW)
    engine.handle(asked(2), NOW)
    assert problems(engine.handle(asked(3), NOW)) == ["the runner has no configuration yet"]


def test_a_configuration_is_accepted_once_its_commands_were_looked_at() -> None:
    engine = RunnerEngine()
    prepare = Prepare(generation=1, configuration=configuration(action(command=("/bin/x",), user="root")))
    assert engine.handle(prepare, NOW) == [
        Inspect(
            generation=1,
            script_user="keepalived_script",
            commands=frozenset({Permit("stayalived", ("/bin/x",), "root", "")}),
        )
    ]
    missing = (Problem(path="", expected="/bin/x: No such file or directory", warning=True),)
    assert engine.handle(Inspected(generation=1, problems=missing), NOW) == [
        AnswerPrepared(generation=1, problems=missing)
    ]
    assert engine.handle(Abort(generation=1), NOW) == []


def test_at_the_end_what_waits_is_withdrawn_and_what_runs_gets_a_second(engine: RunnerEngine) -> None:
    start = token(engine.handle(asked(1), NOW))
    engine.handle(asked(2), NOW)
    effects = engine.handle(Stop(), NOW)
    assert problems(effects) == ["the daemon stops"]
    assert Terminate(token=start) in effects
    assert engine.deadline == after(NOW, STOP_PATIENCE)
    assert engine.wake(engine.deadline) == [Kill(token=start)]
    last = engine.handle(ended(start, signal=9), NOW)
    assert problems(last) == ["the daemon stops"]
    assert last[-1] == Finished()


def test_a_program_that_was_being_ended_gets_no_longer_than_the_others_at_the_end(engine: RunnerEngine) -> None:
    engine.handle(asked(1), NOW)
    engine.wake(after(NOW, LIMIT))
    engine.handle(Stop(), after(NOW, LIMIT))
    assert engine.deadline == after(after(NOW, LIMIT), STOP_PATIENCE)


def test_nothing_is_started_any_more_at_the_end(engine: RunnerEngine) -> None:
    assert engine.handle(Stop(), NOW) == [Finished()]
    assert problems(engine.handle(asked(1), NOW)) == ["the daemon stops"]


def test_the_end_does_not_wait_for_a_program_that_survives_kill(engine: RunnerEngine) -> None:
    engine.handle(asked(1), NOW)
    engine.handle(Stop(), NOW)
    engine.wake(engine.deadline)
    over = engine.deadline
    assert over == after(after(NOW, STOP_PATIENCE), Duration(KILL_PATIENCE))
    assert engine.wake(over)[-1] == Finished()


def test_a_restarted_sender_may_use_its_numbers_again(engine: RunnerEngine) -> None:
    first = token(engine.handle(asked(1), NOW))
    engine.handle(asked(1), NOW)
    effects = engine.handle(ended(first), NOW)
    assert started(effects) == [1]
    assert engine.handle(cancelled(1), NOW) == [Terminate(token=token(effects))]
