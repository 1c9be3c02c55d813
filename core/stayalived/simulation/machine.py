"""One machine of a simulated cluster: its daemon, its kernel, its network cards."""

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from stayalived.config.model import Configuration
from stayalived.config.problems import Problem
from stayalived.kernel.memory_ipvs import MemoryIpvs
from stayalived.simulation.checker_role import CheckerRole
from stayalived.simulation.ground import Ground
from stayalived.simulation.inventory import Inventory
from stayalived.simulation.ipvs_role import IpvsRole
from stayalived.simulation.lan import Datagram
from stayalived.simulation.monitor import Monitor
from stayalived.simulation.node import Node
from stayalived.simulation.plans import Plan, Station
from stayalived.simulation.ports import Port
from stayalived.simulation.process import Process
from stayalived.simulation.roles import Role
from stayalived.simulation.services import SORRY
from stayalived.simulation.vrrp_role import VrrpRole
from stayalived.simulation.watch import Watch
from stayalived.timing import Instant

if TYPE_CHECKING:
    from stayalived.simulation.cluster import Cluster


class Machine(Ground):
    """One machine.

    Attributes:
        station: which one it is.
        plan: what stands in its files.
        counts: what happened to what came in, and what was announced.
        adverts: what each virtual router has sent.
    """

    def __init__(self, cluster: "Cluster", station: Station) -> None:
        """Plug it in; it is switched off."""
        super().__init__(cluster.world, station, cluster.lans)
        self.cluster = cluster
        self.drawn = cluster.drawn
        self.farm = cluster.farm
        self.plan: Plan = cluster.drawn.plan
        self.counts: Counter[str] = Counter()
        self.adverts: defaultdict[str, list[tuple[Instant, bytes]]] = defaultdict(list)
        self.ipvs = MemoryIpvs()
        self.monitor = Monitor(self)
        self.inventory = Inventory(self)
        self.watch = Watch(self, cluster.invariants)
        self.vrrp_role = VrrpRole(self)
        roles: dict[str, Role] = {"vrrp": self.vrrp_role, "checker": CheckerRole(self), "ipvs": IpvsRole(self)}
        self.node = Node(self.world, self.name, roles, self.read_files, station.clock)
        for port in self.ports.values():
            if port.lan is not None:
                port.lan.join(self.name, self._receiver(port), [address.address for address in port.own])

    # ── its files ────────────────────────────────────────────────────────────────────────────────────────────────────

    def read_files(self) -> Configuration | tuple[Problem, ...]:
        """Return what stands in the machine's files now, or what is wrong with it."""
        if self.plan.fault:
            return (Problem(path="vrrp_instance", expected=self.plan.fault),)
        return self.drawn.configuration(self.station, self.plan)

    def stamp(self) -> tuple[object, ...]:
        """Return what changes whenever more than timers and counters may have changed here."""
        node, glass = self.node, self.watch.glass
        return (
            self.kernel.version,
            node.on and node.supervisor.alive and node.supervisor.decides.phase,
            node.frozen_until,
            glass and (id(glass), glass.version, glass.stands),
            self.vrrp_role.ears.version,
            self.monitor.is_deaf,
            self.was_refused,
            self.cluster.moves,
            *(lan.fair_since for lan in self.cluster.lans),
        )

    def touch_kernel(self) -> None:
        """Note that something in the kernel has changed: its monitor tells of it, and the watchers look."""
        super().touch_kernel()
        self.node.touch()
        self.monitor.look()

    def vrrp(self) -> Process | None:
        """Return the vrrp process, if there is one."""
        return self.node.children.get("vrrp")

    def lose_power(self) -> None:
        """Lose everything but the files at one moment."""
        self.node.lose()
        self.monitor.reset()
        self.ipvs = MemoryIpvs()
        self.begin_anew()
        self.watch.lost()
        for port in self.ports.values():
            self.settle_port(port)

    # ── its pool ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def live_weights(self) -> dict[str, int]:
        """Return the sum of the real servers' weights in each service of the kernel, sorry server left out."""
        return {
            str(key): sum(
                destination.weight for endpoint, destination in entry.destinations.items() if endpoint != SORRY
            )
            for key, entry in self.ipvs.table.items()
        }

    def judge_steps(self, live: Sequence[dict[str, int]]) -> None:
        """Take in the live weights before and after each operation of one plan; the invariants look at them."""
        self.cluster.judge_steps(self, live)

    def _receiver(self, port: Port) -> Callable[[Datagram], None]:
        def receive(datagram: Datagram) -> None:
            self._arrived(port, datagram)

        return receive

    def _arrived(self, port: Port, datagram: Datagram) -> None:
        process, node = self.vrrp(), self.node
        if not node.on or process is None or not process.alive:
            self.counts["arrived and nobody heard it"] += 1
        elif node.suspended:
            self.counts["arrived at a machine that sleeps"] += 1
        elif not port.is_up:
            self.counts["arrived at an interface that is down"] += 1
        else:
            node.touch()
            self.vrrp_role.heard(process, self._entrance(port, datagram), datagram)

    def _entrance(self, port: Port, datagram: Datagram) -> str:
        """Return the interface that a frame comes in by.

        The kernel gives what comes from a macvlan's own address to that macvlan alone (drivers/net/macvlan.c,
        macvlan_handle_frame).
        """
        if datagram.source_mac:
            for link in self.links().values():
                if link.parent == port.index and link.mac == datagram.source_mac and link.up:
                    return link.name
        return port.name
