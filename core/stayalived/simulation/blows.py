"""What each fault does to a cluster, and how it is undone. The storm decides when (`weather.py`)."""

from collections.abc import Callable
from random import Random
from typing import TYPE_CHECKING

from stayalived.simulation import cables, deaths, hostile, reforms, sabotage
from stayalived.simulation.faults import Fault, Impossible
from stayalived.simulation.lan import Lan
from stayalived.simulation.pipes import Pipe
from stayalived.simulation.servers import Server
from stayalived.simulation.services import TRACKED_NET, target_of
from stayalived.timing import Duration, after, seconds

if TYPE_CHECKING:
    from stayalived.simulation.cluster import Cluster
    from stayalived.simulation.machine import Machine

Undo = Callable[[], None]
Blow = Callable[["Cluster", "Machine", Random, Duration], Undo | None]
"""Does it: to a cluster, at a machine, with a source of chance, for so long. Raises `Impossible` where it cannot."""

LONGEST_FREEZE = seconds(6)
"""A machine that stands still for longer finds its child dead."""


def _some_lans(cluster: "Cluster", chance: Random) -> list[Lan]:
    """Return the segments that a fault hits: all of them, or one."""
    return list(cluster.lans) if chance.random() < 0.5 else [chance.choice(cluster.lans)]


def _condition(name: str, value: float) -> Blow:
    def blow(cluster: "Cluster", _machine: "Machine", chance: Random, _lasts: Duration) -> Undo:
        lans = _some_lans(cluster, chance)

        def put(odds: float) -> None:
            for lan in lans:
                setattr(lan.conditions, name, odds)
                lan.look()
            cluster.touch_all()

        put(value)
        return lambda: put(0.0)

    return blow


def _partition(*, both_ways: bool) -> Blow:
    def blow(cluster: "Cluster", machine: "Machine", chance: Random, _lasts: Duration) -> Undo:
        lans = _some_lans(cluster, chance)
        side = {machine.name} | {other.name for other in cluster.machines if chance.random() < 0.3}
        far = [other.name for other in cluster.machines if other.name not in side]
        if not far:
            raise Impossible
        added = {(near, other) for near in side for other in far}
        if both_ways:
            added |= {(other, near) for near, other in added}

        def put(*, cut: bool) -> None:
            for lan in lans:
                (lan.conditions.cut.update if cut else lan.conditions.cut.difference_update)(added)
                lan.look()
            cluster.touch_all()

        put(cut=True)
        return lambda: put(cut=False)

    return blow


def _freeze(cluster: "Cluster", machine: "Machine", chance: Random, lasts: Duration) -> None:
    """Let a machine stand still; its kernel goes on, or stands still with it and finds all packets when it goes on."""
    if not machine.node.on or machine.node.frozen_until is not None:
        raise Impossible
    until = after(cluster.world.now, min(lasts, LONGEST_FREEZE))
    if chance.random() < 0.3:
        cluster.world.at(until, lambda: machine.vrrp_role.ears.restamp(machine.node.now))
    machine.node.freeze(until)


def _overflow(cluster: "Cluster", machine: "Machine", chance: Random, lasts: Duration) -> Undo:
    ears = machine.vrrp_role.ears
    before, ears.room = machine.drawn.room, chance.choice((1, 2, 3))
    _freeze(cluster, machine, chance, lasts)
    return lambda: setattr(ears, "room", before)


def _suspend(cluster: "Cluster", machine: "Machine", _chance: Random, lasts: Duration) -> None:
    if not machine.node.on or machine.node.frozen_until is not None:
        raise Impossible
    machine.node.freeze(after(cluster.world.now, lasts), suspended=True)


def _refuse(*what: str) -> Blow:
    def blow(_cluster: "Cluster", machine: "Machine", _chance: Random, _lasts: Duration) -> Undo:
        machine.refusing.update(what)
        machine.node.touch()

        def undo() -> None:
            machine.refusing.difference_update(what)
            machine.refused_at = machine.world.now
            machine.node.touch()

        return undo

    return blow


