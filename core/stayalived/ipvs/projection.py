"""The table that the kernel should have: configuration and health, nothing else. Pure.

| state of the server | in the table |
|---|---|
| UP | with its configured weight as levels and checks change it (`levels.py`), between 0 and 2^31 - 1 |
| UP and drained | at weight 0; not at all once its connections have ended |
| DOWN | not at all; with `inhibit_on_failure` at weight 0, where its connections live on |
| DOWN in a panic | with its configured weight, if it was UP once |
| UNKNOWN | not at all; found in the kernel with weight 0 it stays at 0 |

Quorum lost, with a sorry server: the sorry server at weight 1 in place of the live ones (LV22), of which those with
`inhibit_on_failure` stay at weight 0 as in keepalived; without one the live ones stay (LV23). With
`sorry_server_inhibit` one that has served stays at weight 0 (LV24). Until quorum is decided a sorry server that was
found in the kernel stays beside what else there is.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from stayalived.addresses import Endpoint, Family
from stayalived.config.model import Configuration, Forwarding, RealServer, VirtualServer
from stayalived.config.problems import Problem
from stayalived.ipvs.health import Health, State
from stayalived.ipvs.levels import AS_CONFIGURED, Adjustment, Adjustments
from stayalived.ipvs.model import Destination, Entry, Service, ServiceKey, Table
from stayalived.ipvs.quorum import Quorum
from stayalived.timing import Duration, seconds

SETTINGS_KEPT = 1024
"""Settings of destinations that are shared by all that have the same: tens of thousands mostly have a few."""

Found = Mapping[ServiceKey, Mapping[Endpoint, Destination]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What is known of one virtual server beside its configuration.

    Attributes:
        servers: health by the server's name.
        quorum: whether it has enough live weight.
        strangers: destinations found in its services that nobody configured; they stay through the first round.
        sorry_found: the sorry server was found in the kernel's table, or has served since.
        adjustments: what people and actions want of servers, by name; those that are missing are as configured.
        kept: names of the servers that stay in although they are DOWN.
        computed: weights that the policy gives to servers, by name, in place of what they would have.
    """

    servers: Mapping[str, Health]
    quorum: Quorum
    strangers: Found = field(default_factory=dict)
    sorry_found: bool = False
    adjustments: Adjustments = field(default_factory=dict)
    kept: Collection[str] = ()
    computed: Mapping[str, int] = field(default_factory=dict)

    def adjustment(self, server: RealServer) -> Adjustment:
        """Return what is wanted of a server."""
        return self.adjustments.get(server.name, AS_CONFIGURED)


def project(service: VirtualServer, standing: Standing) -> Table:
    """Return the services of one virtual server, one for each address and protocol, with their destinations."""
    table: Table = {}
    replaced = standing.quorum is Quorum.DOWN and bool(service.sorry_servers)
    for key in keys_of(service):
        entry = Entry(settings_of(service, key.family))
        table[key] = entry
        if replaced or (standing.sorry_found and standing.quorum is Quorum.UNDECIDED):
            _place_sorry_server(entry, key, service, 1)
        elif standing.sorry_found and service.manners.sorry_inhibit:
            _place_sorry_server(entry, key, service, 0)
        for server in service.real_servers:
            weight = weight_in_pool(server, standing)
            endpoint = endpoint_in(key, server)
            if weight is None or endpoint is None or endpoint in entry.destinations:
                continue
            if replaced and standing.servers[server.name].state is State.UP:
                if not server.inhibit_on_failure:
                    continue
                weight = 0
            limits = server.upper_threshold, server.lower_threshold
            entry.destinations[endpoint] = _forwarded(server.forward, weight, *limits)
        for endpoint, destination in standing.strangers.get(key, {}).items():
            entry.destinations.setdefault(endpoint, destination)
    return table


def keys_of(service: VirtualServer) -> tuple[ServiceKey, ...]:
    """Return the kernel's services that make up one virtual server."""
    if service.fwmarks:
        families = service.fwmark_families
        return tuple(ServiceKey(family, "", None, mark) for mark in service.fwmarks for family in families)
    return tuple(
        ServiceKey(address.family, protocol, address) for protocol in service.protocols for address in service.addresses
    )


