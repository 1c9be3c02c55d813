"""The check `process`: do enough of certain processes run? keepalived's track_process (T13)."""

from collections.abc import Mapping
from typing import ClassVar, Literal

from stayalived.plugin import Check, CheckOptions, Steps, Target, Verdict
from stayalived_plugins.checks.processes import CENSUS, LONGEST_NAME, Census

MOST = 65_535


class ProcessCheck(Check):
    """Do enough processes of a name run, and not too many?

    They are counted each `delay_loop`, one look at /proc for all such checks. Threads and zombies do not count.
    """

    name = "process"
    aim = "none"
    needs_port = False
    most_weight = 254
    defaults: ClassVar[Mapping[str, float]] = {"delay_loop": 1, "retry": 0}

    class Options(CheckOptions, frozen=True, kw_only=True):
        """Options of the check `process`.

        Attributes:
            process: its name as `ps -o comm` shows it, 15 characters at most; or a list of the command as it was
                started, path included, and its parameters.
            quorum: how many must run.
            quorum_max: how many may run; 0: none; when left out any number.
            full_command: compare the command as it was started, whatever its parameters, and not the name.
            param_match: how parameters are compared: `exact`, the same ones (so is none, if none is given); `partial`,
                more may follow; `initial`, the last one may be longer, and more may follow. When left out `exact`, if
                any is given.
        """

        process: str | tuple[str, ...]
        quorum: int = 1
        quorum_max: int | None = None
        full_command: bool = False
        param_match: Literal["exact", "partial", "initial"] | None = None

        def __post_init__(self) -> None:
            """Refuse what no process could be."""
            words = (self.process,) if isinstance(self.process, str) else self.process
            if not words or not words[0] or any("\0" in word for word in words):
                raise ValueError('process must be a name, or a command and its parameters: ["/usr/sbin/nginx", "-q"]')
            if not (self.full_command or self.param_match or len(words) > 1) and len(words[0].encode()) > LONGEST_NAME:
                text = f"process {words[0]!r}: names have at most {LONGEST_NAME} bytes; cut it, or add full_command"
                raise ValueError(f"{text} = true and write the path")
            if not 1 <= self.quorum <= MOST:
                raise ValueError(f"quorum must be from 1 to {MOST}")
            if self.quorum_max is not None and not (self.quorum_max == 0 or self.quorum <= self.quorum_max <= MOST):
                raise ValueError(f"quorum_max must be 0, or from the quorum ({self.quorum}) to {MOST}")

    options: Options

    def __init__(self, options: Options) -> None:
        """Work out what is looked for, once."""
        super().__init__(options)
        words = (options.process,) if isinstance(options.process, str) else options.process
        self._name = words[0].encode()
        self._line = b"".join(word.encode() + b"\0" for word in words)
        self._has_line = options.full_command or bool(options.param_match) or len(words) > 1
        self._match = options.param_match or ("exact" if len(words) > 1 else "partial")
        self._most = MOST if options.quorum_max is None else options.quorum_max
        self._least = min(options.quorum, self._most)

    def steps(self, target: Target) -> Steps:  # noqa: ARG002  (it looks at this machine)
        """Count. There is nothing to wait for: such a body costs no task."""
        yield from ()
        count = self._count(CENSUS)
        seen = f"{count} running"
        if self._least <= count <= self._most:
            return Verdict.passed("processes", seen)
        return Verdict.failed("processes", seen, self._wanted())

    def _count(self, census: Census) -> int:
        if not self._has_line:
            return census.names()[self._name]
        lines = census.lines()
        if self._match == "exact":
            return lines[self._line]
        beginning = self._line[:-1] if self._match == "initial" else self._line
        return sum(number for line, number in lines.items() if line.startswith(beginning))

    def _wanted(self) -> str:
        if self._most == MOST:
            return f"at least {self._least}"
        return f"{self._least}" if self._least == self._most else f"{self._least} to {self._most}"
