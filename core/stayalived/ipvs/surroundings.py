"""The site's own part: what sysctls and addresses a configuration asks of its machine, and what is missing. Pure.

Nothing of it is changed from here: it belongs to the site. Each thing that is missing is one warning, with the command.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from stayalived.addresses import Endpoint, Family
from stayalived.config.model import Configuration, VirtualServer
from stayalived.ipvs.projection import keys_of

BACKUP_ONLY = "net/ipv4/vs/backup_only"
FORWARDING = {Family.IPV4: "net/ipv4/ip_forward", Family.IPV6: "net/ipv6/conf/all/forwarding"}
ARP = {"arp_ignore": 1, "arp_announce": 2}
"""Settings by which a machine leaves ARP for an address on lo to the MASTER: the least value that does it."""

_DIRECT = ("DR", "TUN")


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What was found: settings by name, those that there are, and the addresses of each interface."""

    settings: Mapping[str, str] = field(default_factory=dict)
    addresses: Mapping[str, frozenset[str]] = field(default_factory=dict)


def settings_of(configuration: Configuration) -> tuple[str, ...]:
    """Return the names of the settings that have to be looked at; none when nothing is balanced."""
    if not configuration.virtual_servers:
        return ()
    arp = (_of_arp(scope, key) for scope in ("all", *_interfaces(configuration)) for key in ARP)
    return (*FORWARDING.values(), *arp)


def missing(configuration: Configuration, found: Surroundings) -> list[str]:
    """Return what is missing, each as a sentence with its remedy."""
    return [*_forwarding(configuration, found), *_addresses(configuration, found), *_silence(configuration, found)]


def unprotected(configuration: Configuration, found: Surroundings) -> list[str]:
    """Return the services whose packets may go round in circles, if another real server of theirs is a director too."""
    daemon = configuration.globals.sync_daemon
    if configuration.globals.peer_mark or (daemon is not None and daemon.backup_only is not False):
        return []
    services = dict.fromkeys(service.name for service, _ in _served_here(configuration, found) if not service.follow)
    return [
        f"this machine balances {name} and is a real server of it: if another real server balances as well, packets "
        "may go round in circles; one of backup_only, peer_directors and follow keeps them from it: docs/directors.md"
        for name in services
    ]


def _forwarding(configuration: Configuration, found: Surroundings) -> Iterator[str]:
    """NAT: the answers of the real servers come through here."""
    for family, name in FORWARDING.items():
        by_nat = (
            service.name
            for service in configuration.virtual_servers
            if any(key.family is family for key in keys_of(service))
            and any(server.forward.method == "NAT" and server.endpoint(family) for server in service.real_servers)
        )
        first = next(by_nat, None)
        if first is not None and found.settings.get(name) == "0":
            yield (
                f"{name} is 0: answers of real servers by NAT, as those of {first}, are not forwarded to the clients; "
                f"sysctl -w {name.replace('/', '.')}=1"
            )


def _addresses(configuration: Configuration, found: Surroundings) -> Iterator[str]:
    """DR and TUN: a real server takes only what is sent to an address that it has, also while it is BACKUP."""
    moving = _interfaces(configuration)
    kept = {address for name, held in found.addresses.items() if name not in moving for address in held}
    for service, address in _served_here(configuration, found):
        if address not in kept:
            bits = Endpoint(address, 0).family.bits
            yield (
                f"{address} is not on lo: as BACKUP this machine, a real server of {service.name}, does not take what "
                f"the MASTER sends it; ip address add {address}/{bits} dev lo"
            )


def _silence(configuration: Configuration, found: Surroundings) -> Iterator[str]:
    """ARP for an address on lo is the MASTER's to answer."""
    served = [address for _, address in _served_here(configuration, found)]
    if all(Endpoint(address, 0).family is Family.IPV6 for address in served):
        return
    for interface in _interfaces(configuration):
        for key, least in ARP.items():
            # The kernel takes the greater one of the two (include/linux/inetdevice.h, IN_DEV_MAXCONF).
            values = [found.settings.get(_of_arp(scope, key), "") for scope in ("all", interface)]
            known = [int(value) for value in values if value.isdecimal()]
            if known and max(known) < least:
                yield (
                    f"{_of_arp('all', key)} is below {least}: as BACKUP this machine answers ARP on {interface} for "
                    f"addresses on lo; sysctl -w net.ipv4.conf.all.{key}={least}"
                )


def _served_here(configuration: Configuration, found: Surroundings) -> Iterator[tuple[VirtualServer, str]]:
    """Yield the moving addresses of services that this machine is a real server of, by DR or TUN."""
    local = frozenset[str]().union(*found.addresses.values())
    routers = [router for instance in configuration.instances for router in instance.routers]
    moving = {placed.address.address for router in routers for placed in router.held}
    for service in configuration.virtual_servers:
        direct = (server for server in service.real_servers if server.forward.method in _DIRECT)
        if not any(endpoint.address in local for server in direct for endpoint in server.addresses):
            continue
        endpoints = (key.endpoint for key in keys_of(service))
        for address in dict.fromkeys(endpoint.address for endpoint in endpoints if endpoint is not None):
            if address in moving:
                yield service, address


def _interfaces(configuration: Configuration) -> tuple[str, ...]:
    """Return the interfaces that addresses move on."""
    routers = [router for instance in configuration.instances for router in instance.routers]
    held = (placed.interface for router in routers for placed in router.held)
    return tuple(dict.fromkeys((*(router.interface for router in routers), *held)))


def _of_arp(scope: str, key: str) -> str:
    return f"net/ipv4/conf/{scope}/{key}"
