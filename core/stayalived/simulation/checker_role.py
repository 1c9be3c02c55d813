"""The checker of a simulated machine: probes find what the farm's servers say."""

from typing import TYPE_CHECKING, Any

from stayalived.checker.engine import CheckerEngine
from stayalived.checker.probes import AbandonProbe, ProbeEnded, StartProbe
from stayalived.child.events import Finished, Forget, Tell
from stayalived.plugin.checks import Verdict
from stayalived.simulation.process import Process
from stayalived.simulation.turned import AnyEngine
from stayalived.timing import Duration, Instant

if TYPE_CHECKING:
    from stayalived.simulation.machine import Machine


class CheckerRole:
    """Makes checkers, and answers their probes."""

    def __init__(self, machine: "Machine") -> None:
        """Serve one machine."""
        self.machine = machine

    def make(self, process: Process) -> AnyEngine:
        """Return a fresh engine with a generator of its own."""
        return CheckerEngine(process.name, process.node.world.chance(f"{process.label}/{process.pid}"))

    def born(self, process: Process) -> None:
        """Nothing is told at first."""

    def drain(self, process: Process) -> None:
        """Nothing waits outside."""

    def before(self, process: Process, event: Any) -> None:
        """Nobody watches."""

    def after(self, process: Process, event: Any) -> None:
        """Nobody watches."""

    def died(self, process: Process) -> None:
        """Nothing outlives a checker."""

    def woken(self, slept: Duration) -> None:
        """Nothing depends on how long a machine has slept."""

    def perform(self, process: Process, effect: Any) -> None:
        """Carry out one effect."""
        if isinstance(effect, AbandonProbe | Tell | Forget | Finished):
            return  # the answer of a probe that is abandoned comes and is not expected any more
        assert isinstance(effect, StartProbe)
        node = process.node
        up, latency = self.machine.farm.probe(node.name, effect.identity.target.address)
        if latency > effect.identity.limit:
            latency = effect.identity.limit
            verdict = Verdict.failed("connect", "no answer in time")
        else:
            verdict = Verdict.passed("connect") if up else Verdict.failed("connect", "connection refused")
        ended = ProbeEnded(probe=effect.probe, outcome=verdict, latency=latency)
        node.at(Instant(node.world.now + latency), lambda: process.post(ended))
