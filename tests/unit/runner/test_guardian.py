"""The death of the runner ends what it has started."""

import os
import select
import signal
from collections.abc import Callable, Iterator

import pytest

from stayalived.runner.guardian import Guardian

PATIENCE = 10_000  # ms; only a hang takes them
OBEDIENT = "exec sleep 600"
STUBBORN = "trap '' TERM; sleep 600 & while :; do wait; done"


class Group:
    """A process group of its own, as the runner makes one."""

    def __init__(self, body: str) -> None:
        reader, writer = os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            os.setsid()
            os.dup2(writer, 1)
            os.execv("/bin/sh", ["/bin/sh", "-c", f"echo; {body}"])
        os.close(writer)
        self.reader = reader
        self.handle = os.pidfd_open(self.pid)
        os.read(reader, 1)  # it runs, and its signals are settled but for those of `body`

    def has_ended(self) -> bool:
        return bool(wait_for(self.handle, 0))

    def wait(self) -> int:
        """Return the signal that it ended by."""
        assert wait_for(self.handle), "it still runs"
        return os.WTERMSIG(os.waitpid(self.pid, 0)[1])

    def wait_for_all(self) -> None:
        """Wait until no member of the group is left: each of them has the pipe open."""
        assert wait_for(self.reader), "something of the group still runs"
        assert os.read(self.reader, 1) == b""

    def close(self) -> None:
        os.close(self.handle)
        os.close(self.reader)


def wait_for(descriptor: int, patience: int = PATIENCE) -> bool:
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    return bool(poll.poll(patience))


class Runner:
    """A process that has a guardian and dies when it is told to."""

    def __init__(self, tell: Callable[[Guardian], None]) -> None:
        ready, told = os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            try:
                tell(Guardian())
                os.write(told, b"x")
                signal.pause()
            finally:
                os._exit(0)
        os.close(told)
        assert os.read(ready, 1) == b"x"
        os.close(ready)

    def kill(self) -> None:
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)


@pytest.fixture
def groups() -> Iterator[Callable[[str], Group]]:
    made: list[Group] = []

    def make(body: str) -> Group:
        made.append(Group(body))
        return made[-1]

    yield make
    for group in made:
        group.close()


def test_what_runs_when_the_runner_dies_is_ended_with_its_whole_group(groups: Callable[[str], Group]) -> None:
    obedient, stubborn = groups(OBEDIENT), groups(STUBBORN)

    def tell(guardian: Guardian) -> None:
        for group in (obedient, stubborn):
            guardian.started(group.pid)

    runner = Runner(tell)
    assert not obedient.has_ended()

    runner.kill()

    assert obedient.wait() == signal.SIGTERM
    assert stubborn.wait() == signal.SIGKILL
    stubborn.wait_for_all()


def test_what_has_ended_before_is_left_alone(groups: Callable[[str], Group]) -> None:
    other, guarded = groups(OBEDIENT), groups(OBEDIENT)

    def tell(guardian: Guardian) -> None:
        guardian.started(other.pid)
        guardian.started(guarded.pid)
        guardian.ended(other.pid)

    Runner(tell).kill()

    assert guarded.wait() == signal.SIGTERM
    assert not other.has_ended()
    os.kill(other.pid, signal.SIGKILL)
    assert other.wait() == signal.SIGKILL


def dismiss(guardian: Guardian) -> None:
    """Let it see the end of its pipe, and wait for its own."""
    os.close(guardian._writer)
    os.waitpid(guardian.pid, 0)


def test_it_holds_nothing_of_the_runners_open() -> None:
    reader, writer = os.pipe()

    guardian = Guardian()
    os.close(writer)

    assert wait_for(reader), "its end of a pipe of ours would hide our death from the supervisor"
    os.close(reader)
    dismiss(guardian)


def test_a_guardian_that_is_gone_is_said_and_harms_nobody(caplog: pytest.LogCaptureFixture) -> None:
    guardian = Guardian()
    os.kill(guardian.pid, signal.SIGKILL)
    assert wait_for(os.pidfd_open(guardian.pid))

    guardian.started(os.getpid())
    dismiss(guardian)

    assert "nobody would end the programs if this process died: " in caplog.text
