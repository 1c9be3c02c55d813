"""A drawn cluster in words, for whoever looks at a failure."""

from collections.abc import Iterator

from stayalived.config.virtual_routers import Tracker
from stayalived.simulation.draw import Draw
from stayalived.simulation.plans import InstancePlan, Plan
from stayalived.timing import for_people

FEW = 8
"""Instances that are described; of many more the others are like these."""


def describe(drawn: Draw) -> str:
    """Return a cluster in words, a line for each machine, instance, group."""
    return "\n".join(_lines(drawn))


def _lines(drawn: Draw) -> Iterator[str]:
    names = [f"{station.name}{' (mirrored)' if station.mirrored else ''}" for station in drawn.stations]
    cost = f", a change of the kernel takes {for_people(drawn.change_cost)}" if drawn.change_cost else ""
    yield f"machines {', '.join(names)}; sockets hold {drawn.room} packets{cost}"
    for instance in drawn.plan.instances[:FEW]:
        yield _instance(instance)
    if len(drawn.plan.instances) > FEW:
        yield f"and {len(drawn.plan.instances) - FEW} instances more"
    yield from _rest(drawn.plan)
    if drawn.failing:
        yield f"always failing: {', '.join(f'{name} at {machine}' for machine, name in sorted(drawn.failing))}"


def _instance(plan: InstancePlan) -> str:
    words = [
        f"instance {plan.name}: eth{plan.segment}, number {plan.number}, version {plan.version}",
        f"each {for_people(plan.advert_int)}, priorities {'/'.join(map(str, plan.priorities))}",
        f"{len(plan.addresses)} addresses and {len(plan.excluded)} excluded",
    ]
    switches = {
        "split": plan.split,
        "virtual MACs": plan.has_mac,
        "unicast": plan.unicast,
        "nopreempt": not plan.preempt,
        f"preempt_delay {for_people(plan.preempt_delay)}": bool(plan.preempt_delay),
        "accept = false": not plan.accept,
        "password": bool(plan.authentication),
        "routes and rules": bool(plan.routes or plan.rules),
        "no_track": bool(plan.untracked),
    }
    words += [name for name, on in switches.items() if on]
    words += [name if value is True else f"{name} {value}" for name, value in plan.manners]
    words += [_tracker(tracker) for tracker in plan.trackers]
    return ", ".join(words)


def _rest(plan: Plan) -> Iterator[str]:
    for group in plan.groups:
        yield ", ".join([f"group {group.name} of {' and '.join(group.members)}", *map(_tracker, group.trackers)])
    if plan.service is not None:
        yield f"virtual server with {len(plan.service.weights)} real servers, quorum {plan.service.quorum}"
    for name, delay in (("startup", plan.startup_delay), ("after boot", plan.delay_after_boot)):
        if delay:
            yield f"delay {name} {for_people(delay)}"


def _tracker(tracker: Tracker) -> str:
    weight = f" weight {tracker.weight}" if tracker.weight else ""
    marks = f"{' reverse' if tracker.reverse else ''}{' init_fail' if tracker.init_fail else ''}"
    return f"tracks {tracker.name}{weight}{marks}"
