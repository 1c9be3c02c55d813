"""One virtual server as ipvs keeps it: what it believes of each real server, quorum, the table that follows. Pure."""

from collections.abc import Iterator, Mapping

from stayalived.addresses import Endpoint
from stayalived.config.model import Check, RealServer, VirtualServer
from stayalived.ipvs.changes import LONG_AGO, AdjustmentChange, Memory, PanicChange, QuorumChange, ServerChange
from stayalived.ipvs.health import UNKNOWN, Health, State, judge, result_of
from stayalived.ipvs.levels import AS_CONFIGURED, Adjustment, clamped
from stayalived.ipvs.model import Connections, Destination, ServiceKey, Table
from stayalived.ipvs.projection import (
    Found,
    Standing,
    endpoint_in,
    keys_of,
    live_weight,
    project,
    sorry_endpoint_in,
)
from stayalived.ipvs.quorum import Quorum, decide, panics
from stayalived.messages.services import CheckState
from stayalived.timing import Instant

Connected = Mapping[tuple[ServiceKey, Endpoint], Connections]
Checks = Mapping[tuple[str, str], CheckState]  # by distribution and key


class Pool:
    """What is known of one virtual server.

    Attributes:
        service: its configuration.
        keys: the kernel's services that it consists of.
        quorum: where it stands.
        hold_until: until then quorum may stay undecided.
        strangers: destinations that were found in its services and that nobody configured.
        sorry_found: its sorry server was found in the kernel's table, or has served since.
        computed: weights that its policy gave last, by the server's name.
        panic: so few servers are live that those which are DOWN serve, too.
    """

    def __init__(self, service: VirtualServer, hold_until: Instant) -> None:
        """Start with nothing known of any server; `adopt` has to follow."""
        self.service = service
        self.keys = keys_of(service)
        self.quorum = Quorum.UNDECIDED
        self.hold_until = hold_until
        self._health: dict[str, Health] = {}
        self._known: set[str] = set()  # servers that are not UNKNOWN
        self._been_up: set[str] = set()
        self._adjustments: dict[str, Adjustment] = {}
        self._up_since: dict[str, Instant] = {}  # of those that returned
        self.computed: dict[str, int] = {}
        self.panic = False
        self.strangers: Found = {}
        self.sorry_found = False
        self._by_name: dict[str, RealServer] | None = None  # made when somebody asks
        self._projection: Table | None = None

    @property
    def unknown(self) -> bool:
        """Whether some server waits for its first result."""
        return len(self._known) < len(self.service.real_servers)

    @property
    def projection(self) -> Table:
        """What the kernel should have of it; computed again only after something changed."""
        if self._projection is None:
            standing = Standing(
                servers={server.name: self.health(server) for server in self.service.real_servers},
                quorum=self.quorum,
                strangers=self.strangers,
                sorry_found=self.sorry_found,
                adjustments=self._adjustments,
                kept=self.kept,
                computed=self.computed,
            )
            self._projection = project(self.service, standing)
        return self._projection

    def health(self, server: RealServer) -> Health:
        """Return what is believed of a server."""
        return self._health.get(server.name, UNKNOWN)

    def checks(self) -> Iterator[Check]:
        """Walk through the checks of all servers."""
        return (check for server in self.service.real_servers for check in server.checks)

    def server(self, name: str) -> RealServer | None:
        """Return the server of a name, or None when there is none."""
        if self._by_name is None:
            self._by_name = {server.name: server for server in self.service.real_servers}
        return self._by_name.get(name)

    def is_new(self, server: RealServer) -> bool:
        """Return whether a server has to be looked for in the kernel's table yet, by `adopt`."""
        return server.name not in self._health

    def up_since(self, server: RealServer) -> Instant:
        """Return when a server returned."""
        return self._up_since.get(server.name, LONG_AGO)

    def returns(self, server: RealServer, now: Instant) -> None:
        """Note that a server that was out of service serves again."""
        self._up_since[server.name] = now

    def reweigh(self, weights: Mapping[str, int]) -> bool:
        """Take over what a policy gives; return whether something changed."""
        given = {name: clamped(weight) for name, weight in weights.items()}
        if given == self.computed:
            return False
        self.computed = given
        self._projection = None
        return True

    def adjustment(self, server: RealServer) -> Adjustment:
        """Return what people and actions want of a server."""
        return self._adjustments.get(server.name, AS_CONFIGURED)

    def has_been_up(self, server: RealServer) -> bool:
        """Return whether a server was UP at some time."""
        return server.name in self._been_up

    @property
    def kept(self) -> frozenset[str]:
        """Names of the servers that a panic keeps in although they are DOWN."""
        if not self.panic or self._replaced:
            return frozenset()
        return frozenset(
            server.name
            for server in self.service.real_servers
            if self.health(server).state is State.DOWN and self._may_be_kept(server)
        )

    @property
    def _replaced(self) -> bool:
        """Whether the sorry server serves in place of all."""
        return self.quorum is Quorum.DOWN and bool(self.service.sorry_servers)

    def _may_be_kept(self, server: RealServer) -> bool:
        return self.has_been_up(server) and self.adjustment(server).drain is None

    def _set(self, server: RealServer, health: Health) -> None:
        """Believe something of a server."""
        self._health[server.name] = health
        if health.state is State.UP:
            self._been_up.add(server.name)
        self._projection = None
        if health.state is State.UNKNOWN:
            self._known.discard(server.name)
        else:
            self._known.add(server.name)

    def adjust(self, server: RealServer, adjustment: Adjustment) -> AdjustmentChange | None:
        """Treat a server as people and actions want it; return what changed, if something did."""
        old, health = self.adjustment(server), self.health(server)
        if adjustment == old:
            return None
        self._adjustments[server.name] = adjustment
        self._projection = None
        return AdjustmentChange(
            server=server,
            old=old,
            new=adjustment,
            old_weight=live_weight(server, health, old),
            new_weight=live_weight(server, health, adjustment),
        )

    def subject(self, server: RealServer) -> str:
        """Return the name of a server in messages: `service42/tic`."""
        return f"{self.service.name}/{server.name}"

    def places(self, server: RealServer) -> list[tuple[ServiceKey, Endpoint]]:
        """Return in which services a server is, and where in them."""
        found = ((key, endpoint_in(key, server)) for key in self.keys)
        return [(key, endpoint) for key, endpoint in found if endpoint is not None]

    def endpoints(self, server: RealServer) -> tuple[Endpoint, ...]:
        """Return where a server is in the kernel's services, without repeating one that is in several."""
        return tuple(dict.fromkeys(endpoint for _, endpoint in self.places(server)))

    def succeed(self, before: "Pool") -> None:
        """Take over from the pool of the same name under the configuration before: what is known stays known."""
        same = {server.name: server.addresses for server in before.service.real_servers}
        for server in self.service.real_servers:
            if same.get(server.name) == server.addresses:  # at another address it is another server
                self._set(server, before.health(server))
                self._up_since[server.name] = before.up_since(server)
                if before.has_been_up(server):
                    self._been_up.add(server.name)
        if (
            before.service.policy_options == self.service.policy_options
            and before.service.policy == self.service.policy
        ):
            self.computed = dict(before.computed)
        self.quorum, self.panic = before.quorum, before.panic
        self.hold_until = before.hold_until if before.quorum is Quorum.UNDECIDED else self.hold_until
        self.strangers = before.strangers
        self.sorry_found = before.sorry_found

    def remember(self, memories: Mapping[str, Memory], quorum: Quorum, *, panic: bool) -> None:
        """Take over what the process before this one told of it: what was judged stays judged, and told to nobody."""
        self.quorum, self.panic = quorum, panic
        for server in self.service.real_servers:
            memory = memories.get(self.subject(server))
            if memory is not None and memory.health.state is not State.UNKNOWN:
                self._set(server, memory.health)
            if memory is not None and memory.been_up:
                self._been_up.add(server.name)
            if memory is not None:
                self._up_since[server.name] = memory.up_since
            if memory is not None and memory.weight > 0 and self.service.computes_weights:
                self.computed[server.name] = memory.weight

    def adopt(self, table: Table, *, with_strangers: bool) -> Iterator[tuple[RealServer, int]]:
        """Look for servers of which nothing is known yet in the kernel's table.

        Found with weight > 0: UP. Found with weight 0: UNKNOWN, and it stays at 0.

        Args:
            table: what the kernel has.
            with_strangers: keep destinations that nobody configured, until `forget_strangers`.

        Yields:
            each server that was found, with its weight.
        """
        for server in self.service.real_servers:
            if not self.is_new(server):
                continue
            weight = self.weight_in(table, server)
            if weight is None:
                self._health[server.name] = UNKNOWN
                self._projection = None
                continue
            reason = f"found in the kernel's table with weight {weight}"
            state = State.UP if weight else State.UNKNOWN
            self._set(server, Health(state=state, held=not weight, reason=reason))
            yield server, weight
        sorry_found = any(
            key in table and sorry_endpoint_in(key, self.service) in table[key].destinations for key in self.keys
        )
        strangers = self.strangers
        if with_strangers:
            strangers = {key: self._strangers_in(key, table) for key in self.keys if key in table}
        if (sorry_found, strangers) != (self.sorry_found, self.strangers):
            self.sorry_found, self.strangers = sorry_found, strangers
            self._projection = None

    def is_idle(self, server: RealServer, table: Table, connections: Connected) -> bool:
        """Return whether a server gets no new connections and has none left, by what was read from the kernel.

        Inactive ones count: of UDP there are no others (ip_vs_proto_udp.c), and by DR and TUN the kernel sees one
        direction only, so that one half-closed by its client is inactive while its server still sends.
        """
        if self.weight_in(table, server):
            return False
        counted = (connections[place] for place in self.places(server) if place in connections)
        return not any(one.active or one.inactive for one in counted)

    def forget_strangers(self) -> None:
        """Want them no longer: the first round is over."""
        self.strangers = {}
        self._projection = None

    def rejudge(self, server: RealServer, checks: Checks) -> ServerChange | None:
        """Judge a server by the results of its checks; return what changed of its state, if it did.

        One that is new waits for `adopt`: it may be in the kernel's table.
        """
        if self.is_new(server):
            return None
        before = self.health(server)
        stale_is_down = self.service.manners.stale_is_down
        results = [
            result_of(check.timing.alpha, checks.get((check.distribution, check.key)), stale_is_down=stale_is_down)
            for check in server.checks
        ]
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
        live = sum(live_weight(server, one, self.adjustment(server)) for server, one in health if one.state is State.UP)
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
        self.sorry_found |= self._replaced
        self._projection = None
        return change

    def reconsider(self) -> PanicChange | None:
        """Decide whether it is a panic, after quorum was decided; return what changed."""
        if not self.panic and not self.service.manners.panic_threshold:
            return None
        asked = [server for server in self.service.real_servers if self.adjustment(server).drain is None]
        known = [server for server in asked if self.health(server).state is not State.UNKNOWN]
        live = sum(server.weight for server in known if self.health(server).state is State.UP)
        total = sum(server.weight for server in known)
        panic = panics(
            self.panic,
            live=live,
            total=total,
            threshold=self.service.manners.panic_threshold,
            hysteresis=self.service.hysteresis,
        )
        down = (server for server in known if self.health(server).state is State.DOWN)
        calm = self.quorum is Quorum.UNDECIDED or self._replaced or not any(map(self._may_be_kept, down))
        panic = panic and not calm
        if panic is self.panic:
            return None
        self.panic = panic
        self._projection = None
        return PanicChange(on=panic, live=live, total=total)

    def weight_in(self, table: Table, server: RealServer) -> int | None:
        """Return the greatest weight that a server has in the table, or None when it is not in it."""
        found = [
            table[key].destinations[endpoint].weight
            for key, endpoint in self.places(server)
            if key in table and endpoint in table[key].destinations
        ]
        return max(found, default=None)

    def _strangers_in(self, key: ServiceKey, table: Table) -> dict[Endpoint, Destination]:
        """Return the destinations of a service that are neither a configured server's nor the sorry server's."""
        known = {endpoint_in(key, server) for server in self.service.real_servers}
        known.add(sorry_endpoint_in(key, self.service))
        return {one: destination for one, destination in table[key].destinations.items() if one not in known}


def _policy_of(service: VirtualServer) -> tuple[str, bytes]:
    return service.policy, service.policy_options
