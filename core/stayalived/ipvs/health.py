"""What ipvs believes of a real server, from the results of its checks. Pure.

| before | a result is missing | a result is down | all are up |
|---|---|---|---|
| UNKNOWN | UNKNOWN; without `alpha` it counts as up | DOWN | UP |
| UP | UP | DOWN | UP |
| DOWN | DOWN | DOWN | UP |

All checks of a server must be up (LV43); one without checks is always UP (LV44). A result that is missing in a server
that was judged before is that of a check added by a reload: it changes nothing until it comes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from stayalived.messages.services import CheckState


class State(StrEnum):
    """Where a real server stands. UNKNOWN is neither in the pool nor down, and nobody is told of it."""

    UNKNOWN = "UNKNOWN"
    UP = "UP"
    DOWN = "DOWN"


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What one check says of a server.

    Attributes:
        up: its verdict, or None: there is none yet.
        alpha: without a verdict the server waits outside of the pool.
        delta: what the check adds to the server's weight.
        reason: why, for people.
    """

    up: bool | None
    alpha: bool
    delta: int = 0
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """Where a server stands, and why.

    Attributes:
        state: the judgement.
        delta: sum of what its checks add to its weight (C38).
        held: it was found in the kernel's table with weight 0 and stays there so while it is UNKNOWN.
        reason: what the guilty check said, or how the server came by its state.
    """

    state: State
    delta: int = 0
    held: bool = False
    reason: str = ""


UNKNOWN = Health(state=State.UNKNOWN)
UNCHECKED = Health(state=State.UP)
"""Of a server without checks: one for all of them."""


def result_of(alpha: bool, told: CheckState | None, *, stale_is_down: bool) -> Result:
    """Return what a check says of a server.

    Args:
        alpha: without a verdict the server waits outside of the pool.
        told: its verdict; None: there was none yet.
        stale_is_down: a verdict that is too old counts as down.
    """
    if told is None:
        return Result(up=None, alpha=alpha)
    if told.stale and told.up and stale_is_down:
        return Result(up=False, alpha=alpha, delta=told.weight, reason=f"stale: {told.reason}")
    return Result(up=told.up, alpha=alpha, delta=told.weight, reason=told.reason)


def judge(before: Health, results: Sequence[Result]) -> Health:
    """Return where a server stands now.

    Args:
        before: where it stood.
        results: of all its checks, in the order of the configuration.

    Returns:
        its health; equal to `before` when nothing changed.
    """
    if not results and before in (UNKNOWN, UNCHECKED):
        return UNCHECKED
    return Health(
        state=_judge_state(before, results),
        delta=sum(result.delta for result in results),
        held=before.held,
        reason=_reason(results) or before.reason,
    )


def _judge_state(before: Health, results: Sequence[Result]) -> State:
    missing = [result for result in results if result.up is None]
    if before.state is State.UNKNOWN and any(result.alpha or before.held for result in missing):
        return State.UNKNOWN
    if any(result.up is False for result in results):
        return State.DOWN
    if missing and before.state is State.DOWN:
        return State.DOWN
    return State.UP


def _reason(results: Sequence[Result]) -> str:
    """Return what the first check that is down says, else what the first one says."""
    guilty = [result.reason for result in results if result.up is False]
    return next((reason for reason in (*guilty, *(result.reason for result in results)) if reason), "")
