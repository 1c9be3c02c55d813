"""A distribution whose check has a program run, and takes what it prints for a value."""

from collections.abc import Iterable

from stayalived.plugin import Check, CheckOptions, Net, Program, Target, Verdict, hookimpl, seconds


class Launching(Check):
    """How much does a program say that there is?"""

    name = "launching"
    aim = "none"
    needs_port = False

    class Options(CheckOptions, frozen=True):
        """What to run."""

        command: tuple[str, ...] = ()

    options: Options

    async def probe(self, target: Target, net: Net) -> Verdict:
        """Run it."""
        outcome = await net.run(Program(argv=self.options.command, limit=seconds(5)))
        return Verdict(up=outcome.status == 0, step="said", value=int(outcome.output or 0))


@hookimpl
def stayalived_checks() -> Iterable[type[Check]]:
    """Return the check."""
    return (Launching,)
