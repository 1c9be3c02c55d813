"""A program that the runner starts for a check or an action, and how it ended. Import it from `stayalived.plugin`."""

from dataclasses import dataclass

from stayalived.timing import Duration, seconds

DEFAULT_LIMIT = seconds(30)

RUN_MARGIN = seconds(10)
"""What the answer may take beyond a program's own limit: for a free place, for TERM, for KILL, for the way."""

MOST_SAID = 200
"""Characters of a program's last line that are shown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """A program for the runner to start: as which user, with which input, for how long at most."""

    argv: tuple[str, ...]
    user: str = ""
    group: str = ""
    environment: tuple[tuple[str, str], ...] = ()
    input: bytes = b""
    limit: Duration = DEFAULT_LIMIT


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How a program ended. `problem` is empty when it exited by itself, whatever its status."""

    status: int
    signal: int
    output: bytes
    problem: str

    def __str__(self) -> str:
        """Return how it ended, with the last line that it wrote: `exit status 3: no route to host`."""
        ending = f"exit status {self.status}" if self.status >= 0 else f"ended by signal {self.signal}"
        lines = self.output.decode(errors="replace").strip().splitlines()
        said = "".join(letter for letter in lines[-1][:MOST_SAID] if letter.isprintable()) if lines else ""
        return ": ".join(filter(None, (self.problem or ending, said)))
