"""The coroutines of a child that wait for a program of the runner's. I/O."""

import asyncio
import itertools
from collections.abc import Callable

from stayalived.child.programs import Answer, Withdrawn
from stayalived.messages.notify import Ran


class Calls:
    """Gives each call a number, and brings the answer to whoever waits for it."""

    def __init__(self, withdraw: Callable[[Withdrawn], None]) -> None:
        """Begin with none; `withdraw` is told of those that are cancelled."""
        self._withdraw = withdraw
        self._waiting: dict[int, asyncio.Future[Ran]] = {}
        self._numbers = itertools.count(1)

    async def make(self, ask: Callable[[int], None]) -> Ran:
        """Ask for a program under a new number and return how it ended; cancelled, withdraw it."""
        call = next(self._numbers)
        future: asyncio.Future[Ran] = asyncio.get_running_loop().create_future()
        self._waiting[call] = future
        ask(call)
        try:
            return await future
        except asyncio.CancelledError:
            self._waiting.pop(call, None)
            self._withdraw(Withdrawn(call=call))
            raise

    def answer(self, answer: Answer) -> None:
        """Wake whoever waits for this call; nobody does when it was cancelled meanwhile."""
        future = self._waiting.pop(answer.call, None)
        if future is not None and not future.done():
            future.set_result(answer.ran)
