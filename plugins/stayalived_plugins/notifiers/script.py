"""The action `script`: run a program, with what happened as its arguments, environment and input."""

from typing import Any, Literal

import msgspec

from stayalived.plugin import (
    RUN_MARGIN,
    Duration,
    Event,
    Notifier,
    NotifierOptions,
    PluginFailure,
    Program,
    Tools,
    seconds,
)

LONGEST = 86_400

# What keepalived calls an event of an instance in the arguments of its `notify` (N02, N13).
_STATES = {
    "master": "MASTER",
    "backup": "BACKUP",
    "fault": "FAULT",
    "stop": "STOP",
    "deleted": "DELETED",
    "lower_priority": "MASTER_RX_LOWER_PRI",
}
_TYPES = {"instance": "INSTANCE", "group": "GROUP"}


class Script(Notifier):
    """Runs a program for each event, one after the other for each subject, as an unprivileged user.

    All scripts of a subject take turns in the order of the events; for one event those with `on` come before those
    without (N02).

    Arguments: for an instance or a group, four are appended to the command, as keepalived's `notify` has them: INSTANCE
    or GROUP, the name, the state, the priority (0 for a group). `arguments = "none"` leaves them out, as for its
    `notify_master` and the like (N01). For real and virtual servers nothing is ever appended (N05, N06).

    Environment: STAYALIVED_KIND, _SUBJECT_TYPE, _SUBJECT, _OLD, _NEW, and so on for every field of an event, and
    STAYALIVED_PROGRAM, the script's own path, for `$0` is /dev/fd/3. Standard input: the same as one line of JSON.

    A script that runs longer than `timeout` gets TERM, two seconds later KILL, with all of its process group. What it
    writes is thrown away, but for the beginning, which is logged when it fails.
    """

    name = "script"
    in_turn = (
        True  # also with the other scripts of the subject: a general one sees no event before a specific one (N02)
    )

    class Options(NotifierOptions, frozen=True, kw_only=True):
        """Options of the action `script`.

        Attributes:
            command: the program's whole path, and its arguments.
            user: whom it runs as; when left out `script_user` of `[global]`.
            group: its primary group; when left out the user's own.
            timeout: how long it may run, in seconds.
            arguments: `keepalived` appends four arguments to events of an instance, `none` appends nothing.
        """

        command: tuple[str, ...]
        user: str = ""
        group: str = ""
        timeout: float = 30
        arguments: Literal["keepalived", "none"] = "keepalived"

        def __post_init__(self) -> None:
            """Refuse what could never run."""
            if not self.command or not self.command[0].startswith("/"):
                raise ValueError('command must begin with a whole path, such as ["/etc/stayalived/notify.sh"]')
            if not 0 < self.timeout <= LONGEST:
                raise ValueError(f"timeout must be above 0 and at most {LONGEST} seconds")

    options: Options

    @property
    def limit(self) -> Duration:
        """The script's own time, and some for the way there and back."""
        return Duration(seconds(self.options.timeout) + RUN_MARGIN)

    async def notify(self, event: Event, tools: Tools) -> None:
        """Run the script for one event and wait for its end."""
        facts = _facts(event)
        program = Program(
            argv=(*self.options.command, *self._arguments(event)),
            user=self.options.user,
            group=self.options.group,
            environment=tuple((f"STAYALIVED_{name.upper()}", str(value)) for name, value in facts.items()),
            input=msgspec.json.encode(facts) + b"\n",
            limit=seconds(self.options.timeout),
        )
        outcome = await tools.run(program)
        if outcome.problem or outcome.status != 0:
            raise PluginFailure(f"{self.options.command[0]}: {outcome}")

    def _arguments(self, event: Event) -> tuple[str, ...]:
        if self.options.arguments == "none" or event.subject_type not in _TYPES:
            return ()
        state = _STATES.get(event.kind, event.new.upper())
        priority = event.priority if event.subject_type == "instance" else 0
        return _TYPES[event.subject_type], event.subject, state, str(priority)


def _facts(event: Event) -> dict[str, Any]:
    """Return what a script is told, by name."""
    facts = msgspec.structs.asdict(event)
    # A reason may quote what a stranger sent; no environment variable can hold a NUL.
    return {name: value.replace("\0", "") if isinstance(value, str) else value for name, value in facts.items()}
