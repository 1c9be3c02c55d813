"""Virtual addresses: from what stands in the lists of an instance to what goes onto an interface, and how."""

import ipaddress
from collections.abc import Sequence

import msgspec

from stayalived.addresses import Family, VirtualAddress
from stayalived.config.desk import Desk
from stayalived.config.findings import Findings, Path, Table, shown
from stayalived.config.holdings import FOREVER_WORD, AddressTable
from stayalived.config.iproute_names import SCOPES
from stayalived.config.virtual_routers import FOREVER, PlacedAddress

ADVERTISED = "virtual_ipaddress"
EXCLUDED = "virtual_ipaddress_excluded"
MAX_ADDRESSES = 255  # RFC 9568 5.2.5: the count is one octet
_IPV4_ONLY = ("label", "scope", "brd")
_IPV6_ONLY = ("home", "nodad", "mngtmpaddr", "preferred_lft")
_FLAGS = {"home": 0x10, "mngtmpaddr": 0x100, "noprefixroute": 0x200}  # IFA_F_* of linux/if_addr.h
_TEMPORARY_PREFIX = 64  # net/ipv6/addrconf.c: no other length with IFA_F_MANAGETEMPADDR
_SMALL = 31  # IPv4 prefixes from here on have no broadcast address (RFC 3021)


