"""What a start or a reload would do for VRRP: the engine of vrrp on copies of the interfaces. Pure.

As in `rehearsal.table` the engine plays the process that runs first. Its kernel does what it is told; time stands
still, so nothing is heard and nobody takes over: what a virtual router would put into the kernel as MASTER is apart.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from stayalived.config.model import Configuration
from stayalived.config.problems import Problem
from stayalived.config.virtual_routers import Route, Rule, VirtualRouter
from stayalived.kernel.api import Barrier, Change, Item, Verb
from stayalived.kernel.commands import command
from stayalived.kernel.routes import identity
from stayalived.messages.control import Start
from stayalived.messages.vrrp import InstanceState
from stayalived.rehearsal.situation import Situation
from stayalived.rehearsal.station import NEW, Station
from stayalived.timing import Instant
from stayalived.vrrp import effects
from stayalived.vrrp.desk import Effect
from stayalived.vrrp.holding import items_of
from stayalived.vrrp.states import State

Line = tuple[str, str]
"""A command line, or a sentence, and the instance that it is about, where it is about one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RouterSteps:
    """What would happen.

    Attributes:
        problems: what the process would say of the configuration; with an error it would refuse it.
        states: what becomes of instances, as sentences.
        instances: the same, as ipvs is told of it.
        at_once: what is done as soon as the configuration is in force.
        as_master: what each instance that is not MASTER would put into the kernel once it is, where that is new.
    """

    problems: tuple[Problem, ...] = ()
    states: tuple[Line, ...] = ()
    instances: Mapping[str, InstanceState] = field(default_factory=dict, compare=False)
    at_once: tuple[Line, ...] = ()
    as_master: tuple[Line, ...] = ()


def rehearse_routers(wanted: Configuration, situation: Situation, now: Instant) -> RouterSteps:
    """Return what a start, or a reload where something runs, would do for VRRP."""
    running = situation.running
    if not (wanted.instances or (running is not None and running.instances)):
        return RouterSteps()
    station = Station(situation, now)
    if running is not None:
        station.go_on(running)
    before = dict(station.states)
    if not station.use(wanted, NEW, Start.RELOAD if running is not None else Start.FIRST):
        return RouterSteps(problems=station.problems)
    masters = {name for name, told in before.items() if told.state == State.MASTER}
    there = _Present(situation, masters)
    return RouterSteps(
        problems=station.problems,
        states=tuple(_moves(before, station.states)),
        instances=dict(station.states),
        at_once=tuple(_lines(station.done, there)),
        as_master=tuple(_as_master(wanted, running, station.states)),
    )


class _Present:
    """What of ours the kernel has: to take away what is not there is nothing that would be done."""

    def __init__(self, situation: Situation, masters: set[str]) -> None:
        running = situation.running
        routers = [router for one in running.instances for router in one.routers] if running else []
        held = [item for router in routers if _is_of(router, masters) for item in items_of(router)]
        self._barriers = {item for item in held if isinstance(item, Barrier)}
        self._routes = {identity(route) for route in situation.routes}
        self._rules = {rule.key for rule in situation.rules}

    def has(self, item: Item) -> bool:
        match item:
            case Route():
                return identity(item) in self._routes
            case Rule():
                return item.key in self._rules
            case Barrier():
                return item in self._barriers
        return True


def _is_of(router: VirtualRouter, names: set[str]) -> bool:
    """Tell whether a virtual router belongs to one of these instances; a half of a split one has its own name."""
    return router.instance in names or router.key in names


def _lines(done: Sequence[Effect], there: _Present) -> Iterator[Line]:
    """Return what effects do, once each, in their order."""
    lines = (line for effect in done for line in _described(effect, there))
    return iter(dict.fromkeys(lines))


def _described(effect: Effect, there: _Present) -> Iterator[Line]:
    match effect:
        case effects.ApplyChanges(changes=changes):
            yield from ((command(one), "") for one in changes if one.verb is Verb.ADD or there.has(one.item))
        case effects.MakeVirtualMac(virtual_mac=mac):
            address = mac.mac.hex(":")
            yield f"ip link add link {mac.parent} name {mac.name} address {address} type macvlan mode private", ""
        case effects.RemoveVirtualMacs(names=names):
            yield from ((f"ip link delete {name}", "") for name in names)
        case effects.SetSysctl(name=name, value=value):
            yield f"sysctl -w {name}={value}", ""
        case effects.SendAdverts(adverts=adverts):
            leaving = (advert for advert in adverts if advert.leaving)
            yield from (
                (f"advert of priority 0 on {one.interface} to {one.destination}", one.router) for one in leaving
            )
        case effects.SendGratuitousArp(interface=name, address=address):
            yield f"gratuitous ARP for {address} on {name}", ""
        case effects.SendNeighbourAdvert(interface=name, address=address):
            yield f"neighbour advertisement for {address} on {name}", ""


def _moves(before: Mapping[str, InstanceState], states: Mapping[str, InstanceState]) -> Iterator[Line]:
    """Return what becomes of each instance."""
    for name, old in before.items():
        new = states.get(name)
        if new is None:
            yield f"instance {name}: {old.state} -> ends", name
            continue
        if old.state != new.state:
            yield f"instance {name}: {old.state} -> {new.state}{_because(new)}", name
        if old.priority != new.priority:
            yield f"instance {name}: priority {old.priority} -> {new.priority}", name
    for name, new in states.items():
        if name not in before:
            yield f"instance {name}: begins, {new.state}, priority {new.priority}{_because(new)}", name


def _because(state: InstanceState) -> str:
    return f": {state.reason}" if state.reason else ""


def _as_master(
    wanted: Configuration, running: Configuration | None, states: Mapping[str, InstanceState]
) -> Iterator[Line]:
    """Return what would be put into the kernel by those that are not MASTER, where it is not what it was before."""
    masters = {name for name, told in states.items() if told.state == State.MASTER}
    known: dict[str, tuple[Item, ...]] = {}
    for instance in running.instances if running else ():
        known |= {router.key: items_of(router) for router in instance.routers}
    for instance in wanted.instances:
        for router in instance.routers:
            if not _is_of(router, masters):
                new = (item for item in items_of(router) if item not in known.get(router.key, ()))
                yield from ((command(Change(verb=Verb.ADD, item=item)), router.key) for item in new)
