"""What a virtual router makes of a packet before it acts on it: the receive checks, each with its counter.

The order is keepalived's (`vrrp.c`, vrrp_check_packet). A packet that fails is counted under its kind and dropped; the
log has one line for each kind until the router's state changes.
"""

from stayalived.addresses import Family
from stayalived.config.virtual_routers import VirtualRouter
from stayalived.vrrp.counters import Counters
from stayalived.vrrp.desk import INFO, WARNING, Desk
from stayalived.vrrp.events import DatagramReceived
from stayalived.vrrp.packet import ONLY_255, PRIORITY_OWNER, Advert, BadAdvert, decode

ANY_TTL = range(256)
"""Unicast adverts may have been forwarded: their TTL says nothing, unless the configuration bounds it (V11, V13)."""

PEERS_NOTED = 64
"""Peers whose way of computing checksums is written into the log once for each."""


class Hearing:
    """Reads what comes in for one virtual router.

    Attributes:
        counters: of the virtual router.
        is_plain: nothing was odd about the last good advert.
    """

    def __init__(self, router: VirtualRouter, desk: Desk, counters: Counters) -> None:
        """Hear everything as if for the first time."""
        self.router = router
        self.counters = counters
        self.is_plain = True
        self._desk = desk
        self._last: tuple[str, str, int, bytes] | None = None
        self._last_advert: Advert | None = None
        self._forms: set[str] = set()
        self._has_complained = False
        self.refresh(router)

    def refresh(self, router: VirtualRouter) -> None:
        """The configuration or the interface is another one: look at everything again."""
        self.router = router
        self._last = None
        self._addresses = sorted(address.packed for address in router.advertised)
        self._bounds = {peer.address: range(peer.min_ttl, peer.max_ttl + 1) for peer in router.peers}

    def read(self, datagram: DatagramReceived, *, own: str, master: str) -> Advert | None:
        """Return the advert in a datagram; count and drop what is none that the router may act on.

        Args:
            datagram: what came in.
            own: address that the router's own adverts come from.
            master: address of the master last heard.
        """
        counters = self.counters
        self._desk.counters.note(counters)
        counters.adverts_received += 1
        if datagram.source == own:  # our own, looped back by somebody
            counters.fail("own")
            return None
        known = (datagram.source, datagram.destination, datagram.ttl, datagram.data)
        if known == self._last and self._last_advert is not None:  # a master repeats itself: decode it once
            return self._remark(self._last_advert, datagram.source, master)
        try:
            advert = self._decode(datagram)
        except BadAdvert as error:
            self._drop(error.kind, f"dropped an advert of {datagram.source}: {error}")
            return None
        if not self._is_for_us(datagram, own):
            return None
        if advert.version == 3 and not advert.addresses:  # RFC 9568 7.1, erratum 8299
            self._drop("addresses", f"dropped an advert of {datagram.source}: it has no address")
            return None
        self._last, self._last_advert = known, advert
        return self._remark(advert, datagram.source, master)

    def fall_silent(self) -> None:
        """Make every line worth writing again: the router moves on."""
        if self._has_complained:
            self._has_complained = False
            self._desk.tray.report(INFO, "", once=f"{self.router.key} ")

    def complain(self, kind: str, text: str, level: int = WARNING) -> None:
        """Write a line of this kind, unless there was one since the router moved last."""
        router = self.router
        self._has_complained = True
        self._desk.tray.report(level, f"({router.key}) {text}", once=f"{router.key} {kind}", interface=router.interface)

    def _decode(self, datagram: DatagramReceived) -> Advert:
        router = self.router
        return decode(
            datagram.data,
            family=datagram.family,
            source=datagram.source,
            destination=datagram.destination,
            ttl=datagram.ttl,
            ttls=ANY_TTL if router.peers else ONLY_255,
            version=router.version,
            interval=router.advert_int if router.version == 2 else None,
            authentication=router.authentication,
        )

    def _is_for_us(self, datagram: DatagramReceived, own: str) -> bool:
        """Drop what was sent elsewhere, what an owner need not hear, and what no peer of ours sent."""
        router = self.router
        if datagram.destination != (own if router.peers else router.group):
            self._drop("destination", f"dropped an advert of {datagram.source} to {datagram.destination}")
        elif router.owner_ignore_adverts and router.priority == PRIORITY_OWNER:
            self.counters.fail("owner_ignored")
        elif router.check_unicast_src and datagram.source not in self._bounds:
            self._drop("unknown_peer", f"dropped an advert of {datagram.source}, which is none of unicast_peer")
        elif datagram.ttl not in self._bounds.get(datagram.source, ANY_TTL):
            bounds = self._bounds[datagram.source]
            text = f"TTL {datagram.ttl} where min_ttl and max_ttl allow {bounds[0]} to {bounds[-1]}"
            self._drop("ttl", f"dropped an advert of {datagram.source}: {text}")
        else:
            return True
        return False

    def _drop(self, kind: str, text: str) -> None:
        self.counters.fail(kind)
        self.complain(kind, text)

    def _remark(self, advert: Advert, source: str, master: str) -> Advert:
        """Note what is odd about a good advert, and return it."""
        router = self.router
        self.is_plain = not advert.trailer
        if advert.trailer:
            self.counters.trailers_received += 1
        if advert.checksum_as_v2 != router.checksum_as_v2 and source not in self._forms:
            self._note_form(advert, source)
        if router.skip_check_adv_addr and source == master:
            return advert
        if sorted(advert.addresses) != self._addresses:
            # keepalived (since 2.3.3) and RFC 9568 7.1 still act on the advert.
            self.is_plain = False
            self.counters.fail("addresses")
            self.complain("addresses", f"{source} advertises other addresses than are configured here")
        return advert

    def _note_form(self, advert: Advert, source: str) -> None:
        """Say once for each peer that it computes checksums in the other form (V41). Over IPv6 there is only one."""
        if len(self._forms) >= PEERS_NOTED or advert.version == 2 or self.router.family is Family.IPV6:
            return
        self._forms.add(source)
        how, needed = ("without", "true") if advert.checksum_as_v2 else ("with", "false")
        text = f"{source} computes checksums {how} the pseudo-header; v3_checksum_as_v2 = {needed} would do the same"
        self._desk.tray.report(INFO, f"({self.router.key}) {text}", interface=self.router.interface)
