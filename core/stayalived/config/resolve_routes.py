"""Routes that move with an instance (V22, RT01 to RT03): what the kernel would refuse is refused here."""

from collections.abc import Sequence

from stayalived.addresses import Family
from stayalived.config.desk import Desk
from stayalived.config.findings import Findings, Path, Table, shown
from stayalived.config.holdings import ROUTE_MODES, ROUTE_TYPES, NextHopTable, RouteTable
from stayalived.config.iproute_names import SCOPES, TABLES
from stayalived.config.networks import everything, family_named, host_of, is_link_local, network_of
from stayalived.config.virtual_routers import NextHop, Route

KEY = "virtual_routes"
DEFAULT_WORDS = ("default",)
V6_METRIC = 1024  # IP6_RT_PRIO_USER of linux/ipv6_route.h: what the kernel takes for 0
_UNICAST, _LOCAL = ROUTE_TYPES["unicast"], ROUTE_TYPES["local"]
_WAYS = ("via", "dev", "nexthops")
_WAYS_OF = {_UNICAST: _WAYS, _LOCAL: ("dev",)}
_SCOPE_GLOBAL, _SCOPE_LINK, _SCOPE_HOST = 0, 253, 254


class RouteRoom:
    """Turns `virtual_routes` of one instance into routes."""

    def __init__(self, desk: Desk, path: Path) -> None:
        """Work for the instance that stands at a path."""
        self._desk = desk
        self._findings: Findings = desk.findings
        self._path: Path = (*path, KEY)

    def take(self, entries: Sequence[Table]) -> tuple[Route, ...]:
        """Return the routes, each once."""
        found: dict[object, Route] = {}
        for number, entry in enumerate(entries):
            path = (*self._path, number)
            table = self._desk.entry(entry, RouteTable, path, KEY)
            route = None if table is None else self._route(table, path)
            if route is not None and found.setdefault(route.key, route) is not route:
                text = "a route to there with this table and metric stands here already; keep one, or give it a metric"
                self._findings.error((*path, "to"), text, found=str(route.destination))
        return tuple(found.values())

    def _route(self, table: RouteTable, path: Path) -> Route | None:
        before = self._findings.errors
        kind = ROUTE_TYPES[self._desk.choice(table.type, ROUTE_TYPES, (*path, "type"))]
        if self._findings.errors != before:
            return None
        hops = self._hops(table, path)
        family = family_named((table.to, table.via, table.src, *(hop.via for hop, _ in hops))) or Family.IPV4
        destination = network_of(table.to, DEFAULT_WORDS, self._findings, (*path, "to")) or everything(family)
        self._look_at_ways(table, kind, path)
        self._look_at_link(table, family, path)
        route = Route(
            family=family,
            destination=destination,
            kind=kind,
            gateway=host_of(table.via, family, self._findings, (*path, "via")),
            interface=table.dev or "",
            source=host_of(table.src, family, self._findings, (*path, "src")),
            table=self._table(table, kind, path),
            metric=table.metric or (V6_METRIC if family is Family.IPV6 else 0),
            scope=self._scope(table, kind, family, path),
            onlink=table.onlink,
            mtu=table.mtu or 0,
            next_hops=tuple(self._hop(hop, family, where) for hop, where in hops),
            behind=self._is_behind(table, path),
            tracked=not table.no_track,
        )
        return route if self._findings.errors == before else None

    def _is_behind(self, table: RouteTable, path: Path) -> bool:
        return self._desk.choice(table.mode, ROUTE_MODES, (*path, "mode")) == "append"

    def _table(self, table: RouteTable, kind: int, path: Path) -> int:
        usual = "local" if kind == _LOCAL else "main"  # ip-route(8)
        written = usual if table.table is None else table.table
        return self._desk.number(written, TABLES, (*path, "table")) or 0

    def _look_at_ways(self, table: RouteTable, kind: int, path: Path) -> None:
        """Refuse what leads nowhere, and what leads somewhere where the type says nowhere."""
        ways = [key for key in _WAYS if getattr(table, key)]
        for key in ways:
            if key not in _WAYS_OF.get(kind, ()):
                self._findings.error((*path, key), f'does not go with type = "{table.type.lower()}"; leave it out')
        if kind == _UNICAST and not ways:
            self._findings.error(path, "leads nowhere; write via, dev or nexthops")
        elif kind == _UNICAST and "nexthops" in ways and len(ways) > 1:
            self._findings.error((*path, "nexthops"), "stands instead of via and dev; write either")
        elif kind == _LOCAL and not table.dev:
            self._findings.error((*path, "dev"), 'missing; type = "local" goes with an interface')

    def _look_at_link(self, table: RouteTable | NextHopTable, family: Family, path: Path) -> None:
        """Refuse gateways that nobody could find without an interface."""
        if table.onlink and not (table.via and table.dev):
            self._findings.error((*path, "onlink"), "goes with via and dev; write both")
        elif table.via and not table.dev and family is Family.IPV6 and is_link_local(table.via):
            self._findings.error((*path, "via"), "is link-local; write dev as well", found=shown(table.via))

    def _hops(self, table: RouteTable, path: Path) -> list[tuple[NextHopTable, Path]]:
        places = [(entry, (*path, "nexthops", number)) for number, entry in enumerate(table.nexthops)]
        decoded = [(self._desk.entry(entry, NextHopTable, where), where) for entry, where in places]
        return [(hop, where) for hop, where in decoded if hop is not None]

    def _hop(self, table: NextHopTable, family: Family, path: Path) -> NextHop:
        if not (table.via or table.dev):
            self._findings.error(path, "leads nowhere; write via or dev")
        elif family is Family.IPV6 and not table.via:  # net/ipv6/route.c: no device-only ways
            self._findings.error((*path, "via"), "missing; several ways of IPv6 are several gateways")
        self._look_at_link(table, family, path)
        return NextHop(
            gateway=host_of(table.via, family, self._findings, (*path, "via")),
            interface=table.dev or "",
            weight=table.weight,
            onlink=table.onlink,
        )

    def _scope(self, table: RouteTable, kind: int, family: Family, path: Path) -> int:
        """Return the scope; where nobody says one, that of ip-route(8). IPv6 has none."""
        where = (*path, "scope")
        if family is Family.IPV6:
            if table.scope is not None:
                self._findings.error(where, "goes with an IPv4 route only; leave it out", found=shown(table.scope))
            return _SCOPE_GLOBAL
        is_direct = kind == _UNICAST and not (table.via or table.nexthops)
        usual = _SCOPE_HOST if kind == _LOCAL else _SCOPE_LINK if is_direct else _SCOPE_GLOBAL
        scope = usual if table.scope is None else self._desk.number(table.scope, SCOPES, where)
        if scope is None:
            return usual
        if kind == _LOCAL and scope != _SCOPE_HOST:
            self._findings.error(where, 'must be "host": a local route has no other; leave it out', found=str(scope))
        # net/ipv4/fib_semantics.c: a gateway is farther away than the link.
        highest = _SCOPE_HOST if is_direct else _SCOPE_LINK - 1
        if kind == _UNICAST and scope > highest:
            self._findings.error(where, f"must be at most {highest} for this route; leave it out", found=str(scope))
        return scope
