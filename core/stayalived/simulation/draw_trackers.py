"""What drawn instances and sync groups track: checks, the uplink, with and without weights."""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace
from random import Random
from typing import TYPE_CHECKING

from stayalived.config.virtual_routers import Tracker
from stayalived.simulation.plans import OWNER, GroupPlan, InstancePlan, Station
from stayalived.simulation.services import key_of

if TYPE_CHECKING:
    from stayalived.simulation.draw import Feature

UPLINK = "uplink0"
"""An interface that has no virtual router; some track it."""

CHECKS = ("a", "b")
WEIGHTS = (0, 0, -120, -30, 40, 120)
"""Larger ones than the distances of priorities turn an election, smaller ones do not, and some are cut off."""


def draw_trackers(
    chance: Random,
    instances: list[InstancePlan],
    groups: tuple[GroupPlan, ...],
    stations: Sequence[Station],
    features: "AbstractSet[Feature]",
) -> tuple[list[InstancePlan], tuple[GroupPlan, ...], tuple[str, ...], frozenset[tuple[str, str]]]:
    """Let some instances and groups track something.

    Returns:
        instances and groups, the names of the checks that are tracked, and which of them fail on which machine even in
        quiet times.
    """
    wanted = [feature.name for feature in features]
    tracking = [
        replace(instance, trackers=_trackers(chance, _may_weigh(instance), wanted if place == 0 else []))
        for place, instance in enumerate(instances)
    ]
    owned = {instance.name for instance in instances if not _may_weigh(instance)}
    together = tuple(replace(group, trackers=_trackers(chance, not owned & set(group.members), [])) for group in groups)
    trackers = [tracker for one in tracking for tracker in one.trackers]
    trackers += [tracker for group in together for tracker in group.trackers]
    used = {tracker.name for tracker in trackers if tracker.check}
    checks = tuple(name for name in CHECKS if name in used)
    failing = {(one.name, name) for one in stations for name in checks if chance.random() < 0.08}
    return tracking, together, checks, frozenset(failing)


def _may_weigh(instance: InstancePlan) -> bool:
    """Tell whether trackers may have weights: where a machine is the owner they may not (T03)."""
    return OWNER not in instance.priorities


def _trackers(chance: Random, may_weigh: bool, wanted: list[str]) -> tuple[Tracker, ...]:
    trackers = [
        _check(chance, name, may_weigh)
        for name in CHECKS
        if ("CHECK" in wanted and name == CHECKS[0]) or chance.random() < 0.15
    ]
    if "UPLINK" in wanted or chance.random() < 0.12:
        weight = chance.choice(WEIGHTS) if may_weigh else 0
        trackers.append(Tracker(name=UPLINK, interface=UPLINK, weight=weight))
    return tuple(trackers)


def _check(chance: Random, name: str, may_weigh: bool) -> Tracker:
    weight = chance.choice(WEIGHTS) if may_weigh else 0
    return Tracker(
        name=name,
        check=key_of(name),
        weight=weight,
        reverse=chance.random() < (0.1 if weight else 0.03),
        init_fail=chance.random() < 0.15,
    )
