"""Storms: every kind of fault, begun at a drawn moment or aimed at a machine in a given phase, and ended again.

A storm is drawn before it begins, as a list of strokes, each with a source of chance of its own: so one may be left out
and the others stay what they are (`shrink.py`). It is followed by a calm: all faults are over, every machine is on,
every cable whole, every server well.
"""

from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING

from stayalived.simulation import deaths, reforms
from stayalived.simulation.blows import BLOWS, Undo
from stayalived.simulation.cables import pull_cable
from stayalived.simulation.faults import Fault, Impossible, Phase
from stayalived.simulation.lan import Conditions
from stayalived.simulation.world import between
from stayalived.timing import Duration, Instant, after, for_people, seconds

if TYPE_CHECKING:
    from stayalived.simulation.cluster import Cluster
    from stayalived.simulation.machine import Machine

DURATIONS = ((0.05, 0.5), (0.5, 3.0), (2.0, 6.0))
"""Seconds that a fault lasts: one of these spans, then a number within it."""

AT_LEAST = {Fault.CRASH_LOOP: seconds(6), Fault.CHECKER_DEAD: seconds(6)}
"""What begins to hurt only after several deaths in a row lasts for longer: delays grow from one to the next (P30)."""

SABOTAGE = frozenset({Fault.SABOTAGE, Fault.SABOTAGE_ROUTE})
"""Faults that have an effect only where a machine holds something, whatever else it is doing."""

AIMED = -1
"""Number of the stroke that is aimed."""

PROVOKED = seconds(3)
"""How long a machine is kept in FAULT so that the aimed stroke finds it there."""

Aim = tuple[Fault, Phase]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stroke:
    """One fault of a storm.

    Attributes:
        number: by which its source of chance is known.
        at: how long after the storm's beginning.
        machine: which one, by its place in the cluster.
        lasts: for how long.
    """

    number: int
    at: Duration
    fault: Fault
    machine: int
    lasts: Duration

    def __str__(self) -> str:
        """Return it for people."""
        return f"{for_people(self.at):>8}  {self.fault} at r{self.machine} for {for_people(self.lasts)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Storm:
    """All that goes wrong in one seed.

    Attributes:
        begins: how long after the world's beginning.
        length: after so long everything is mended.
        strokes: what is thrown at drawn moments.
        aim: what is thrown at the first machine that is in this phase; None: nothing.
        lasts: how long that lasts.
    """

    begins: Duration
    length: Duration
    strokes: tuple[Stroke, ...]
    aim: Aim | None
    lasts: Duration

    def __str__(self) -> str:
        """Return it for people, a line for each stroke."""
        head = f"storm from {for_people(self.begins)} on, for {for_people(self.length)}"
        aimed = [f"          {self.aim[0]} at the first machine in {self.aim[1]}"] if self.aim else []
        return "\n".join((head, *aimed, *map(str, self.strokes)))


def draw_storm(chance: Random, machines: int, aim: Aim | None, settled: Duration) -> Storm:
    """Draw a storm.

    Args:
        chance: decides.
        machines: how many there are.
        aim: the fault that is aimed.
        settled: how long a cluster takes to elect its first masters.
    """
    early = chance.random() < 0.15  # some storms catch the cluster while it starts
    begins = between(chance, 0.1, 2.0) if early else Duration(settled + between(chance, 0.5, 2.0))
    length = seconds(chance.choice((4, 8, 12)))
    strokes = [
        Stroke(
            number=number,
            at=Duration(chance.randrange(length)),
            fault=chance.choice(list(Fault)),
            machine=chance.randrange(machines),
            lasts=between(chance, *chance.choice(DURATIONS)),
        )
        for number in range(chance.choice((0, 2, 4, 8)))
    ]
    return Storm(
        begins=begins,
        length=length,
        strokes=tuple(sorted(strokes, key=lambda stroke: stroke.at)),
        aim=aim,
        lasts=between(chance, *chance.choice(DURATIONS)),
    )


