"""Effective priorities: what trackers make of them, and what the wire says."""

from typing import TYPE_CHECKING

from stayalived.config.virtual_routers import Tracker
from stayalived.simulation.glass import Glass
from stayalived.simulation.invariants.base import SETTLED, Continuous
from stayalived.simulation.invariants.faults import OWNER, configured, seen_of
from stayalived.timing import Duration
from stayalived.vrrp.effects import SendAdvert
from stayalived.vrrp.group import Group

if TYPE_CHECKING:
    from stayalived.simulation.machine import Machine

_PRIORITY = 2
"""Place of the priority in a message of either version (RFC 3768 5.1, RFC 9568 5.1)."""


def priority_of(glass: Glass, group: Group, instance: str) -> int:
    """Return an instance's effective priority: base and the sum of all weights, between 1 and 254 (T01, T03, SY03)."""
    instances, sync = configured(glass, group)
    plan = next(one for one in instances if one.name == instance)
    if plan.priority == OWNER:
        return OWNER
    trackers = sync.trackers if sync else plan.trackers
    return max(1, min(254, plan.priority + sum(_delta(glass, tracker) for tracker in trackers)))


def _delta(glass: Glass, tracker: Tracker) -> int:
    """Return what a tracker adds: its weight while up, where it is positive; while down, where it is negative."""
    up = seen_of(glass, tracker)
    if up is None:
        if not tracker.init_fail:
            return 0
        up = False
    applies = up if tracker.weight > 0 else not up
    weight = -tracker.weight if tracker.reverse else tracker.weight
    return weight if applies else 0


class EffectivePriority(Continuous):
    """The effective priority is base plus sum, clamped, the owner's unchanged; adverts say it (T01, T03, T04, SY03)."""

    NAME = "effective priority"

    def sending(self, glass: Glass, advert: SendAdvert) -> None:
        """Compare what an advert says with what its virtual router has."""
        said = advert.data[_PRIORITY]
        found = glass.engine.roster.members.get(advert.router)
        if found is None or advert.leaving:
            if said:
                self.fail(glass.machine.name, f"{advert.router} leaves with an advert of priority {said}")
        elif said != found[1].priority:
            self.fail(glass.machine.name, f"{advert.router} says {said}, its priority is {found[1].priority}")

    def wrong(self, machine: "Machine") -> dict[str, Duration] | None:
        """Compare what the engine reckons with what the configuration and the tracked things say."""
        glass = machine.watch.glass
        if glass is None or not glass.works or glass.stands or machine.monitor.is_deaf:
            return None
        wrong: dict[str, Duration] = {}
        for group in glass.engine.roster.groups.values():
            for member in group.members:
                expected = priority_of(glass, group, member.router.instance)
                if member.priority != expected:
                    wrong[f"{member.router.key} has priority {member.priority}, {expected} is right"] = SETTLED
        return wrong
