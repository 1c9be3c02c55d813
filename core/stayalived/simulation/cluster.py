"""A cluster: segments, machines with their kernels, the farm of real servers, and what must hold of them."""

from collections import Counter
from collections.abc import Sequence

from stayalived.messages.vrrp import InstanceState
from stayalived.simulation.draw import SEGMENTS, Draw
from stayalived.simulation.faults import Fault, Phase
from stayalived.simulation.invariants.base import Violation
from stayalived.simulation.invariants.catalogue import all_of
from stayalived.simulation.lan import Lan
from stayalived.simulation.machine import Machine
from stayalived.simulation.servers import Farm
from stayalived.simulation.services import target_of
from stayalived.simulation.world import World
from stayalived.supervisor.lifecycle import State

_RESPAWNING = frozenset({State.STARTING, State.PREPARING, State.READY, State.BACKOFF, State.ENDING})


class Cluster:
    """All machines of one seed.

    Attributes:
        coverage: how often each fault hit a machine in each phase.
        invariants: what is looked at after every event.
        moves: grows with each move of any virtual router.
    """

    def __init__(self, world: World, drawn: Draw) -> None:
        """Build it; nothing is switched on."""
        self.world = world
        self.drawn = drawn
        self.lans = [Lan(world, f"lan{segment}") for segment in range(SEGMENTS)]
        self.farm = Farm(world)
        self.coverage: Counter[tuple[Fault, Phase]] = Counter()
        self.invariants = all_of(self)
        self.moves = 0
        self.machines = [Machine(self, station) for station in drawn.stations]
        for station in drawn.stations:
            for name in drawn.plan.checks:
                well = (station.name, name) not in drawn.failing
                self.farm.settle(target_of(name, station.number).address, well=well)

    def touch_all(self) -> None:
        """Note that something has changed that concerns all machines."""
        self.moves += 1
        for machine in self.machines:
            machine.node.touch()

    def look(self) -> None:
        """Let the invariants look at every machine that something has happened to; called after each event."""
        for machine in self.machines:
            if machine.node.touched:
                machine.node.touched = False
                machine.watch.look()

    def phases(self, machine: Machine) -> set[Phase]:
        """Return what a machine is doing: the states of its instances, and its supervisor's."""
        if not machine.node.on or not machine.node.supervisor.alive:
            return set()
        vrrp = machine.vrrp()
        told = vrrp.told.values() if vrrp is not None else ()
        states = {message.state for message in told if isinstance(message, InstanceState)}
        found = {Phase[state] for state in states if state in Phase.__members__}
        supervisor = machine.node.supervisor.decides
        if supervisor.phase == "reloading":
            found.add(Phase.PREPARE)
        if any(child.restarts and child.state in _RESPAWNING for child in supervisor.children()):
            found.add(Phase.RESPAWN)
        return found

    def judge_steps(self, machine: Machine, live: Sequence[dict[str, int]]) -> None:
        """See that no table on the way from one to the next loses a quorum (docs/architecture.md, from a check …)."""
        service = self.drawn.plan.service
        quorum = service.quorum if service else 0
        for key in live[0].keys() & live[-1].keys():
            kept = min(live[0][key], live[-1][key], quorum)
            lowest = min(step.get(key, 0) for step in live)
            if lowest < kept:
                raise Violation("table follows health", machine.name, f"{key}: weight {lowest} on the way, {kept} kept")
