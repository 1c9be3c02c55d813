"""What one virtual router says on its link while it is MASTER: adverts, and announcements of its addresses."""

from collections.abc import Iterable, Iterator

from stayalived.config.virtual_routers import PlacedAddress, VirtualRouter
from stayalived.timing import Instant
from stayalived.vrrp.announcer import Announcement, Series
from stayalived.vrrp.counters import Counters
from stayalived.vrrp.desk import Desk
from stayalived.vrrp.effects import SendAdvert, SendGratuitousArp, SendNeighbourAdvert
from stayalived.vrrp.packet import PRIORITY_LEAVING, TTL, Advert, encode
from stayalived.vrrp.sites import Site


def compose(router: VirtualRouter, priority: int, source: str, destination: str) -> bytes:
    """Return the message that a virtual router sends.

    Raises:
        ValueError: its configuration does not fit into one.
    """
    advert = Advert(
        version=router.version,
        virtual_router_id=router.virtual_router_id,
        priority=priority,
        interval=router.advert_int,
        addresses=tuple(address.packed for address in router.advertised),
        checksum_as_v2=router.checksum_as_v2,
    )
    return encode(
        advert,
        family=router.family,
        source=source,
        destination=destination,
        authentication=router.authentication,
    )


class Voice:
    """Speaks for one virtual router.

    Attributes:
        router: its configuration.
        priority: what its adverts say.
        source: address that they come from.
    """

    def __init__(self, router: VirtualRouter, slot: int, site: Site, desk: Desk, counters: Counters) -> None:
        """Start silent."""
        self.router = router
        self.priority = router.priority
        self.source = site.source(router)
        self._slot = slot
        self._site = site
        self._desk = desk
        self._counters = counters
        self._prepared: tuple[SendAdvert, ...] = ()

    def refresh(self, router: VirtualRouter) -> None:
        """Configuration, priority or interface is another one: build what is said anew when it is needed."""
        self.router = router
        self.source = self._site.source(router)
        self._prepared = ()

    def speak(self) -> None:
        """Send an advert; it is built once and sent as long as nothing changes."""
        self.get_ready()
        self._send(self._prepared)

    def get_ready(self) -> None:
        """Build the advert now, if it is not there: where thousands take over at once, that would be in their way."""
        self._prepared = self._prepared or tuple(self._prepare(self.priority))

    def say_goodbye(self) -> None:
        """Send an advert of priority 0."""
        self._counters.priority_zero_sent += 1
        self._send(tuple(self._prepare(PRIORITY_LEAVING)))

    def announce(self, now: Instant) -> None:
        """Announce all addresses, twice and then every now and again (VG03 to VG05)."""
        self.announce_only(self.router.held, now)

    def announce_only(self, addresses: Iterable[PlacedAddress], now: Instant) -> None:
        """Announce these addresses, and from then on refresh all, in place of what was under way."""
        router = self.router
        self._desk.announcer.cancel(router.key)
        self._begin(
            Series(
                packets=self._announcements(addresses),
                repeat=router.garp_master_repeat,
                delay=router.garp_master_delay,
            ),
            now,
        )
        if router.garp_master_refresh:
            self._begin(
                Series(
                    packets=self._announcements(router.held),
                    repeat=0,
                    delay=router.garp_master_delay,
                    refresh=router.garp_master_refresh,
                    refresh_repeat=router.garp_master_refresh_repeat,
                ),
                now,
            )

    def contradict(self, now: Instant) -> None:
        """Announce all addresses because an inferior router has spoken up (VG06)."""
        router = self.router
        self._begin(
            Series(
                packets=self._announcements(router.held),
                repeat=router.garp_lower_prio_repeat,
                delay=router.garp_lower_prio_delay,
            ),
            now,
        )

    def fall_silent(self) -> None:
        """Announce nothing of what is still under way."""
        self._desk.announcer.cancel(self.router.key)

    def _begin(self, series: Series, now: Instant) -> None:
        self._desk.announcer.announce(self.router.key, series, now)

    def announce_source(self, now: Instant) -> None:
        """Announce once where the own source address of unicast adverts is: the peers may have forgotten it."""
        if self.router.peers and self.source:
            packets = tuple(self._announcement(self._site.link.name, self.source))
            self._begin(Series(packets=packets, repeat=1), now)

    def _send(self, adverts: tuple[SendAdvert, ...]) -> None:
        self._desk.tray.advert(adverts)
        self._counters.adverts_sent += 1
        self._desk.counters.note(self._counters)

    def _prepare(self, priority: int) -> Iterator[SendAdvert]:
        """Build an advert for each destination, with all that a shell needs to send it."""
        router, link = self.router, self._site.speaking_link
        interface = link.interface
        framed = interface is not None and link is not self._site.link
        for destination in [peer.address for peer in router.peers] or [router.group]:
            yield SendAdvert(
                router=router.key,
                slot=self._slot,
                interface=link.name,
                index=interface.index if interface else 0,
                family=router.family,
                source=self.source,
                destination=destination,
                data=compose(router, priority, self.source, destination),
                leaving=priority == PRIORITY_LEAVING,
                ttl=router.unicast_ttl if router.peers else TTL,
                source_mac=interface.mac if framed and interface else b"",
            )

    def _announcements(self, addresses: Iterable[PlacedAddress]) -> tuple[Announcement, ...]:
        """Return one packet for each address."""
        return tuple(
            announcement
            for placed in addresses
            for announcement in self._announcement(placed.interface, placed.address.address)
        )

    def _announcement(self, name: str, address: str) -> Iterator[Announcement]:
        """Return the packet that says where an address is; none on an interface without ARP (IFF_NOARP)."""
        interface = self._site.interface(name)
        if interface is not None and interface.arp:
            kind = SendNeighbourAdvert if ":" in address else SendGratuitousArp
            yield kind(interface=interface.name, index=interface.index, mac=interface.mac, address=address)
