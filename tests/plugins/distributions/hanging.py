"""Checks that hang: one waits for ever, one does not even let itself be cancelled."""

import asyncio
from collections.abc import Iterable

from stayalived.plugin import Check, Net, Target, Verdict, hookimpl


class HangingCheck(Check):
    name = "hanging"

    async def probe(self, target: Target, net: Net) -> Verdict:
        await asyncio.Event().wait()
        return Verdict.passed()


class StubbornCheck(Check):
    name = "stubborn"

    async def probe(self, target: Target, net: Net) -> Verdict:
        while True:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                continue


@hookimpl
def stayalived_checks() -> Iterable[type[Check]]:
    return [HangingCheck, StubbornCheck]
