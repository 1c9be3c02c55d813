"""What befalls processes and machines: they are killed, hang, are stopped and started, lose their power."""

from collections.abc import Callable
from random import Random
from typing import TYPE_CHECKING

from stayalived.simulation.faults import Impossible
from stayalived.simulation.process import Process
from stayalived.simulation.world import between
from stayalived.supervisor.events import Order
from stayalived.timing import Duration, after, seconds

if TYPE_CHECKING:
    from stayalived.simulation.cluster import Cluster
    from stayalived.simulation.machine import Machine

Undo = Callable[[], None]

LONGEST_HANG = seconds(5)
"""One that stands still for three seconds is killed by the supervisor."""

EFFECTS = 6
"""A doomed process dies before one of its next effects."""


def kill_child(_cluster: "Cluster", machine: "Machine", chance: Random, _lasts: Duration) -> None:
    """Kill one of a machine's processes, between two events."""
    _some_child(machine, chance).kill()


def doom_vrrp(_cluster: "Cluster", machine: "Machine", chance: Random, _lasts: Duration) -> None:
    """Let vrrp die in the middle of what it is asked to do next."""
    process = machine.vrrp()
    if process is None:
        raise Impossible
    process.doomed = chance.randrange(EFFECTS)


def hang_child(cluster: "Cluster", machine: "Machine", chance: Random, lasts: Duration) -> None:
    """Let one of a machine's processes stand still."""
    _some_child(machine, chance).stand(after(cluster.world.now, min(lasts, LONGEST_HANG)))


def crash_loop(cluster: "Cluster", machine: "Machine", chance: Random, _lasts: Duration) -> Undo:
    """Kill vrrp, and its successors soon after they have begun."""
    if machine.vrrp() is None:
        raise Impossible
    return _kill_again(cluster, machine, "vrrp", chance)


def keep_checker_dead(cluster: "Cluster", machine: "Machine", chance: Random, _lasts: Duration) -> Undo:
    """Kill the checker, and its successors soon after they have begun."""
    if machine.node.children.get("checker") is None:
        raise Impossible
    return _kill_again(cluster, machine, "checker", chance)


def kill_supervisor(_cluster: "Cluster", machine: "Machine", _chance: Random, _lasts: Duration) -> None:
    """Kill the supervisor: its children release everything and end, and systemd starts it again."""
    if not machine.node.on or not machine.node.supervisor.alive or machine.node.frozen_until is not None:
        raise Impossible
    machine.node.kill_supervisor()


def restart(_cluster: "Cluster", machine: "Machine", _chance: Random, _lasts: Duration) -> Undo:
    """Stop the daemon in order, and start it again later."""
    if not machine.node.on or not machine.node.supervisor.alive:
        raise Impossible
    machine.node.signal(Order.STOP)
    return machine.node.start


def cut_power(_cluster: "Cluster", machine: "Machine", _chance: Random, _lasts: Duration) -> Undo:
    """Switch a machine off, and on again later."""
    if not machine.node.on:
        raise Impossible
    machine.lose_power()
    return machine.node.boot


def _some_child(machine: "Machine", chance: Random) -> Process:
    children = [machine.node.children[name] for name in sorted(machine.node.children)]
    if not children or machine.node.frozen_until is not None:
        raise Impossible
    return chance.choice([*children, *(child for child in children if child.name == "vrrp")])


def _kill_again(cluster: "Cluster", machine: "Machine", name: str, chance: Random) -> Undo:
    over: list[bool] = []

    def again() -> None:
        if over:
            return
        process = machine.node.children.get(name)
        if process is not None and process.committed_at is not None and machine.node.frozen_until is None:
            process.kill()
        cluster.world.later(between(chance, 0.05, 0.6), again)

    again()
    return lambda: over.append(True)
