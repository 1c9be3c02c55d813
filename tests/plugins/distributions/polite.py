"""A check that works: a coroutine that uses `net` and lets what it raises through."""

from collections.abc import Iterable

from stayalived.plugin import Check, Net, Target, Verdict, hookimpl


class PoliteCheck(Check):
    name = "polite"

    async def probe(self, target: Target, net: Net) -> Verdict:
        async with net.connect(target) as connection:
            await connection.send(b"HELLO\n")
            heard = await connection.receive()
        return Verdict.passed("hello") if heard else Verdict.failed("hello", "nothing", "an answer")


@hookimpl
def stayalived_checks() -> Iterable[type[Check]]:
    return [PoliteCheck]
