"""Notify and runner as real processes, with the test as the switchboard between them."""

import json
import select
from collections.abc import Iterator
from pathlib import Path

import pytest

from plain_configuration import action, configuration
from plain_event import plain_event
from role_process import PATIENCE, RoleProcess
from stayalived.config.model import Action
from stayalived.messages import control
from stayalived.messages.codec import Frame
from stayalived.messages.routes import unpack


@pytest.fixture
def notify() -> Iterator[RoleProcess]:
    with RoleProcess("notify") as process:
        process.hear(control.Hello)
        yield process


@pytest.fixture
def runner() -> Iterator[RoleProcess]:
    with RoleProcess("runner") as process:
        process.hear(control.Hello)
        yield process


def script(folder: Path, text: str, name: str = "notify.sh") -> str:
    path = folder / name
    path.write_text("#!/bin/sh\n" + text)
    path.chmod(0o755)
    return str(path)


def scripted(command: str, subject: str = "instance tic", *, timeout: float = 30) -> Action:
    return action(subject, command=(command,), user="", group="", timeout=timeout, arguments="keepalived")


def configure(notify: RoleProcess, runner: RoleProcess, *actions: Action) -> control.Prepared:
    wanted = configuration(*actions, script_user="")
    runner.configure(wanted)
    answer = notify.configure(wanted)
    assert isinstance(answer, control.Prepared)
    return answer


def happen(notify: RoleProcess, sequence: int, kind: str = "master", subject: str = "tic") -> None:
    event = plain_event(
        sequence=sequence, kind=kind, subject=subject, new=kind.upper(), reason="test", priority=sequence, monotonic=1
    )
    notify.tell(event, peer="vrrp", sequence=sequence)


def switch(notify: RoleProcess, runner: RoleProcess, answers: int) -> None:
    """Carry requests to the runner and answers back, until so many answers have been carried."""
    links = {notify.link.fileno(): (notify, "notify", runner), runner.link.fileno(): (runner, "runner", notify)}
    while answers:
        ready, _, _ = select.select(list(links), [], [], PATIENCE)
        assert ready, "nothing happens"
        for fd in ready:
            source, name, sink = links[fd]
            for frame, _ in source.link.receive():
                answers -= carry(frame, name, sink)


def carry(frame: Frame, source: str, sink: RoleProcess) -> int:
    if not frame.topic.startswith("runner."):
        return 0
    message = unpack(frame)
    assert message is not None
    sink.tell(message, peer=source, sequence=frame.sequence)
    return 1 if source == "runner" else 0


def test_a_script_is_told_what_happened(notify: RoleProcess, runner: RoleProcess, tmp_path: Path) -> None:
    command = script(tmp_path, f'echo "$@" > {tmp_path}/arguments; cat > {tmp_path}/input')
    assert configure(notify, runner, scripted(command)).warnings == ()
    happen(notify, 7)
    switch(notify, runner, 1)
    assert (tmp_path / "arguments").read_text() == "INSTANCE tic MASTER 7\n"
    assert json.loads((tmp_path / "input").read_text())["kind"] == "master"
    assert (notify.stop(), runner.stop()) == (0, 0)


def test_the_order_of_each_subject_is_kept_though_the_first_takes_longest(
    notify: RoleProcess, runner: RoleProcess, tmp_path: Path
) -> None:
    # the first script of each subject waits until the first one of the other has begun: the subjects overlap
    command = script(
        tmp_path,
        f"""
        touch {tmp_path}/began.$2
        if [ $4 = 0 ]; then
            while ! [ -e {tmp_path}/began.tic -a -e {tmp_path}/began.tac ]; do :; done
        fi
        echo $4 >> {tmp_path}/$2
        """,
    )
    configure(notify, runner, scripted(command, "global"))
    for number in range(10):
        happen(notify, number, subject="tic")
        happen(notify, number, subject="tac")
    switch(notify, runner, 20)
    expected = [str(number) for number in range(10)]
    assert [(tmp_path / subject).read_text().split() for subject in ("tic", "tac")] == [expected, expected]


def test_a_script_that_hangs_is_ended_and_the_next_event_is_told(
    notify: RoleProcess, runner: RoleProcess, tmp_path: Path
) -> None:
    command = script(tmp_path, f"[ $4 = 1 ] && exec sleep 1000; echo $4 >> {tmp_path}/told")
    configure(notify, runner, scripted(command, timeout=2.0))
    happen(notify, 1)
    happen(notify, 2)
    switch(notify, runner, 2)
    assert (tmp_path / "told").read_text() == "2\n"


def test_an_action_that_cannot_be_made_is_a_warning_and_the_others_are_told(
    notify: RoleProcess, runner: RoleProcess, tmp_path: Path
) -> None:
    command = script(tmp_path, f"touch {tmp_path}/told")
    warnings = configure(notify, runner, action("instance tic", kind="pigeon"), scripted(command)).warnings
    assert "action 'pigeon'" in warnings[0].expected
    happen(notify, 1)
    switch(notify, runner, 1)
    assert (tmp_path / "told").exists()


def test_the_end_is_told_before_the_end(notify: RoleProcess, runner: RoleProcess, tmp_path: Path) -> None:
    command = script(tmp_path, f"echo $3 >> {tmp_path}/told")
    configure(notify, runner, scripted(command))
    happen(notify, 1, "stop")
    notify.tell(control.Stop(leave=False))
    switch(notify, runner, 1)
    notify.hear(control.Stopped)
    assert notify.wait() == 0
    assert (tmp_path / "told").read_text() == "STOP\n"
