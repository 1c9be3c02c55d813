"""What each fault does to a cluster, and how it is undone. The storm decides when (`weather.py`)."""

from collections.abc import Callable
from enum import StrEnum
from random import Random
from typing import TYPE_CHECKING

from stayalived.simulation.pipes import Pipe
from stayalived.simulation.servers import Server
from stayalived.simulation.world import between
from stayalived.supervisor.events import Order
from stayalived.timing import after

if TYPE_CHECKING:
    from stayalived.simulation.cluster import Cluster, Machine


class Fault(StrEnum):
    """What may go wrong."""

    LOSS = "loss"
    DUPLICATION = "duplication"
    DELAY = "delay"
    REORDERING = "reordering"
    CORRUPTION = "corruption"
    PARTITION = "partition"
    ONE_WAY = "one-way partition"
    LINK_FLAP = "link flap"
    CHILD_KILLED = "child killed"
    FROZEN = "node frozen"
    REFUSAL = "netlink refusal"
    FULL_PIPE = "full pipe"
    SERVER_STALLS = "server stalls"
    SERVER_FLAPS = "server flaps"
    SERVER_LIES = "server lies"
    RELOAD = "reload"


Undo = Callable[[], None]
Blow = Callable[["Cluster", "Machine", Random], Undo | None]

FREEZE = (0.05, 6.0)
"""Seconds that a frozen machine stays frozen, at least and at most."""


def _condition(name: str, value: float) -> Blow:
    def blow(cluster: "Cluster", _machine: "Machine", _chance: Random) -> Undo:
        conditions = cluster.lan.conditions
        setattr(conditions, name, value)
        return lambda: setattr(conditions, name, 0.0)

    return blow


def _partition(*, both_ways: bool) -> Blow:
    def blow(cluster: "Cluster", machine: "Machine", chance: Random) -> Undo:
        side = {machine.name} | {other.name for other in cluster.machines if chance.random() < 0.3}
        far = [other.name for other in cluster.machines if other.name not in side]
        added = {(near, other) for near in side for other in far}
        if both_ways:
            added |= {(other, near) for near, other in added}
        cluster.lan.conditions.cut |= added
        return lambda: cluster.lan.conditions.cut.difference_update(added)

    return blow


def cut_cable(_cluster: "Cluster", machine: "Machine", _chance: Random) -> Undo:
    """Pull the cable of a machine."""
    machine.set_link(up=False)
    return lambda: machine.set_link(up=True)


def kill_child(_cluster: "Cluster", machine: "Machine", chance: Random) -> None:
    """Kill one of a machine's processes, between two events."""
    children = [machine.node.children[name] for name in sorted(machine.node.children)]
    if children:
        chance.choice(children).kill()


def reload(_cluster: "Cluster", machine: "Machine", chance: Random) -> None:
    """Change the weights in the files of a machine and send HUP."""
    machine.change_weights([chance.choice((1, 2, 5)) for _ in range(2)])
    machine.node.signal(Order.RELOAD)


def _freeze(cluster: "Cluster", machine: "Machine", chance: Random) -> None:
    machine.node.freeze(after(cluster.world.now, between(chance, *FREEZE)))


def _refuse(_cluster: "Cluster", machine: "Machine", _chance: Random) -> Undo:
    machine.refusing = True
    return lambda: setattr(machine, "refusing", False)


def _fill_pipe(_cluster: "Cluster", machine: "Machine", chance: Random) -> Undo | None:
    children = [machine.node.children[name] for name in sorted(machine.node.children)]
    if not children:
        return None
    child = chance.choice(children)
    pipe: Pipe = chance.choice((child.to_child, child.to_supervisor))
    before = pipe.capacity
    pipe.resize(0)
    return lambda: pipe.resize(before)


def _server(name: str, value: object, well: object) -> Blow:
    def blow(cluster: "Cluster", _machine: "Machine", chance: Random) -> Undo | None:
        addresses = cluster.farm.addresses()
        if not addresses:
            return None
        server: Server = cluster.farm.server(chance.choice(addresses))
        setattr(server, name, value)
        return lambda: setattr(server, name, well)

    return blow


BLOWS: dict[Fault, Blow] = {
    Fault.LOSS: _condition("loss", 0.4),
    Fault.DUPLICATION: _condition("duplication", 0.4),
    Fault.DELAY: _condition("delay", 0.5),
    Fault.REORDERING: _condition("reordering", 0.5),
    Fault.CORRUPTION: _condition("corruption", 0.5),
    Fault.PARTITION: _partition(both_ways=True),
    Fault.ONE_WAY: _partition(both_ways=False),
    Fault.LINK_FLAP: cut_cable,
    Fault.CHILD_KILLED: kill_child,
    Fault.FROZEN: _freeze,
    Fault.REFUSAL: _refuse,
    Fault.FULL_PIPE: _fill_pipe,
    Fault.SERVER_STALLS: _server("stalled", value=True, well=False),
    Fault.SERVER_FLAPS: _server("up", value=False, well=True),
    Fault.SERVER_LIES: _server("lies", value=0.5, well=0.0),
    Fault.RELOAD: reload,
}
