import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from stayalived.api.commands import Answer, Command, read_command, write_answer
from stayalived.api.document import SCHEMA, Document
from stayalived.cli import client, stop
from stayalived.cli.main import SUBCOMMANDS, main

EMPTY = Document(
    schema=SCHEMA,
    daemon=None,
    children=[],
    instances=[],
    groups=[],
    strays=[],
    services=[],
    tracked=[],
    first_round=False,
)
Reaction = Callable[[Command], bytes]


class Daemon:
    """Listens where a daemon would, and answers each connection with what a test says."""

    def __init__(self, run_dir: Path) -> None:
        self.asked: list[Command] = []
        self.react: Reaction = lambda _: b""
        self.run_dir = run_dir
        self._listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._listening.bind(str(run_dir / "control.sock"))
        self._listening.listen()
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listening.accept()
            except OSError:
                return
            with connection:
                line = connection.recv(4096)
                if line == b"end\n":
                    return
                self.asked.append(read_command(line))
                answer = self.react(self.asked[-1])
                if answer:
                    connection.sendall(answer)

    def close(self) -> None:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as last:
            last.connect(str(self.run_dir / "control.sock"))
            last.sendall(b"end\n")
        self._thread.join()
        self._listening.close()


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[Daemon]:
    listening = Daemon(tmp_path)
    yield listening
    listening.close()


