"""What is in the kernel: addresses, routes, rules and barriers follow the state of their virtual routers."""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from stayalived.child.events import Commit
from stayalived.config.virtual_routers import PlacedAddress
from stayalived.errors import KernelProblem
from stayalived.kernel.api import Barrier, Change, Item, Verb
from stayalived.messages.control import Start
from stayalived.simulation.glass import Glass, Move
from stayalived.simulation.invariants.base import AFTER_REFUSAL, Continuous, Invariant
from stayalived.simulation.inventory import OWNER, ItemId, id_of, routers_of
from stayalived.simulation.lan import Datagram
from stayalived.timing import NO_TIME, Duration, seconds
from stayalived.vrrp.states import State
from stayalived.vrrp.timers import master_down_interval

if TYPE_CHECKING:
    from stayalived.simulation.cluster import Cluster
    from stayalived.simulation.machine import Machine

RELEASE_MARGIN = seconds(0.5)
"""Addresses are released so much before a peer could take over (docs/architecture.md, crash loop)."""

RESPAWN_TIME = seconds(0.3)
"""From the fork of a vrrp process to its first word, on a machine that is not frozen."""

MISSING = seconds(1)
"""How long a MASTER may be without something of its own while the kernel refuses nothing."""


class HoldingsFollowState(Continuous):
    """Everything is held exactly while MASTER, also across the death of a child (RFC 9568 6.4.2, 6.4.3; V20 to V23)."""

    NAME = "addresses follow state"

    def __init__(self, cluster: "Cluster") -> None:
        """Begin with machines that hold nothing."""
        super().__init__(cluster)
        self._wanted: dict[str, frozenset[ItemId]] = {}
        self._forgiven: dict[str, set[ItemId]] = {}
        self._put: dict[str, set[ItemId]] = {}
        self._untold: set[ItemId] = set()
        self._excused: set[str] = set()

    def before(self, glass: Glass, event: Any, datagrams: tuple[Datagram, ...]) -> None:
        """What was done before has been told."""
        del glass, event, datagrams
        self._untold = set()

    def begun(self, glass: Glass) -> None:
        """This process has put nothing there yet."""
        self._put[glass.machine.name] = set()

    def changed(self, glass: Glass, changes: Sequence[Change], answers: Sequence[KernelProblem | None]) -> None:
        """Remember what the process has put there."""
        added = (change.item for change, answer in zip(changes, answers, strict=True) if answer is None)
        ids = set(map(id_of, added))
        self._put[glass.machine.name] |= ids
        self._untold |= ids

    def committed(self, glass: Glass, event: Commit) -> None:
        """A first start removes leftovers before anything else (docs/architecture.md, what a death costs)."""
        machine = glass.machine
        inventory = machine.inventory
        self._excused.discard(machine.name)
        if event.start is Start.FIRST:
            inventory.forget()
        if event.start is Start.RESPAWNED:
            inventory.forget_all_but_addresses()  # what a reload has taken out meanwhile is told of addresses only
        inventory.learn(glass.configuration)
        self._reckon(glass)
        left = self._surplus(machine)
        if event.start is Start.FIRST and left and not machine.was_refused:
            self.fail(machine.name, f"started, and left {_in_words(left)}")

    def moved(self, glass: Glass, moves: Sequence[Move]) -> None:
        """Reckon anew what shall be there; whoever is MASTER anew misses nothing that somebody deleted before."""
        self._reckon(glass)
        for move in moves:
            if move.new is not State.MASTER:
                inventory = glass.machine.inventory
                self._forgiven.get(glass.machine.name, set()).difference_update(inventory.wanted_of(move.member.router))

    def forgive(self, machine: "Machine", item: Item) -> None:
        """Somebody has deleted an item that is not to be repaired (`no_track`)."""
        self._forgiven.setdefault(machine.name, set()).add(id_of(item))

    def finished(self, glass: Glass) -> None:
        """A process that ends in order leaves nothing (docs/architecture.md, an orderly stop)."""
        machine = glass.machine
        self._wanted[machine.name] = frozenset()
        left = self._surplus(machine)
        astray = any(port.name != port.home or not port.is_plugged for port in machine.ports.values())
        if machine.was_refused or astray:
            self._excused.add(machine.name)  # it could not take everything away, and does not stay to try again
        elif left and glass.works:
            self.fail(machine.name, f"stopped in order, and left {_in_words(left)}")

    def ended(self, glass: Glass) -> None:
        """Nobody speaks for what is there, and what a process has not lived to tell of its successor does not know."""
        if glass.process.is_doomed:
            glass.machine.inventory.forget_these(self._untold)
        self._wanted[glass.machine.name] = frozenset()

    def lost(self, machine: "Machine") -> None:
        """Everything is gone with the power."""
        machine.inventory.forget()
        self._wanted[machine.name] = frozenset()

    def in_words(self, what: tuple[ItemId, bool]) -> str:
        """Return what is wrong for people."""
        one, is_there = what
        return f"{_in_words([one])}: {'held without being MASTER' if is_there else 'MASTER without it'}"

    def _reckon(self, glass: Glass) -> None:
        inventory = glass.machine.inventory
        sets = [inventory.wanted_of(member.router) for member in glass.masters()]
        self._wanted[glass.machine.name] = frozenset().union(*sets)

    def wrong(self, machine: "Machine") -> Mapping[tuple[ItemId, bool], Duration] | None:
        """Return what is there and should not be, and the other way round; None when nothing can be done about it."""
        node, glass = machine.node, machine.watch.glass
        is_still = glass is not None and glass.stands
        if not node.on or not node.supervisor.alive or node.frozen_until is not None or is_still:
            return None
        if machine.name in self._excused:
            return None
        is_cut_off = glass is not None and not glass.works and glass.process.is_cut_off
        if "changes" in machine.refusing or machine.monitor.is_deaf or is_cut_off:
            return None
        if node.supervisor.decides.phase == "starting" or _cannot_work(machine):
            return None  # until the first commit, which is looked at by itself
        actual, wanted = machine.inventory.actual(), self._wanted.get(machine.name, frozenset())
        if actual == wanted:
            return None
        more = AFTER_REFUSAL if machine.was_refused else NO_TIME
        surplus, lacking = Duration(self._release(machine) + more), Duration(MISSING + more)
        wrong = {(one, True): surplus for one in self._surplus(machine)}
        forgiven = self._forgiven.get(machine.name, set())
        wrong |= {(one, False): lacking for one in wanted - actual if one not in forgiven}
        return wrong

    def _surplus(self, machine: "Machine") -> frozenset[ItemId]:
        """Return what is there and should not be. What an owner has found there may be the machine's own."""
        surplus = machine.inventory.actual() - self._wanted.get(machine.name, frozenset())
        glass = machine.watch.glass
        if surplus and (glass is None or glass.process.forked_at >= machine.renamed_at):
            surplus &= machine.inventory.known.keys()  # nobody was there who could see that an interface was renamed
        if surplus and glass is not None and glass.works:
            owned = (member.router for member in glass.members.values() if member.router.priority == OWNER)
            found = frozenset().union(*(machine.inventory.wanted_of(router) for router in owned))
            surplus -= found - self._put[machine.name]
        return surplus

    def _release(self, machine: "Machine") -> Duration:
        """Return how long something may stay while nobody on the machine speaks for it.

        A respawn delay that would end later than half a second before a peer takes over is not waited for: everything
        is released at once.
        """
        shortest = min(
            (
                master_down_interval(router.version, router.priority, router.advert_int, router.down_timer_adverts)
                for router in routers_of(machine.watch.running)
            ),
            default=NO_TIME,
        )
        return Duration(max(shortest - RELEASE_MARGIN, 0) + RESPAWN_TIME)


