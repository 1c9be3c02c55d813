"""What a virtual router says on the wire, and when: adverts of a MASTER without a gap, goodbyes where they are due."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from stayalived.errors import KernelProblem
from stayalived.kernel.api import Change, Verb
from stayalived.messages.control import Start
from stayalived.simulation.glass import Glass, Move
from stayalived.simulation.invariants.base import Invariant
from stayalived.simulation.inventory import ItemId, id_of
from stayalived.simulation.lan import Datagram
from stayalived.timing import Duration, Instant, elapsed, for_people, milliseconds
from stayalived.vrrp.effects import SendAdvert
from stayalived.vrrp.election import Election
from stayalived.vrrp.states import State, Trigger

if TYPE_CHECKING:
    from stayalived.simulation.cluster import Cluster
    from stayalived.simulation.machine import Machine

LATE = milliseconds(1)
"""How late an advert may leave of a process that has nothing else to do."""

SLICES = 2
"""Requests to the kernel that an advert may have to wait for: the one at hand, and the next one (K#1653)."""

CHANGES = 100
"""Changes in one request (`vrrp/desk.py`)."""

UNHEALTHY_FOR = milliseconds(1)
"""An interface that has been well for longer is known to be well."""


class NoGap(Invariant):
    """A MASTER advertises each interval, also while thousands of changes wait (RFC 9568 6.4.3; K#1653)."""

    NAME = "no advert gap"

    def __init__(self, cluster: "Cluster") -> None:
        """Begin with nobody speaking."""
        super().__init__(cluster)
        self._spoke: dict[Election, tuple[Instant, Duration]] = {}
        busy = SLICES * CHANGES * cluster.drawn.change_cost
        self._slack = Duration(LATE + busy)

    def sending(self, glass: Glass, advert: SendAdvert) -> None:
        """Measure the gap before this advert."""
        found = glass.engine.roster.members.get(advert.router)
        if found is not None and not advert.leaving:
            self._speak(glass, found[1])

    def moved(self, glass: Glass, moves: Sequence[Move]) -> None:
        """Forget those that do not speak any more; whoever begins has spoken at once."""
        for move in moves:
            spoke = self._spoke.pop(move.member, None)
            if move.new is State.MASTER:
                if spoke is None:
                    self.fail(glass.machine.name, f"{move.member.router.key} became MASTER without a word")
                self._spoke[move.member] = spoke

    def ended(self, glass: Glass) -> None:
        """Nobody speaks any more."""
        self._pardon(glass)

    def before(self, glass: Glass, event: Any, datagrams: tuple[Datagram, ...]) -> None:  # noqa: ARG002  (of any event)
        """A process that stood still, or whose machine did, is pardoned the gap (`rules.md`, stall)."""
        if glass.process.rested:
            glass.process.rested = False
            self._pardon(glass)

    def judge(self, machine: "Machine") -> None:
        """See that no MASTER has fallen silent."""
        glass = machine.watch.glass
        for member in glass.masters() if glass is not None and not glass.stands else ():
            self._measure(machine, member)

    def _speak(self, glass: Glass, member: Election) -> None:
        now = glass.machine.world.now
        if member in self._spoke:
            self._measure(glass.machine, member)
        self._spoke[member] = (now, member.router.advert_int)

    def _measure(self, machine: "Machine", member: Election) -> None:
        spoke, interval = self._spoke[member]
        gap = elapsed(spoke, machine.world.now)
        if gap > max(interval, member.router.advert_int) + self._slack:
            self.fail(machine.name, f"{member.router.key} said nothing for {for_people(gap)}")

    def _pardon(self, glass: Glass) -> None:
        for member in glass.members.values():
            if member in self._spoke:
                self._spoke[member] = (glass.machine.world.now, self._spoke[member][1])


class SpeaksFirst(Invariant):
    """At a takeover the advert leaves before anything is put into the kernel (V51); only a MASTER advertises (6.4)."""

    NAME = "adverts before addresses"

    def __init__(self, cluster: "Cluster") -> None:
        """Begin with nobody speaking."""
        super().__init__(cluster)
        self._spoke: dict[str, set[Election]] = {}
        self._said: dict[str, dict[str, bool]] = {}

    def begun(self, glass: Glass) -> None:
        """Nobody has spoken yet."""
        self._spoke[glass.machine.name] = set()
        self._said[glass.machine.name] = {}

    def sending(self, glass: Glass, advert: SendAdvert) -> None:
        """Remember who has spoken."""
        found = glass.engine.roster.members.get(advert.router)
        if found is not None and not advert.leaving:
            self._spoke[glass.machine.name].add(found[1])
            self._said[glass.machine.name][advert.router] = True

    def changed(self, glass: Glass, changes: Sequence[Change], answers: Sequence[KernelProblem | None]) -> None:
        """Look at what is put there: somebody who wants it and is MASTER must have spoken."""
        del answers
        added = {id_of(change.item) for change in changes if change.verb is Verb.ADD}
        if not added:
            return
        spoke, inventory = self._spoke[glass.machine.name], glass.machine.inventory
        owned: dict[ItemId, list[Election]] = {}
        for member in glass.live():
            if member.state is State.MASTER:
                for one in added & inventory.wanted_of(member.router):
                    owned.setdefault(one, []).append(member)
        for one, owners in owned.items():
            if not spoke.intersection(owners):
                self.fail(glass.machine.name, f"{owners[0].router.key} put {one[1]} there before its advert")

    def after(self, glass: Glass, event: Any, datagrams: tuple[Datagram, ...]) -> None:  # noqa: ARG002  (of any event)
        """See that nobody but a MASTER has spoken; one that yields may send one more (V37)."""
        said = self._said[glass.machine.name]
        if not said:
            return
        for key in said:
            member = glass.members.get(key)
            if member is not None and member.state is not State.MASTER and not self._may_speak(glass, member):
                self.fail(glass.machine.name, f"{key} advertised as {member.state}")
        said.clear()
        spoke = self._spoke[glass.machine.name]
        spoke.intersection_update([member for member in spoke if member.state is State.MASTER])

    def _may_speak(self, glass: Glass, member: Election) -> bool:
        return member.router.higher_prio_send_advert or glass.process.start is Start.RELEASE


class Goodbyes(Invariant):
    """Priority 0 at a stop and at a fault of a healthy interface, never when yielding (RFC 9568 6.4.3; V52, V60)."""

    NAME = "goodbye"

    def __init__(self, cluster: "Cluster") -> None:
        """Begin with nobody leaving."""
        super().__init__(cluster)
        self._left: dict[str, set[str]] = {}

    def begun(self, glass: Glass) -> None:
        """Nobody has left yet."""
        self._left[glass.machine.name] = set()

    def sending(self, glass: Glass, advert: SendAdvert) -> None:
        """Remember who says goodbye."""
        if advert.leaving:
            self._left[glass.machine.name].add(advert.router)

    def moved(self, glass: Glass, moves: Sequence[Move]) -> None:
        """Compare who has left with who has said so."""
        left = self._left[glass.machine.name]
        for move in moves:
            if move.old is not State.MASTER or move.new is State.MASTER:
                continue
            key = move.member.router.key
            said = key in left
            if self._must_say(move) and not said and not move.member.fault:
                self.fail(glass.machine.name, f"{key} went from MASTER to {move.new} without a word")
            if said and not self._must_say(move):
                self.fail(glass.machine.name, f"{key} said goodbye and yielded to a better master")
            left.discard(key)

    def after(self, glass: Glass, event: Any, datagrams: tuple[Datagram, ...]) -> None:  # noqa: ARG002  (of any event)
        """See that nobody says goodbye who does not leave."""
        left = self._left[glass.machine.name]
        if left and glass.process.start is not Start.RELEASE:
            self.fail(glass.machine.name, f"{', '.join(sorted(left))} said goodbye without leaving MASTER")
        left.clear()

    def _must_say(self, move: Move) -> bool:
        """Tell whether a move away from MASTER is one that nobody else has caused."""
        if move.new is not State.BACKUP:
            return True
        reasons = [instance.chronicle.reason for instance in move.group.instances]
        return any(reason.startswith(Trigger.STOLEN.value) for reason in reasons)
