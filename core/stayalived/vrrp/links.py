"""The interfaces that virtual routers live on, as far as an election cares: may it speak there, and as whom."""

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
        groups: multicast groups that are to be heard, by family.
        virtual: addresses that virtual routers of ours may put there; never a source address of an advert.
        counters: packets that belong to no virtual router of ours.
        deadline: when listening is tried again.
    """

    def __init__(self, name: str) -> None:
        """Start without an interface."""
        self.name = name
        self.interface: Interface | None = None
        self.addresses: frozenset[VirtualAddress] = frozenset()
        self.groups: frozenset[tuple[Family, str]] = frozenset()
        self.virtual: frozenset[str] = frozenset()
        self.counters = Counters(key=name)
        self.deadline: Instant | None = None
        self.filed: Instant | None = None
        self._deaf: dict[tuple[Family, str], str] = {}

    def see(self, interface: Interface | None) -> None:
        """Take in what the kernel says of the interface now."""
        self.interface = interface
        self.addresses = frozenset(interface.addresses) if interface else frozenset()
        if interface is None:
            self._deaf.clear()
            self.deadline = None

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
        return self._deaf.get((router.family, router.group), "")

    def standing(self) -> tuple[object, ...]:
        """Return all that decides whether and as whom a router speaks here: it has to look again when this changes."""
        interface = self.interface
        if interface is None:
            return ()
        own = tuple(address.address for address in interface.addresses if address.address not in self.virtual)
        return interface.index, interface.up, interface.arp, own

    def listen(self, groups: frozenset[tuple[Family, str]]) -> list[Listen | Unlisten]:
        """Hear these groups from now on; return what has to be done for it."""
        gone, new = self.groups - groups, groups - self.groups
        self.groups = groups
        for group in gone:
            self._deaf.pop(group, None)
        leave = [Unlisten(interface=self.name, family=family, group=group) for family, group in sorted(gone)]
        return [*leave, *self._listen_to(new)]

    def listen_again(self) -> list[Listen]:
        """Return what it takes to hear all groups on an interface that has just appeared."""
        return self._listen_to(self.groups)

    def retry(self) -> list[Listen]:
        """Return another try for the groups that could not be heard."""
        self.deadline = None
        return self._listen_to(frozenset(self._deaf))

    def refuse(self, effect: Listen, problem: str, now: Instant) -> None:
        """The kernel does not let us hear a group: whoever cannot hear must not lead."""
        self._deaf[effect.family, effect.group] = problem
        self.deadline = after(now, LISTEN_RETRY)

    def hear(self, family: Family, group: str) -> bool:
        """The group is heard. Return whether it was not before."""
        return self._deaf.pop((family, group), None) is not None

    def _carries(self, router: VirtualRouter) -> bool:
        """Tell whether the configured source is there; an owner's may be one of its virtual addresses."""
        if router.priority == PRIORITY_OWNER and any(own.address == router.source for own in router.advertised):
            return True
        there = {address.address for address in self.interface.addresses} if self.interface else set()
        return router.source in there - self.virtual

    def _listen_to(self, groups: frozenset[tuple[Family, str]]) -> list[Listen]:
        if self.interface is None:
            return []
        index = self.interface.index
        return [
            Listen(interface=self.name, index=index, family=family, group=group) for family, group in sorted(groups)
        ]


def _may_speak(address: VirtualAddress) -> bool:
    """Tell whether an address can be the source of an advert: IPv6 has link-local ones for that."""
    return address.family is Family.IPV4 or address.address.startswith(_LINK_LOCAL)
