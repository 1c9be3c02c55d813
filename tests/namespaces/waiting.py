"""Waiting for a state with a deadline: what tests use where others sleep."""

import os
import select
import time
from collections.abc import Callable
from typing import TypeVar

Result = TypeVar("Result")

GLANCE = 0.02
"""Seconds between two looks at a state that has no descriptor to wait on."""


class TooLate(AssertionError):
    """What was waited for did not happen in time."""


def wait_until(
    condition: Callable[[], Result], *, within: float, what: str, descriptor: int = -1, glance: float = GLANCE
) -> Result:
    """Look at a condition until it is true, and return what it returned.

    Args:
        condition: is called again and again; its result is true when the wait is over.
        within: limit in seconds.
        what: the end of the sentence "waited in vain for …".
        descriptor: looks are taken when it becomes readable, and every `glance` besides.
        glance: seconds between two looks.

    Raises:
        TooLate: the limit is over. It is an AssertionError.
    """
    limit = time.monotonic() + within
    poll = select.poll()
    if descriptor >= 0:
        poll.register(descriptor, select.POLLIN)
    while not (result := condition()):
        if time.monotonic() > limit:
            raise TooLate(f"waited {within} s in vain for {what}")
        poll.poll(glance * 1000)
    return result


def wait_for_exit(pid: int, *, within: float) -> bool:
    """Wait for the end of a process without reaping it; returns whether it ended."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        poll = select.poll()
        poll.register(descriptor, select.POLLIN)
        return bool(poll.poll(within * 1000))
    finally:
        os.close(descriptor)


def quiet_for(seconds: float) -> None:
    """Let time pass that the protocol under test needs, for instance to show that nothing happens in it."""
    select.poll().poll(seconds * 1000)
