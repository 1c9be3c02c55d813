"""What no single table shows: rules that hold between instances, between services, and between servers."""

from collections.abc import Callable, Hashable, Iterator, Sequence
from ipaddress import ip_interface

from stayalived.addresses import Endpoint, Family
from stayalived.config import resolve_services, resolve_vrrp
from stayalived.config.findings import Findings, Path
from stayalived.config.model import RealServer, VirtualServer
from stayalived.config.networks import is_link_local
from stayalived.config.resolve_addresses import ADVERTISED, EXCLUDED
from stayalived.config.virtual_routers import PlacedAddress, VirtualRouter, VrrpInstance
from stayalived.timing import for_people, milliseconds

ADOPTION_LIMIT = milliseconds(200)
"""The shortest advert interval for which a restarted VRRP process goes on as master without a gap."""

USUAL_MTU = 1500  # of an interface that is not here yet


def check_instances(instances: Sequence[VrrpInstance], findings: Findings) -> None:
    """Look at instances side by side."""
    before = findings.errors
    _check_numbers(instances, findings)
    if findings.errors == before:  # with the number the hardware address is the same as well
        _check_macs(instances, findings)
    _check_addresses(instances, findings)
    _check_scopes(instances, findings)
    _check_once(instances, "virtual_routes", _route_keys, findings)
    _check_once(instances, "virtual_rules", _rule_keys, findings)
    for instance in instances:
        path: Path = (resolve_vrrp.KIND, instance.name)
        advert_int = instance.routers[0].advert_int
        if advert_int < ADOPTION_LIMIT:
            text = f"below {for_people(ADOPTION_LIMIT)} a restart of the VRRP process may cost a takeover"
            findings.warn((*path, "advert_int"), text, found=for_people(advert_int))


def check_fit(instances: Sequence[VrrpInstance], mtu_of: Callable[[str], int | None], findings: Findings) -> None:
    """Refuse more addresses than fit an advert, which is never fragmented (V19).

    Args:
        instances: of this machine.
        mtu_of: returns the MTU of an interface, None when there is no such interface.
        findings: where to note it.
    """
    for instance, router in _routers(instances):
        mtu = mtu_of(router.interface) or USUAL_MTU
        size = router.family.bits // 8
        password = 8 if router.version == 2 else 0  # RFC 3768 5.3.10: always there
        fitting = (mtu - (20 if router.family is Family.IPV4 else 40) - 8 - password) // size
        if len(router.addresses) > fitting:
            text = (
                f"at the MTU of {router.interface}, {mtu}, an advert has room for {max(fitting, 0)}; "
                "move the others to virtual_ipaddress_excluded, on all machines alike"
            )
            path = (resolve_vrrp.KIND, instance.name, ADVERTISED)
            findings.error(path, text, found=f"{len(router.addresses)} of IPv{router.family}")


def _routers(instances: Sequence[VrrpInstance]) -> Iterator[tuple[VrrpInstance, VirtualRouter]]:
    for instance in instances:
        for router in instance.routers:
            yield instance, router


def _check_numbers(instances: Sequence[VrrpInstance], findings: Findings) -> None:
    """V01: one number for each interface, family and group, or source of unicast.

    Two would hear each other's adverts as their own.
    """
    seen: dict[tuple[str, Family, str, int], str] = {}
    for instance, router in _routers(instances):
        ends = f"unicast from {router.source}" if router.peers else router.group
        key = (router.interface, router.family, ends, router.virtual_router_id)
        first = seen.setdefault(key, instance.name)
        if first != instance.name:
            path = (resolve_vrrp.KIND, instance.name, "virtual_router_id")
            text = f"{first} has it on {router.interface} for IPv{router.family}; take another one"
            findings.error(path, text, found=str(router.virtual_router_id))


def _check_addresses(instances: Sequence[VrrpInstance], findings: Findings) -> None:
    """The same address under two numbers is two masters for it. A link-local one is another one on each link."""
    seen: dict[tuple[str, str], VrrpInstance] = {}
    for instance, router in _routers(instances):
        for key, held in ((ADVERTISED, router.addresses), (EXCLUDED, router.excluded)):
            for placed in held:
                first = seen.setdefault((placed.address.address, _link_of(placed, router)), instance)
                if first is not instance:
                    text = f"is in {first.name} as well: two masters will hold it"
                    path = (resolve_vrrp.KIND, instance.name, key)
                    findings.warn(path, text, found=placed.address.address)


