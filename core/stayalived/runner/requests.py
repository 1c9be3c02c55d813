"""What the runner is asked for, and which requests it accepts (pure).

The processes that ask have no rights; the runner has. So a request is not simply believed: a program may run with
rights of its own only if the accepted configuration says so.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

import msgspec

from stayalived.config.model import BUNDLED, Configuration
from stayalived.messages.notify import Run
from stayalived.timing import seconds

LONGEST_LIMIT = seconds(86_400)
ROOT = ("root", "0")

# N07, and what would make an interpreter run code that the configuration does not name.
REMOVED = frozenset(
    [
        "IFS",
        "LD_PRELOAD",
        "LD_LIBRARY_PATH",
        "LD_AUDIT",
        "BASH_ENV",
        "ENV",
        "PYTHONPATH",
        "PYTHONHOME",
        "PYTHONSTARTUP",
        "PERL5LIB",
        "PERL5OPT",
        "RUBYLIB",
        "RUBYOPT",
        "NOTIFY_SOCKET",
        "WATCHDOG_USEC",
        "WATCHDOG_PID",
        "LISTEN_FDS",
        "LISTEN_PID",
        "LISTEN_FDNAMES",
        "MAINPID",
    ]
)
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


class _Options(msgspec.Struct, frozen=True):
    """What the runner reads of a plugin's options: by these names a plugin says which program it runs, and as whom."""

    command: tuple[str, ...] = ()
    user: str = ""
    group: str = ""


_options = msgspec.msgpack.Decoder(_Options)


@dataclass(frozen=True, slots=True)
class Permit:
    """The configuration lets a distribution's plugin run this command, with any arguments after it, as this user."""

    distribution: str
    command: tuple[str, ...]
    user: str
    group: str


@dataclass(frozen=True, slots=True)
class Permits:
    """What one configuration allows.

    Attributes:
        script_user: whom programs run as that name no user; empty: the runner chooses.
        granted: every command of the configuration.
    """

    script_user: str
    granted: frozenset[Permit] = frozenset()
    _commands: dict[tuple[str, str, str], set[tuple[str, ...]]] = field(default_factory=dict, repr=False)

    @classmethod
    def of(cls, configuration: Configuration) -> "Permits":
        """Return what a configuration allows."""
        granted = frozenset(_permits(configuration))
        commands: dict[tuple[str, str, str], set[tuple[str, ...]]] = {}
        for permit in granted:
            commands.setdefault((permit.distribution, permit.user, permit.group), set()).add(permit.command)
        return cls(configuration.globals.script_user, granted, commands)

    def objection(self, run: Run, sender: str) -> str:
        """Return why a request is refused, or an empty text.

        Args:
            run: the request.
            sender: the child that asks; its distribution is the part after the slash.
        """
        if not run.user and not run.group and self.script_user not in ("", *ROOT):
            return ""
        distribution = sender.partition("/")[2] or BUNDLED
        commands = self._commands.get((distribution, run.user, run.group), set())
        if any(run.argv[:length] in commands for length in range(1, len(run.argv) + 1)):
            return ""
        whom = run.user or self.script_user or "the default user"
        return f"no action or check of {distribution} in the configuration runs {run.argv[0]} as {whom}"


def _permits(configuration: Configuration) -> Iterator[Permit]:
    for distribution, data in _all_options(configuration):
        try:
            options = _options.decode(data)
        except msgspec.MsgspecError:  # a plugin that means something else by these names gets no permit
            continue
        if options.command:
            yield Permit(distribution, options.command, options.user, options.group)


def _all_options(configuration: Configuration) -> Iterator[tuple[str, bytes]]:
    for action in configuration.actions:
        yield action.distribution, action.options
    for check in configuration.tracked_checks:
        yield check.distribution, check.options
    for service in configuration.virtual_servers:
        for server in service.real_servers:
            for check in server.checks:
                yield check.distribution, check.options


def flaw(run: Run) -> str:
    """Return what makes a request impossible to carry out, or an empty text."""
    if not run.argv or not run.argv[0].startswith("/"):
        name = run.argv[0] if run.argv else ""
        return f"command {name!r}: write the whole path, such as /usr/bin/logger"
    if any("\0" in text for text in (*run.argv, run.user, run.group, *_flat(run.environment))):
        return "a NUL byte in a command, an environment variable or a user"
    names = [name for name, _ in run.environment if not _VARIABLE.fullmatch(name)]
    if names:
        return f"{names[0]!r} is no name of an environment variable"
    if not 0 < run.limit <= LONGEST_LIMIT:
        return f"a time limit of {run.limit} ns; above 0 and at most a day is allowed"
    return ""


def environment(inherited: Mapping[str, str], added: Iterable[tuple[str, str]], **account: str) -> dict[str, str]:
    """Return a program's environment (N07).

    Args:
        inherited: the runner's own.
        added: what the request adds.
        account: HOME, USER and the like, of the user that the program runs as.
    """
    merged = {"PATH": _DEFAULT_PATH, **inherited, **account, **dict(added)}
    return {
        name: value
        for name, value in merged.items()
        if name not in REMOVED and not name.startswith(("LD_", "BASH_FUNC_"))
    }


def _flat(pairs: Iterable[tuple[str, str]]) -> Iterator[str]:
    for name, value in pairs:
        yield name
        yield value
