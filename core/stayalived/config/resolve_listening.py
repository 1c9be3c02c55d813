"""What a virtual server listens on: addresses, ranges of them or marks, families, protocols."""

from collections.abc import Iterable

from stayalived.addresses import Endpoint, Family
from stayalived.config import services
from stayalived.config.desk import Desk, texts
from stayalived.config.findings import Path, listed, shown
from stayalived.config.model import RealServer
from stayalived.config.names import BadHost, split_port
from stayalived.config.ranges import expand
from stayalived.config.services import VirtualServerTable

_FAMILY_OF_WORD = {"ipv4": Family.IPV4, "ipv6": Family.IPV6}
_BOTH = (Family.IPV4, Family.IPV6)


def addresses_of(table: VirtualServerTable, path: Path, desk: Desk) -> tuple[Endpoint, ...]:
    """Return every address and port of a virtual server, ranges expanded; none for a mark, or after an error."""
    where = (*path, "address")
    if (table.address is None) == (table.fwmark is None):
        what = "missing; write address or fwmark" if table.fwmark is None else "give either address or fwmark"
        desk.findings.error(where, what)
        return ()
    found: list[Endpoint] = []
    for text, place in texts(table.address, where):
        endpoints = _expanded(text, place, desk)
        # LV01; ip_vs_add_service takes port 0 without persistence, and then no packet ever finds the service.
        if endpoints and not endpoints[0].port and not is_persistent(table):
            desk.findings.error(place, "must have a port, unless the service is persistent", found=shown(text))
        found.extend(endpoints)
    if table.address == []:
        desk.findings.error(where, "must name at least one address", found="an empty list")
    return tuple(found)


def is_persistent(table: VirtualServerTable) -> bool:
    """Tell whether a virtual server keeps clients at their servers; a granularity alone says so too (LV12)."""
    return table.persistence_timeout is not None or table.persistence_granularity is not None


def families_of(
    table: VirtualServerTable, addresses: tuple[Endpoint, ...], path: Path, desk: Desk
) -> tuple[Family, ...]:
    """Return the families of the addresses; for a mark those that its servers may have."""
    where = (*path, "family")
    if table.fwmark is None:
        if table.family is not None:
            desk.findings.error(where, "goes with fwmark only; an address has its own family")
        return tuple(dict.fromkeys(endpoint.family for endpoint in addresses)) or (Family.IPV4,)
    if table.family is None:
        return _BOTH
    return (_FAMILY_OF_WORD[desk.choice(table.family, services.FAMILIES, where)],)


def mark_families(families: tuple[Family, ...], servers: Iterable[RealServer]) -> tuple[Family, ...]:
    """Return the families in which a mark is balanced: those of its servers.

    A tunnel carries either family, so servers behind tunnels count only when there are no others, and then IPv4 wins
    over both, as it does in keepalived.
    """
    if len(families) == 1:
        return families
    plain, tunnelled = set[Family](), set[Family]()
    for server in servers:
        (tunnelled if server.forward.method == "TUN" else plain).update(one.family for one in server.addresses)
    return tuple(family for family in _BOTH if family in plain) or (min(tunnelled, default=Family.IPV4),)


def marks_of(table: VirtualServerTable, path: Path, desk: Desk) -> tuple[int, ...]:
    """Return the firewall marks that a virtual server stands for."""
    if table.fwmark == []:
        desk.findings.error((*path, "fwmark"), "must name at least one mark", found="an empty list")
    if not isinstance(table.fwmark, list):
        return () if table.fwmark is None else (table.fwmark,)
    return tuple(table.fwmark)


def protocols_of(table: VirtualServerTable, path: Path, desk: Desk) -> tuple[str, ...]:
    """Return the protocols that are balanced, each once; a mark has none of its own."""
    where = (*path, "protocol")
    if table.fwmark is not None:
        if table.protocol is not None and table.address is None:
            desk.findings.warn(where, "has no effect with fwmark: a mark stands for every packet that carries it")
        return ()
    if table.protocol is None or table.protocol == []:
        words = listed([f'"{protocol}"' for protocol in services.PROTOCOLS])
        desk.findings.error(where, f"missing; must be {words}, or a list of them")
        return services.PROTOCOLS[:1]
    chosen = [desk.choice(text, services.PROTOCOLS, place) for text, place in texts(table.protocol, where)]
    for number, protocol in enumerate(chosen):
        if protocol in chosen[:number]:
            desk.findings.error((*where, number), "stands here twice; keep one of them", found=shown(protocol))
    protocols = tuple(dict.fromkeys(chosen))
    if table.ops and protocols != ("udp",):
        desk.findings.error((*path, "ops"), "goes with UDP or fwmark only")
    return protocols


def engine_of(table: VirtualServerTable, path: Path, desk: Desk) -> str:
    """Return the persistence engine, or nothing."""
    if table.persistence_engine is None:
        return ""
    where = (*path, "persistence_engine")
    engine = desk.choice(table.persistence_engine, services.ENGINES, where)
    if not is_persistent(table):
        desk.findings.error(where, "goes with persistence_timeout only; write how long a call stays with its server")
    # ip_vs_pe_sip.c refuses whatever is not UDP, and a connection whose engine refuses is dropped.
    protocols = [text.lower() for text, _ in texts(table.protocol, where)]
    if table.fwmark is None and protocols and protocols != ["udp"]:
        desk.findings.error(where, "goes with UDP or fwmark only", found=shown(engine))
    return engine


def _expanded(text: str, path: Path, desk: Desk) -> list[Endpoint]:
    """Return what a text stands for: a range of addresses, or a host with one address for each family."""
    try:
        host, port = split_port(text)
        found = expand(host)
    except BadHost as error:
        desk.findings.error(path, str(error), found=shown(text))
        return []
    addresses = desk.host(text, path)[0].values() if found is None else found
    return [Endpoint(address, port) for address in addresses]
