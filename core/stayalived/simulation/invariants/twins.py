"""Two MASTERs of one virtual router: for no longer than it takes them to hear each other."""

from typing import TYPE_CHECKING

from stayalived.config.virtual_routers import VirtualRouter
from stayalived.simulation.invariants.adverts import CHANGES
from stayalived.simulation.invariants.base import Continuous
from stayalived.simulation.invariants.hearing import speak_alike
from stayalived.timing import Duration, milliseconds
from stayalived.vrrp.election import Election

if TYPE_CHECKING:
    from stayalived.simulation.machine import Machine

ON_THE_WAY = milliseconds(20)
"""From one machine to the other, and until it has acted on it; also packets that look only now and then."""


class NoTwins(Continuous):
    """Two are MASTER no longer than one advert interval, where both hear each other (RFC 9568 6.4.3)."""

    NAME = "no two masters"

    def wrong(self, machine: "Machine") -> dict[str, Duration] | None:
        """Compare the masters of this machine with those of all others."""
        mine = self._masters(machine)
        wrong: dict[str, Duration] = {}
        for other in machine.cluster.machines if mine else ():
            theirs = self._masters(other) if other is not machine else {}
            for key in mine.keys() & theirs.keys():
                one, two = mine[key], theirs[key]
                if self._hear_each_other(machine, other, one.router, two.router):
                    wrong[f"{key} is MASTER here and on {other.name}"] = self._limit(key, machine, other)
        return wrong

    def _masters(self, machine: "Machine") -> dict[str, Election]:
        glass = machine.watch.glass
        if glass is None or not glass.works or glass.stands or machine.refusing or not machine.node.on:
            return {}
        return {member.router.key: member for member in glass.masters()}

    def _hear_each_other(self, here: "Machine", there: "Machine", one: VirtualRouter, two: VirtualRouter) -> bool:
        if one.interface != two.interface or not (speak_alike(one, two) and speak_alike(two, one)):
            return False
        ports = [machine.ports[one.interface] for machine in (here, there)]
        lan = ports[0].lan
        return lan is not None and lan.fair_since is not None and all(port.is_up for port in ports)

    def _limit(self, key: str, one: "Machine", two: "Machine") -> Duration:
        """Return how long it may last: until the better one's next advert.

        Of a group the leading member decides about a tie, and another one only when that has heard nothing.
        """
        groups = [glass.groups[key] for machine in (one, two) if (glass := machine.watch.glass) is not None]
        together = [member for group in groups for member in group.members]
        interval = max(member.router.advert_int for member in together)
        rounds = 2 if len(together) > len(groups) else 1
        busy = 4 * CHANGES * one.drawn.change_cost
        return Duration(rounds * interval + ON_THE_WAY + busy)
