"""What a vrrp process has beside addresses: macvlans, sockets, sysctls. Each exactly while it is configured."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from stayalived.addresses import Family
from stayalived.config.virtual_routers import VirtualMac
from stayalived.simulation.glass import Glass
from stayalived.simulation.invariants.base import AFTER_REFUSAL, SETTLED, Continuous, Invariant
from stayalived.simulation.inventory import routers_of
from stayalived.timing import NO_TIME, Duration

if TYPE_CHECKING:
    from stayalived.simulation.cluster import Cluster
    from stayalived.simulation.machine import Machine


class VirtualMacs(Continuous):
    """A virtual MAC is there exactly while it is configured and its interface is there (V07; RFC 9568 7.3)."""

    NAME = "virtual MACs as configured"

    def finished(self, glass: Glass) -> None:
        """A process that ends in order leaves none."""
        left = [name for name, link in glass.machine.links().items() if link.kind == "macvlan"]
        if left and glass.works and not glass.machine.was_refused:
            self.fail(glass.machine.name, f"stopped in order, and left {left}")

    def wrong(self, machine: "Machine") -> dict[str, Duration] | None:
        """Compare what is there with what is configured."""
        glass = machine.watch.glass
        if glass is None or not glass.works or glass.stands or machine.monitor.is_deaf:
            return None
        if "macs" in machine.refusing:
            return None
        limit = Duration(SETTLED + (AFTER_REFUSAL if machine.was_refused else NO_TIME))
        links = machine.links()
        wanted = {mac.name: mac for router in routers_of(glass.configuration) if (mac := router.virtual_mac)}
        extra = [name for name, link in links.items() if link.kind == "macvlan" and name not in wanted]
        wrong = {f"{name} is there and not configured": limit for name in extra}
        for name, mac in wanted.items():
            if mac.parent in links and not self._is_there(machine, mac):
                wrong[f"{name} is configured and not there as it should be"] = limit
        return wrong

    def _is_there(self, machine: "Machine", mac: VirtualMac) -> bool:
        links = machine.links()
        link = links.get(mac.name)
        return link is not None and link.mac == mac.mac and link.parent == links[mac.parent].index


class Listening(Continuous):
    """What a virtual router has to hear is heard, and nothing else (RFC 9568 6.4.2; K#2387)."""

    NAME = "sockets as configured"

    def wrong(self, machine: "Machine") -> dict[str, Duration] | None:
        """Compare the sockets that are open with those that are needed."""
        glass = machine.watch.glass
        if glass is None or not glass.works or glass.stands or machine.monitor.is_deaf:
            return None
        if "listen" in machine.refusing:
            return None
        limit = Duration(SETTLED + (AFTER_REFUSAL if machine.was_refused else NO_TIME))
        open_ones, needed = machine.vrrp_role.ears.keys(), set(self._needed(machine, glass))
        wrong = {f"{key} is open, and nobody needs it": limit for key in open_ones - needed}
        return wrong | {f"{key} is not open": limit for key in needed - open_ones}

    def _needed(self, machine: "Machine", glass: Glass) -> Iterator[tuple[str, Family, str]]:
        links = machine.links()
        for router in routers_of(glass.configuration):
            mac = router.virtual_mac
            if mac is not None and mac.name in links and not router.peers:
                yield mac.name, router.family, router.group  # of whoever speaks from the same virtual MAC
            link = links.get(router.interface)
            if link is None:
                continue
            if not router.peers:
                yield router.interface, router.family, router.group
            elif any(address.address == router.source for address in link.addresses):
                yield router.interface, router.family, router.source


class SysctlsRestored(Invariant):
    """What vrrp has set of an interface's sysctls is put back when it ends in order (V24)."""

    NAME = "sysctls put back"

    def __init__(self, cluster: "Cluster") -> None:
        """Begin with nobody dead."""
        super().__init__(cluster)
        self._deaths: set[str] = set()
        self._orderly: Glass | None = None

    def finished(self, glass: Glass) -> None:
        """Look at what is set; what a process did not live to tell, its replacement does not know."""
        machine = glass.machine
        left = {name: value for name, value in machine.sysctls.items() if value != "0"}
        if left and glass.works and machine.name not in self._deaths:
            self.fail(machine.name, f"stopped in order, and left {left}")
        self._orderly = glass

    def ended(self, glass: Glass) -> None:
        """Remember who died without an end."""
        if self._orderly is not glass:
            self._deaths.add(glass.machine.name)

    def lost(self, machine: "Machine") -> None:
        """A new kernel begins."""
        self._deaths.discard(machine.name)
