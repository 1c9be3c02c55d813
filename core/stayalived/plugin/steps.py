"""Runs a body of steps under asyncio, for whoever has a `Net`: the test kit, and checks that call other checks."""

from contextlib import AsyncExitStack
from typing import get_args

from stayalived.errors import PluginFailure
from stayalived.plugin.checks import (
    Connect,
    Connection,
    Net,
    NetworkFailure,
    Step,
    Steps,
    Target,
    Verdict,
)

STEP_TYPES = frozenset(get_args(Step))
_NUMBERS = ("weight", "value", "server_weight")  # of a verdict
_BEYOND = 2**31  # of what a weight can be (LV32)


async def drive(steps: Steps, target: Target, net: Net) -> Verdict:
    """Carry out the steps of a body and return its verdict.

    Args:
        steps: the generator that `Check.steps` made.
        target: whom to probe.
        net: gives the connections; a new `Connect` closes the one before it.

    Returns:
        the body's verdict, or that of the step that failed at the network.

    Raises:
        PluginFailure: the body sends or receives before it has connected, or yields something that is no step.
    """
    conversation = _Conversation(target, net)
    try:
        answer = b""
        step = next(steps)
        while True:
            answer = await conversation.carry_out(check_step(step))
            step = steps.send(answer)
    except StopIteration as stop:
        return check_verdict(stop.value)
    except NetworkFailure as failure:
        return failure.verdict
    finally:
        steps.close()
        await conversation.close()


def check_verdict(value: object) -> Verdict:
    """Return what a body answered if it is a verdict.

    Raises:
        PluginFailure: it is not.
    """
    if not isinstance(value, Verdict):
        raise PluginFailure(f"answered {value!r:.100}; a check answers a Verdict")
    for name in _NUMBERS:
        number = getattr(value, name)
        if number is not None and not (isinstance(number, int) and -_BEYOND <= number < _BEYOND):
            raise PluginFailure(f"answered {name} {number!r:.100}; a whole number of 32 bits is allowed")
    return value


def check_step(value: object) -> Step:
    """Return what a body yielded if it is a step.

    Raises:
        PluginFailure: it is not.
    """
    if isinstance(value, Step):
        return value
    raise PluginFailure(f"yielded {value!r:.100}; a body yields Connect, Send, Receive, StartTls or PeerCertificate")


class _Conversation:
    """The one connection that a body of steps has at a time."""

    def __init__(self, target: Target, net: Net) -> None:
        self._target = target
        self._net = net
        self._stack = AsyncExitStack()
        self._connection: Connection | None = None

    async def carry_out(self, step: Step) -> bytes:
        """Do one step and return its answer."""
        if isinstance(step, Connect):
            await self.close()
            connecting = self._net.connect(self._target, datagrams=step.datagrams)
            self._connection = await self._stack.enter_async_context(connecting)
            return b""
        connection = self._connection
        if connection is None:
            raise PluginFailure(f"yielded {type(step).__name__} before Connect")
        return await connection.do(step)

    async def close(self) -> None:
        """Close the connection, if there is one."""
        self._connection = None
        await self._stack.aclose()
