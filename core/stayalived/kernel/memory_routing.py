"""Our routes and rules in memory, refused where the kernel refuses. Pure.

The rules are those of net/ipv4/fib_semantics.c, net/ipv6/route.c and net/core/fib_rules.c.
"""

import errno
import ipaddress
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from stayalived.addresses import Family
from stayalived.config.virtual_routers import NextHop, Route, Rule
from stayalived.kernel import rules
from stayalived.kernel.memory_devices import Device, subnet
from stayalived.kernel.routes import BLACKHOLE, PROHIBIT, THROW, UNREACHABLE

WAYLESS = frozenset({BLACKHOLE, UNREACHABLE, PROHIBIT, THROW})
"""Kinds of routes that lead nowhere."""

_MAIN = 254
_ECN = 0x03


@dataclass(frozen=True, slots=True)
class _Laid:
    """A route, and the interfaces that it was found to lead out of."""

    route: Route
    devices: tuple[str, ...]


class Refused(Exception):
    """The kernel's error number for a request."""

    def __init__(self, number: int) -> None:
        """Keep the number."""
        super().__init__(number)
        self.number = number


class MemoryRouting:
    """Routes and rules, in the order in which they were added."""

    def __init__(self) -> None:
        """Begin with none."""
        self._laid: list[_Laid] = []
        self._rules: list[Rule] = []

    def routes(self) -> list[Route]:
        """Return the routes that there are."""
        return [laid.route for laid in self._laid]

    def rules(self) -> list[Rule]:
        """Return the rules that there are."""
        return list(self._rules)

    def add_route(self, route: Route, devices: Iterable[Device]) -> None:
        """Add a route; one that is there already is fine.

        Args:
            route: the route.
            devices: all interfaces of the machine.

        Raises:
            Refused: the kernel would.
        """
        ways = tuple(self._ways(route, list(devices)))
        if route not in self.routes():
            self._laid.append(_Laid(route, ways))

    def add_rule(self, rule: Rule) -> None:
        """Add a rule; one that is there already is fine.

        Raises:
            Refused: the kernel would.
        """
        if rule.tos & _ECN or (rule.action == rules.GOTO and rule.goto <= rule.preference):
            raise Refused(errno.EINVAL)
        if rule not in self._rules:
            self._rules.append(rule)

    def remove(self, item: Route | Rule) -> bool:
        """Remove a route or a rule; tells whether it was there."""
        before = len(self._laid) + len(self._rules)
        self._laid = [laid for laid in self._laid if laid.route != item]
        self._rules = [rule for rule in self._rules if rule != item]
        return len(self._laid) + len(self._rules) < before

    def close_ways(self, device: str, family: Family | None = None) -> list[Route]:
        """Drop the routes that lead out of one interface only, as when it goes down; of one family, or of both.

        Returns:
            what was dropped.
        """
        closed = [laid for laid in self._laid if set(laid.devices) == {device} and family in {None, laid.route.family}]
        self._laid = [laid for laid in self._laid if laid not in closed]
        return [laid.route for laid in closed]

    def drop_source(self, address: str) -> None:
        """Drop the IPv4 routes that prefer a source address which is gone (fib_semantics.c, fib_sync_down_addr)."""
        self._laid = [laid for laid in self._laid if laid.route.source != address or laid.route.family is Family.IPV6]

    def _ways(self, route: Route, devices: list[Device]) -> Iterator[str]:
        """Return the interfaces that a route leads out of."""
        if route.family is Family.IPV4 and int(subnet(route.destination).network_address) != int(
            ipaddress.ip_address(route.destination.address)
        ):
            raise Refused(errno.EINVAL)
        local = {address.address for device in devices for address in device.addresses}
        if route.source and route.source not in local:
            raise Refused(errno.EINVAL)
        if route.kind in WAYLESS:
            return
        single = NextHop(gateway=route.gateway, interface=route.interface, onlink=route.onlink)
        for hop in route.next_hops or (single,):
            yield self._way(route.family, hop, devices)

    def _way(self, family: Family, hop: NextHop, devices: list[Device]) -> str:
        named = next((device for device in devices if device.interface.name == hop.interface), None)
        if named is None and (hop.interface or not hop.gateway):
            raise Refused(errno.ENODEV)
        if not hop.gateway or hop.onlink:
            if named is None:
                raise Refused(errno.ENODEV)
            if not named.administratively_up:
                raise Refused(errno.ENETDOWN)
            return named.interface.name
        gateway = ipaddress.ip_address(hop.gateway)
        own = any(gateway == ipaddress.ip_address(held.address) for device in devices for held in device.addresses)
        if own and gateway.version == Family.IPV6.value:
            raise Refused(errno.EINVAL)
        reaching = (device for device in ([named] if named else devices) if device.administratively_up)
        found = next((device for device in reaching if self._reaches(device, gateway, bool(hop.interface))), None)
        if found is None:
            raise Refused(errno.ENETUNREACH if family is Family.IPV4 else errno.EHOSTUNREACH)
        return found.interface.name

    def _reaches(self, device: Device, gateway: ipaddress.IPv4Address | ipaddress.IPv6Address, named: bool) -> bool:
        if isinstance(gateway, ipaddress.IPv6Address) and gateway.is_link_local:
            return named
        direct = (
            laid.route.destination
            for laid in self._laid
            if not laid.route.gateway and laid.route.table == _MAIN and laid.devices == (device.interface.name,)
        )
        return any(gateway in subnet(known) for known in (*device.addresses, *direct))
