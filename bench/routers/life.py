"""The life of two hosts that run the same program, and what is measured in each part of it. I/O.

Cold start
    Both programs are started at one moment, with priority 200 and 100. Measured until the last router has had its first
    advert of the right host and its last one of the wrong host (`ear`).
Peace
    200 is MASTER of all, and nobody listens. Processor time of both (`usage`), divided by the frames that crossed the
    master's ports meanwhile.
Pressure
    A busy loop on one core, nice 0. Adverts of the host that is BACKUP (an ear with a filter in the kernel): each
    router that it speaks for is a false takeover.
Death
    SIGKILL to all processes of the MASTER, then its links are cut. The silence of a router lasts from its last advert
    to the first one of the other host (ear); when addresses came is the kernel's own time stamp (`kernel`);
    announcements are counted by the ear, the first five of each address as one block.
Crowd
    One host alone, one router with many addresses: from its first advert until the kernel has the last address, and
    until the last announcement of the first block has left.
"""

import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from statistics import median

from namespaces.waiting import TooLate, quiet_for, wait_until
from routers import usage
from routers.ear import Heard, Key
from routers.plan import FIRST, SECOND
from routers.site import Site
from routers.stacks import GARP_DELAY, Stack

HIGH, LOW = 200, 100
SETTLED = "all on the right host after a cold start, s"
"""The figure that tells whether a cold start has ended well."""

REPEAT = 5
"""Gratuitous ARPs of an address in one go: keepalived's default, and ours."""

BREATH = 2.0
"""Seconds before a death in which each router must be heard."""

SECOND_ROUND = GARP_DELAY + 3.0
"""Seconds from a takeover until the second announcements are over."""

_SECOND = 1_000_000_000

Figures = dict[str, float | None]
"""What was measured, by name. None: it did not come about."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """Two hosts with the same program."""

    site: Site
    master: Stack
    backup: Stack

    @classmethod
    def of(cls, site: Site, first: type[Stack], second: type[Stack]) -> "Pair":
        """Prepare programs on both hosts; the first one will be MASTER."""
        master = first(site.hosts[FIRST], site.plan, HIGH)
        return cls(site=site, master=master, backup=second(site.hosts[SECOND], site.plan, LOW))


def cold_start(pair: Pair, limit: float) -> Figures:
    """Start both at one moment and wait until all routers are on the right host."""
    ear = pair.site.listen()
    begun = time.time_ns()
    pair.backup.launch()
    pair.master.launch()
    groups = (pair.master.group, pair.backup.group)
    settled = pair.site.wait_for_addresses(FIRST, limit)
    quiet_for(BREATH)
    spent = usage.look(*groups)
    heard = ear.heard()
    ear.close()
    right, wrong = heard.by_router(pair.site.macs[FIRST]), heard.by_router(pair.site.macs[SECOND])
    figures: Figures = {
        "first advert after a cold start, s": _since(
            begun, min((each[0].time for each in right.values()), default=None)
        ),
        SETTLED: None,
        "adverts of the wrong host": float(sum(map(len, wrong.values()))),
        "processor time of the master's cold start, s": sum(spent.spent[groups[0]].values()) / _SECOND,
        "processor time of the backup's cold start, s": sum(spent.spent[groups[1]].values()) / _SECOND,
    }
    if settled:
        moments = [max(said[0].time, *(one.time for one in wrong.get(key, said[:1]))) for key, said in right.items()]
        figures[SETTLED] = _since(begun, max(moments))
    return figures


def peace(pair: Pair, seconds: float) -> Figures:
    """Measure what adverts cost while nothing happens."""
    quiet_for(SECOND_ROUND)
    groups = (pair.master.group, pair.backup.group)
    sent, before = pair.site.sent(FIRST), usage.look(*groups)
    quiet_for(seconds)
    adverts, after = pair.site.sent(FIRST) - sent, usage.look(*groups)
    return {
        "advert sent, us": usage.spent_between(before, after, groups[0]) / adverts / 1000,
        "advert heard, us": usage.spent_between(before, after, groups[1]) / adverts / 1000,
        "memory of the master, MiB (PSS)": usage.memory(groups[0]) / 1024,
        "memory of the backup, MiB (PSS)": usage.memory(groups[1]) / 1024,
        "processors busy with other things": usage.others_between(before, after),
    }


def pressure(pair: Pair, seconds: float, *, busy: bool = True) -> Figures:
    """Count false takeovers while a busy loop has one core."""
    ear = pair.site.listen(only=SECOND)
    loop = pair.site.hosts[SECOND].fork(_spin, "spin") if busy else None
    quiet_for(seconds)
    if loop is not None:
        loop.kill_group()
    heard = ear.heard()
    ear.close()
    taken = heard.by_router(pair.site.macs[SECOND])
    return {"false takeovers": float(len(taken)), "adverts in false takeovers": float(sum(map(len, taken.values())))}


def death(pair: Pair, limit: float) -> Figures:
    """Kill the master's host and measure how the other one takes over."""
    ear = pair.site.listen()
    quiet_for(BREATH)
    before = usage.look(pair.backup.group)
    died = time.time_ns()
    pair.master.kill()
    pair.site.cut(FIRST)
    complete = True
    try:
        wait_until(
            lambda: pair.site.held(SECOND) == pair.site.plan.addresses, within=limit, what="addresses", glance=1.0
        )
    except TooLate:
        complete = False
    quiet_for(BREATH)
    after = usage.look(pair.backup.group)
    heard = ear.heard()
    ear.close()
    spent = usage.spent_between(before, after, pair.backup.group) / _SECOND
    figures: Figures = {"processor time of the takeover, s": spent}
    figures |= _silences(pair.site, heard)
    figures |= _taken(heard, pair.site.made(SECOND), died, complete=complete)
    return figures


