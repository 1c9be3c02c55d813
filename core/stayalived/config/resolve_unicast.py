"""Where adverts come from and go to: sources, multicast groups, unicast peers (V11 to V16)."""

import ipaddress
from collections.abc import Mapping, Sequence

from stayalived.addresses import Family, VirtualAddress, family_of
from stayalived.config.desk import Desk, texts
from stayalived.config.findings import Findings, Path, Value, shown
from stayalived.config.general import GlobalTable
from stayalived.config.names import is_address
from stayalived.config.resolve_addresses import can_be_held
from stayalived.config.virtual_routers import UnicastPeer
from stayalived.config.vrrp import MAX_TTL, InstanceTable, PeerTable

OWNER = 255  # RFC 9568 5.2.4: the priority of the router that owns the addresses
_UNICAST_ONLY = ("unicast_ttl", "check_unicast_src")

Peers = Mapping[Family, tuple[UnicastPeer, ...]]


class WireRoom:
    """Turns what one instance says of its adverts' ends into addresses, one family at a time."""

    def __init__(
        self, desk: Desk, table: InstanceTable, held: Sequence[VirtualAddress], families: Sequence[Family], path: Path
    ) -> None:
        """Work for the instance that stands at a path, holds these addresses and has routers of these families."""
        self._desk = desk
        self._findings: Findings = desk.findings
        self._table = table
        self._own = {address.address for address in held}
        self._families = set(families)
        self._path = path

    @property
    def is_unicast(self) -> bool:
        """Whether adverts go to peers rather than to a group."""
        return bool(self._table.unicast_peer)

    # Sources

    def sources(self) -> dict[Family, str]:
        """Return the source addresses that somebody wrote, at most one for each family."""
        multicast, unicast = self._source("mcast_src_ip"), self._source("unicast_src_ip")
        path = (*self._path, "unicast_src_ip")
        for family, address in unicast.items():
            if family in multicast and multicast[family] != address:
                text = f"mcast_src_ip says {multicast[family]}; keep one of them"
                self._findings.error(path, text, found=shown(address))
        if unicast and not self.is_unicast:
            self._findings.error(path, "goes with unicast_peer; write that, or leave it out")
        return {**multicast, **unicast}

    def _source(self, key: str) -> dict[Family, str]:
        value, where = getattr(self._table, key), (*self._path, key)
        before = self._findings.errors
        self._look_for_strangers(value, where)
        every = self._desk.each_family(value, where)
        if self._families and every and not self._families & every.keys() and self._findings.errors == before:
            self._lacks_family(value, where)
        found = {}
        for family, (address, port, place) in every.items():
            if port:
                self._findings.error(place, "must be an address without a port", found=f"port {port}")
            elif family in self._families and self._is_of_this_machine(address, place):
                found[family] = address
        return found

    def _lacks_family(self, value: Value, path: Path) -> None:
        families = " or ".join(f"IPv{family}" for family in sorted(self._families))
        self._findings.error(path, f"must have an {families} address, as the instance has", found=shown(value))

    def _is_of_this_machine(self, address: str, path: Path) -> bool:
        if not can_be_held(address):
            self._findings.error(path, "must be an address that one machine can hold", found=shown(address))
        elif address in self._own and self._table.priority != OWNER:  # V12
            text = "is a virtual address of the instance; adverts come from one that the machine itself has"
            self._findings.error(path, text, found=shown(address))
        else:
            return True
        return False

    def _look_for_strangers(self, value: str | list[str] | None, path: Path) -> None:
        """Refuse an address of adverts that no router of the instance would use."""
        for text, where in texts(value, path) if self._families else ():
            if is_address(text):  # a host name may well have an address that is not used
                self._is_of_a_family(text, where)

    def _is_of_a_family(self, text: str, path: Path) -> bool:
        if family_of(text) in self._families:
            return True
        missing = f"the instance has no IPv{family_of(text)} address; leave it out"
        self._findings.error(path, missing, found=shown(text))
        return False

    # Multicast

    def group(self, common: GlobalTable, family: Family) -> str:
        """Return the group that a family's adverts go to; empty with peers."""
        if self.is_unicast:
            return ""
        if self._table.mcast_dst_ip:
            found = self._desk.each_family(self._table.mcast_dst_ip, (*self._path, "mcast_dst_ip"))
            if family in found:
                address, _, where = found[family]
                return self._multicast(address, family, where)
        key = "vrrp_mcast_group4" if family is Family.IPV4 else "vrrp_mcast_group6"
        return self._multicast(getattr(common, key), family, ("global", key))

    def look_at_groups(self) -> None:
        """Refuse groups of a family that the instance has not, and any beside peers."""
        path = (*self._path, "mcast_dst_ip")
        if self.is_unicast and self._table.mcast_dst_ip is not None:
            self._findings.error(path, "does not go with unicast_peer; leave one of them out")
        else:
            self._look_for_strangers(self._table.mcast_dst_ip, path)

    def _multicast(self, text: str, family: Family, path: Path) -> str:
        try:
            address = ipaddress.ip_address(text)
        except ValueError:
            self._findings.error(path, f"must be an IPv{family} multicast address", found=shown(text))
            return text
        # V16: an IPv6 group must be link-local (ffX2), or the neighbours' switches may carry it elsewhere.
        scoped = address.version == 4 or address.packed[1] & 0x0F == 2
        if address.version != family or not address.is_multicast or not scoped:
            what = "of link-local scope (ffX2::)" if family is Family.IPV6 else "(224.0.0.0/4)"
            self._findings.error(path, f"must be an IPv{family} multicast address {what}", found=shown(text))
        return str(address)

    # Unicast

    def peers(self, sources: Mapping[Family, str]) -> Peers:
        """Return the peers of each family; none when adverts go to a group."""
        self._look_at_habits()
        before = self._findings.errors
        found: dict[Family, dict[str, UnicastPeer]] = {family: {} for family in Family}
        for number, entry in enumerate(self._table.unicast_peer):
            path: Path = (*self._path, "unicast_peer", number)
            if isinstance(entry, str):
                table: PeerTable | None = PeerTable(address=entry)
            else:
                table = self._desk.entry(entry, PeerTable, path)
                path = (*path, "address")
            for family, peer in self._one(table, sources, path).items() if table else ():
                if found[family].setdefault(peer.address, peer) is not peer:
                    self._findings.error(path, "stands here twice; keep one of them", found=shown(peer.address))
        every = [peer for peers in found.values() for peer in peers.values()]
        if self._table.check_unicast_src is False and is_checked(every, wanted=False):
            text = "min_ttl or max_ttl of a peer turns it on; leave it out"
            self._findings.warn((*self._path, "check_unicast_src"), text, found="false")
        if self.is_unicast and self._findings.errors == before:
            self._look_at_lonely([family for family in sorted(self._families) if not found[family]])
        return {family: tuple(peers.values()) for family, peers in found.items()}

    def _one(self, table: PeerTable, sources: Mapping[Family, str], path: Path) -> dict[Family, UnicastPeer]:
        """Return a peer for each family that the instance and the host have in common."""
        if table.min_ttl > table.max_ttl:
            where = (*path[:-1], "min_ttl")
            self._findings.error(where, f"must be at most max_ttl ({table.max_ttl})", found=str(table.min_ttl))
        addresses, port = self._desk.host(table.address, path)
        if port:
            self._findings.error(path, "must be an address without a port", found=f"port {port}")
        if not self._families or (is_address(table.address) and not self._is_of_a_family(table.address, path)):
            return {}
        found = {}
        for family, address in addresses.items():
            if family in self._families and self._is_of_another_machine(address, sources.get(family, ""), path):
                found[family] = UnicastPeer(address=address, min_ttl=table.min_ttl, max_ttl=table.max_ttl)
        if addresses and not self._families & addresses.keys():
            self._lacks_family(table.address, path)
        return found

    def _is_of_another_machine(self, address: str, source: str, path: Path) -> bool:
        if not can_be_held(address):
            text = "must be an address that another machine can hold"
        elif address == source:
            text = "is the instance's own source address; leave it out here, for example with [host.NAME]"
        elif address in self._own:
            text = "is a virtual address of the instance; write the address that the other machine itself has"
        else:
            return True
        self._findings.error(path, text, found=shown(address))
        return False

    def _look_at_lonely(self, families: Sequence[Family]) -> None:
        """Refuse a family without a peer: nobody would hear its adverts."""
        for family in families:
            text = f"names no IPv{family} peer, and the instance has IPv{family} addresses; name one"
            if len(self._families) > 1:
                text += ", or move these addresses to virtual_ipaddress_excluded"
            self._findings.error((*self._path, "unicast_peer"), text)

    def _look_at_habits(self) -> None:
        """Say what has no effect without a peer, and what keepalived's users write from habit."""
        for key in _UNICAST_ONLY if not self.is_unicast else ():
            if getattr(self._table, key) is not None:
                self._findings.warn((*self._path, key), "has no effect without unicast_peer")
        if self._table.unicast_fault_no_peer is not None:
            text = "has no effect: unicast without a peer is an error; leave it out"
            self._findings.warn((*self._path, "unicast_fault_no_peer"), text)


def is_checked(peers: Sequence[UnicastPeer], *, wanted: bool) -> bool:
    """Return whether adverts of others than the peers are dropped: where it is wanted, or a TTL is bounded (V11)."""
    return bool(peers) and (wanted or any(peer.min_ttl > 0 or peer.max_ttl < MAX_TTL for peer in peers))
