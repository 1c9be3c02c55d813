"""The ipvs process of a simulated machine: the table is the one in memory."""

import errno
from typing import TYPE_CHECKING, Any

from stayalived.child.events import Finished, Forget, Tell
from stayalived.errors import KernelProblem
from stayalived.ipvs import events
from stayalived.ipvs.engine import IpvsEngine
from stayalived.ipvs.model import Operation, in_words
from stayalived.simulation.process import Process
from stayalived.simulation.turned import AnyEngine
from stayalived.timing import Duration, Instant, milliseconds

if TYPE_CHECKING:
    from stayalived.simulation.machine import Machine

NETLINK_TIME = milliseconds(0.1)
"""From a request over netlink to its answer, and from a change to the news of it."""


class IpvsRole:
    """Makes engines of ipvs, and does to the table what they ask for."""

    def __init__(self, machine: "Machine") -> None:
        """Serve one machine."""
        self.machine = machine

    def make(self, process: Process) -> AnyEngine:  # noqa: ARG002  (the engine needs nothing of its process)
        """Return a fresh engine."""
        return IpvsEngine()

    def born(self, process: Process) -> None:
        """Nothing is told at first."""

    def drain(self, process: Process) -> None:
        """Nothing waits outside."""

    def before(self, process: Process, event: Any) -> None:
        """Nobody watches."""

    def after(self, process: Process, event: Any) -> None:
        """Nobody watches."""

    def died(self, process: Process) -> None:
        """The kernel's table outlives its writer."""

    def woken(self, slept: Duration) -> None:
        """Nothing depends on how long a machine has slept."""

    def perform(self, process: Process, effect: Any) -> None:
        """Carry out one effect: the table is changed one operation at a time, and each table on the way is judged."""
        if isinstance(effect, Tell | Forget | Finished | events.LookAround):
            return
        answer: events.IpvsEvent
        if isinstance(effect, events.ReadTable):
            table, connections = self.machine.ipvs.read()
            answer = events.TableRead(table=table, connections=connections)
        elif isinstance(effect, events.FindMissing):
            found = tuple(self.machine.ipvs.missing(effect.needs))
            answer = events.MissingFound(generation=effect.generation, needs=effect.needs, problems=found)
        elif isinstance(effect, events.WatchAddresses):
            answer = events.AddressesSeen(problem="virtual time knows no checks that sleep")
        elif isinstance(effect, events.ReadTimeouts):
            answer = events.TimeoutsAnswered(timeouts=self.machine.ipvs.timeouts())
        elif isinstance(effect, events.SetTimeouts):
            self.machine.ipvs.set_timeouts(effect.timeouts)
            answer = events.TimeoutsAnswered()
        else:
            assert isinstance(effect, events.Apply)
            done = self._apply(process, effect.operations)
            answer = events.OperationsDone(operations=effect.operations, problems=done)
        process.node.at(Instant(process.node.world.now + NETLINK_TIME), lambda: process.post(answer))

    def _apply(self, process: Process, operations: tuple[Operation, ...]) -> tuple[KernelProblem | None, ...]:
        machine = self.machine
        if machine.refusing:
            machine.ipvs.refusals.extend([errno.ENOMEM] * len(operations))
        live = [machine.live_weights()]
        problems: list[KernelProblem | None] = []
        for operation in operations:
            process.node.world.note(process.label, in_words(operation))
            problems += machine.ipvs.apply([operation])
            live.append(machine.live_weights())
        machine.judge_steps(live)
        return tuple(problems)
