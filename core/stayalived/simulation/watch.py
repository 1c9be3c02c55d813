"""Looks over the shoulder of one machine's vrrp, and lets the invariants know what happens there.

What an engine has in its head is read and never changed. The state of each virtual router is compared after each event:
what an invariant gets to see are moves, packets, changes, and for each the clause that it comes from decides.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from stayalived.child.events import Commit, Forget, Tell
from stayalived.config.model import Configuration
from stayalived.config.virtual_routers import VirtualRouter
from stayalived.errors import KernelProblem
from stayalived.kernel.api import Change
from stayalived.messages.vrrp import GroupState, InstanceState
from stayalived.simulation.glass import Glass, Move
from stayalived.simulation.invariants.base import Continuous, Invariant
from stayalived.simulation.lan import Datagram
from stayalived.simulation.process import Process
from stayalived.timing import Duration
from stayalived.vrrp.effects import SendAdvert
from stayalived.vrrp.engine import VrrpEngine
from stayalived.vrrp.events import MessagesReceived, PacketsReceived

if TYPE_CHECKING:
    from stayalived.simulation.machine import Machine


_ROUTINE = (type(None), PacketsReceived, MessagesReceived)
"""Events that change nothing but timers and counters, unless somebody moves."""


class Watch:
    """Tells the invariants what happens on one machine.

    Attributes:
        glass: the present vrrp process; None while there is none.
        running: the configuration that a vrrp process of this machine committed last.
    """

    def __init__(self, machine: "Machine", invariants: Sequence[Invariant]) -> None:
        """Begin with nothing to see."""
        self.machine = machine
        self.glass: Glass | None = None
        self.running: Configuration | None = None
        self._hooks: dict[str, list[Callable[..., None]]] = {
            name: [getattr(one, name) for one in invariants if one.has(name)]
            for name in (
                "begun", "before", "moved", "after", "sending", "changed", "telling", "announcing", "committed",
                "forgetting", "finished", "ended", "lost",
            )
        }  # fmt: skip
        self._continuous = [one for one in invariants if isinstance(one, Continuous)]
        self._wrong: dict[Continuous, Mapping[Any, Duration] | None] = {}
        self._stamp: tuple[object, ...] = ()

    def begin(self, process: Process, engine: VrrpEngine) -> None:
        """A process was forked."""
        self.glass = Glass(self.machine, process, engine)
        self._tell("begun", self.glass)

    def end(self, process: Process) -> None:
        """A process is gone."""
        glass = self.glass
        if glass is not None and glass.process is process:
            self.glass = None
            self.machine.cluster.touch_all()
            self._tell("ended", glass)

    def lost(self) -> None:
        """The machine has lost its power, and its kernel all that was in it."""
        self.running = None
        self._tell("lost", self.machine)

    def look(self) -> None:
        """Something has happened on the machine; everything that belonged to it is done."""
        stamp = self.machine.stamp()
        if stamp != self._stamp:
            self._stamp = stamp
            for one in self._continuous:
                wrong = one.wrong(self.machine)
                one.note(self.machine, wrong)
                self._keep(one, wrong)
        else:
            for one, wrong in self._wrong.items():
                one.note(self.machine, wrong)

    def _keep(self, one: Continuous, wrong: Mapping[Any, Duration] | None) -> None:
        if wrong:
            self._wrong[one] = wrong
        else:
            self._wrong.pop(one, None)

    def router(self, process: Process, key: str) -> VirtualRouter | None:
        """Return the configuration of a virtual router that speaks."""
        glass = self._glass_of(process)
        if glass is None:
            return None
        found = glass.engine.roster.members.get(key)
        return found[1].router if found else None

    def before(self, process: Process, event: Any, datagrams: tuple[Datagram, ...]) -> None:
        """An event is about to be handled."""
        glass = self._glass_of(process)
        if glass is not None:
            if isinstance(event, Commit):
                glass.previous = self.running
            for hook in self._hooks["before"]:
                hook(glass, event, datagrams)

    def after(self, process: Process, event: Any, datagrams: tuple[Datagram, ...]) -> None:
        """An event was handled, and its effects were carried out."""
        glass = self._glass_of(process)
        if glass is None:
            return
        moves: list[Move] = []
        if isinstance(event, Commit):
            members, groups = glass.members, glass.groups
            glass.reform()
            moves = glass.departures(members, groups)
            self.running = process.configuration
            glass.committed = self.machine.world.now
        moves += glass.moves()
        if moves or not isinstance(event, _ROUTINE):
            glass.version += 1
        if moves:
            self.machine.cluster.touch_all()
            self._tell("moved", glass, moves)
        if isinstance(event, Commit):
            self._tell("committed", glass, event)
        for hook in self._hooks["after"]:
            hook(glass, event, datagrams)

    def sending(self, process: Process, advert: SendAdvert) -> None:
        """An advert is about to leave."""
        glass = self._glass_of(process)
        if glass is not None:
            self._tell("sending", glass, advert)

    def changed(self, process: Process, changes: Sequence[Change], answers: Sequence[KernelProblem | None]) -> None:
        """The kernel was asked for changes, and has answered."""
        glass = self._glass_of(process)
        if glass is not None:
            self._tell("changed", glass, changes, answers)

    def announcing(self, process: Process, interface: str, address: str) -> None:
        """An address is announced."""
        glass = self._glass_of(process)
        if glass is not None:
            self._tell("announcing", glass, interface, address)

    def telling(self, process: Process, tell: Tell) -> None:
        """Something is told."""
        glass = self._glass_of(process)
        if glass is not None:
            glass.version += isinstance(tell.message, InstanceState | GroupState)
            self._tell("telling", glass, tell)

    def forgetting(self, process: Process, forget: Forget) -> None:
        """Something is not to be told any more."""
        glass = self._glass_of(process)
        if glass is not None:
            self._tell("forgetting", glass, forget)

    def finished(self, process: Process) -> None:
        """The process says that it has released everything."""
        glass = self._glass_of(process)
        if glass is not None:
            self._tell("finished", glass)

    def _glass_of(self, process: Process) -> Glass | None:
        glass = self.glass
        return glass if glass is not None and glass.process is process else None

    def _tell(self, name: str, *arguments: object) -> None:
        for hook in self._hooks[name]:
            hook(*arguments)
