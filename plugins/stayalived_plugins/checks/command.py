"""The check `command`: does a program succeed? keepalived's MISC_CHECK and vrrp_script (C29 to C32, T06 to T10)."""

from collections.abc import Mapping
from typing import ClassVar

from stayalived.plugin import (
    RUN_MARGIN,
    Check,
    CheckOptions,
    Duration,
    Net,
    Outcome,
    Program,
    Target,
    Verdict,
    seconds,
)

LONGEST = 86_400
FAILED = 1  # the exit status that fails with `dynamic`
OFFSET = 2  # C31: exit status less weight


class CommandCheck(Check):
    """Does a program exit with status 0?

    The runner starts it, as its user, and ends it with all that it started when its time is over: that is a failure. A
    program that may not be run is no failure of whoever is checked: no verdict changes, the log says what to do. It
    finds whom it checks in STAYALIVED_ADDRESS and STAYALIVED_PORT.
    """

    name = "command"
    aim = "optional"
    needs_port = False
    from_start = True
    defaults: ClassVar[Mapping[str, float]] = {"retry": 0}

    class Options(CheckOptions, frozen=True, kw_only=True):
        """Options of the check `command`.

        Attributes:
            command: the program, by its whole path, and its arguments.
            user: whom it runs as; when left out `script_user` of `[global]`.
            group: its primary group; when left out the user's own.
            timeout: how long it may run, in seconds; when left out `delay_loop`.
            dynamic: status 1 fails; 0 succeeds, and so do 2 to 255, which set the server's weight to the status less 2.
        """

        command: tuple[str, ...]
        user: str = ""
        group: str = ""
        timeout: float | None = None
        dynamic: bool = False

        def __post_init__(self) -> None:
            """Refuse what could never run."""
            if not self.command or not self.command[0].startswith("/"):
                raise ValueError('command must begin with a whole path, such as ["/usr/local/bin/check-site"]')
            if self.timeout is not None and not 0 < self.timeout <= LONGEST:
                raise ValueError(f"timeout must be above 0 and at most {LONGEST} seconds")

    options: Options

    def limit(self, delay_loop: Duration) -> Duration:
        """Leave the program its time, and some for the way there and back."""
        own = delay_loop if self.options.timeout is None else seconds(self.options.timeout)
        return Duration(own + RUN_MARGIN)

    async def probe(self, target: Target, net: Net) -> Verdict:
        """Run the program and look how it ended."""
        whom = target.endpoint
        found = (("ADDRESS", whom.address), ("PORT", str(whom.port))) if whom.address else ()
        program = Program(
            argv=self.options.command,
            user=self.options.user,
            group=self.options.group,
            environment=tuple((f"STAYALIVED_{name}", value) for name, value in found),
            limit=Duration(target.limit - RUN_MARGIN),
        )
        return self._judge(await net.run(program))

    def _judge(self, outcome: Outcome) -> Verdict:
        status = outcome.status
        if not outcome.problem and status == 0:
            return Verdict.passed("command", "exit status 0")
        if not outcome.problem and self.options.dynamic and status > FAILED:
            weight = status - OFFSET
            return Verdict(up=True, step="command", seen=f"exit status {status}: weight {weight}", server_weight=weight)
        return Verdict.failed("command", str(outcome))
