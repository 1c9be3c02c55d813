"""Where one virtual router lives: its interface, the macvlan on it, and the interfaces of its addresses."""

from collections.abc import Mapping

from stayalived.config.virtual_routers import VirtualRouter
from stayalived.kernel.api import Interface
from stayalived.kernel.links import MACVLAN
from stayalived.vrrp.links import Link


class Site:
    """The interfaces of one virtual router.

    Attributes:
        link: its own interface: it hears there, and its adverts have an address of it.
        mac_link: the macvlan with its virtual MAC; None without one.
        speaking_link: where its adverts leave.
    """

    def __init__(self, router: VirtualRouter, links: Mapping[str, Link]) -> None:
        """Find the interfaces of a router; `links` has all of them by name."""
        self._links = links
        self.link = links[router.interface]
        self.mac_link = links[router.virtual_mac.name] if router.virtual_mac else None
        self.speaking_link = self.link if self.mac_link is None or router.transmit_on_base else self.mac_link

    def fault(self, router: VirtualRouter) -> str:
        """Return why the router cannot work here, or empty."""
        fault = self.link.fault(router)
        if fault or self.mac_link is None:
            return fault
        return _mac_fault(self.mac_link) or self.mac_link.deafness(self.link.ear_of(router))

    def pending(self, router: VirtualRouter) -> str:
        """Return what is still being made for the router, or empty."""
        mac_link = self.mac_link
        if mac_link is None or not mac_link.is_down or mac_link.refusal or self.link.fault(router):
            return ""
        return f"virtual MAC {mac_link.name}"

    def source(self, router: VirtualRouter) -> str:
        """Return the address that the router's adverts come from, or empty when there is none."""
        return self.link.source(router)

    def interface(self, name: str) -> Interface | None:
        """Return an interface that carries addresses of the router; None while there is none of this name."""
        link = self._links.get(name)
        return link.interface if link is not None else None


def _mac_fault(link: Link) -> str:
    """Return what is wrong about the interface where a macvlan should be, or empty."""
    interface, name = link.interface, link.name
    if interface is None:
        return link.refusal or f"virtual MAC {name} does not exist"
    if (interface.kind, interface.mac) != (MACVLAN, link.virtual_mac):
        remedy = f"remove it (ip link delete {name}) or give use_vmac another name"
        return f"{name} is not the macvlan with the virtual MAC {link.virtual_mac.hex(':')}: {remedy}"
    return f"virtual MAC {name} is down" if link.is_down else ""
