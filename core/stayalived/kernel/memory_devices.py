"""One interface in memory and its addresses, with the kernel's rules for them. Pure.

The rules are those of net/ipv4/devinet.c and net/ipv6/addrconf.c.
"""

import errno
import ipaddress
from dataclasses import dataclass, field, replace

from stayalived.addresses import Family, VirtualAddress
from stayalived.config.virtual_routers import PlacedAddress
from stayalived.kernel.api import Interface


@dataclass(slots=True)
class Device:
    """An interface, its switches, and whether each of its addresses is a secondary one (IPv4 alone has them)."""

    interface: Interface
    administratively_up: bool = True
    carrier: bool = True
    ipv6: bool = True
    addresses: dict[VirtualAddress, bool] = field(default_factory=dict)

    def now(self) -> Interface:
        """Return the interface as it is."""
        return replace(self.interface, up=self.administratively_up and self.carrier, addresses=tuple(self.addresses))

    def refusal(self, address: VirtualAddress) -> int:
        """Return the error number that the kernel answers with when the address is added, or 0."""
        if address.family is Family.IPV4:
            return 0
        if not self.ipv6:
            return errno.EACCES
        parsed = ipaddress.IPv6Address(address.address)
        if parsed.is_unspecified or parsed.is_loopback or parsed.is_multicast:
            return errno.EADDRNOTAVAIL  # addrconf.c, ipv6_add_addr
        return 0

    def put(self, address: VirtualAddress) -> None:
        """Add an address that the kernel takes; there already is fine."""
        if address in self.addresses or int.from_bytes(address.packed) == 0:
            return  # devinet.c, __inet_insert_ifa: 0.0.0.0 is accepted and forgotten
        if address.family is Family.IPV6:
            # An interface has an IPv6 address once, whatever the prefix.
            if all(other.address != address.address for other in self.addresses):
                self.addresses[address] = False
            return
        self.addresses[address] = any(
            other.family is Family.IPV4 and not late and subnet(other) == subnet(address)
            for other, late in self.addresses.items()
        )

    def take(self, address: VirtualAddress, *, promote: bool) -> None:
        """Remove an address; the secondaries of an IPv4 one go with it, or the first of them takes its place."""
        secondary = self.addresses.pop(address)
        if secondary or address.family is Family.IPV6:
            return
        followers = [other for other, late in self.addresses.items() if late and subnet(other) == subnet(address)]
        if promote:
            for follower in followers[:1]:
                self.addresses[follower] = False
        else:
            for follower in followers:
                del self.addresses[follower]

    def set_link(self, *, up: bool) -> None:
        """Set it up or down; down it loses its IPv6 addresses (addrconf.c, addrconf_ifdown)."""
        self.administratively_up = up
        if not up:
            self._flush_ipv6()

    def set_ipv6(self, *, enabled: bool) -> None:
        """Switch IPv6 on or off, which takes its addresses."""
        self.ipv6 = enabled
        if not enabled:
            self._flush_ipv6()

    def _flush_ipv6(self) -> None:
        for address in [address for address in self.addresses if address.family is Family.IPV6]:
            del self.addresses[address]


def subnet(address: VirtualAddress) -> ipaddress.IPv4Network | ipaddress.IPv6Network:
    """Return the network that an address makes reachable."""
    return ipaddress.ip_network(str(address), strict=False)


def shown(placed: PlacedAddress) -> VirtualAddress:
    """Return an address as the kernel shows it: with a peer it has the peer's prefix."""
    if not placed.peer:
        return placed.address
    return VirtualAddress(placed.address.address, VirtualAddress.parse(placed.peer).prefix)
