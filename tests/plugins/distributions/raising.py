"""Checks that raise: in a coroutine, in a step, by leaving the process, or by answering nonsense."""

import sys
from collections.abc import Iterable

from stayalived.plugin import Check, CheckOptions, Connect, Net, Steps, Target, Verdict, hookimpl


class RaisingCheck(Check):
    name = "raising"

    class Options(CheckOptions, frozen=True, kw_only=True):
        how: str = "raise"

    options: Options

    async def probe(self, target: Target, net: Net) -> Verdict:
        match self.options.how:
            case "raise":
                raise ValueError("this plugin is broken")
            case "exit":
                sys.exit(3)
            case "interrupt":
                raise KeyboardInterrupt
            case _:
                return "up"  # type: ignore[return-value]  # nonsense is the point


class RaisingStepsCheck(Check):
    name = "raising-steps"

    def steps(self, target: Target) -> Steps:
        yield Connect()
        raise SystemExit(3)


@hookimpl
def stayalived_checks() -> Iterable[type[Check]]:
    return [RaisingCheck, RaisingStepsCheck]
