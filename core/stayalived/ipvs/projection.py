"""The table that the kernel should have: configuration and health, nothing else. Pure.

| state of the server | in the table |
|---|---|
| UP | with its configured weight plus what its checks add, between 0 and 2^31 - 1 |
| DOWN | not at all; with `inhibit_on_failure` at weight 0, where its connections live on |
| UNKNOWN | not at all; found in the kernel with weight 0 it stays at 0 |

Quorum lost, with a sorry server: the sorry server at weight 1 in place of the live ones (LV22); without one the live
ones stay (LV23). Until quorum is decided a sorry server that was found in the kernel stays beside what else there is.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from stayalived.addresses import Endpoint, Family
from stayalived.config.model import Configuration, Forwarding, RealServer, VirtualServer
from stayalived.config.problems import Problem
from stayalived.ipvs.health import Health, State
from stayalived.ipvs.model import Destination, Entry, Service, ServiceKey, Table
from stayalived.ipvs.quorum import Quorum
from stayalived.timing import Duration, seconds

BIGGEST_WEIGHT = 2**31 - 1  # a signed int in the kernel

Found = Mapping[ServiceKey, Mapping[Endpoint, Destination]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What is known of one virtual server beside its configuration.

    Attributes:
        servers: health by the server's name.
        quorum: whether it has enough live weight.
        strangers: destinations found in its services that nobody configured; they stay through the first round.
        sorry_found: the sorry server was found in the kernel's table.
    """

    servers: Mapping[str, Health]
    quorum: Quorum
    strangers: Found = field(default_factory=dict)
    sorry_found: bool = False


@dataclass(frozen=True, slots=True)
class Projection:
    """A table, and beside it which server each of its destinations is: `VS/RS`, `VS (sorry)` or nothing."""

    table: Table = field(default_factory=dict)
    names: dict[tuple[ServiceKey, Endpoint], str] = field(default_factory=dict)


def wanted(configuration: Configuration, standings: Mapping[str, Standing]) -> Projection:
    """Return the whole table that the kernel should have.

    Args:
        configuration: what is in force.
        standings: what is known of each virtual server, by its name.

    Returns:
        the table, with names beside it.
    """
    whole = Projection()
    for service in configuration.virtual_servers:
        part = project(service, standings[service.name])
        whole.table.update(part.table)
        whole.names.update(part.names)
    return whole


def project(service: VirtualServer, standing: Standing) -> Projection:
    """Return the services of one virtual server, one for each address and protocol, with their destinations."""
    projection = Projection()
    replaced = standing.quorum is Quorum.DOWN and service.sorry_server is not None
    for key in keys_of(service):
        entry = Entry(settings_of(service, key.family))
        projection.table[key] = entry
        if replaced or (standing.sorry_found and standing.quorum is Quorum.UNDECIDED):
            _place_sorry_server(projection, key, service)
        for server in service.real_servers:
            weight = weight_in_pool(server, standing.servers[server.name])
            endpoint = endpoint_in(key, server)
            if weight is None or endpoint is None or endpoint in entry.destinations:
                continue
            if replaced and standing.servers[server.name].state is State.UP:
                continue
            entry.destinations[endpoint] = _destination(server, weight)
            projection.names[key, endpoint] = f"{service.name}/{server.name}"
        for endpoint, destination in standing.strangers.get(key, {}).items():
            entry.destinations.setdefault(endpoint, destination)
    return projection


def keys_of(service: VirtualServer) -> tuple[ServiceKey, ...]:
    """Return the kernel's services that make up one virtual server."""
    if service.fwmark:
        return tuple(ServiceKey(family, "", None, service.fwmark) for family in service.fwmark_families)
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
    sorry = service.sorry_server
    if sorry is None or (sorry.family is not key.family and service.sorry_forward.method != "TUN"):
        return None
    return _forced(key, sorry, service.sorry_forward)


def weight_in_pool(server: RealServer, health: Health) -> int | None:
    """Return the weight that a server has in the table, or None when it is not in it."""
    match health.state:
        case State.UP:
            return live_weight(server, health)
        case State.DOWN:
            return 0 if server.inhibit_on_failure else None
        case State.UNKNOWN:
            return 0 if health.held else None


def live_weight(server: RealServer, health: Health) -> int:
    """Return the weight of a server that is UP: configured plus what its checks add (C38)."""
    return min(max(server.weight + health.delta, 0), BIGGEST_WEIGHT)


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
    return Endpoint(address.address, port)


def _whole_seconds(duration: Duration) -> int:
    """Return a duration in the kernel's unit, rounded up: a short persistence is not none."""
    return -(-duration // seconds(1))


def _destination(server: RealServer, weight: int) -> Destination:
    return _forwarded(server.forward, weight, server.upper_threshold, server.lower_threshold)


def _place_sorry_server(projection: Projection, key: ServiceKey, service: VirtualServer) -> None:
    endpoint = sorry_endpoint_in(key, service)
    if endpoint is not None:
        projection.table[key].destinations[endpoint] = _forwarded(service.sorry_forward, 1)
        projection.names[key, endpoint] = f"{service.name} (sorry)"


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
