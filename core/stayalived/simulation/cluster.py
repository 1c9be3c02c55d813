"""A cluster on one segment: machines with their kernels, the farm of real servers, what was counted."""

from collections import Counter, defaultdict
from collections.abc import Sequence

from stayalived.config.model import Configuration
from stayalived.kernel.api import Interface
from stayalived.kernel.memory import MemoryAddresses
from stayalived.kernel.memory_ipvs import MemoryIpvs
from stayalived.messages.vrrp import InstanceState
from stayalived.simulation.blows import Fault
from stayalived.simulation.crew import NETLINK_TIME, VrrpRole, crew_of
from stayalived.simulation.draw import INTERFACE, SORRY, Draw, Router
from stayalived.simulation.lan import Datagram, Lan
from stayalived.simulation.node import Node
from stayalived.simulation.process import Process
from stayalived.simulation.servers import Farm
from stayalived.simulation.weather import Phase
from stayalived.simulation.world import World
from stayalived.supervisor.lifecycle import State
from stayalived.timing import Instant
from stayalived.vrrp.events import InterfaceChanged


class Violation(AssertionError):
    """An invariant does not hold. Names the invariant, where, and what was seen."""

    def __init__(self, invariant: str, where: str, what: str) -> None:
        """Say it in one line."""
        super().__init__(f"{invariant}: {where}: {what}")
        self.invariant = invariant


INDEX = 2
"""Interface index of the one interface that each machine has."""


class Machine:
    """One machine: its node, its kernel, its cable."""

    def __init__(self, cluster: "Cluster", router: Router) -> None:
        """Plug it in; it is switched off."""
        self.cluster = cluster
        self.lan = cluster.lan
        self.farm = cluster.farm
        self.router = router
        self.name = router.name
        self.refusing = False
        self.refused_at: Instant | None = None
        self.counts: Counter[str] = Counter()
        self.adverts: defaultdict[str, list[tuple[Instant, bytes]]] = defaultdict(list)
        self.weights: Sequence[int] = ()
        self.ipvs = MemoryIpvs()
        self.roles = crew_of(self)
        self.node = Node(cluster.world, self.name, self.roles, self.configuration)
        self.kernel = MemoryAddresses([self._bare_interface()])
        self.lan.join(self.name, lambda datagram: self.node.guard(lambda: self._arrived(datagram))())

    def configuration(self) -> Configuration:
        """Return what stands in the machine's files now."""
        return self.cluster.drawn.configuration(self.router, weights=self.weights)

    def change_weights(self, weights: Sequence[int]) -> None:
        """Write other weights into the machine's files."""
        self.weights = weights

    def interface(self) -> Interface:
        """Return the interface as the kernel shows it."""
        return self.kernel.interfaces()[INTERFACE]

    def set_link(self, *, up: bool) -> None:
        """Pull or plug the cable; vrrp hears of it from the kernel."""
        self.lan.set_link(self.name, up=up)
        self.kernel.set_carrier(INTERFACE, up=up)
        self.tell_interface()

    def tell_interface(self) -> None:
        """Let vrrp's monitor say, a little later, what the interface is like by then."""
        world = self.cluster.world
        self.node.at(Instant(world.now + NETLINK_TIME), self._say_interface)

    def live_weights(self) -> dict[str, int]:
        """Return the sum of the real servers' weights in each service of the kernel, sorry server left out."""
        return {
            str(key): sum(
                destination.weight for endpoint, destination in entry.destinations.items() if endpoint != SORRY
            )
            for key, entry in self.ipvs.table.items()
        }

    def vrrp(self) -> Process | None:
        """Return the vrrp process, if there is one."""
        return self.node.children.get("vrrp")

    def _bare_interface(self) -> Interface:
        return Interface(
            name=INTERFACE,
            index=INDEX,
            up=True,
            mac=bytes((2, 0, 0, 0, 0, self.router.number)),
            mtu=1500,
            arp=True,
            addresses=(self.router.address, self.router.link_local),
        )

    def _say_interface(self) -> None:
        vrrp = self.vrrp()
        if vrrp is not None:
            vrrp.post(InterfaceChanged(interface=self.interface()))

    def _arrived(self, datagram: Datagram) -> None:
        process, role = self.vrrp(), self.roles["vrrp"]
        if process is None or not process.alive or not isinstance(role, VrrpRole):
            self.counts["arrived and nobody heard it"] += 1
            return
        role.heard(process, datagram)


class Cluster:
    """All machines of one seed."""

    def __init__(self, world: World, drawn: Draw) -> None:
        """Build it; nothing is switched on."""
        self.world = world
        self.drawn = drawn
        self.lan = Lan(world)
        self.farm = Farm(world)
        self.coverage: Counter[tuple[Fault, Phase]] = Counter()
        self.machines = [Machine(self, router) for router in drawn.routers]

    def phases(self, machine: Machine) -> set[Phase]:
        """Return what a machine is doing: the state of its instance, and of its supervisor."""
        if not machine.node.on:
            return set()
        found: set[Phase] = set()
        vrrp = machine.vrrp()
        state = vrrp.told.get(("InstanceState", "site")) if vrrp is not None else None
        if isinstance(state, InstanceState) and state.state in Phase.__members__:
            found.add(Phase[state.state])
        supervisor = machine.node.supervisor.decides
        if supervisor.phase == "reloading":
            found.add(Phase.PREPARE)
        if any(child.restarts and child.state in _RESPAWNING for child in supervisor.children()):
            found.add(Phase.RESPAWN)
        return found

    def judge_steps(self, machine: Machine, live: Sequence[dict[str, int]]) -> None:
        """Take in the live weights before and after each operation of one plan; the invariants look at them."""
        for key in live[0].keys() & live[-1].keys():
            kept = min(live[0][key], live[-1][key], self.drawn.quorum)
            lowest = min(step.get(key, 0) for step in live)
            if lowest < kept:
                raise Violation("table follows health", machine.name, f"{key}: weight {lowest} on the way, {kept} kept")


_RESPAWNING = frozenset({State.STARTING, State.PREPARING, State.READY, State.BACKOFF, State.ENDING})
