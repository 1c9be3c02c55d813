"""What happens in a new process between fork and exec (I/O).

Whatever goes wrong here is written to a pipe that exec closes, so that the runner can say it.
"""

import errno
import fcntl
import os
import resource
import signal
from dataclasses import dataclass
from typing import NoReturn

from stayalived.child.privileges import DESCRIPTORS_WANTED, die_with_parent
from stayalived.runner.accounts import Account

_PROGRAM, _FAILURE, _FIRST_OTHER = 3, 4, 5  # the descriptors of a new process beside the three standard ones
_ASIDE = 10  # above all of them: where descriptors wait until those are free
_USUAL_DESCRIPTORS = 1024  # soft limit that programs expect, systemd's DefaultLimitNOFILE; `select` can do no more
_SHELL = "/bin/sh"
_NOT_EXECUTED = 127


@dataclass(frozen=True, slots=True)
class Birth:
    """What a new process becomes; descriptors are numbers of the parent's."""

    argv: tuple[str, ...]
    environment: dict[str, str]
    account: Account
    program: int
    standard_input: int
    output: int
    failure: int
    parent: int


def become(birth: Birth) -> NoReturn:
    """Become the program, or write why not and end."""
    try:
        os.setsid()
        _settle_descriptors(birth)
        _settle_signals()
        _settle_limits()
        os.umask(0o022)
        os.chdir("/")
        _change_user(birth.account)
        die_with_parent(signal.SIGTERM)
        if os.getppid() == birth.parent:
            _execute(birth)
    except BaseException as error:  # noqa: BLE001  (nothing may return into the runner's code)
        os.write(_FAILURE, f"{birth.argv[0]}: {_reason(error, birth)}".encode(errors="replace"))
    finally:
        os._exit(_NOT_EXECUTED)


def _settle_descriptors(birth: Birth) -> None:
    numbers = (birth.standard_input, birth.output, birth.output, birth.program, birth.failure)
    aside = [fcntl.fcntl(number, fcntl.F_DUPFD_CLOEXEC, _ASIDE) for number in numbers]
    for wanted, number in enumerate(aside):
        os.dup2(number, wanted, inheritable=wanted < _PROGRAM)
    os.closerange(_FIRST_OTHER, DESCRIPTORS_WANTED)


def _settle_signals() -> None:
    """Undo what this daemon's children ignore, and what Python ignores (PIPE, XFSZ)."""
    signal.set_wakeup_fd(-1)
    for number in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}:
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())


def _settle_limits() -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    usual = hard if hard != resource.RLIM_INFINITY and hard < _USUAL_DESCRIPTORS else _USUAL_DESCRIPTORS
    resource.setrlimit(resource.RLIMIT_NOFILE, (usual, hard))
    os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
    if os.getpriority(os.PRIO_PROCESS, 0) < 0:
        os.setpriority(os.PRIO_PROCESS, 0, 0)


def _change_user(account: Account) -> None:
    if os.geteuid() == 0:
        os.setgroups(account.groups)
        os.setresgid(account.gid, account.gid, account.gid)
        os.setresuid(account.uid, account.uid, account.uid)


def _execute(birth: Birth) -> None:
    """Execute by descriptor. A script's interpreter opens it as /dev/fd/3, so for a script it has to stay open."""
    try:
        os.execve(_PROGRAM, birth.argv, birth.environment)  # noqa: S606  (as meant)
    except FileNotFoundError:  # execveat(2): what a script whose descriptor closes on exec gets
        os.set_inheritable(_PROGRAM, True)
        os.execve(_PROGRAM, birth.argv, birth.environment)  # noqa: S606  (as meant)
    except OSError as error:
        if error.errno != errno.ENOEXEC:  # N07: a script without `#!` goes through a shell
            raise
        os.set_inheritable(_PROGRAM, True)
        os.execve(_SHELL, (_SHELL, f"/dev/fd/{_PROGRAM}", *birth.argv[1:]), birth.environment)  # noqa: S606  (as meant)


def _reason(error: BaseException, birth: Birth) -> str:
    if isinstance(error, FileNotFoundError):
        return "the interpreter that its first line names does not exist"
    if isinstance(error, PermissionError):
        return f"user {birth.account.name} may not run it: {error.strerror}"
    return str(error)