class AddressRoom:
    """Turns the lists of addresses of one instance into addresses, each with the way it goes onto its interface.

    Where nobody named an interface, it is left empty: which one it is depends on the virtual router (`place`).
    """

    def __init__(self, desk: Desk, path: Path, interface: str) -> None:
        """Work for the instance that stands at a path; `interface` carries what names no other, empty: a macvlan."""
        self._desk = desk
        self._findings: Findings = desk.findings
        self._path = path
        self._interface = interface
        self._seen: dict[str, set[str]] = {}  # by address: interfaces that it is on

    def advertised(self, entries: Sequence[str | Table]) -> tuple[PlacedAddress, ...]:
        """Return the addresses that go into adverts, each once."""
        found = self._take(entries, ADVERTISED)
        for family in Family:
            count = sum(placed.address.family is family for placed in found)
            if count > MAX_ADDRESSES:
                text = f"at most {MAX_ADDRESSES} addresses of a family fit one virtual router"
                self._findings.error((*self._path, ADVERTISED), text, found=f"{count} of IPv{family}")
        return found

    def excluded(self, entries: Sequence[str | Table]) -> tuple[PlacedAddress, ...]:
        """Return the addresses that move along. Call it after `advertised`: what is there must not be here."""
        return self._take(entries, EXCLUDED)

    def _take(self, entries: Sequence[str | Table], key: str) -> tuple[PlacedAddress, ...]:
        found = []
        for number, entry in enumerate(entries):
            placed = self._one(entry, (*self._path, key, number), key)
            if placed is not None:
                found.append(placed)
        return tuple(found)

    def _one(self, entry: str | Table, path: Path, key: str) -> PlacedAddress | None:
        if isinstance(entry, str):
            table: AddressTable | None = AddressTable(address=entry)
            where = path
        else:
            table = self._desk.entry(entry, AddressTable, path, ADVERTISED)
            where = (*path, "address")
        if table is None:
            return None
        try:
            address = VirtualAddress.parse(table.address)
        except ValueError:
            self._findings.error(where, "must be ADDRESS or ADDRESS/PREFIX", found=shown(table.address))
            return None
        if "%" in table.address or not can_be_held(address.address):
            self._findings.error(where, "must be an address that one machine can hold", found=shown(table.address))
            return None
        if self._repeats(address, table, where, key):
            return None
        self._look_at_family(table, address.family, path)
        return self._placed(table, address, path)

    def _repeats(self, address: VirtualAddress, table: AddressTable, path: Path, key: str) -> bool:
        """Say that an address is there already: in adverts once, elsewhere once on each interface."""
        before = self._seen.setdefault(address.address, set())
        interface = table.dev or self._interface
        if before and (key == ADVERTISED or interface in before):
            self._findings.error(path, "stands here twice; keep one of them", found=shown(table.address))
            return True
        before.add(interface)
        return False

    def _look_at_family(self, table: AddressTable, family: Family, path: Path) -> None:
        """Refuse what the other family alone has."""
        for key in _IPV6_ONLY if family is Family.IPV4 else _IPV4_ONLY:
            if getattr(table, key) is not None:
                other = Family.IPV6 if family is Family.IPV4 else Family.IPV4
                self._findings.error((*path, key), f"goes with an IPv{other} address only; leave it out")
        if table.mngtmpaddr and VirtualAddress.parse(table.address).prefix != _TEMPORARY_PREFIX:
            text = f"goes with a prefix of /{_TEMPORARY_PREFIX} only; leave it out"
            self._findings.error((*path, "mngtmpaddr"), text, found=shown(table.address))

    def _placed(self, table: AddressTable, address: VirtualAddress, path: Path) -> PlacedAddress:
        is_ipv6 = address.family is Family.IPV6
        scope = None if table.scope is None else self._desk.number(table.scope, SCOPES, (*path, "scope"))
        peer = self._peer(table, address, path)
        return PlacedAddress(
            address=address,
            interface=table.dev or "",
            label=table.label or "",
            scope=scope or 0,
            broadcast=self._broadcast(table, VirtualAddress.parse(peer) if peer else address, (*path, "brd")),
            peer=peer,
            flags=sum(flag for key, flag in _FLAGS.items() if getattr(table, key)),
            duplicate_detection=is_ipv6 and table.nodad is False,
            preferred_lifetime=self._lifetime(table.preferred_lft, (*path, "preferred_lft")),
            tracked=not table.no_track,
        )

    def _lifetime(self, value: int | str | None, path: Path) -> int:
        if isinstance(value, str):
            if value.lower() != FOREVER_WORD:
                self._findings.error(path, f'must be seconds, a whole number, or "{FOREVER_WORD}"', found=shown(value))
            return FOREVER
        return value or 0

    def _peer(self, table: AddressTable, address: VirtualAddress, path: Path) -> str:
        """Return the other end with its prefix, which stands for the address's own (ip-address(8))."""
        if table.peer is None:
            return ""
        where = (*path, "peer")
        try:
            peer = VirtualAddress.parse(table.peer)
        except ValueError:
            self._findings.error(where, "must be ADDRESS or ADDRESS/PREFIX", found=shown(table.peer))
            return ""
        if peer.family is not address.family:
            self._findings.error(where, f"must be an IPv{address.family} address", found=shown(table.peer))
            return ""
        if address.prefix != address.family.bits:
            text = "must be an address without a prefix: with a peer, the peer has it"
            self._findings.error((*path, "address"), text, found=shown(table.address))
        return str(peer)

    def _broadcast(self, table: AddressTable, network: VirtualAddress, path: Path) -> str:
        if table.brd is None or network.family is Family.IPV6:
            return ""
        if table.brd not in {"+", "-"}:
            try:
                return str(ipaddress.IPv4Address(table.brd))
            except ValueError:
                self._findings.error(path, 'must be an IPv4 address, "+" or "-"', found=shown(table.brd))
                return ""
        if network.prefix >= _SMALL:
            text = f"a /{network.prefix} has no broadcast address; write the prefix of the net, or leave it out"
            self._findings.error(path, text, found=shown(table.brd))
            return ""
        whole = ipaddress.ip_interface(str(network)).network
        return str(whole.broadcast_address if table.brd == "+" else whole.network_address)


def place(addresses: Sequence[PlacedAddress], interface: str) -> tuple[PlacedAddress, ...]:
    """Return the addresses with an interface for those that named none."""
    return tuple(
        placed if placed.interface else msgspec.structs.replace(placed, interface=interface) for placed in addresses
    )


def look_at_labels(addresses: Sequence[PlacedAddress], path: Path, findings: Findings) -> None:
    """Say which labels old programs will stumble over. The kernel takes any; ip-address(8) tells of the rule."""
    for placed in addresses:
        if placed.label and placed.label != placed.interface and not placed.label.startswith(f"{placed.interface}:"):
            text = f"programs like ifconfig find no address by it; write {placed.interface}:NAME"
            findings.warn(path, text, found=f"label {shown(placed.label)}")


def can_be_held(address: str) -> bool:
    """Return whether one machine can hold an address, and others reach it there."""
    plain = ipaddress.ip_address(address)
    return not (plain.is_multicast or plain.is_unspecified or plain.is_loopback)
