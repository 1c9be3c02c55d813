import json
from typing import Any

import msgspec
import pytest

from stayalived.plugin import RUN_MARGIN, Event, Outcome, PluginFailure, Program, Tools, seconds
from stayalived_plugins.notifiers import stayalived_notifiers
from stayalived_plugins.notifiers.script import Script

MASTER = Event(
    sequence=7,
    kind="master",
    subject_type="instance",
    subject="tic",
    old="BACKUP",
    new="MASTER",
    reason="no advert for 3.61 s",
    priority=200,
    monotonic=1,
)


class Runner(Tools):
    """Keeps what it was asked to run and answers as told."""

    def __init__(self, outcome: Outcome) -> None:
        self.outcome = outcome
        self.programs: list[Program] = []

    async def run(self, program: Program) -> Outcome:
        self.programs.append(program)
        return self.outcome


def outcome(**changes: Any) -> Outcome:
    return Outcome(**{"status": 0, "signal": 0, "output": b"", "problem": "", **changes})


def script(**options: Any) -> Script:
    return Script(Script.Options(**{"command": ("/etc/stayalived/notify.sh", "first"), **options}))


async def told(action: Script, event: Event = MASTER, answer: Outcome | None = None) -> Program:
    runner = Runner(answer or outcome())
    await action.notify(event, runner)
    [program] = runner.programs
    return program


def changed(**changes: Any) -> Event:
    return msgspec.structs.replace(MASTER, **changes)


def test_it_is_registered() -> None:
    assert Script in stayalived_notifiers()


async def test_the_command_gets_the_four_arguments_of_keepalived() -> None:
    program = await told(script())
    assert program.argv == ("/etc/stayalived/notify.sh", "first", "INSTANCE", "tic", "MASTER", "200")


@pytest.mark.parametrize(
    ("kind", "state"),
    [
        ("backup", "BACKUP"),
        ("fault", "FAULT"),
        ("stop", "STOP"),
        ("deleted", "DELETED"),
        ("lower_priority", "MASTER_RX_LOWER_PRI"),
    ],
)
async def test_the_state_is_keepalived_s_word_for_the_event(kind: str, state: str) -> None:
    program = await told(script(), changed(kind=kind, new="BACKUP"))
    assert program.argv[-2] == state


async def test_a_group_has_priority_0() -> None:
    program = await told(script(), changed(subject_type="group", subject="both"))
    assert program.argv[2:] == ("GROUP", "both", "MASTER", "0")


async def test_arguments_none_appends_nothing() -> None:
    program = await told(script(arguments="none"))
    assert program.argv == ("/etc/stayalived/notify.sh", "first")


@pytest.mark.parametrize("subject_type", ["real_server", "virtual_server", "daemon"])
async def test_nothing_is_appended_for_other_subjects(subject_type: str) -> None:
    program = await told(script(), changed(subject_type=subject_type, kind="down"))
    assert program.argv == ("/etc/stayalived/notify.sh", "first")


async def test_the_environment_tells_what_happened() -> None:
    program = await told(script())
    assert dict(program.environment) == {
        "STAYALIVED_SEQUENCE": "7",
        "STAYALIVED_KIND": "master",
        "STAYALIVED_SUBJECT_TYPE": "instance",
        "STAYALIVED_SUBJECT": "tic",
        "STAYALIVED_OLD": "BACKUP",
        "STAYALIVED_NEW": "MASTER",
        "STAYALIVED_REASON": "no advert for 3.61 s",
        "STAYALIVED_PRIORITY": "200",
    }


async def test_the_input_is_the_same_as_json() -> None:
    program = await told(script())
    facts = json.loads(program.input)
    assert {f"STAYALIVED_{name.upper()}": str(value) for name, value in facts.items()} == dict(program.environment)
    assert program.input.endswith(b"}\n")


async def test_a_reason_that_quotes_a_nul_can_still_be_told() -> None:
    program = await told(script(), changed(reason="status: seen \0\0 expected 200"))
    assert dict(program.environment)["STAYALIVED_REASON"] == "status: seen  expected 200"


async def test_user_group_and_time_limit_are_those_of_the_options() -> None:
    action = script(user="backup", group="adm", timeout=1.5)
    program = await told(action)
    assert (program.user, program.group, program.limit) == ("backup", "adm", seconds(1.5))
    assert action.limit == seconds(1.5) + RUN_MARGIN


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        (
            outcome(status=3, output=b"one\nno route to host\n"),
            "/etc/stayalived/notify.sh: exit status 3: no route to host",
        ),
        (outcome(status=-1, signal=11), "/etc/stayalived/notify.sh: ended by signal 11"),
        (
            outcome(status=-1, signal=9, problem="ran longer than 30 s"),
            "/etc/stayalived/notify.sh: ran longer than 30 s",
        ),
    ],
)
async def test_a_script_that_fails_says_how(answer: Outcome, text: str) -> None:
    with pytest.raises(PluginFailure) as raised:
        await told(script(), answer=answer)
    assert str(raised.value) == text


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"command": []}, "whole path"),
        ({"command": ["notify.sh"]}, "whole path"),
        ({"command": ["/bin/true"], "timeout": 0}, "timeout"),
        ({"command": ["/bin/true"], "timeout": 100_000}, "timeout"),
        ({"command": ["/bin/true"], "arguments": "all"}, "all"),
        ({"command": ["/bin/true"], "colour": "red"}, "colour"),
        ({}, "command"),
    ],
)
def test_options_that_could_never_work_are_refused(options: dict[str, Any], words: str) -> None:
    with pytest.raises(msgspec.ValidationError, match=words):
        msgspec.convert(options, Script.Options)