def settings_of(service: VirtualServer, family: Family) -> Service:
    """Return the settings of a virtual server's services in one family."""
    timeout = _whole_seconds(service.persistence_timeout)
    return Service(
        scheduler=service.scheduler,
        flags=tuple(sorted(service.scheduler_flags)),
        timeout=timeout,
        granularity=min(service.persistence_granularity, family.bits) if timeout else family.bits,
        engine=service.persistence_engine if timeout else "",
        one_packet=service.one_packet,
    )


def endpoint_in(key: ServiceKey, server: RealServer) -> Endpoint | None:
    """Return the address and port of a real server in one service, or None when it has no address for it."""
    tunnelled = server.forward.method == "TUN"
    address = server.endpoint(key.family) or next((one for one in server.addresses if tunnelled), None)
    return None if address is None else _forced(key, address, server.forward)


def sorry_endpoint_in(key: ServiceKey, service: VirtualServer) -> Endpoint | None:
    """Return the address and port of the sorry server in one service, or None when it has none for it."""
    tunnelled = service.sorry_forward.method == "TUN"
    own = (one for one in service.sorry_servers if one.family is key.family)
    sorry = next(own, None) or next((one for one in service.sorry_servers if tunnelled), None)
    return None if sorry is None else _forced(key, sorry, service.sorry_forward)


def weight_in_pool(server: RealServer, standing: Standing) -> int | None:
    """Return the weight that a server has in the table, or None when it is not in it."""
    health, adjustment = standing.servers[server.name], standing.adjustment(server)
    if adjustment.drained:
        return None
    match health.state:
        case State.UP:
            weight = live_weight(server, health, adjustment)
            # The kernel gives nothing to a server of weight 0, and no policy shall take out what is live.
            return max(standing.computed.get(server.name, weight), 1) if weight else 0
        case State.DOWN if server.name in standing.kept:
            return standing.computed.get(server.name, server.weight)
        case State.DOWN:
            return 0 if server.inhibit_on_failure else None
        case State.UNKNOWN:
            return 0 if health.held else None


def live_weight(server: RealServer, health: Health, adjustment: Adjustment = AS_CONFIGURED) -> int:
    """Return the weight of a server that is UP: configured, as it is adjusted, plus what its checks add (C38)."""
    return adjustment.weight(server.weight, health.delta)


def problems_of(configuration: Configuration) -> tuple[Problem, ...]:
    """Return what the kernel's table could not hold: one service claimed by two virtual servers."""
    owner: dict[ServiceKey, str] = {}
    found = []
    for service in configuration.virtual_servers:
        for key in keys_of(service):
            first = owner.setdefault(key, service.name)
            if first != service.name:
                expected = f"an address that virtual_server.{first} does not have with this protocol"
                found.append(Problem(path=f"virtual_server.{service.name}.address", found=str(key), expected=expected))
    return tuple(found)


def _forced(key: ServiceKey, address: Endpoint, forward: Forwarding) -> Endpoint:
    """Return where packets go: DR and TUN leave the port alone, so it is the service's (LV09), 0 for a mark."""
    port = key.endpoint.port if key.endpoint is not None else 0
    if forward.method == "NAT" and address.port:
        port = address.port
    return address if address.port == port else Endpoint(address.address, port)


def _whole_seconds(duration: Duration) -> int:
    """Return a duration in the kernel's unit, rounded up: a short persistence is not none."""
    return -(-duration // seconds(1))


def _place_sorry_server(entry: Entry, key: ServiceKey, service: VirtualServer, weight: int) -> None:
    endpoint = sorry_endpoint_in(key, service)
    if endpoint is not None:
        entry.destinations[endpoint] = _forwarded(service.sorry_forward, weight)


@lru_cache(maxsize=SETTINGS_KEPT)
def _forwarded(forward: Forwarding, weight: int, upper: int = 0, lower: int = 0) -> Destination:
    tunnelled = forward.method == "TUN"
    return Destination(
        method=forward.method,
        weight=weight,
        upper_threshold=upper,
        lower_threshold=lower,
        tunnel=(forward.tunnel or "ipip") if tunnelled else "",
        tunnel_port=forward.port if forward.tunnel == "gue" and tunnelled else 0,
        tunnel_checksum=forward.checksum if tunnelled else "",
    )
