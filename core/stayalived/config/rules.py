"""What no single table shows: rules that hold between instances, between services, and between servers."""

from collections.abc import Iterator, Sequence

from stayalived.addresses import Endpoint, Family
from stayalived.config import resolve_services, resolve_vrrp
from stayalived.config.findings import Findings, Path
from stayalived.config.model import RealServer, VirtualServer
from stayalived.config.virtual_routers import VirtualRouter, VrrpInstance
from stayalived.timing import for_people, milliseconds

ADOPTION_LIMIT = milliseconds(200)
"""The shortest advert interval for which a restarted VRRP process goes on as master without a gap."""

V6_ADDRESSES_IN_A_PACKET = 90  # (1500 - 40 - 8) / 16, at the usual MTU; an advert is never fragmented


def check_instances(instances: Sequence[VrrpInstance], findings: Findings) -> None:
    """Look at instances side by side."""
    _check_numbers(instances, findings)
    _check_addresses(instances, findings)
    for instance in instances:
        path: Path = (resolve_vrrp.KIND, instance.name)
        for router in instance.routers:
            if router.family is Family.IPV6 and len(router.addresses) > V6_ADDRESSES_IN_A_PACKET:
                text = f"more than {V6_ADDRESSES_IN_A_PACKET} IPv6 addresses need an MTU above 1500"
                findings.warn((*path, "virtual_ipaddress"), text, found=f"{len(router.addresses)} of IPv6")
        advert_int = instance.routers[0].advert_int
        if advert_int < ADOPTION_LIMIT:
            text = f"below {for_people(ADOPTION_LIMIT)} a restart of the VRRP process may cost a takeover"
            findings.warn((*path, "advert_int"), text, found=for_people(advert_int))


def _routers(instances: Sequence[VrrpInstance]) -> Iterator[tuple[VrrpInstance, VirtualRouter]]:
    for instance in instances:
        for router in instance.routers:
            yield instance, router


def _check_numbers(instances: Sequence[VrrpInstance], findings: Findings) -> None:
    """V01: one number for each interface, family and group. Two would hear each other's adverts as their own."""
    seen: dict[tuple[str, Family, str, int], str] = {}
    for instance, router in _routers(instances):
        key = (router.interface, router.family, router.group, router.virtual_router_id)
        first = seen.setdefault(key, instance.name)
        if first != instance.name:
            path = (resolve_vrrp.KIND, instance.name, "virtual_router_id")
            text = f"{first} has it on {router.interface} for IPv{router.family}; take another one"
            findings.error(path, text, found=str(router.virtual_router_id))


def _check_addresses(instances: Sequence[VrrpInstance], findings: Findings) -> None:
    """The same address under two numbers is two masters for it."""
    seen: dict[str, VrrpInstance] = {}
    for instance, router in _routers(instances):
        for address in router.advertised:
            first = seen.setdefault(address.address, instance)
            if first is not instance:
                path = (resolve_vrrp.KIND, instance.name, "virtual_ipaddress")
                text = f"is in {first.name} as well: two masters will hold it"
                findings.warn(path, text, found=address.address)


def check_services(services: Sequence[VirtualServer], findings: Findings) -> None:
    """Look at virtual servers side by side, and at the servers of each."""
    _check_keys(services, findings)
    for service in services:
        _check_servers(service, findings)
        _check_quorum(service, findings)


def _keys(service: VirtualServer) -> Iterator[tuple[str, str]]:
    """Return what the kernel tells services apart by, for messages: protocol or mark, and address."""
    if service.fwmark:
        yield f"fwmark {service.fwmark}", f"IPv{service.fwmark_family}"
    for endpoint in service.addresses:
        yield service.protocol, str(endpoint)


def _check_keys(services: Sequence[VirtualServer], findings: Findings) -> None:
    seen: dict[tuple[str, str], str] = {}
    for service in services:
        for key in _keys(service):
            if key in seen:
                path = (resolve_services.KIND, service.name, "fwmark" if service.fwmark else "address")
                whose = "stands here twice" if seen[key] == service.name else f"is that of {seen[key]}"
                findings.error(path, f"{whose}; the kernel has one service for each", found=" ".join(key))
            seen.setdefault(key, service.name)


def _check_servers(service: VirtualServer, findings: Findings) -> None:
    path = (resolve_services.KIND, service.name)
    if not service.real_servers:
        findings.warn(path, "has no real server: it is left out")
    seen: dict[Endpoint, RealServer] = {}
    for server in service.real_servers:
        where = (*path, resolve_services.SERVER_KIND, server.name)
        for endpoint in server.addresses:
            first = seen.setdefault(endpoint, server)
            if first is not server:
                findings.error((*where, "address"), f"is that of {first.name}; keep one of them", found=str(endpoint))
        if server.lower_threshold > server.upper_threshold > 0:
            text = f"is above uthreshold ({server.upper_threshold}): the server would flap"
            findings.warn((*where, "lthreshold"), text, found=str(server.lower_threshold))


def _check_quorum(service: VirtualServer, findings: Findings) -> None:
    path = (resolve_services.KIND, service.name)
    quorum = capped_quorum(service)
    if service.real_servers and quorum != service.quorum:
        text = f"is more than all servers together weigh: {quorum} is used"
        findings.warn((*path, "quorum"), text, found=str(service.quorum))
    hysteresis = capped_hysteresis(service)
    if service.real_servers and hysteresis != service.hysteresis:
        text = f"must be below the quorum: {hysteresis} is used"
        findings.warn((*path, "hysteresis"), text, found=str(service.hysteresis))


def capped_quorum(service: VirtualServer) -> int:
    """Return the quorum that can be reached: at most the weight of all servers (LV19), at least 1."""
    total = sum(server.weight for server in service.real_servers)
    return min(service.quorum, max(total, 1))


def capped_hysteresis(service: VirtualServer) -> int:
    """Return the hysteresis that leaves the quorum a way to be lost: below the quorum (LV20)."""
    return min(service.hysteresis, capped_quorum(service) - 1)
