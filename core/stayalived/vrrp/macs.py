"""The macvlans with the virtual routers' own hardware addresses: made, made again, removed (V07; RFC 9568 7.3)."""

from collections.abc import Iterable, Iterator, Mapping

from stayalived.config.virtual_routers import VirtualMac, VirtualRouter
from stayalived.timing import Instant, after, seconds
from stayalived.vrrp.desk import ERROR, Desk
from stayalived.vrrp.effects import MakeVirtualMac, RemoveVirtualMacs
from stayalived.vrrp.links import Link

RETRY = seconds(1)
"""How long after a refusal a macvlan is asked for again."""


class VirtualMacs:
    """All macvlans of this process.

    Attributes:
        deadline: when those that were refused are asked for again.
    """

    def __init__(self, links: Mapping[str, Link], desk: Desk) -> None:
        """Start without one; `links` has all interfaces by name."""
        self.deadline: Instant | None = None
        self.filed: Instant | None = None
        self._links = links
        self._desk = desk
        self._wanted: dict[str, VirtualMac] = {}
        self._asked: set[str] = set()

    def want(self, routers: Iterable[VirtualRouter]) -> None:
        """Have those of these routers, and no others. What carried addresses must have given them up by then."""
        wanted = {mac.name: mac for mac in virtual_macs(routers)}
        gone = tuple(name for name, mac in self._wanted.items() if wanted.get(name) != mac)
        if gone:
            self._desk.tray.work(RemoveVirtualMacs(names=gone))
            self._asked.difference_update(gone)
        self._wanted = wanted
        self.look()

    def look(self) -> None:
        """Ask for those that are not there though the interface underneath is."""
        self.deadline = None
        for name, mac in self._wanted.items():
            if name not in self._asked and self._links[mac.parent].interface is not None and not self._is_there(mac):
                self._asked.add(name)
                self._desk.tray.work(MakeVirtualMac(virtual_mac=mac))

    def lose(self, name: str) -> None:
        """An interface is gone: one of ours may be made again."""
        self._asked.discard(name)
        if name in self._wanted:
            self.look()

    def refuse(self, name: str, problem: str, now: Instant) -> None:
        """The kernel has refused one: it is asked for again later, if it is wanted."""
        self._desk.tray.report(ERROR, f"{problem}; trying again", once=f"virtual MAC {name}", interface=name)
        if name in self._wanted:
            self._links[name].refusal = problem
            self._asked.discard(name)
            self.deadline = after(now, RETRY)

    def is_ours(self, name: str) -> bool:
        """Tell whether an interface is one of the macvlans."""
        return name in self._wanted

    def remove_all(self) -> None:
        """Remove all of them: the process ends in order."""
        self.want(())

    def _is_there(self, mac: VirtualMac) -> bool:
        """Tell whether a macvlan is there as it should be, made by a process before this one, say."""
        interface, parent = self._links[mac.name].interface, self._links[mac.parent].interface
        if interface is None or parent is None:
            return False
        return interface.mac == mac.mac and interface.parent == parent.index and interface.up


def virtual_macs(routers: Iterable[VirtualRouter]) -> Iterator[VirtualMac]:
    """Return the macvlans of some routers."""
    return (router.virtual_mac for router in routers if router.virtual_mac is not None)
