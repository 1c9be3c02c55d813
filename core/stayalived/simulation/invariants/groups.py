"""Sync groups, and the two halves of an instance: who belongs together is in one state."""

from typing import TYPE_CHECKING, Any

from stayalived.simulation.glass import Glass
from stayalived.simulation.invariants.base import Continuous, Invariant
from stayalived.simulation.lan import Datagram
from stayalived.timing import Duration, seconds
from stayalived.vrrp.states import State

if TYPE_CHECKING:
    from stayalived.simulation.machine import Machine

PATIENCE = seconds(30)
"""How long a group waits for its macvlans and for the first results of its checks (T10)."""


class OneState(Invariant):
    """The members of a sync group are in one state whenever somebody looks (SY02)."""

    NAME = "sync group in one state"

    def after(self, glass: Glass, event: Any, datagrams: tuple[Datagram, ...]) -> None:  # noqa: ARG002  (of all events)
        """Compare the members of each group."""
        for group in glass.engine.roster.groups.values():
            states = {member.state for member in group.members}
            if len(states) > 1:
                stand = ", ".join(f"{member.router.key} {member.state}" for member in group.members)
                self.fail(glass.machine.name, stand)


class BeginsInTime(Continuous):
    """A group that waits for its macvlans or its checks begins after half a minute at the latest (T10, VG17)."""

    NAME = "groups begin in time"

    def wrong(self, machine: "Machine") -> dict[str, Duration] | None:
        """See whether somebody waits."""
        glass = machine.watch.glass
        if glass is None or not glass.works or glass.stands:
            return None
        wanted = glass.configuration.globals
        delay = max(wanted.vrrp_startup_delay, wanted.vrrp_delay_after_boot)
        limit = Duration(PATIENCE + delay + seconds(1))
        return {f"{key} has not begun": limit for key, state in glass.states.items() if state is State.INIT}
