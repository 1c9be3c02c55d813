"""Starts programs, collects what they say and how they end (I/O: fork, exec, pidfd; no thread, no zombie).

A program gets (N07): a session and process group of its own, its user and that user's groups, default signals, the
request's input as standard input, a pipe as output and error, no other descriptor, a cleaned environment, the usual
limits and priority, and TERM when the runner dies.
"""

import contextlib
import os
import signal
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from stayalived.messages.notify import Run
from stayalived.runner.accounts import Account, find_account
from stayalived.runner.birth import Birth, become
from stayalived.runner.engine import Ended, Start
from stayalived.runner.guardian import Guard
from stayalived.runner.paths import open_program
from stayalived.runner.refusals import Refused
from stayalived.runner.requests import environment

OUTPUT_KEPT = 4096  # bytes of standard output and error; the rest is read and thrown away
_CHUNK = 65536
_FAILURE = 1024  # bytes of the text that says why exec did not succeed


class Watcher(Protocol):
    """What of the child's shell is used here."""

    def watch(self, fd: int, callback: Callable[[], None]) -> None:
        """Call back whenever the descriptor is readable."""
        ...

    def unwatch(self, fd: int) -> None:
        """Do not any more."""
        ...


@dataclass(slots=True)
class _Process:
    """A program that runs: its descriptors here, what it said, whether it was told to end."""

    token: int
    pid: int
    handle: int  # pidfd
    output: int
    failure: int
    told_to_end: bool = False
    said: bytearray = field(default_factory=bytearray)


class Programs:
    """The programs that run.

    Args:
        watcher: the loop that this process turns.
        ended: called once for each `start`, perhaps before `start` returns.
        guard: told of each program that runs.
    """

    def __init__(self, watcher: Watcher, ended: Callable[[Ended], None], guard: Guard) -> None:
        """Begin with none."""
        self._watcher = watcher
        self._guard = guard
        self._ended = ended
        self._processes: dict[int, _Process] = {}

    def start(self, order: Start) -> None:
        """Start a program; one that cannot be is reported like one that has ended."""
        try:
            process = self._start(order.token, order.run, order.user)
        except (Refused, OSError) as error:
            self._ended(Ended(token=order.token, status=-1, signal=0, output=b"", problem=str(error)))
            return
        self._guard.started(process.pid)
        self._processes[order.token] = process
        self._watcher.watch(process.output, lambda: self._listen(process))
        self._watcher.watch(process.handle, lambda: self._bury(process))

    def terminate(self, token: int) -> None:
        """Send TERM to the program and all that it started and that stayed in its process group."""
        process = self._processes.get(token)
        if process is not None:
            process.told_to_end = True
            _signal_group(process, signal.SIGTERM)

    def kill(self, token: int) -> None:
        """Send KILL to them."""
        process = self._processes.get(token)
        if process is not None:
            _signal_group(process, signal.SIGKILL)

    def _start(self, token: int, run: Run, user: str) -> _Process:
        account = find_account(user, run.group)
        program = open_program(run.argv[0], frozenset((0, account.uid)))
        try:
            return _launch(token, run, account, program)
        finally:
            os.close(program)

    def _listen(self, process: _Process) -> None:
        """Read what the program says; keep the beginning."""
        try:
            data = os.read(process.output, _CHUNK)
        except BlockingIOError:
            return
        process.said += data[: OUTPUT_KEPT - len(process.said)]
        if not data:
            self._stop_listening(process)

    def _stop_listening(self, process: _Process) -> None:
        if process.output >= 0:
            self._watcher.unwatch(process.output)
            os.close(process.output)
            process.output = -1

    def _bury(self, process: _Process) -> None:
        """The program has ended: take its status, tell it, leave nothing behind."""
        del self._processes[process.token]
        self._watcher.unwatch(process.handle)
        if process.told_to_end:  # before waiting: until then nobody else can get this process group's number
            _signal_group(process, signal.SIGKILL)
        self._guard.ended(process.pid)
        _, status = os.waitpid(process.pid, 0)
        _hear_last_words(process)
        self._stop_listening(process)
        problem = os.read(process.failure, _FAILURE).decode(errors="replace")
        os.close(process.failure)
        os.close(process.handle)
        code = os.waitstatus_to_exitcode(status)
        self._ended(
            Ended(
                token=process.token,
                status=-1 if problem or code < 0 else code,
                signal=max(-code, 0),
                output=bytes(process.said),
                problem=problem,
            )
        )


def _launch(token: int, run: Run, account: Account, program: int) -> _Process:
    """Fork; the child becomes the program."""
    own = {**account.variables, "STAYALIVED_PROGRAM": run.argv[0]}  # a script sees /dev/fd/3 as its own name
    hearing, output = os.pipe2(os.O_CLOEXEC)
    os.set_blocking(hearing, False)
    learning, failure = os.pipe2(os.O_CLOEXEC)
    standard_input = _input(run.input)
    birth = Birth(
        argv=run.argv,
        environment=environment(os.environ, run.environment, **own),
        account=account,
        program=program,
        standard_input=standard_input,
        output=output,
        failure=failure,
        parent=os.getpid(),
    )
    # A signal to the new process waits until it has settled what signals do; else our own SIG_IGN would swallow a TERM.
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
    try:
        pid = os.fork()
        if pid == 0:
            become(birth)
    except OSError:
        os.close(hearing)
        os.close(learning)
        raise
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        for descriptor in (standard_input, output, failure):
            os.close(descriptor)
    return _Process(token, pid, os.pidfd_open(pid), hearing, learning)


def _input(data: bytes) -> int:
    """Return a descriptor to read the input from: a file in memory, so that nobody has to feed a pipe."""
    if not data:
        return os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC)
    descriptor = os.memfd_create("input", os.MFD_CLOEXEC)
    os.write(descriptor, data)
    os.lseek(descriptor, 0, os.SEEK_SET)
    return descriptor


def _hear_last_words(process: _Process) -> None:
    """Take what still stands in the pipe; whoever of the program's children holds it open is not waited for."""
    while process.output >= 0 and len(process.said) < OUTPUT_KEPT:
        try:
            data = os.read(process.output, _CHUNK)
        except BlockingIOError:
            return
        if not data:
            return
        process.said += data[: OUTPUT_KEPT - len(process.said)]


def _signal_group(process: _Process, number: signal.Signals) -> None:
    """Signal a process group; one that has not been made yet has only its leader."""
    try:
        os.killpg(process.pid, number)
    except ProcessLookupError:
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(process.handle, number)
