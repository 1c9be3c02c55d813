"""One virtual server as ipvs keeps it: what it believes of each real server, quorum, the table that follows. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from stayalived.addresses import Endpoint
from stayalived.config.model import Configuration, RealServer, VirtualServer
from stayalived.ipvs.health import UNKNOWN, Health, Result, State, judge
from stayalived.ipvs.model import Connections, Destination, ServiceKey, Table
from stayalived.ipvs.projection import (
    Found,
    Projection,
    Standing,
    endpoint_in,
    keys_of,
    live_weight,
    project,
    sorry_endpoint_in,
)
from stayalived.ipvs.quorum import Quorum, decide
from stayalived.messages.services import CheckState, ServerRow, ServiceState
from stayalived.timing import Duration, Instant, after, seconds

QUORUM_HOLD = seconds(10)
"""How long quorum may stay undecided where `start_hold` is off: as long as that may be at most."""

MAX_ROWS = 250
"""Servers in one `ServiceState`: it has to fit a frame. A bigger pool is told in parts, the later ones as `NAME#1` …"""

MAX_REASON = 100  # characters, for the same reason

Connected = Mapping[tuple[ServiceKey, Endpoint], Connections]
Checks = Mapping[tuple[str, str], CheckState]  # by distribution and key


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerChange:
    """A real server's state changed; `tested` when a check had a result."""

    server: RealServer
    old: State
    new: Health
    tested: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class QuorumChange:
    """A virtual server's quorum was decided, gained or lost."""

    old: Quorum
    new: Quorum
    live: int


