"""What one vrrp process has in its head: the invariants look at it through this, and never change it."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from stayalived.config.model import Configuration
from stayalived.simulation.process import Process
from stayalived.vrrp.election import Election
from stayalived.vrrp.engine import VrrpEngine
from stayalived.vrrp.group import Group
from stayalived.vrrp.states import State

if TYPE_CHECKING:
    from stayalived.simulation.machine import Machine


@dataclass(frozen=True, slots=True)
class Move:
    """A virtual router went from one state to another within one event; `new` is INIT when it is no more."""

    member: Election
    group: Group
    old: State
    new: State


@dataclass(slots=True, eq=False)
class Glass:
    """What one vrrp process works for.

    Attributes:
        members: its virtual routers by key.
        groups: who each of them moves with, by key.
        states: where each stood after the last event.
        previous: the configuration before the last commit.
        committed: the moment of the world at which it committed last.
        version: grows with each event that may change more than timers and counters.
    """

    machine: "Machine"
    process: Process
    engine: VrrpEngine
    members: dict[str, Election] = field(default_factory=dict)
    groups: dict[str, Group] = field(default_factory=dict)
    states: dict[str, State] = field(default_factory=dict)
    previous: Configuration | None = None
    committed: int = -1
    version: int = 0

    @property
    def configuration(self) -> Configuration:
        """The configuration in force."""
        assert self.process.configuration is not None, "looked at before the first commit"
        return self.process.configuration

    @property
    def works(self) -> bool:
        """Whether it has been told to work, and is not about to end."""
        return self.process.alive and self.committed >= 0

    @property
    def stands(self) -> bool:
        """Whether nothing can be asked of it now: it stands still, or the machine does."""
        return self.process.stands or self.machine.node.frozen_until is not None

    def masters(self) -> list[Election]:
        """Return the virtual routers that are MASTER."""
        return [self.members[key] for key, state in self.states.items() if state is State.MASTER]

    def live(self) -> Iterator[Election]:
        """Return its virtual routers as they are in the middle of an event."""
        return (member for _, member in self.engine.roster.members.values())

    def reform(self) -> None:
        """Look up anew who there is: the configuration is another one."""
        groups = self.engine.roster.groups.values()
        pairs = [(group, member) for group in groups for member in group.members]
        self.members = {member.router.key: member for _, member in pairs}
        self.groups = {member.router.key: group for group, member in pairs}

    def moves(self) -> list[Move]:
        """Return who has moved since the last call, and take note of it."""
        found: list[Move] = []
        for key, member in self.members.items():
            state = member.state
            old = self.states.get(key)
            if old is not state:
                self.states[key] = state
                if old is not None or state is not State.INIT:
                    found.append(Move(member, self.groups[key], old or State.INIT, state))
        return found

    def departures(self, members: dict[str, Election], groups: dict[str, Group]) -> list[Move]:
        """Return who has gone in a reload: those of before that are not there any more, or are others now."""
        gone = []
        for key, member in members.items():
            if self.members.get(key) is not member:
                old = self.states.pop(key, State.INIT)
                if old is not State.INIT:
                    gone.append(Move(member, groups[key], old, State.INIT))
        return gone
