"""Real programs, started the way the runner starts them; the loop is a poll."""

import os
import pwd
import select
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from stayalived.messages.notify import Run
from stayalived.runner.engine import Ended, Start
from stayalived.runner.main import inspect
from stayalived.runner.programs import OUTPUT_KEPT, Programs
from stayalived.runner.requests import Permit

PATIENCE = 10_000  # ms; only a hang takes them


class Loop:
    """The smallest watcher that there is."""

    def __init__(self) -> None:
        self.poll = select.poll()
        self.callbacks = {}

    def watch(self, fd: int, callback: Callable[[], None]) -> None:
        self.callbacks[fd] = callback
        self.poll.register(fd, select.POLLIN)

    def unwatch(self, fd: int) -> None:
        del self.callbacks[fd]
        self.poll.unregister(fd)

    def turn(self) -> None:
        ready = self.poll.poll(PATIENCE)
        assert ready, "nothing happens"
        for fd, _ in ready:
            if fd in self.callbacks:
                self.callbacks[fd]()


class ListingGuard:
    """Knows which programs run."""

    def __init__(self) -> None:
        self.living = []

    def started(self, pid: int) -> None:
        self.living.append(pid)

    def ended(self, pid: int) -> None:
        assert Path(f"/proc/{pid}").exists(), "it was reaped before: the number may be somebody else's by now"
        self.living.remove(pid)


