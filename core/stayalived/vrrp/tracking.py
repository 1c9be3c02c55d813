"""What instances track, and what becomes of their priority: keepalived's T01 to T12, as pure arithmetic.

| tracker | while it is up | while it is down |
|---|---|---|
| weight > 0 | + weight | |
| weight < 0 | | - weight |
| weight 0 | | FAULT |
| a number (`file`) with a weight | + number x weight; FAULT at -254 and below | |
| a number with weight 0 | FAULT unless it is 0 | |

`reverse` turns the sign of a weight, and up and down where the weight is 0. The effective priority lies between 1 and
254; an owner's never changes.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from stayalived.config.virtual_routers import Tracker
from stayalived.vrrp.links import Link
from stayalived.vrrp.packet import PRIORITY_OWNER

LOWEST, HIGHEST = 1, 254
"""Effective priorities of a router that is not the owner (RFC 9568 5.2.4)."""

WORST = -254
"""A tracked number that lowers the priority by so much is a fault (T12)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tracked:
    """What a check says.

    Attributes:
        up: whether it passes; None before its first result.
        value: the number that it measured, where it measures one.
        reason: why, for people.
    """

    up: bool | None
    value: int | None = None
    reason: str = ""


UNKNOWN = Tracked(up=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What some trackers make of an instance.

    Attributes:
        delta: what they add to its priority.
        faults: what keeps it from working.
        waiting: checks that decide about that and have no result yet.
    """

    delta: int = 0
    faults: tuple[str, ...] = ()
    waiting: tuple[str, ...] = ()


def judge(trackers: Iterable[Tracker], checks: Mapping[str, Tracked], links: Mapping[str, Link]) -> Standing:
    """Return what trackers come to.

    Args:
        trackers: of an instance, or of its group.
        checks: what is known of checks, by key.
        links: interfaces by name.
    """
    delta = 0
    faults: list[str] = []
    waiting: list[str] = []
    for tracker in trackers:
        what, seen = _observe(tracker, checks, links)
        if seen.up is None and not tracker.init_fail:
            if not tracker.weight:
                waiting.append(what)
            continue
        change = _weigh(tracker, seen)
        if change is None:
            faults.append(f"{what} {_complaint(tracker, seen)}")
        else:
            delta += change
    return Standing(delta=delta, faults=tuple(faults), waiting=tuple(waiting))


def unknown(standing: Standing) -> tuple[str, ...]:
    """Return what trackers wait for, for people."""
    return tuple(f"{what} has no result yet" for what in standing.waiting)


def effective(base: int, delta: int) -> int:
    """Return the effective priority (T01, T03)."""
    return base if base == PRIORITY_OWNER else max(LOWEST, min(HIGHEST, base + delta))


def _observe(tracker: Tracker, checks: Mapping[str, Tracked], links: Mapping[str, Link]) -> tuple[str, Tracked]:
    """Return what a tracker is about, for people, and what is known of it."""
    if not tracker.interface:
        return f"check {tracker.name}", checks.get(tracker.check, UNKNOWN)
    link = links.get(tracker.interface)
    return f"interface {tracker.interface}", Tracked(up=link is not None and not link.is_down)


def _weigh(tracker: Tracker, seen: Tracked) -> int | None:
    """Return what a tracker adds to the priority; None when it is a fault."""
    weight = -tracker.weight if tracker.reverse else tracker.weight
    if seen.value is not None:
        if not weight:
            return 0 if (seen.value == 0) is not tracker.reverse else None
        product = seen.value * weight
        return None if product <= WORST else product
    if not weight:
        return 0 if bool(seen.up) is not tracker.reverse else None
    applies = bool(seen.up) is (tracker.weight > 0)
    return weight if applies else 0


def _complaint(tracker: Tracker, seen: Tracked) -> str:
    """Return what is wrong about a tracker that is a fault, for after its name."""
    if tracker.interface:
        return "is up" if seen.up else "is down"
    if seen.value is not None:
        return f"says {seen.value}"
    if seen.up is None:
        return "has no result yet"
    if seen.up:
        return "passes"
    return f"fails: {seen.reason}" if seen.reason else "fails"
