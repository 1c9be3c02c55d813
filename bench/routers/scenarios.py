"""What is run: which virtual routers, and which parts of their life."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from namespaces.lab import Lab
from routers import life
from routers.life import Figures, Pair
from routers.plan import Plan
from routers.site import Site
from routers.stacks import Stack

START_LIMIT = 90.0
"""Seconds within which all must have settled after a cold start."""

TAKEOVER_LIMIT = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Lengths:
    """How long is measured, in seconds; 0: not at all."""

    peace: float
    pressure: float
    fast: float


Run = Callable[[type[Stack], type[Stack]], Figures]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """One thing to measure. `run` takes the programs of the first and the second host."""

    name: str
    run: Run


def crowds(routers: list[int], lengths: Lengths, **shape: int) -> Iterator[Scenario]:
    """Many routers at usual intervals, from the cold start to the death of their master."""
    for number in routers:
        plan = Plan(routers=number, version=shape["version"], ipv6=bool(shape["ipv6"]))

        def run(first: type[Stack], second: type[Stack], plan: Plan = plan) -> Figures:
            with Lab() as lab:
                pair = Pair.of(Site(lab, plan), first, second)
                figures: Figures = {"to read the configuration, s": pair.master.read()}
                figures |= life.cold_start(pair, START_LIMIT)
                if figures[life.SETTLED] is None:
                    return figures
                if lengths.peace:
                    figures |= life.peace(pair, lengths.peace)
                if lengths.pressure:
                    figures |= life.pressure(pair, lengths.pressure)
                return figures | life.death(pair, TAKEOVER_LIMIT)

        family = "IPv6" if plan.ipv6 else "IPv4"
        yield Scenario(name=f"{number} routers, {family}, version {plan.version}, 1 s, {plan.links} links", run=run)


def fast(lengths: Lengths) -> Iterator[Scenario]:
    """Adverts every 10 ms."""
    for number in (1, 20) if lengths.fast else ():
        plan = Plan(routers=number, links=1, interval=0.01)

        def run(first: type[Stack], second: type[Stack], plan: Plan = plan) -> Figures:
            with Lab() as lab:
                pair = Pair.of(Site(lab, plan), first, second)
                figures = life.cold_start(pair, START_LIMIT)
                figures |= life.peace(pair, lengths.fast / 4)
                return figures | life.pressure(pair, lengths.fast, busy=False)

        yield Scenario(name=f"{number} {'router' if number == 1 else 'routers'}, adverts every 10 ms", run=run)


def many_addresses(number: int) -> Scenario:
    """One router with many addresses; its adverts name one of them."""
    plan = Plan(routers=1, links=1, excluded=number - 1)

    def run(first: type[Stack], _second: type[Stack]) -> Figures:
        with Lab() as lab:
            return life.crowd(Site(lab, plan), first, TAKEOVER_LIMIT)

    return Scenario(name=f"{number} addresses in one router", run=run)
