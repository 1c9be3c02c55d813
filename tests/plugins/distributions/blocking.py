"""Checks that keep the loop to themselves: asleep, and busy."""

import time
from collections.abc import Iterable
from time import sleep as block  # the misdeed itself: nothing is waited for

from stayalived.plugin import Check, Connect, Net, Steps, Target, Verdict, hookimpl


class BlockingCheck(Check):
    name = "blocking"

    async def probe(self, target: Target, net: Net) -> Verdict:
        block(60)  # noqa: ASYNC251  (as above)
        return Verdict.passed()


class BusyCheck(Check):
    name = "busy"

    def steps(self, target: Target) -> Steps:
        yield Connect()
        end = time.monotonic() + 60
        while time.monotonic() < end:
            pass
        return Verdict.passed()


@hookimpl
def stayalived_checks() -> Iterable[type[Check]]:
    return [BlockingCheck, BusyCheck]
