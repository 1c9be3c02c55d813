from collections.abc import Sequence

from stayalived.api.commands import Answer, Command, read_answer, write_command
from stayalived.api.engine import (
    MAX_WAITING,
    REQUEST_LIMIT,
    AnswerClient,
    ApiEffect,
    ApiEngine,
    Asked,
    ShowConfiguration,
)
from stayalived.child.events import AnswerPrepared, Commit, Finished, Received, Report, Stop, Tell
from stayalived.config.problems import Problem
from stayalived.messages.control import DaemonState, Reply, Request, Start
from stayalived.messages.routes import pack
from stayalived.messages.services import FirstRound
from stayalived.timing import Instant, after, milliseconds

NOW = Instant(5_000_000_000)


def asked(verb: str, *, client: int = 1, may_change: bool = True, force: bool = False, leave: bool = False) -> Asked:
    line = write_command(Command(verb=verb, force=force, leave=leave))
    return Asked(client=client, line=line, may_change=may_change)


def answers(effects: Sequence[ApiEffect]) -> list[tuple[int, Answer]]:
    return [(effect.client, read_answer(effect.data)) for effect in effects if isinstance(effect, AnswerClient)]


def requests(effects: Sequence[ApiEffect]) -> list[Request]:
    return [e.message for e in effects if isinstance(e, Tell) and isinstance(e.message, Request)]


def replied(reply: Reply) -> Received:
    return Received(topic="command.reply", key="", sender="supervisor", message=reply)


def test_status_is_answered_at_once_with_what_was_told() -> None:
    engine = ApiEngine(version="0.1", pid=7)
    state = DaemonState(phase="running", generation=1, accepted_at=0, refused=(), run_dir="/run/x", config_dir="/c")
    engine.handle(Received(topic="daemon.state", key="", sender="supervisor", message=state), NOW)

    effects = engine.handle(asked("status", may_change=False), NOW)

    ((client, answer),) = answers(effects)
    assert (client, answer.accepted, answer.pid) == (1, True, 7)
    assert answer.status is not None
    assert answer.status.daemon is not None
    assert answer.status.daemon.phase == "running"


def test_reload_waits_for_the_supervisor_and_passes_on_its_report() -> None:
    engine = ApiEngine(version="0.1", pid=7)

    effects = engine.handle(asked("reload", client=9, force=True), NOW)

    (request,) = requests(effects)
    assert answers(effects) == []
    assert (request.verb, request.force, request.leave) == ("reload", True, False)

    problem = Problem(file="a.toml", line=3, path="global.router_id", found="7", expected="a text")
    reply = Reply(identifier=request.identifier, accepted=False, text="refused", problems=(problem,), generation=2)
    ((client, answer),) = answers(engine.handle(replied(reply), NOW))
    assert client == 9
    assert not answer.accepted
    assert (answer.problems, answer.generation) == (("a.toml:3: global.router_id: found 7; a text",), 2)
    assert engine.deadline is None


def test_stop_carries_leave_to_the_supervisor() -> None:
    engine = ApiEngine(version="0.1", pid=7)

    (request,) = requests(engine.handle(asked("stop", leave=True), NOW))

    assert (request.verb, request.leave) == ("stop", True)


def test_each_of_several_callers_gets_its_own_answer() -> None:
    engine = ApiEngine(version="0.1", pid=7)
    (first,) = requests(engine.handle(asked("reload", client=1), NOW))
    (second,) = requests(engine.handle(asked("reload", client=2), NOW))

    late = answers(engine.handle(replied(Reply(identifier=second.identifier, accepted=True, text="b")), NOW))
    early = answers(engine.handle(replied(Reply(identifier=first.identifier, accepted=True, text="a")), NOW))

    assert [(client, answer.text) for client, answer in late + early] == [(2, "b"), (1, "a")]


