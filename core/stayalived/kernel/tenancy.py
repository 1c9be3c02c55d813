"""Which virtual MACs may speak and route: those that carry an address. Pure.

The virtual router's hardware address belongs to the MASTER: a BACKUP sends nothing from it and drops what is sent to it
(RFC 9568 6.4.2). A macvlan without addresses does neither by itself: IPv6 says on the wire which groups it joins and
leaves (MLD), and IPv4 forwards what a switch floods. So both are off while it carries no address. To set it down would
do as well, but that takes the kernel more than ten milliseconds each time (macvlan.c, macvlan_stop).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from stayalived.addresses import VirtualAddress
from stayalived.config.virtual_routers import PlacedAddress
from stayalived.errors import KernelProblem
from stayalived.kernel.api import Change, Verb


@dataclass(frozen=True, slots=True, kw_only=True)
class Turns:
    """Indexes of macvlans that are opened, and hushed, before changes are carried out."""

    opened: tuple[int, ...]
    hushed: tuple[int, ...]


class Tenancy:
    """Counts the addresses of virtual MACs."""

    def __init__(self) -> None:
        """Know none."""
        self._tenants: dict[int, set[VirtualAddress]] = {}

    def begin(self, index: int, addresses: Iterable[VirtualAddress] = ()) -> None:
        """Begin to count for a macvlan, with the addresses that it has already."""
        self._tenants[index] = set(addresses)

    def end(self, index: int) -> None:
        """Stop counting."""
        self._tenants.pop(index, None)

    def turns(self, changes: Sequence[Change]) -> Turns:
        """Return what to open and hush before these changes.

        To hush comes before the last address is removed: else IPv6 takes leave of its groups on the wire.
        """
        touched: dict[int, set[VirtualAddress]] = {}
        for change in changes if self._tenants else ():
            if change.index in self._tenants and isinstance(change.item, PlacedAddress):
                after = touched.setdefault(change.index, set(self._tenants[change.index]))
                _apply(after, change.verb, change.item.address)
        return Turns(
            opened=tuple(index for index, after in touched.items() if after),
            hushed=tuple(index for index, after in touched.items() if not after),
        )

    def settle(self, changes: Sequence[Change], results: Sequence[KernelProblem | None]) -> None:
        """Take note of what was carried out."""
        for change, problem in zip(changes, results, strict=True) if self._tenants else ():
            tenants = self._tenants.get(change.index)
            if tenants is not None and problem is None and isinstance(change.item, PlacedAddress):
                _apply(tenants, change.verb, change.item.address)


def _apply(tenants: set[VirtualAddress], verb: Verb, address: VirtualAddress) -> None:
    if verb is Verb.ADD:
        tenants.add(address)
    else:
        tenants.discard(address)
