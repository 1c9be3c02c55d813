"""The engine of vrrp in a rehearsal, and a kernel around it that does what it is told. Pure."""

from collections import deque
from collections.abc import Sequence
from dataclasses import replace

from stayalived.child.events import AnswerPrepared, ChildEvent, Commit, Forget, Prepare, Tell
from stayalived.config.model import Configuration
from stayalived.config.problems import Problem
from stayalived.config.virtual_routers import VirtualMac
from stayalived.errors import Bug
from stayalived.kernel.api import Interface
from stayalived.messages.control import Start
from stayalived.messages.routes import VRRP
from stayalived.messages.vrrp import InstanceState
from stayalived.rehearsal.situation import Situation
from stayalived.timing import Instant
from stayalived.vrrp import effects, events
from stayalived.vrrp.desk import Effect
from stayalived.vrrp.engine import VrrpEngine
from stayalived.vrrp.events import VrrpEvent
from stayalived.vrrp.states import State

TURNS = 100_000
"""As in `rehearsal.table`."""

IN_FORCE, NEW = 1, 2  # generations


class Station:
    """The engine, and a kernel that does what it is told.

    Attributes:
        states: what was told last of each instance.
        done: the effects since the last configuration.
        problems: with which the engine answered it.
    """

    def __init__(self, situation: Situation, now: Instant) -> None:
        """Start with the interfaces that there are."""
        self.states: dict[str, InstanceState] = {}
        self.done: list[Effect] = []
        self.problems: tuple[Problem, ...] = ()
        self._engine = VrrpEngine()
        self._now = now
        self._situation = situation
        self._interfaces = dict(situation.interfaces)
        self._answers: deque[VrrpEvent] = deque()
        for interface in situation.interfaces.values():
            self._tell(events.InterfaceChanged(interface=interface))

    def go_on(self, running: Configuration) -> None:
        """Become the process that runs: with what it has told, and as MASTER where it is."""
        fresh: dict[int, Instant] = {}
        for event in self._situation.told_to(VRRP):
            self._tell(event)
            if isinstance(event.message, InstanceState):
                self.states[event.key] = event.message
                if event.message.state == State.MASTER:
                    fresh |= {row.slot: self._now for row in event.message.routers}
        told = dict(self.states)
        self._tell(events.SendTimesRead(times=fresh))
        self.use(running, IN_FORCE, Start.RESPAWNED)
        self.states |= told  # the engine began a moment ago; what it is compared with is what there is
        self.done.clear()

    def use(self, configuration: Configuration, generation: int, start: Start) -> bool:
        """Put a configuration into force; returns whether it is accepted."""
        self._tell(Prepare(generation=generation, configuration=configuration))
        if any(not problem.warning for problem in self.problems):
            return False
        self._tell(Commit(generation=generation, start=start))
        for _ in range(TURNS):
            deadline = self._engine.deadline
            if deadline is None or deadline > self._now:
                return True
            self._take(self._engine.wake(self._now))
            self._answer()
        raise Bug(f"vrrp does not come to rest within {TURNS} turns")

    def _tell(self, event: ChildEvent | VrrpEvent) -> None:
        """Hand in an event; what the kernel answers is handed in after the effects at hand, as the shell does."""
        self._take(self._engine.handle(event, self._now))
        self._answer()

    def _answer(self) -> None:
        while self._answers:
            self._take(self._engine.handle(self._answers.popleft(), self._now))

    def _take(self, done: Sequence[Effect]) -> None:
        for effect in done:
            self.done.append(effect)
            self._note(effect)
            match effect:
                case effects.ApplyChanges(changes=changes):
                    self._answers.append(events.ChangesApplied(changes=changes, refused={}))
                case effects.Listen(interface=name, family=family, address=address):
                    self._answers.append(events.Listening(interface=name, family=family, address=address))
                case effects.MakeVirtualMac(virtual_mac=mac):
                    self._answers.append(events.InterfaceChanged(interface=self._made(mac)))
                case effects.RemoveVirtualMacs(names=names):
                    self._answers += [events.InterfaceGone(name=name) for name in names]
                case effects.SetSysctl(name=name):
                    self._answers.append(events.SysctlSet(name=name, before=""))
                case _:  # packets, and what it tells others
                    continue

    def _note(self, effect: Effect) -> None:
        match effect:
            case AnswerPrepared(problems=problems):
                self.problems = problems
            case Tell(message=InstanceState() as state):
                self.states[state.name] = state
            case Forget(message=kind, key=key) if kind is InstanceState:
                self.states.pop(key, None)
            case _:
                return

    def _made(self, mac: VirtualMac) -> Interface:
        parent = self._interfaces[mac.parent]
        index = 1 + max(interface.index for interface in self._interfaces.values())
        own = tuple(address for address in parent.addresses if mac.ipv6 and address.address.startswith("fe80"))
        made = replace(parent, name=mac.name, index=index, mac=mac.mac, addresses=own, parent=parent.index)
        self._interfaces[mac.name] = replace(made, kind="macvlan")
        return self._interfaces[mac.name]
