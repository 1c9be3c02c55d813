"""The interfaces that virtual routers live on, as far as an election cares: may it speak there, and as whom."""

from collections.abc import Sequence

from stayalived.addresses import Family, VirtualAddress
from stayalived.config.virtual_routers import VirtualRouter
from stayalived.kernel.api import Interface
from stayalived.timing import Instant, after, seconds
from stayalived.vrrp.counters import Counters
from stayalived.vrrp.effects import Listen, Unlisten
from stayalived.vrrp.packet import PRIORITY_OWNER

LISTEN_RETRY = seconds(1)
"""How long after a refusal it is tried again to listen."""

_LINK_LOCAL = ("fe8", "fe9", "fea", "feb")  # fe80::/10


class Link:
    """One interface by name, whether it exists or not.

    Attributes:
        interface: as the kernel last described it; None while there is none.
        lost_index: the index that it had, while there is none; one that appears with it was renamed.
        heard: multicast groups and own addresses that are to be heard, by family.
        virtual: addresses that virtual routers of ours may put there; never a source address of an advert.
        counters: packets that belong to no virtual router of ours.
        virtual_mac: its hardware address, where it is a macvlan of ours.
        refusal: why the kernel does not make it, where it is a macvlan of ours.
        deadline: when listening is tried again.
        leaving: what need not be heard any more, until that is told.
        is_queued: waits for its turn to tell it; belongs to the tray.
    """

    def __init__(self, name: str) -> None:
        """Start without an interface."""
        self.name = name
        self.interface: Interface | None = None
        self.lost_index = 0
        self.addresses: frozenset[VirtualAddress] = frozenset()
        self.heard: frozenset[tuple[Family, str]] = frozenset()
        self.virtual: frozenset[str] = frozenset()
        self.virtual_mac = b""
        self.refusal = ""
        self.counters = Counters(key=name)
        self.deadline: Instant | None = None
        self.filed: Instant | None = None
        self.is_queued = False
        self.leaving: set[tuple[Family, str]] = set()
        self._deaf: dict[tuple[Family, str], str] = {}

    def see(self, interface: Interface | None) -> None:
        """Take in what the kernel says of the interface now."""
        self.lost_index = self.interface.index if self.interface is not None and interface is None else 0
        self.interface = interface
        self.addresses = frozenset(interface.addresses) if interface else frozenset()
        self.refusal = ""
        if interface is None:
            self._deaf.clear()
            self.deadline = None

    @property
    def is_down(self) -> bool:
        """Whether there is no link, or no interface."""
        return self.interface is None or not self.interface.up

    def source(self, router: VirtualRouter) -> str:
        """Return the address that the router's adverts come from, or empty when there is none.

        That is the configured one while the interface carries it; without one, the first of the interface that is not
        virtual (keepalived's V12), for IPv6 the link-local one (RFC 9568 5.1.2.1). An owner may have no other than its
        own virtual address.
        """
        if router.source:
            return router.source if self._carries(router) else ""
        for address in self.interface.addresses if self.interface else ():
            if address.family is router.family and address.address not in self.virtual and _may_speak(address):
                return address.address
        owns = router.priority == PRIORITY_OWNER and router.family is Family.IPV4 and router.addresses
        return router.advertised[0].address if owns else ""

    def fault(self, router: VirtualRouter) -> str:
        """Return why the router cannot work here, or empty."""
        if self.interface is None:
            return f"interface {self.name} does not exist"
        if not self.interface.up:
            return f"interface {self.name} is down"
        if router.source and not self._carries(router):
            return f"interface {self.name} does not carry {router.source}, the configured source of adverts"
        if not self.source(router):
            wanted = "IPv6 link-local address" if router.family is Family.IPV6 else "IPv4 address of its own"
            return f"interface {self.name} has no {wanted}"
        return self.deafness(self.ear_of(router))

    def deafness(self, ear: tuple[Family, str]) -> str:
        """Return why something is not heard here, or empty."""
        return self._deaf.get(ear, "")

    def ear_of(self, router: VirtualRouter) -> tuple[Family, str]:
        """Return what a router hears: its multicast group, or for unicast its own address."""
        return router.family, self.source(router) if router.peers else router.group

    def standing(self) -> tuple[object, ...]:
        """Return all that decides whether and as whom a router speaks here: it has to look again when this changes."""
        interface = self.interface
        if interface is None:
            return ()
        own = tuple(address.address for address in interface.addresses if address.address not in self.virtual)
        return interface.index, interface.up, interface.arp, own

    def listen(self, wanted: frozenset[tuple[Family, str]]) -> list[Listen]:
        """Hear these groups and addresses from now on; return what it takes, and leave to `tell` what can wait."""
        gone, new = self.heard - wanted, wanted - self.heard
        self.heard = wanted
        self.leaving |= gone
        for ear in gone:
            self._deaf.pop(ear, None)
        return self._listen_to(new)

    def tell(self) -> Sequence[Unlisten]:
        """Return what it takes to hear no more what need not be heard.

        That can wait for everything else, so what is wanted again by now stays: to close it would undo the `Listen`.
        """
        self.is_queued = False
        leaving, self.leaving = self.leaving - self.heard, set()
        return [Unlisten(interface=self.name, family=family, address=address) for family, address in sorted(leaving)]

    def listen_again(self) -> list[Listen]:
        """Return what it takes to hear everything on an interface that has just appeared."""
        return self._listen_to(self.heard)

    def retry(self) -> list[Listen]:
        """Return another try for what could not be heard."""
        self.deadline = None
        return self._listen_to(frozenset(self._deaf))

    def refuse(self, effect: Listen, problem: str, now: Instant) -> None:
        """The kernel does not let us hear: whoever cannot hear must not lead."""
        self._deaf[effect.family, effect.address] = problem
        self.deadline = after(now, LISTEN_RETRY)

    def hear(self, family: Family, address: str) -> bool:
        """The group or address is heard. Return whether it was not before."""
        return self._deaf.pop((family, address), None) is not None

    def _carries(self, router: VirtualRouter) -> bool:
        """Tell whether the configured source is there; an owner's may be one of its virtual addresses."""
        if router.priority == PRIORITY_OWNER and any(own.address == router.source for own in router.advertised):
            return True
        there = {address.address for address in self.interface.addresses} if self.interface else set()
        return router.source in there - self.virtual

    def _listen_to(self, ears: frozenset[tuple[Family, str]]) -> list[Listen]:
        if self.interface is None:
            return []
        index, mac = self.interface.index, self.virtual_mac
        return [
            Listen(interface=self.name, index=index, family=family, address=address, source_mac=mac)
            for family, address in sorted(ears)
        ]


def _may_speak(address: VirtualAddress) -> bool:
    """Tell whether an address can be the source of an advert: IPv6 has link-local ones for that."""
    return address.family is Family.IPV4 or address.address.startswith(_LINK_LOCAL)
