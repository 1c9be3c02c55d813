"""The kernel and the network cards of a simulated machine: what is asked of them, and what they refuse."""

import errno
from collections.abc import Iterable, Sequence
from typing import NoReturn

from stayalived.config.virtual_routers import VirtualMac
from stayalived.errors import KernelProblem
from stayalived.kernel.api import Change, Interface
from stayalived.simulation.host import Host
from stayalived.simulation.lan import Datagram, Lan
from stayalived.simulation.plans import Station
from stayalived.simulation.ports import FIRST_INDEX, Port, ports_of
from stayalived.simulation.world import World
from stayalived.timing import Instant, seconds

REFUSED_LATELY = seconds(3)
"""For so long after a refusal the kernel may not have been asked again."""


class Ground:
    """What a machine stands on.

    Attributes:
        ports: network cards by the name that the configuration knows.
        refusing: what the kernel refuses now: `changes`, `macs`, `listen`, `send`.
        refused_at: when it last refused something.
        renamed_at: when one of its interfaces was last renamed.
        sysctls: those that were set, by name.
    """

    def __init__(self, world: World, station: Station, lans: Sequence[Lan]) -> None:
        """Begin with nothing but the machine's own addresses."""
        self.world = world
        self.station = station
        self.name = station.name
        self.refusing: set[str] = set()
        self.refused_at: Instant | None = None
        self.renamed_at = Instant(0)
        self.sysctls: dict[str, str] = {}
        self.ports = {port.home: port for port in ports_of(station, lans)}
        self.kernel = Host(tuple(port.bare() for port in self.ports.values()))
        self._seen: tuple[int, dict[str, Interface]] = (-1, {})

    def touch_kernel(self) -> None:
        """Note that something in the kernel has changed."""
        self.kernel.version += 1

    def links(self) -> dict[str, Interface]:
        """Return all interfaces by name, as the kernel shows them."""
        if self._seen[0] != self.kernel.version:
            self._seen = (self.kernel.version, self.kernel.interfaces())
        return self._seen[1]

    def change(self, changes: Sequence[Change]) -> list[KernelProblem | None]:
        """Carry out changes of addresses, routes, rules and barriers."""
        if "changes" in self.refusing:
            self.refused_at = self.world.now
            return [KernelProblem(f"{change.verb} {change.item.key}", errno.ENOBUFS) for change in changes]
        answers = self.kernel.apply(changes)
        if any(answers):
            self.refused_at = self.world.now
        self.touch_kernel()
        return answers

    def make_virtual_mac(self, mac: VirtualMac) -> None:
        """Make a macvlan.

        Raises:
            KernelProblem: the kernel refuses.
        """
        if "macs" in self.refusing:
            self.refuse(f"ip link add {mac.name}", errno.ENOBUFS)
        self.kernel.make_virtual_mac(mac)
        self.touch_kernel()

    def remove_virtual_macs(self, names: Iterable[str]) -> None:
        """Remove macvlans; harmless for those that are gone."""
        self.kernel.remove_virtual_macs(names)
        self.drop_sysctls()
        self.touch_kernel()

    def clear_barriers(self) -> None:
        """Remove all barriers, as the process does at its first start and at its end."""
        if self.kernel.barriers:
            self.kernel.clear_barriers()
            self.touch_kernel()

    def drop_sysctls(self) -> None:
        """Forget the sysctls of interfaces that are gone."""
        there = self.kernel.interfaces()
        self.sysctls = {name: value for name, value in self.sysctls.items() if name.split("/")[-2] in there}

    def set_sysctl(self, name: str, value: str) -> str:
        """Set a sysctl; returns what it was.

        Raises:
            KernelProblem: its interface is gone.
        """
        interface = name.split("/")[-2]
        if interface not in self.links():
            raise KernelProblem(f"sysctl -w {name}={value}", errno.ENOENT)
        before = self.sysctls.get(name, "0")
        self.sysctls[name] = value
        return before

    @property
    def was_refused(self) -> bool:
        """Whether the kernel refuses, or has refused not long ago: vrrp asks it again only so often."""
        return bool(self.refusing) or (
            self.refused_at is not None and self.world.now - self.refused_at < REFUSED_LATELY
        )

    def refuse(self, action: str, number: int) -> NoReturn:
        """Refuse what was asked for, and remember when.

        Raises:
            KernelProblem: always.
        """
        self.refused_at = self.world.now
        raise KernelProblem(action, number)

    def index_of(self, name: str) -> int:
        """Return the index of an interface; 0 when there is none of this name."""
        interface = self.links().get(name)
        return interface.index if interface else 0

    def carries(self, address: str) -> bool:
        """Tell whether any interface has an address."""
        return any(held.address == address for link in self.links().values() for held in link.addresses)

    def port_of(self, index: int) -> Port | None:
        """Return the network card that an interface, or the macvlan on it, sends by; None when it is gone."""
        found = next((link for link in self.links().values() if link.index == index), None)
        if found is None:
            return None
        base = found.parent or found.index
        return next((port for port in self.ports.values() if port.is_plugged and port.index == base), None)

    def send(self, index: int, datagram: Datagram) -> None:
        """Let a datagram leave by an interface."""
        port = self.port_of(index)
        if port is not None and port.lan is not None:
            port.lan.send(self.name, datagram)

    def settle_port(self, port: Port) -> None:
        """Let the segment know whether a card of this machine is up."""
        if port.lan is not None:
            port.lan.set_link(self.name, up=port.is_up)
        self.touch_kernel()

    def begin_anew(self) -> None:
        """Forget everything: the power is gone, and a new kernel begins."""
        self.sysctls.clear()
        for port in self.ports.values():
            port.name, port.is_plugged, port.administratively_up = port.home, True, True
            port.index = FIRST_INDEX + list(self.ports).index(port.home)
        version = self.kernel.version
        self.kernel = Host(tuple(port.bare() for port in self.ports.values()))
        self.kernel.version = version