class Pool:
    """What is known of one virtual server.

    Attributes:
        service: its configuration.
        keys: the kernel's services that it consists of.
        quorum: where it stands.
        hold_until: until then quorum may stay undecided.
        strangers: destinations that were found in its services and that nobody configured.
        sorry_found: its sorry server was found in the kernel's table.
    """

    def __init__(self, service: VirtualServer, hold_until: Instant) -> None:
        """Start with nothing known of any server; `adopt` has to follow."""
        self.service = service
        self.keys = keys_of(service)
        self.quorum = Quorum.UNDECIDED
        self.hold_until = hold_until
        self._health: dict[str, Health] = {}
        self._known: set[str] = set()  # servers that are not UNKNOWN
        self.strangers: Found = {}
        self.sorry_found = False
        self._projection: Projection | None = None

    @property
    def unknown(self) -> bool:
        """Whether some server waits for its first result."""
        return len(self._known) < len(self.service.real_servers)

    @property
    def projection(self) -> Projection:
        """What the kernel should have of it; computed again only after something changed."""
        if self._projection is None:
            health = {server.name: self.health(server) for server in self.service.real_servers}
            self._projection = project(
                self.service,
                Standing(servers=health, quorum=self.quorum, strangers=self.strangers, sorry_found=self.sorry_found),
            )
        return self._projection

    def health(self, server: RealServer) -> Health:
        """Return what is believed of a server."""
        return self._health.get(server.name, UNKNOWN)

    def _set(self, server: RealServer, health: Health) -> None:
        """Believe something of a server."""
        self._health[server.name] = health
        self._projection = None
        if health.state is State.UNKNOWN:
            self._known.discard(server.name)
        else:
            self._known.add(server.name)

    def subject(self, server: RealServer) -> str:
        """Return the name of a server in messages: `service42/tic`."""
        return f"{self.service.name}/{server.name}"

    def endpoints(self, server: RealServer) -> tuple[Endpoint, ...]:
        """Return where a server is in the kernel's services, without repeating one that is in several."""
        found = (endpoint_in(key, server) for key in self.keys)
        return tuple(dict.fromkeys(endpoint for endpoint in found if endpoint is not None))

    def succeed(self, before: "Pool") -> None:
        """Take over from the pool of the same name under the configuration before: what is known stays known."""
        same = {server.name: server.addresses for server in before.service.real_servers}
        for server in self.service.real_servers:
            if same.get(server.name) == server.addresses:  # at another address it is another server
                self._set(server, before.health(server))
        self.quorum = before.quorum
        self.hold_until = before.hold_until if before.quorum is Quorum.UNDECIDED else self.hold_until
        self.strangers = before.strangers
        self.sorry_found = before.sorry_found

    def remember(self, rows: Mapping[str, ServerRow], quorum: Quorum) -> None:
        """Take over what the process before this one told of it: what was judged stays judged, and told to nobody."""
        self.quorum = quorum
        for server in self.service.real_servers:
            row = rows.get(self.subject(server))
            if row is not None and row.state != State.UNKNOWN:
                self._set(server, Health(state=State(row.state), reason=row.reason))

    def adopt(self, table: Table, *, with_strangers: bool) -> Iterator[tuple[RealServer, int]]:
        """Look for servers of which nothing is known yet in the kernel's table.

        Found with weight > 0: UP. Found with weight 0: UNKNOWN, and it stays at 0.

        Args:
            table: what the kernel has.
            with_strangers: keep destinations that nobody configured, until `forget_strangers`.

        Yields:
            each server that was found, with its weight.
        """
        self._projection = None
        for server in self.service.real_servers:
            weight = None if server.name in self._health else self._weight_in(table, server)
            if weight is None:
                self._health.setdefault(server.name, UNKNOWN)
                continue
            reason = f"found in the kernel's table with weight {weight}"
            state = State.UP if weight else State.UNKNOWN
            self._set(server, Health(state=state, held=not weight, reason=reason))
            yield server, weight
        self.sorry_found = any(
            key in table and sorry_endpoint_in(key, self.service) in table[key].destinations for key in self.keys
        )
        if with_strangers:
            self.strangers = {key: self._strangers_in(key, table) for key in self.keys if key in table}

    def forget_strangers(self) -> None:
        """Want them no longer: the first round is over."""
        self.strangers = {}
        self._projection = None

    def rejudge(self, server: RealServer, checks: Checks) -> ServerChange | None:
        """Judge a server by the results of its checks; return what changed of its state, if it did.

        One that is new waits for `adopt`: it may be in the kernel's table.
        """
        if server.name not in self._health:
            return None
        before = self.health(server)
        results = [_result(check.timing.alpha, checks.get((check.distribution, check.key))) for check in server.checks]
        health = judge(before, results)
        if health == before:
            return None
        self._set(server, health)
        if health.state is before.state:
            return None
        tested = any(result.up is not None for result in results)
        return ServerChange(server=server, old=before.state, new=health, tested=tested)

    def redecide(self, now: Instant) -> QuorumChange | None:
        """Decide quorum by the weight that is live now, if it can be; return what changed."""
        if self.quorum is Quorum.UNDECIDED and self.unknown and now < self.hold_until:
            return None
        health = [(server, self.health(server)) for server in self.service.real_servers]
        live = sum(live_weight(server, one) for server, one in health if one.state is State.UP)
        quorum = decide(
            self.quorum,
            live=live,
            total=sum(server.weight for server in self.service.real_servers),
            quorum=self.service.quorum,
            hysteresis=self.service.hysteresis,
        )
        if quorum is self.quorum:
            return None
        change = QuorumChange(old=self.quorum, new=quorum, live=live)
        self.quorum = quorum
        self._projection = None
        return change

    def state(self, table: Table, connections: Connected, problem: str) -> list[ServiceState]:
        """Return what is told of it, in as many parts as frames demand."""
        rows = [self._row(server, table, connections) for server in self.service.real_servers]
        parts = [rows[start : start + MAX_ROWS] for start in range(0, len(rows), MAX_ROWS)] or [[]]
        return [
            ServiceState(
                name=self.service.name,
                protocol=self.service.protocol,
                addresses=tuple(str(key.endpoint or key) for key in self.keys),
                scheduler=self.service.policy,
                forward="/".join(sorted({server.forward.method for server in self.service.real_servers})),
                quorum=self.quorum,
                sorry=self.quorum is Quorum.DOWN and self.service.sorry_server is not None,
                servers=tuple(part),
                problem=problem,
            )
            for part in parts
        ]

    def _row(self, server: RealServer, table: Table, connections: Connected) -> ServerRow:
        health = self.health(server)
        counted = [
            connections.get((key, endpoint), Connections())
            for key in self.keys
            if (endpoint := endpoint_in(key, server)) is not None
        ]
        weight = self._weight_in(table, server)
        return ServerRow(
            subject=self.subject(server),
            addresses=tuple(str(endpoint) for endpoint in self.endpoints(server)),
            state=health.state,
            reason=health.reason[:MAX_REASON],
            weight=-1 if weight is None else weight,
            configured_weight=server.weight,
            active=sum(one.active for one in counted),
            inactive=sum(one.inactive for one in counted),
            new=sum(one.new for one in counted),
            bytes_in=sum(one.bytes_in for one in counted),
            bytes_out=sum(one.bytes_out for one in counted),
        )

    def _weight_in(self, table: Table, server: RealServer) -> int | None:
        """Return the greatest weight that a server has in the table, or None when it is not in it."""
        found = [
            table[key].destinations[endpoint].weight
            for key in self.keys
            if key in table
            and (endpoint := endpoint_in(key, server)) is not None
            and endpoint in table[key].destinations
        ]
        return max(found, default=None)

    def _strangers_in(self, key: ServiceKey, table: Table) -> dict[Endpoint, Destination]:
        """Return the destinations of a service that are neither a configured server's nor the sorry server's."""
        known = {endpoint_in(key, server) for server in self.service.real_servers}
        known.add(sorry_endpoint_in(key, self.service))
        return {one: destination for one, destination in table[key].destinations.items() if one not in known}


def round_limit(configuration: Configuration) -> Duration:
    """Return how long the first round may take: `start_hold`, and the time it takes to start all first checks."""
    checks = sum(len(server.checks) for service in configuration.virtual_servers for server in service.real_servers)
    hold = configuration.globals.start_hold or QUORUM_HOLD
    return Duration(hold + seconds(checks / configuration.globals.start_rate))


def hold_from(now: Instant, configuration: Configuration) -> Instant:
    """Return until when quorum may stay undecided."""
    return after(now, round_limit(configuration))


def _result(alpha: bool, told: CheckState | None) -> Result:
    if told is None:
        return Result(up=None, alpha=alpha)
    return Result(up=told.up, alpha=alpha, delta=told.weight, reason=told.reason)