class Bench:
    """Programs with what became of them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.loop = Loop()
        self.ended = {}
        self.guard = ListingGuard()
        self.programs = Programs(self.loop, lambda ended: self.ended.setdefault(ended.token, ended), self.guard)

    def script(self, text: str, first: str = "#!/bin/sh\n", name: str = "script.sh") -> Any:
        path = self.folder / name
        path.write_text(first + text)
        path.chmod(0o755)
        return str(path)

    def start(
        self,
        *argv: tuple[str, ...],
        token: int = 1,
        user: str = "",
        group: int = "",
        data: bytes = b"",
        variables: tuple[tuple[str, str], ...] = (),
    ) -> None:
        own = "" if os.geteuid() else "root"
        run = Run(
            identifier=token, lane="", argv=argv, user=user, group=group, environment=variables, input=data, limit=1
        )
        self.programs.start(Start(token=token, run=run, user=user or own))

    def wait(self, token: int = 1) -> Any:
        while token not in self.ended:
            self.loop.turn()
        return self.ended[token]

    def run(self, *argv: tuple[str, ...], **rest: Any) -> Any:
        self.start(*argv, **rest)
        return self.wait()


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Any]:
    bench = Bench(tmp_path)
    before = descriptors()
    yield bench
    assert bench.loop.callbacks == {}
    assert before == descriptors()
    with pytest.raises(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)  # no zombie, no program left


def descriptors() -> Any:
    return len(list(os.scandir("/proc/self/fd")))


def wait_for(path: Any) -> Any:
    """Wait until a program has written a line into a FIFO, and return it."""
    with path.open() as fifo:
        return fifo.readline().strip()


def gone(pid: int) -> Any:
    """Wait until a process that is not our child is gone or a zombie of somebody else."""
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([handle], [], [], PATIENCE / 1000)[0])
    finally:
        os.close(handle)


def test_a_program_is_run_and_its_status_and_output_come_back(bench: Bench) -> None:
    assert bench.run(bench.script("echo out; echo err >&2; exit 3")) == Ended(
        token=1, status=3, signal=0, output=b"out\nerr\n"
    )


def test_arguments_reach_the_program_unchanged(bench: Bench) -> None:
    assert bench.run("/bin/echo", "two words", "$HOME", ";").output == b"two words $HOME ;\n"


def test_a_script_without_a_first_line_goes_through_a_shell(bench: Bench) -> None:
    assert bench.run(bench.script("echo $1", first=""), "argument").output == b"argument\n"


def test_a_script_in_python_is_run(bench: Bench) -> None:
    assert bench.run(bench.script("print('hello')", first=f"#!{sys.executable}\n")).output == b"hello\n"


def test_a_script_learns_its_own_path(bench: Bench) -> None:
    script = bench.script("echo $STAYALIVED_PROGRAM")
    assert bench.run(script).output.decode().strip() == script


def test_the_input_is_read_to_its_end(bench: Bench) -> None:
    assert bench.run("/bin/cat", data=b'{"kind": "master"}').output == b'{"kind": "master"}'


def test_without_input_there_is_nothing_to_read(bench: Bench) -> None:
    assert bench.run("/bin/cat").output == b""


def test_the_environment_is_the_one_asked_for(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LD_LIBRARY_PATH", "/nowhere")
    ended = bench.run("/usr/bin/env", variables=(("STAYALIVED_STATE", "MASTER"),))
    lines = ended.output.decode().splitlines()
    assert "STAYALIVED_STATE=MASTER" in lines
    assert not [line for line in lines if line.startswith("LD_")]


def test_only_the_beginning_of_the_output_is_kept_and_the_rest_blocks_nobody(bench: Bench) -> None:
    ended = bench.run("/usr/bin/head", "-c", "1000000", "/dev/zero")
    assert (ended.status, len(ended.output)) == (0, OUTPUT_KEPT)


def test_a_program_gets_no_descriptor_of_ours(bench: Bench) -> None:
    ended = bench.run(bench.script("ls /proc/self/fd", first=""))
    # three standard ones, the script itself, and the one that ls lists the folder with
    assert len(ended.output.split()) <= 5


def test_signals_are_as_programs_expect_them(bench: Bench) -> None:
    ended = bench.run("/bin/grep", "-E", "Sig(Ign|Blk)", "/proc/self/status")
    assert {int(line.split()[1], 16) for line in ended.output.splitlines()} == {0}


def test_a_program_has_a_session_of_its_own(bench: Bench) -> None:
    group, session = bench.run("/bin/sh", "-c", "cut -d' ' -f5,6 /proc/self/stat").output.split()
    assert group == session
    assert int(session) != os.getsid(0)


def test_a_program_that_dies_of_a_signal_says_which(bench: Bench) -> None:
    ended = bench.run("/bin/sh", "-c", "kill -SEGV $$")
    assert (ended.status, ended.signal) == (-1, signal.SIGSEGV)


@pytest.mark.parametrize(
    ("first", "words"),
    [("#!/no/such/interpreter\n", "the interpreter that its first line names does not exist")],
)
def test_a_script_whose_interpreter_is_missing_says_so(bench: Bench, first: str, words: str) -> None:
    assert words in bench.run(bench.script("", first=first)).problem


def test_a_missing_program_is_named(bench: Bench) -> None:
    ended = bench.run("/no/such/program")
    assert (ended.status, ended.problem) == (-1, "/no: No such file or directory")


def test_a_program_runs_as_its_user_with_nothing_left_of_ours(bench: Bench) -> None:
    account = pwd.getpwnam("nobody") if os.geteuid() == 0 else pwd.getpwuid(os.geteuid())
    ended = bench.run("/bin/grep", "-E", "^(Uid|Gid|CapEff|CapPrm|CapAmb)", "/proc/self/status", user=account.pw_name)
    seen = {line.split(":")[0]: set(line.split()[1:]) for line in ended.output.decode().splitlines()}
    assert seen == {
        "Uid": {str(account.pw_uid)},
        "Gid": {str(account.pw_gid)},
        **{name: {"0" * 16} for name in ("CapEff", "CapPrm", "CapAmb")},
    }


def test_a_script_of_another_user_is_run_by_descriptor(bench: Bench, tmp_path: Path) -> None:
    account = pwd.getpwnam("nobody") if os.geteuid() == 0 else pwd.getpwuid(os.geteuid())
    script = bench.script("id -u; echo $HOME")
    assert bench.run(script, user=account.pw_name).output.decode().split() == [str(account.pw_uid), account.pw_dir]


def test_an_unsafe_folder_is_named_with_its_mode(bench: Bench, tmp_path: Path) -> None:
    script = bench.script("exit 0")
    tmp_path.chmod(0o777)
    ended = bench.run(script)
    tmp_path.chmod(0o700)
    assert f"{tmp_path} has mode 0777" in ended.problem


def test_an_unknown_user_is_named(bench: Bench) -> None:
    assert "no user 'nobody-of-this-name'" in bench.run("/bin/true", user="nobody-of-this-name").problem


def test_an_unknown_group_is_named(bench: Bench) -> None:
    assert "no group 'no-such-group'" in bench.run("/bin/true", group="no-such-group").problem


def test_a_program_that_hangs_is_ended_with_all_that_it_started(bench: Bench, tmp_path: Path) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    bench.start(bench.script(f"sleep 1000 & echo $! > {fifo}; wait"))
    grandchild = int(wait_for(fifo))
    bench.programs.terminate(1)
    assert bench.wait().signal == signal.SIGTERM
    assert gone(grandchild)


def test_one_that_ignores_term_is_killed_and_so_are_its_children(bench: Bench, tmp_path: Path) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    bench.start(bench.script(f"trap '' TERM; sleep 1000 & echo $! > {fifo}; while :; do wait; done"))
    grandchild = int(wait_for(fifo))
    bench.programs.terminate(1)
    bench.programs.kill(1)
    assert bench.wait().signal == signal.SIGKILL
    assert gone(grandchild)


def test_children_that_ignore_term_die_with_a_program_that_obeys(bench: Bench, tmp_path: Path) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    inner = bench.script(f"trap '' TERM; echo $$ > {fifo}; while :; do sleep 1000; done", name="inner.sh")
    bench.start(bench.script(f"{inner} & exec sleep 1000", name="outer.sh"))
    stubborn = int(wait_for(fifo))
    bench.programs.terminate(1)
    assert bench.wait().signal == signal.SIGTERM
    assert gone(stubborn)


def test_a_small_fork_bomb_leaves_nobody(bench: Bench, tmp_path: Path) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    bomb = bench.script(
        "f() { if [ $1 -gt 0 ]; then f $(($1 - 1)) & f $(($1 - 1)) & fi; sleep 1000; }\n"
        f"f 4 &\necho $$ > {fifo}; wait"
    )
    bench.start(bomb)
    leader = int(wait_for(fifo))
    bench.programs.terminate(1)
    bench.programs.kill(1)
    bench.wait()
    assert all(gone(pid) for pid in members(leader))
    assert members(leader) == []


def members(group: int) -> Any:
    """Return the processes of a process group that still run."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            state, _, of = (entry / "stat").read_text().rpartition(")")[2].split()[:3]
        except (OSError, ValueError):
            continue
        if int(of) == group and state not in "ZX":
            found.append(int(entry.name))
    return found