class Weather:
    """Throws the faults of one storm at a cluster."""

    def __init__(self, cluster: "Cluster", storm: Storm) -> None:
        """Put the strokes on the heap."""
        self.cluster = cluster
        self.world = cluster.world
        self.storm = storm
        self._aim = storm.aim
        self._begin = after(self.world.now, storm.begins)
        self._end = after(self._begin, storm.length)
        self._to_undo: list[Undo] = []
        for stroke in storm.strokes:
            self.world.at(after(self._begin, stroke.at), self._thrower(stroke))
        if self._aim is not None:
            wait = between(self._chance(AIMED), 0.0, 1.0)
            self.world.at(after(self._begin, wait), self._provoke)

    @property
    def end(self) -> Instant:
        """When the storm is over."""
        return self._end

    def watch(self) -> None:
        """Throw the aimed fault as soon as a machine is in its phase; called after every event of the world."""
        if self._aim is None or not self._begin <= self.world.now < self._end:
            return
        fault, phase = self._aim
        for place, machine in enumerate(self.cluster.machines):
            if machine.node.touched and phase in self.cluster.phases(machine):
                lasts = self.storm.lasts
                stroke = Stroke(number=AIMED, at=Duration(0), fault=fault, machine=place, lasts=lasts)
                if self.throw(stroke):
                    self._aim = None
                    return

    def throw(self, stroke: Stroke) -> bool:
        """Let a fault hit its machine now, count it under each phase that the machine is in, and plan its end.

        Returns:
            whether it had an effect.
        """
        machine = self.cluster.machines[stroke.machine]
        lasts = max(stroke.lasts, AT_LEAST.get(stroke.fault, stroke.lasts))
        phases = sorted(self.cluster.phases(machine))
        chance = self._chance(stroke.number)
        try:
            undo = BLOWS[stroke.fault](self.cluster, machine, chance, lasts)
        except Impossible:
            return False
        for phase in phases:
            self.cluster.coverage[stroke.fault, phase] += 1
        self.world.note("weather", stroke.fault, "hits", machine.name, "for", for_people(lasts))
        self._keep(undo, lasts)
        return True

    def clear(self) -> None:
        """End everything that still lasts."""
        self.world.note("weather", "is calm")
        for undo in list(self._to_undo):
            self._undo(undo)
        for lan in self.cluster.lans:
            lan.conditions = Conditions()
            lan.look()
        for machine in self.cluster.machines:
            machine.refusing.clear()
        self.cluster.farm.calm()
        self.cluster.touch_all()

    def _keep(self, undo: Undo | None, lasts: Duration) -> None:
        if undo is not None:
            self._to_undo.append(undo)
            self.world.later(lasts, lambda: self._undo(undo))

    def _undo(self, undo: Undo) -> None:
        if undo in self._to_undo:
            self._to_undo.remove(undo)
            undo()

    def _thrower(self, stroke: Stroke) -> Callable[[], None]:
        return lambda: _ignore(self.throw(stroke))

    def _chance(self, number: int) -> Random:
        return self.world.chance(f"stroke {number}")

    def _provoke(self) -> None:
        """Bring a machine into the phase that the aimed fault waits for, where it does not come by itself."""
        if self._aim is None:
            return
        chance = self.world.chance("provocation")
        holding = [machine for machine in self.cluster.machines if machine.inventory.actual()]
        machine = chance.choice(holding if self._aim[0] in SABOTAGE and holding else self.cluster.machines)
        try:
            self._bring(machine, self._aim[1], chance)
        except Impossible:
            self.world.later(seconds(0.5), self._provoke)

    def _bring(self, machine: "Machine", phase: Phase, chance: Random) -> None:
        match phase:
            case Phase.FAULT:
                plans = self.cluster.drawn.plan.instances
                plan = plans[-1] if self._aim is not None and self._aim[0] in SABOTAGE else chance.choice(plans)
                self._keep(pull_cable(machine, machine.ports[plan.interface]), PROVOKED)
            case Phase.PREPARE:
                reforms.reload(self.cluster, machine, chance, Duration(0))
            case Phase.RESPAWN:
                deaths.kill_child(self.cluster, machine, chance, Duration(0))


def _ignore(_value: object) -> None:
    """Let an action have no value."""