def _lose_news(_cluster: "Cluster", machine: "Machine", _chance: Random, _lasts: Duration) -> Undo:
    machine.monitor.overflow()
    machine.node.touch()
    return machine.monitor.recover


def _fill_pipe(_cluster: "Cluster", machine: "Machine", chance: Random, _lasts: Duration) -> Undo:
    children = [machine.node.children[name] for name in sorted(machine.node.children)]
    if not children:
        raise Impossible
    child = chance.choice(children)
    pipe: Pipe = chance.choice((child.to_child, child.to_supervisor))
    before = pipe.capacity
    pipe.resize(0)
    return lambda: pipe.resize(before)


def _server(name: str, value: object, well: object) -> Blow:
    def blow(cluster: "Cluster", _machine: "Machine", chance: Random, _lasts: Duration) -> Undo:
        addresses = cluster.farm.addresses(TRACKED_NET, others=True)
        if not addresses:
            raise Impossible
        server: Server = cluster.farm.server(chance.choice(addresses))
        setattr(server, name, value)
        return lambda: setattr(server, name, well)

    return blow


def _check(change: Callable[[Server], None]) -> Blow:
    def blow(cluster: "Cluster", machine: "Machine", chance: Random, _lasts: Duration) -> Undo:
        names = cluster.drawn.plan.checks
        if not names:
            raise Impossible
        server = cluster.farm.server(target_of(chance.choice(names), machine.station.number).address)
        change(server)
        return server.recover

    return blow


def _fails(server: Server) -> None:
    server.up = not server.well


def _flaps(server: Server) -> None:
    server.lies = 0.5


def _hangs(server: Server) -> None:
    server.stalled = True


BLOWS: dict[Fault, Blow] = {
    Fault.LOSS: _condition("loss", 0.4),
    Fault.DUPLICATION: _condition("duplication", 0.4),
    Fault.DELAY: _condition("delay", 0.5),
    Fault.REORDERING: _condition("reordering", 0.5),
    Fault.CORRUPTION: _condition("corruption", 0.5),
    Fault.PARTITION: _partition(both_ways=True),
    Fault.ONE_WAY: _partition(both_ways=False),
    Fault.NOISE: hostile.noise,
    Fault.REPLAY: hostile.replay,
    Fault.LINK_FLAP: cables.pull,
    Fault.LINK_DOWN: cables.set_down,
    Fault.LINK_GONE: cables.remove,
    Fault.LINK_RENAMED: cables.rename,
    Fault.UPLINK_FLAP: cables.pull_uplink,
    Fault.SABOTAGE: sabotage.delete_addresses,
    Fault.SABOTAGE_ROUTE: sabotage.delete_routes,
    Fault.CHILD_KILLED: deaths.kill_child,
    Fault.HALFWAY: deaths.doom_vrrp,
    Fault.CHILD_HANGS: deaths.hang_child,
    Fault.CRASH_LOOP: deaths.crash_loop,
    Fault.CHECKER_DEAD: deaths.keep_checker_dead,
    Fault.SUPERVISOR_KILLED: deaths.kill_supervisor,
    Fault.RESTART: deaths.restart,
    Fault.POWER_CUT: deaths.cut_power,
    Fault.FROZEN: _freeze,
    Fault.OVERFLOW: _overflow,
    Fault.SUSPENDED: _suspend,
    Fault.REFUSAL: _refuse("changes", "macs"),
    Fault.DEAF: _refuse("listen"),
    Fault.MUTE: _refuse("send"),
    Fault.NETLINK_OVERFLOW: _lose_news,
    Fault.FULL_PIPE: _fill_pipe,
    Fault.SERVER_STALLS: _server("stalled", value=True, well=False),
    Fault.SERVER_FLAPS: _server("up", value=False, well=True),
    Fault.SERVER_LIES: _server("lies", value=0.5, well=0.0),
    Fault.CHECK_FAILS: _check(_fails),
    Fault.CHECK_FLAPS: _check(_flaps),
    Fault.CHECK_HANGS: _check(_hangs),
    Fault.RELOAD: reforms.reload,
    Fault.RELOAD_REFUSED: reforms.reload_refused,
}