def _silences(site: Site, heard: Heard) -> Figures:
    old, new = heard.by_router(site.macs[FIRST]), heard.by_router(site.macs[SECOND])
    silences = [(new[key][0].time - old[key][-1].time) / _SECOND for key in old if key in new]
    firsts = [said[0].time for said in new.values()]
    return {
        "silence, first, s": min(silences),
        "silence, median, s": median(silences),
        "silence, last, s": max(silences),
        "routers not taken over": float(len(old) - len(silences)),
        "first to last new advert, s": (max(firsts) - min(firsts)) / _SECOND,
        "first to last old advert, s": _spread({key: said[-1].time for key, said in old.items()}),
    }


def _taken(heard: Heard, made: Mapping[str, int], died: int, *, complete: bool) -> Figures:
    first, last = _blocks(heard, made)
    return {
        "last address after the death, s": _since(died, max(made.values())) if complete else None,
        "last address announced after the death, s": _since(died, first) if complete else None,
        "last of the first announcements after the death, s": _since(died, last) if complete else None,
    }


def crowd(site: Site, stack: type[Stack], limit: float) -> Figures:
    """Start one host alone; its one router has many addresses. Measured from its first advert."""
    ear = site.listen()
    program = stack(site.hosts[FIRST], site.plan, HIGH)
    program.launch()
    wait_until(lambda: site.held(FIRST) == site.plan.addresses, within=limit, what="all addresses", glance=0.2)
    quiet_for(BREATH)
    heard, made = ear.heard(), site.made(FIRST)
    decided = heard.adverts[0].time
    first, last = _blocks(heard, made)
    return {
        "first advert to last address, s": _since(decided, max(made.values())),
        "first advert to last address announced, s": _since(decided, first),
        "first advert to last of the first announcements, s": _since(decided, last),
    }


def _blocks(heard: Heard, made: Mapping[str, int]) -> tuple[int | None, int | None]:
    """Return when the last address was announced for the first time, and when its first block of announcements ended.

    None: an address was not, or not as often.
    """
    blocks = [sorted(heard.announcements.get(address, ()))[:REPEAT] for address in made]
    first = max(block[0] for block in blocks) if all(blocks) else None
    last = max(block[-1] for block in blocks) if all(len(block) == REPEAT for block in blocks) else None
    return first, last


def _since(begin: int, moment: int | None) -> float | None:
    return None if moment is None else (moment - begin) / _SECOND


def _spread(last: Mapping[Key, int]) -> float:
    return (max(last.values()) - min(last.values())) / _SECOND


def _spin() -> None:
    """Keep one core busy, the last one that this machine has."""
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    while True:
        pass