def test_who_may_only_look_cannot_stop_the_daemon() -> None:
    engine = ApiEngine(version="0.1", pid=7)

    effects = engine.handle(asked("stop", may_change=False), NOW)

    ((_, answer),) = answers(effects)
    assert requests(effects) == []
    assert not answer.accepted
    assert "ask as root" in answer.text


def test_garbage_is_answered_and_changes_nothing() -> None:
    engine = ApiEngine(version="0.1", pid=7)

    effects = engine.handle(Asked(client=1, line=b"\x00\xff\n", may_change=True), NOW)

    ((_, answer),) = answers(effects)
    assert len(effects) == 1
    assert not answer.accepted
    assert answer.text.startswith("not a command")


def test_a_request_that_nobody_answers_is_given_up_at_its_limit() -> None:
    engine = ApiEngine(version="0.1", pid=7)
    (request,) = requests(engine.handle(asked("reload", client=4), NOW))
    due = after(NOW, REQUEST_LIMIT)

    assert engine.deadline == due
    assert engine.wake(after(due, milliseconds(-1))) == []
    ((client, answer),) = answers(engine.wake(due))

    assert (client, answer.accepted) == (4, False)
    assert "no answer from the supervisor within 120 s" in answer.text
    assert engine.deadline is None
    assert engine.handle(replied(Reply(identifier=request.identifier, accepted=True, text="")), due) == []


def test_more_requests_than_the_bound_are_refused() -> None:
    engine = ApiEngine(version="0.1", pid=7)
    for client in range(MAX_WAITING):
        engine.handle(asked("reload", client=client), NOW)

    effects = engine.handle(asked("reload", client=99), NOW)

    ((_, answer),) = answers(effects)
    assert requests(effects) == []
    assert "try again later" in answer.text


def test_api_accepts_every_configuration_and_finishes_when_told() -> None:
    engine = ApiEngine(version="0.1", pid=7)

    assert engine.handle(Commit(generation=1, start=Start.FIRST), NOW) == []
    assert engine.handle(Stop(), NOW) == [Finished()]


def test_a_request_is_logged() -> None:
    engine = ApiEngine(version="0.1", pid=7)

    effects = engine.handle(asked("stop"), NOW)

    assert [effect.text for effect in effects if isinstance(effect, Report)] == ["stop asked for on the control socket"]
    assert not [effect for effect in effects if isinstance(effect, AnswerPrepared)]


def committed() -> ApiEngine:
    engine = ApiEngine(version="0.1", pid=7)
    engine.handle(Commit(generation=3, start=Start.FIRST), NOW)
    return engine


def test_what_is_in_force_is_shown_to_who_may_see_secrets_with_what_was_told() -> None:
    engine = committed()
    daemon = DaemonState(phase="running", generation=3, accepted_at=0, refused=(), run_dir="/r", config_dir="/c")
    first = FirstRound(open=True)
    engine.handle(Received(topic="daemon.state", key="", sender="supervisor", message=daemon), NOW)
    engine.handle(Received(topic="services.round", key="", sender="ipvs", message=first), NOW)
    line = write_command(Command(verb="in-force"))

    (effect,) = engine.handle(Asked(client=1, line=line, may_change=True, may_see_secrets=True), NOW)

    assert isinstance(effect, ShowConfiguration)
    assert (effect.answer.generation, effect.answer.config_dir) == (3, "/c")
    assert effect.answer.told == (("services.round", "", pack(first).body),)


def test_who_may_not_see_secrets_is_not_shown_what_is_in_force() -> None:
    ((_, answer),) = answers(committed().handle(asked("in-force"), NOW))

    assert not answer.accepted
    assert "ask as root" in answer.text


def test_before_the_first_commit_nothing_is_in_force() -> None:
    line = write_command(Command(verb="in-force"))
    asking = Asked(client=1, line=line, may_change=True, may_see_secrets=True)

    ((_, answer),) = answers(ApiEngine(version="0.1", pid=7).handle(asking, NOW))

    assert not answer.accepted
    assert "no configuration is in force yet" in answer.text