class BarrierFirst(Invariant):
    """Where `accept = false`, the barrier is there whenever the address is (RFC 9568 6.4.3; V32)."""

    NAME = "barrier before address"

    def changed(self, glass: Glass, changes: Sequence[Change], answers: Sequence[KernelProblem | None]) -> None:
        """Look at each address that was added, and at each barrier that was removed."""
        machine = glass.machine
        if not any(isinstance(change.item, Barrier) for change in changes) and not machine.kernel.barriers:
            return
        shut = set(machine.kernel.barriers)
        for change, answer in zip(reversed(changes), reversed(answers), strict=True):  # back to what was before
            if isinstance(change.item, Barrier) and answer is None:
                (shut.discard if change.verb is Verb.ADD else shut.add)(change.item.address)
        for change, answer in zip(changes, answers, strict=True):
            if answer is not None:
                continue
            item = change.item
            if isinstance(item, Barrier):
                (shut.add if change.verb is Verb.ADD else shut.discard)(item.address)
            elif isinstance(item, PlacedAddress) and change.verb is Verb.ADD:
                self._look(glass, item, shut)

    def _look(self, glass: Glass, item: PlacedAddress, shut: set[str]) -> None:
        for member in glass.live():
            router = member.router
            if (
                member.state is State.MASTER
                and not router.accept
                and router.priority != OWNER
                and item in (*router.addresses, *router.excluded)
            ):
                address = item.address.address
                if address not in shut and "changes" not in glass.machine.refusing:
                    self.fail(glass.machine.name, f"{router.key} added {address} before its barrier")


def _cannot_work(machine: "Machine") -> bool:
    """Tell whether vrrp refuses what is in force.

    That may be so because it was not there to be asked when a reload was accepted: then nobody can release either.
    """
    children = machine.node.supervisor.decides.children()
    notes = [child.note or child.failure for child in children if child.name == "vrrp"]
    return any(note.startswith("refused the configuration in force") for note in notes)


def _in_words(items: Iterable[ItemId]) -> str:
    return ", ".join(f"{kind.__name__} {key}" for kind, key in sorted(items, key=str))
