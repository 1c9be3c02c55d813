"""What ipvs told last, and in which words. Pure."""

from dataclasses import dataclass

from stayalived.ipvs.health import State
from stayalived.messages.services import ServiceState
from stayalived.timing import Instant, elapsed, seconds

COUNTERS_TOLD_EVERY = seconds(2)
"""A state in which nothing but connection counters moved is told no oftener."""

VERBS = {
    (old, new, inhibit): (
        "Adding {} to its pool"
        if new is State.UP and not (inhibit and old is State.DOWN)
        else "Enabling {}"
        if new is State.UP
        else "Disabling {}, weight 0"
        if inhibit
        else "Removing {} from its pool"
        if old is State.UP
        else "Leaving {} out of its pool"
    )
    for old in State
    for new in (State.UP, State.DOWN)
    for inhibit in (False, True)
}
"""keepalived's words, which people search their logs for."""


@dataclass(frozen=True, slots=True)
class Told:
    """A state as it was last told."""

    state: ServiceState
    at: Instant


def too_soon(told: Told, state: ServiceState, now: Instant) -> bool:
    """Tell whether only counters moved, and not long after the last time."""
    return elapsed(told.at, now) < COUNTERS_TOLD_EVERY and _without_counters(told.state) == _without_counters(state)


def _without_counters(state: ServiceState) -> tuple[object, ...]:
    rows = tuple(
        (row.subject, row.state, row.weight, row.configured_weight, row.reason, row.overrides) for row in state.servers
    )
    settings = (state.addresses, state.scheduler, state.forward)
    return (*settings, state.quorum, state.sorry, state.panic, state.problem, rows)
