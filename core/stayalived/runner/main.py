"""The runner (I/O): the one process that starts programs, as their users."""

import os

from stayalived.child.bootstrap import Context
from stayalived.child.privileges import Rights
from stayalived.child.shell import Shell
from stayalived.config.problems import Problem
from stayalived.runner.accounts import find_account
from stayalived.runner.engine import Inspect, Inspected, Kill, RunnerEffect, RunnerEngine, RunnerEvent, Start, Terminate
from stayalived.runner.guardian import Guardian
from stayalived.runner.paths import open_program
from stayalived.runner.programs import Programs
from stayalived.runner.refusals import Refused
from stayalived.runner.requests import Permit

# Programs that run as root or use sudo need what no_new_privs would take away.
RIGHTS = Rights(user="root", capabilities=("SETUID", "SETGID", "KILL", "DAC_READ_SEARCH"), no_new_privs=False)


def run(context: Context, opened: object) -> None:  # noqa: ARG001  (every role is called so)
    """Start programs on request until told to stop."""
    shell: Shell[RunnerEvent, RunnerEffect] = Shell(
        RunnerEngine(), context, lambda effect: _perform(effect, shell, programs)
    )
    programs = Programs(shell, shell.post, Guardian())
    shell.run()


def _perform(effect: RunnerEffect, shell: Shell[RunnerEvent, RunnerEffect], programs: Programs) -> None:
    match effect:
        case Start():
            programs.start(effect)
        case Terminate(token=token):
            programs.terminate(token)
        case Kill(token=token):
            programs.kill(token)
        case Inspect(generation=generation, script_user=script_user, commands=commands):
            shell.post(Inspected(generation=generation, problems=inspect(commands, script_user)))


def inspect(commands: frozenset[Permit], script_user: str) -> tuple[Problem, ...]:
    """Return a warning for each command that would be refused if it had to run now."""
    texts = {_refusal(permit, script_user) for permit in commands}
    return tuple(Problem(path="", expected=text, warning=True) for text in sorted(texts) if text)


def _refusal(permit: Permit, script_user: str) -> str:
    command = " ".join(permit.command)
    if not permit.command[0].startswith("/"):
        return f"command `{command}`: write the whole path, such as /usr/bin/logger"
    try:
        account = find_account(permit.user or script_user, permit.group)
        os.close(open_program(permit.command[0], frozenset((0, account.uid))))
    except (Refused, OSError) as error:
        return f"command `{command}` would not be run: {error}"
    return ""
