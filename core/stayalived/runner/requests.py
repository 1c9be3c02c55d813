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

# N07, and what would make an interpreter run code that the configuration does not name: not even what the daemon
# itself inherited of these reaches a program.
REMOVED = frozenset(
    [
        "IFS",
        "BASH_ENV",
        "ENV",
        "PS4",
        "PYTHONPATH",
        "PYTHONHOME",
        "PYTHONSTARTUP",
        "PERL5LIB",
        "PERL5OPT",
        "RUBYLIB",
        "RUBYOPT",
        "GCONV_PATH",
        "NODE_OPTIONS",
        "NOTIFY_SOCKET",
        "WATCHDOG_USEC",
        "WATCHDOG_PID",
        "LISTEN_FDS",
        "LISTEN_PID",
        "LISTEN_FDNAMES",
        "MAINPID",
    ]
)
REMOVED_FAMILIES = ("LD_", "BASH_FUNC_")
ADDED = re.compile(r"STAYALIVED_[A-Z0-9_]+")
"""What a request may add: no interpreter and no library reads such a name."""

FOLLOWED = "keepalived"
"""The value of an option `arguments` by which a plugin says that keepalived's four may follow the command (N02)."""

_SUBJECTS = frozenset(["INSTANCE", "GROUP"])
_STATE = re.compile(r"[A-Z][A-Z_]*")
_PRIORITY = re.compile(r"[0-9]{1,3}")
_DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


class _Options(msgspec.Struct, frozen=True):
    """What the runner reads of a plugin's options: by these names a plugin says what it runs, how, and as whom."""

    command: tuple[str, ...] = ()
    user: str = ""
    group: str = ""
    arguments: str = ""


_options = msgspec.msgpack.Decoder(_Options)


@dataclass(frozen=True, slots=True)
class Permit:
    """The configuration lets a distribution's plugin run exactly this command as this user.

    `followed`: the four arguments of keepalived's `notify` may come after it.
    """

    distribution: str
    command: tuple[str, ...]
    user: str
    group: str
    followed: bool = False

    def covers(self, argv: tuple[str, ...]) -> bool:
        """Tell whether this is the command, with nothing but what may follow it."""
        length = len(self.command)
        rest = argv[length:]
        return argv[:length] == self.command and (not rest or (self.followed and _are_keepalived_s(rest)))


@dataclass(frozen=True, slots=True)
class Permits:
    """What one configuration allows: nothing else is run, whoever it would run as.

    Attributes:
        script_user: whom programs run as that name no user; empty: the runner chooses.
        granted: every command of the configuration.
    """

    script_user: str
    granted: frozenset[Permit] = frozenset()
    _by_program: dict[tuple[str, str, str, str], list[Permit]] = field(default_factory=dict, repr=False)

    @classmethod
    def of(cls, configuration: Configuration) -> "Permits":
        """Return what a configuration allows."""
        granted = frozenset(_permits(configuration))
        found: dict[tuple[str, str, str, str], list[Permit]] = {}
        for permit in granted:
            found.setdefault((permit.distribution, permit.user, permit.group, permit.command[0]), []).append(permit)
        return cls(configuration.globals.script_user, granted, found)

    def objection(self, run: Run, sender: str) -> str:
        """Return why a request is refused, or an empty text.

        Users and groups are compared as they are written in the configuration, and a default user needs a permit like
        any other: so it does not matter which names and numbers mean root.

        Args:
            run: the request.
            sender: the child that asks; its distribution is the part after the slash.
        """
        distribution = sender.partition("/")[2] or BUNDLED
        candidates = self._by_program.get((distribution, run.user, run.group, run.argv[0]), ())
        if any(permit.covers(run.argv) for permit in candidates):
            return ""
        whom = run.user or self.script_user or "the default user"
        return f"no action or check of {distribution} in the configuration runs `{' '.join(run.argv)}` as {whom}"


def _are_keepalived_s(arguments: tuple[str, ...]) -> bool:
    """Tell whether these are INSTANCE or GROUP, a name, a state and a priority."""
    match arguments:
        case (kind, _, state, priority):
            return bool(kind in _SUBJECTS and _STATE.fullmatch(state) and _PRIORITY.fullmatch(priority))
    return False


def _permits(configuration: Configuration) -> Iterator[Permit]:
    for distribution, data in _all_options(configuration):
        try:
            options = _options.decode(data)
        except msgspec.MsgspecError:  # a plugin that means something else by these names gets no permit
            continue
        if options.command:
            followed = options.arguments == FOLLOWED
            yield Permit(distribution, options.command, options.user, options.group, followed)


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
    names = [name for name, _ in run.environment if not ADDED.fullmatch(name)]
    if names:
        return f"environment variable {names[0]!r}: only names such as STAYALIVED_KIND may be added, in capitals"
    if not 0 < run.limit <= LONGEST_LIMIT:
        return f"a time limit of {run.limit} ns; above 0 and at most a day is allowed"
    return ""


def environment(inherited: Mapping[str, str], added: Iterable[tuple[str, str]], **own: str) -> dict[str, str]:
    """Return a program's environment (N07).

    Args:
        inherited: the runner's own, as whoever started the daemon set it.
        added: what the request adds, without a flaw.
        own: what nobody else may say: HOME, USER and the like, of the user that the program runs as.
    """
    kept = {
        name: value
        for name, value in inherited.items()
        if name not in REMOVED and not name.startswith(REMOVED_FAMILIES)
    }
    return {"PATH": _DEFAULT_PATH, **dict(added), **kept, **own}


def _flat(pairs: Iterable[tuple[str, str]]) -> Iterator[str]:
    for name, value in pairs:
        yield name
        yield value
