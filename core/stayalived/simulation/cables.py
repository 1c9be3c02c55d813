"""What befalls network cards: the cable, the switch, the card itself, its name."""

from collections.abc import Callable
from random import Random
from typing import TYPE_CHECKING

from stayalived.addresses import Family
from stayalived.config.virtual_routers import PlacedAddress
from stayalived.simulation.draw_trackers import UPLINK
from stayalived.simulation.faults import Impossible
from stayalived.simulation.world import between
from stayalived.timing import Duration

if TYPE_CHECKING:
    from stayalived.simulation.cluster import Cluster
    from stayalived.simulation.machine import Machine
    from stayalived.simulation.ports import Port

Undo = Callable[[], None]

DETECTION = (0.0, 1.5)
"""Seconds until an IPv6 link-local address may be used after an interface came up (RFC 4862 5.4)."""

ASTRAY = "x"
"""What a renamed interface has behind its name."""


def pull(_cluster: "Cluster", machine: "Machine", chance: Random, _lasts: Duration) -> Undo:
    """Pull the cable of a machine."""
    return pull_cable(machine, _some_port(machine, chance))


def pull_uplink(_cluster: "Cluster", machine: "Machine", _chance: Random, _lasts: Duration) -> Undo:
    """Pull the cable of the interface that instances track."""
    return pull_cable(machine, machine.ports[UPLINK])


def pull_cable(machine: "Machine", port: "Port") -> Undo:
    """Pull the cable of a card."""
    _plug_cable(machine, port, plugged=False)
    return lambda: _plug_cable(machine, port, plugged=True)


def set_down(_cluster: "Cluster", machine: "Machine", chance: Random, _lasts: Duration) -> Undo:
    """Set an interface down: its IPv6 addresses are lost, and its routes."""
    port = _some_port(machine, chance)
    if not (port.is_plugged and port.administratively_up):
        raise Impossible
    port.administratively_up = False
    machine.kernel.set_link(port.name, up=False)
    machine.settle_port(port)
    return lambda: _set_up(machine, port, chance)


def remove(_cluster: "Cluster", machine: "Machine", chance: Random, _lasts: Duration) -> Undo:
    """Remove a card with all that is on it; it comes back with another index."""
    port = _some_port(machine, chance)
    if not port.is_plugged:
        raise Impossible
    port.is_plugged = False
    machine.kernel.unplug(port.name)
    machine.drop_sysctls()
    machine.settle_port(port)
    return lambda: _put_back(machine, port)


def rename(_cluster: "Cluster", machine: "Machine", chance: Random, _lasts: Duration) -> Undo:
    """Give an interface another name."""
    port = _some_port(machine, chance)
    if not port.is_plugged or port.name != port.home:
        raise Impossible
    _call(machine, port, port.home + ASTRAY)
    return lambda: _call(machine, port, port.home)


def _some_port(machine: "Machine", chance: Random) -> "Port":
    """Return a card that some instance is on."""
    used = sorted({instance.interface for instance in machine.cluster.drawn.plan.instances})
    return machine.ports[chance.choice(used)]


def _plug_cable(machine: "Machine", port: "Port", *, plugged: bool) -> None:
    port.has_cable = plugged
    if port.is_plugged:
        machine.kernel.set_carrier(port.name, up=plugged)
    machine.settle_port(port)


def _set_up(machine: "Machine", port: "Port", chance: Random) -> None:
    if port.administratively_up:
        return
    port.administratively_up = True
    if port.is_plugged:
        index = port.index
        machine.kernel.set_link(port.name, up=True)
        machine.world.later(between(chance, *DETECTION), lambda: _detect(machine, port, index))
    machine.settle_port(port)


def _detect(machine: "Machine", port: "Port", index: int) -> None:
    """Give a card that is up again its link-local address back."""
    if port.is_plugged and port.index == index and port.administratively_up:
        for address in port.own:
            if address.family is Family.IPV6:
                machine.kernel.add_behind(PlacedAddress(address=address, interface=port.name))
        machine.touch_kernel()


def _put_back(machine: "Machine", port: "Port") -> None:
    if port.is_plugged:
        return
    port.index = machine.kernel.free_index()
    port.name, port.is_plugged, port.administratively_up = port.home, True, True
    machine.kernel.plug(port.bare())
    machine.settle_port(port)


def _call(machine: "Machine", port: "Port", name: str) -> None:
    if not port.is_plugged or port.name == name:
        return
    machine.kernel.rename(port.name, name)
    machine.renamed_at = machine.world.now
    machine.drop_sysctls()
    port.name = name
    machine.settle_port(port)
