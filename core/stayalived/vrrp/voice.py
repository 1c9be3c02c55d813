"""What one virtual router says on its link while it is MASTER: adverts, and announcements of its addresses."""

from collections.abc import Iterable

from stayalived.addresses import Family, VirtualAddress
from stayalived.config.virtual_routers import VirtualRouter
from stayalived.timing import Instant
from stayalived.vrrp.announcer import Announcement, Series
from stayalived.vrrp.counters import Counters
from stayalived.vrrp.desk import Desk
from stayalived.vrrp.effects import SendAdvert, SendGratuitousArp, SendNeighbourAdvert
from stayalived.vrrp.links import Link
from stayalived.vrrp.packet import PRIORITY_LEAVING, Advert, encode


def compose(router: VirtualRouter, priority: int, source: str) -> bytes:
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
    )
    return encode(advert, family=router.family, source=source, destination=router.group)


class Voice:
    """Speaks for one virtual router.

    Attributes:
        router: its configuration.
        source: address that its adverts come from.
    """

    def __init__(self, router: VirtualRouter, slot: int, link: Link, desk: Desk, counters: Counters) -> None:
        """Start silent."""
        self.router = router
        self.source = link.source(router)
        self._slot = slot
        self._link = link
        self._desk = desk
        self._counters = counters
        self._prepared: SendAdvert | None = None

    def refresh(self, router: VirtualRouter) -> None:
        """The configuration or the interface is another one: build what is said anew when it is needed."""
        self.router = router
        self.source = self._link.source(router)
        self._prepared = None

    def speak(self) -> None:
        """Send an advert; it is built once and sent as long as nothing changes."""
        self._prepared = self._prepared or self._prepare(self.router.priority)
        self._send(self._prepared)

    def say_goodbye(self) -> None:
        """Send an advert of priority 0."""
        self._counters.priority_zero_sent += 1
        self._send(self._prepare(PRIORITY_LEAVING))

    def announce(self, now: Instant) -> None:
        """Announce all addresses, twice and then every now and again (VG03 to VG05)."""
        self.announce_only(self.router.advertised, now)

    def announce_only(self, addresses: Iterable[VirtualAddress], now: Instant) -> None:
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
        self._begin(
            Series(
                packets=self._announcements(router.advertised),
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
                packets=self._announcements(router.advertised),
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

    def _send(self, advert: SendAdvert) -> None:
        self._desk.tray.advert(advert)
        self._counters.adverts_sent += 1
        self._desk.counters.note(self._counters)

    def _prepare(self, priority: int) -> SendAdvert:
        """Build an advert with all that a shell needs to send it."""
        router = self.router
        return SendAdvert(
            router=router.key,
            slot=self._slot,
            interface=self._link.name,
            index=self._link.interface.index if self._link.interface else 0,
            family=router.family,
            source=self.source,
            destination=router.group,
            data=compose(router, priority, self.source),
            leaving=priority == PRIORITY_LEAVING,
        )

    def _announcements(self, addresses: Iterable[VirtualAddress]) -> tuple[Announcement, ...]:
        """Return one packet for each address; none on an interface without ARP (IFF_NOARP)."""
        interface = self._link.interface
        if interface is None or not interface.arp:
            return ()
        kind = SendGratuitousArp if self.router.family is Family.IPV4 else SendNeighbourAdvert
        return tuple(
            kind(interface=interface.name, index=interface.index, mac=interface.mac, address=address.address)
            for address in addresses
        )