def call(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def test_every_subcommand_has_a_module_with_help() -> None:
    results = {name: call(name, "--help") for name in SUBCOMMANDS}

    assert dict.fromkeys(SUBCOMMANDS, 0) == {name: result.exit_code for name, result in results.items()}


@pytest.mark.parametrize("arguments", [["bogus"], ["status", "--colour"], ["stop", "now"], ["status", "--run-dir"]])
def test_a_wrong_command_line_is_status_2(arguments: list[str]) -> None:
    assert call(*arguments).exit_code == 2


@pytest.mark.parametrize("verb", ["status", "reload", "stop"])
def test_without_a_daemon_the_socket_and_the_remedy_are_named(verb: str, tmp_path: Path) -> None:
    result = call(verb, "--run-dir", tmp_path)

    assert result.exit_code == 1
    assert f"no daemon answers at {tmp_path}/control.sock" in result.output
    assert "stayalived run" in result.output
    assert "--run-dir" in result.output


def test_a_dead_daemons_socket_is_no_daemon(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as left:
        left.bind(str(tmp_path / "control.sock"))

    assert "no daemon answers" in call("status", "--run-dir", tmp_path).output


def test_status_prints_the_versioned_document_for_machines(daemon: Daemon) -> None:
    daemon.react = lambda _: write_answer(Answer(accepted=True, pid=1, status=EMPTY))

    result = call("status", "--json", "--run-dir", daemon.run_dir)

    assert result.exit_code == 0
    assert '"schema": 1' in result.output
    assert [Command(verb="status")] == daemon.asked


@pytest.mark.parametrize(
    ("words", "command"),
    [
        (("drain", "web/tic"), Command(verb="drain", server="web/tic", seconds=60)),
        (
            ("drain", "web/tic", "--timeout", "0", "--force"),
            Command(verb="drain", server="web/tic", force=True),
        ),
        (("undrain", "web/tic"), Command(verb="undrain", server="web/tic")),
        (("weight", "web/tic", "5"), Command(verb="weight", server="web/tic", weight=5)),
        (("weight", "web/tic", "0", "--for", "2.5"), Command(verb="weight", server="web/tic", weight=0, seconds=2.5)),
        (("weight", "web/tic", "--reset"), Command(verb="weight", server="web/tic")),
    ],
)
def test_a_command_about_a_server_asks_and_says_what_came_of_it(
    daemon: Daemon, words: tuple[str, ...], command: Command
) -> None:
    daemon.react = lambda _: write_answer(Answer(accepted=True, text="done so"))

    result = call(*words, "--run-dir", daemon.run_dir)

    assert (0, "done so\n") == (result.exit_code, result.output)
    assert [command] == daemon.asked


def test_a_command_about_a_server_that_is_refused_is_status_1(daemon: Daemon) -> None:
    daemon.react = lambda _: write_answer(Answer(accepted=False, text="no real server is called 'x'"))

    result = call("drain", "x", "--run-dir", daemon.run_dir)

    assert (1, "Error: no real server is called 'x'\n") == (result.exit_code, result.output)


@pytest.mark.parametrize(
    "words",
    [
        ("drain",),
        ("drain", "web/tic", "--timeout", "-1"),
        ("weight", "web/tic"),
        ("weight", "web/tic", "5", "--reset"),
        ("weight", "web/tic", "-1"),
        ("weight", "web/tic", "--reset", "--for", "5"),
    ],
)
def test_a_wrong_command_about_a_server_is_status_2_and_asks_nobody(daemon: Daemon, words: tuple[str, ...]) -> None:
    assert call(*words, "--run-dir", daemon.run_dir).exit_code == 2
    assert [] == daemon.asked


def test_reload_prints_the_whole_report_and_fails_when_it_was_refused(daemon: Daemon) -> None:
    problems = ("a.toml:3:1: global.x: found 1; expected 2", "b.toml: y")
    daemon.react = lambda _: write_answer(Answer(accepted=False, text="refused", problems=problems))

    result = call("reload", "--run-dir", daemon.run_dir)

    assert result.exit_code == 1
    assert all(problem in result.output for problem in problems)
    assert [Command(verb="reload")] == daemon.asked


def test_reload_says_which_generation_is_in_force(daemon: Daemon) -> None:
    daemon.react = lambda _: write_answer(Answer(accepted=True, generation=3))

    result = call("reload", "--force", "--run-dir", daemon.run_dir)

    assert (result.exit_code, result.output) == (0, "generation 3 is in force\n")
    assert [Command(verb="reload", force=True)] == daemon.asked


def test_an_answer_of_another_program_is_said_to_be_one(daemon: Daemon) -> None:
    daemon.react = lambda _: b"220 mail ready\n"

    result = call("status", "--run-dir", daemon.run_dir)

    assert result.exit_code == 1
    assert "of another version" in result.output


def test_a_daemon_that_dies_before_it_answers_is_said_to_have(daemon: Daemon) -> None:
    result = call("reload", "--run-dir", daemon.run_dir)

    assert result.exit_code == 1
    assert "without an answer" in result.output


def test_a_silent_daemon_is_not_waited_for_for_ever(daemon: Daemon) -> None:
    given_up = threading.Event()
    daemon.react = lambda _: b"" if given_up.wait(10) else b"never"

    with pytest.raises(client.LostDaemon, match="did not answer"):
        client.ask(daemon.run_dir, Command(verb="status"), limit=0.01)
    given_up.set()


def test_stop_returns_when_the_daemon_is_gone(daemon: Daemon) -> None:
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    assert process.stdin is not None

    def react(command: Command) -> bytes:
        if command.verb == "stop":
            process.kill()
        return write_answer(Answer(accepted=True, pid=process.pid, status=EMPTY))

    daemon.react = react
    result = call("stop", "--leave", "--run-dir", daemon.run_dir)

    assert (result.exit_code, result.output) == (0, "stopped; the IPVS table stays in the kernel\n")
    assert [Command(verb="status"), Command(verb="stop", leave=True)] == daemon.asked
    assert process.wait(timeout=0) != 0
    process.stdin.close()


def test_a_daemon_that_stays_is_said_to(daemon: Daemon, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stop, "STOP_LIMIT", 0.01)
    daemon.react = lambda _: write_answer(Answer(accepted=True, pid=os.getpid(), status=EMPTY))

    result = call("stop", "--run-dir", daemon.run_dir)

    assert result.exit_code == 1
    assert "still there" in result.output


def test_status_imports_neither_netlink_nor_tables_for_terminals() -> None:
    program = "import stayalived.cli.main, stayalived.cli.status, sys; print(sorted(set(sys.modules)))"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}

    imported = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, env=environment
    )

    assert "'click'" in imported.stdout
    for name in ("pyroute2", "rich", "asyncio", "pluggy", "stayalived.supervisor"):
        assert f"'{name}'" not in imported.stdout
