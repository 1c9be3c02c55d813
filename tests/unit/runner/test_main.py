"""The runner as a real process: asked by a child, answering it."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from plain_configuration import action, configuration
from role_process import RoleProcess
from stayalived.messages import control
from stayalived.messages.notify import Cancel, Ran, Run
from stayalived.timing import milliseconds, seconds


@pytest.fixture
def runner() -> Iterator[RoleProcess]:
    with RoleProcess("runner") as process:
        process.hear(control.Hello)
        yield process


def script(folder: Path, text: str) -> str:
    path = folder / "notify.sh"
    path.write_text("#!/bin/sh\n" + text)
    path.chmod(0o755)
    return str(path)


def allow(runner: RoleProcess, *commands: str, **options: str) -> control.Prepared:
    actions = (action(command=tuple(command.split()), **options) for command in commands)
    answer = runner.configure(configuration(*actions, script_user=""))
    assert isinstance(answer, control.Prepared)
    return answer


def ask(runner: RoleProcess, identifier: int, *argv: str, limit: int = seconds(10), lane: str = "tic") -> None:
    run = Run(identifier=identifier, lane=lane, argv=argv, user="", group="", environment=(), input=b"", limit=limit)
    runner.tell(run, peer="notify", sequence=identifier)


def test_a_program_is_run_and_answered_to_who_asked(runner: RoleProcess, tmp_path: Path) -> None:
    command = script(tmp_path, "echo $3; exit 4")
    assert allow(runner, command, arguments="keepalived").warnings == ()
    ask(runner, 7, command, "INSTANCE", "tic", "MASTER", "100")
    ran, frame = runner.hear(Ran)
    assert (ran.identifier, ran.status, ran.output, ran.problem) == (7, 4, b"MASTER\n", "")
    assert frame.peer == "notify"
    assert runner.stop() == 0


def test_what_the_configuration_does_not_name_is_refused(runner: RoleProcess) -> None:
    allow(runner)
    ask(runner, 1, "/bin/true")
    assert "no action or check of stayalived" in runner.hear(Ran)[0].problem


def test_the_programs_of_a_lane_are_run_in_order(runner: RoleProcess, tmp_path: Path) -> None:
    command = script(tmp_path, f"echo $1 >> {tmp_path}/order")
    allow(runner, *(f"{command} {number}" for number in range(20)))
    for number in range(20):
        ask(runner, number, command, str(number))
    assert [runner.hear(Ran)[0].identifier for _ in range(20)] == list(range(20))
    assert (tmp_path / "order").read_text().split() == [str(number) for number in range(20)]


def test_a_program_that_hangs_is_ended_at_its_limit(runner: RoleProcess) -> None:
    allow(runner, "/bin/sleep 1000")
    ask(runner, 1, "/bin/sleep", "1000", limit=milliseconds(20))
    ran = runner.hear(Ran)[0]
    assert (ran.status, ran.signal, ran.problem) == (-1, 15, "ran longer than 20 ms")


def test_a_program_can_be_cancelled(runner: RoleProcess) -> None:
    allow(runner, "/bin/sleep 1000")
    ask(runner, 1, "/bin/sleep", "1000")
    runner.tell(Cancel(identifier=1), peer="notify", sequence=1)
    assert runner.hear(Ran)[0].problem == "cancelled"


def test_the_end_of_the_daemon_ends_what_runs(runner: RoleProcess) -> None:
    allow(runner, "/bin/sleep 1000")
    ask(runner, 1, "/bin/sleep", "1000")
    ask(runner, 2, "/bin/sleep", "1000")
    runner.tell(control.Stop(leave=False))
    assert [runner.hear(Ran)[0].problem for _ in range(2)] == ["the daemon stops"] * 2
    runner.hear(control.Stopped)
    assert runner.wait() == 0


def test_a_command_in_an_unsafe_folder_is_a_warning_when_it_is_configured(runner: RoleProcess, tmp_path: Path) -> None:
    command = script(tmp_path, "exit 0")
    tmp_path.chmod(0o777)
    warnings = allow(runner, command).warnings
    tmp_path.chmod(0o700)
    assert f"{tmp_path} has mode 0777" in warnings[0].expected
    assert warnings[0].warning


def test_it_keeps_no_zombie(runner: RoleProcess) -> None:
    allow(runner, "/bin/true")
    for number in range(30):
        ask(runner, number, "/bin/true", lane=str(number))
    for _ in range(30):
        runner.hear(Ran)
    children = Path(f"/proc/{runner.pid}/task/{runner.pid}/children").read_text().split()
    assert [Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2][1] for pid in children] == ["S"], "the guardian"
    assert runner.pid != os.getpid()