def test_a_child_that_keeps_the_output_open_is_not_waited_for(bench: Bench, tmp_path: Path) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    ended = bench.run(bench.script(f"read line < {fifo} & echo done"))
    fifo.write_text("go\n")
    assert ended.output == b"done\n"


def test_many_programs_leave_no_zombie_and_no_descriptor(bench: Bench) -> None:
    for token in range(40):
        bench.start("/bin/true", token=token)
    assert {bench.wait(token).status for token in range(40)} == {0}


def test_what_would_be_refused_is_a_warning_at_reload(bench: Bench, tmp_path: Path) -> None:
    script = bench.script("exit 0")
    own = "" if os.geteuid() else "root"
    commands = [(script, "x"), ("/no/such/program",), ("logger",)]
    found = inspect(frozenset(Permit("stayalived", command, own, "") for command in commands), own)
    assert [problem.warning for problem in found] == [True, True]
    assert "`/no/such/program` would not be run: /no: No such file" in found[0].expected
    assert "whole path" in found[1].expected


def test_the_guard_knows_what_runs_and_nothing_else(bench: Bench) -> None:
    bench.start(bench.script("exit 0", name="one.sh"))
    bench.start(bench.script("exec sleep 600", name="two.sh"), token=2)
    bench.start("/nowhere/at/all", token=3)

    assert len(bench.guard.living) == 2
    bench.wait()
    assert len(bench.guard.living) == 1
    bench.programs.kill(2)
    bench.wait(2)
    assert bench.guard.living == []