def _link_of(placed: PlacedAddress, router: VirtualRouter) -> str:
    """Return the interface on whose link an address is unique; empty when it is everywhere."""
    if not is_link_local(placed.address.address):
        return ""
    mac = router.virtual_mac
    return mac.parent if mac and placed.interface == mac.name else placed.interface


def _check_scopes(instances: Sequence[VrrpInstance], findings: Findings) -> None:
    """The kernel takes IPv4 addresses of one net on one interface with one scope only (net/ipv4/devinet.c)."""
    seen: dict[tuple[str, str], PlacedAddress] = {}
    for instance, router in _routers(instances):
        for key, held in ((ADVERTISED, router.addresses), (EXCLUDED, router.excluded)):
            for placed in held:
                if placed.address.family is Family.IPV4:
                    net = str(ip_interface(placed.peer or str(placed.address)).network)
                    first = seen.setdefault((placed.interface, net), placed)
                    if first.scope != placed.scope:
                        text = f"has another scope than {first.address}; the kernel takes one for each net"
                        findings.error((resolve_vrrp.KIND, instance.name, key), text, found=str(placed.address))


def _check_macs(instances: Sequence[VrrpInstance], findings: Findings) -> None:
    """The kernel sets no two macvlans up that have one hardware address on one interface."""
    seen: dict[tuple[str, bytes], str] = {}
    for instance, router in _routers(instances):
        mac = router.virtual_mac
        first = instance.name if mac is None else seen.setdefault((mac.parent, mac.mac), instance.name)
        if mac is not None and first != instance.name:
            text = f"{first} has the same hardware address on {mac.parent}; give one of them another mac"
            findings.error((resolve_vrrp.KIND, instance.name, "use_vmac"), text, found=mac.mac.hex(":"))


def _route_keys(router: VirtualRouter) -> Iterator[tuple[Hashable, str]]:
    for route in router.routes:
        yield route.key, f"{route.destination} in table {route.table}"


def _rule_keys(router: VirtualRouter) -> Iterator[tuple[Hashable, str]]:
    for rule in router.rules:
        yield rule.key, f"IPv{rule.family} preference {rule.preference}"


def _check_once(
    instances: Sequence[VrrpInstance],
    name: str,
    keys: Callable[[VirtualRouter], Iterator[tuple[Hashable, str]]],
    findings: Findings,
) -> None:
    """Say which routes or rules two instances have: the machine has one of each, and whoever leaves takes it away."""
    seen: dict[Hashable, VrrpInstance] = {}
    for instance, router in _routers(instances):
        for key, told in keys(router):
            first = seen.setdefault(key, instance)
            if first is not instance:
                text = f"is in {first.name} as well: when one of them leaves, the other loses it"
                findings.warn((resolve_vrrp.KIND, instance.name, name), text, found=told)


def check_services(services: Sequence[VirtualServer], findings: Findings) -> None:
    """Look at virtual servers side by side, and at the servers of each."""
    _check_keys(services, findings)
    for service in services:
        _check_servers(service, findings)
        _check_quorum(service, findings)


def _keys(service: VirtualServer) -> Iterator[tuple[str, str]]:
    """Return what the kernel tells services apart by, for messages: protocol or mark, and address."""
    for mark in service.fwmarks:
        for family in service.fwmark_families:
            yield f"fwmark {mark}", f"IPv{family}"
    for protocol in service.protocols:
        for endpoint in service.addresses:
            yield protocol, str(endpoint)


def _check_keys(services: Sequence[VirtualServer], findings: Findings) -> None:
    seen: dict[tuple[str, str], str] = {}
    for service in services:
        for key in _keys(service):
            if key in seen:
                path = (resolve_services.KIND, service.name, "fwmark" if service.fwmarks else "address")
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
        if server.lower_threshold > server.upper_threshold:  # ip_vs_add_dest: ERANGE
            text = f"is above uthreshold ({server.upper_threshold}): the kernel refuses such a server"
            findings.error((*where, "lthreshold"), text, found=str(server.lower_threshold))


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
