"""Storms: every kind of fault, begun at a drawn moment or aimed at a machine in a given phase, and ended again.

A storm is followed by a calm: all faults are over, every machine is on, every cable whole, every server well.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from stayalived.simulation.blows import BLOWS, Fault, Undo, cut_cable, kill_child, reload
from stayalived.simulation.lan import Conditions
from stayalived.simulation.world import between
from stayalived.timing import Duration, Instant, in_seconds, seconds

if TYPE_CHECKING:
    from stayalived.simulation.cluster import Cluster, Machine


class Phase(StrEnum):
    """What a machine is doing when a fault hits it."""

    MASTER = "MASTER"
    BACKUP = "BACKUP"
    FAULT = "FAULT"
    PREPARE = "PREPARE"
    RESPAWN = "RESPAWN"


AIMS: tuple[tuple[Fault, Phase], ...] = tuple((fault, phase) for phase in Phase for fault in Fault)
"""Every pair that the coverage table of the gate counts."""

DURATIONS = ((0.05, 0.5), (0.5, 3.0), (2.0, 6.0))
"""Seconds that a fault lasts: one of these spans, then a number within it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Storm:
    """When it begins and ends, how many faults it throws at random, and the one that it aims."""

    begin: Instant
    end: Instant
    faults: int
    aim: tuple[Fault, Phase] | None


class Weather:
    """Throws the faults of one storm at a cluster."""

    def __init__(self, cluster: "Cluster", storm: Storm) -> None:
        """Draw the storm's faults and put them on the heap."""
        self.cluster = cluster
        self.world = cluster.world
        self.chance = cluster.world.chance("weather")
        self.storm = storm
        self.aim = storm.aim
        self._to_undo: list[Undo] = []
        length = in_seconds(Duration(storm.end - storm.begin))
        for _ in range(storm.faults):
            moment = Instant(storm.begin + between(self.chance, 0.0, length))
            self.world.at(moment, self._thrower(self.chance.choice(list(Fault))))
        if self.aim is not None:
            self.world.at(Instant(storm.begin + between(self.chance, 0.0, 1.0)), self._provoke)

    def watch(self) -> None:
        """Throw the aimed fault as soon as a machine is in its phase; called after every event of the world."""
        if self.aim is None or not self.storm.begin <= self.world.now < self.storm.end:
            return
        fault, phase = self.aim
        for machine in self.cluster.machines:
            if phase in self.cluster.phases(machine):
                self.aim = None
                self.throw(fault, machine)
                return

    def throw(self, fault: Fault, machine: "Machine") -> None:
        """Let one fault hit a machine now, count it under each phase that the machine is in, and plan its end."""
        for phase in sorted(self.cluster.phases(machine)):
            self.cluster.coverage[fault, phase] += 1
        self.world.note("weather", f"{fault} hits {machine.name}")
        self._keep(BLOWS[fault](self.cluster, machine, self.chance))

    def clear(self) -> None:
        """End everything that still lasts."""
        for undo in list(self._to_undo):
            self._undo(undo)
        self.cluster.lan.conditions = Conditions()
        self.cluster.farm.calm()

    def _keep(self, undo: Undo | None) -> None:
        if undo is not None:
            self._to_undo.append(undo)
            self.world.later(between(self.chance, *self.chance.choice(DURATIONS)), lambda: self._undo(undo))

    def _undo(self, undo: Undo) -> None:
        if undo in self._to_undo:
            self._to_undo.remove(undo)
            undo()

    def _thrower(self, fault: Fault) -> Callable[[], None]:
        return lambda: self.throw(fault, self.chance.choice(self.cluster.machines))

    def _provoke(self) -> None:
        """Bring a machine into the phase that the aimed fault waits for, where it does not come by itself."""
        if self.aim is None:
            return
        machine = self.chance.choice(self.cluster.machines)
        match self.aim[1]:
            case Phase.FAULT:
                self._to_undo.append(undo := cut_cable(self.cluster, machine, self.chance))
                self.world.later(seconds(3), lambda: self._undo(undo))
            case Phase.PREPARE:
                reload(self.cluster, machine, self.chance)
            case Phase.RESPAWN:
                kill_child(self.cluster, machine, self.chance)
