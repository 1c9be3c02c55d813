"""Has the runner start the programs that probes ask for. I/O."""

import asyncio
from collections.abc import Callable

from stayalived.checker.probes import Asked
from stayalived.child.calls import Calls
from stayalived.child.programs import Answer, Withdrawn
from stayalived.plugin.checks import LocalFailure
from stayalived.plugin.programs import RUN_MARGIN, Outcome, Program
from stayalived.timing import Duration, for_people, in_seconds, seconds

PATIENCE = Duration(RUN_MARGIN - seconds(2))
"""How long after a program's own limit its end is waited for: less than `RUN_MARGIN`, or the probe would fail first."""


class Programs:
    """The programs of all probes of a process."""

    def __init__(self, post: Callable[[Asked | Withdrawn], None]) -> None:
        """Hand requests to the engine with `post`."""
        self._post = post
        self._calls = Calls(post)

    async def run(self, program: Program) -> Outcome:
        """Have a program started and return how it ended.

        Raises:
            LocalFailure: it was refused, its end is not known, or there was no place for it in time.
        """
        lane = lane_of(program)
        limit = asyncio.timeout(in_seconds(Duration(program.limit + PATIENCE)))
        try:
            async with limit:
                ran = await self._calls.make(
                    lambda call: self._post(Asked(call=call, lane=lane, program=program)),
                )
        except TimeoutError as error:
            waited = for_people(Duration(program.limit + PATIENCE))
            text = f"{program.argv[0]} did not come to its end within {waited}: too many programs run at a time"
            raise LocalFailure(text) from error
        if ran.void:
            raise LocalFailure(f"{program.argv[0]} counts as not run: {ran.problem}")
        return Outcome(status=ran.status, signal=ran.signal, output=ran.output, problem=ran.problem)

    def answer(self, answer: Answer) -> None:
        """Hand over how a program ended."""
        self._calls.answer(answer)


def lane_of(program: Program) -> str:
    """Return the lane of a program: the same one may not run twice at a time, whoever asked for it."""
    variables = (f"{name}={value}" for name, value in program.environment)
    return " ".join((f"{program.user}:{program.group}", *variables, *program.argv))


async def no_programs(program: Program) -> Outcome:
    """Stand in where there is no runner."""
    raise LocalFailure(f"{program.argv[0]} was not run: there is no process here that could")
