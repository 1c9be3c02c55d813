"""The kernel's IPVS table as values: services, destinations, and the operations that change it.

What is here is what the kernel knows, in the kernel's terms; names of servers and reasons stay outside. In words,
services and destinations read as `ipvsadm -Sn` writes them, in its order of options, but for two things that it takes
and does not write (1.31): flags have their numbers whatever the scheduler calls them, and `-x` and `-y` come last.
"""

import ipaddress
from dataclasses import dataclass, field

from stayalived.addresses import Endpoint, Family

PROTOCOL_OPTIONS = {"tcp": "-t", "udp": "-u", "sctp": "--sctp-service"}
"""How `ipvsadm` is told the protocol of a service."""

_METHODS = {"NAT": "-m", "DR": "-g", "TUN": "-i", "LOCAL": "-g", "BYPASS": "-g"}


@dataclass(frozen=True, slots=True, order=True)
class ServiceKey:
    """What makes a service one service for the kernel: protocol and address and port, or a firewall mark."""

    family: Family
    protocol: str  # tcp, udp, sctp, "" for a mark
    endpoint: Endpoint | None
    fwmark: int = 0

    def __str__(self) -> str:
        """Return the service as `ipvsadm -Sn` names it: `-t 192.0.2.1:80`, `-f 7 -6`."""
        if self.endpoint is None:
            return f"-f {self.fwmark}" + (" -6" if self.family is Family.IPV6 else "")
        return f"{PROTOCOL_OPTIONS[self.protocol]} {self.endpoint}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """A service's settings. `timeout` in seconds, 0 = not persistent; `granularity` a prefix length.

    `engine` names what tells the clients of a persistent service apart: `sip`, or nothing for their addresses.
    """

    scheduler: str
    flags: tuple[str, ...] = ()  # flag-1, flag-2, flag-3, sorted
    timeout: int = 0
    granularity: int = 32
    engine: str = ""
    one_packet: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Destination:
    """A destination's settings. `method` is NAT, DR or TUN; thresholds 0 = none."""

    method: str
    weight: int
    upper_threshold: int = 0
    lower_threshold: int = 0
    tunnel: str = ""
    tunnel_port: int = 0
    tunnel_checksum: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Connections:
    """What the kernel counts for a destination."""

    active: int = 0
    inactive: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeouts:
    """How long the kernel keeps idle connections, in seconds (`ipvsadm --set`); 0 stands for what it is now."""

    tcp: int = 0
    tcpfin: int = 0  # after a FIN was seen
    udp: int = 0

    def __str__(self) -> str:
        """Return the command that sets them."""
        return f"ipvsadm --set {self.tcp} {self.tcpfin} {self.udp}"


@dataclass(frozen=True, slots=True, order=True)
class Need:
    """What a service needs of the kernel that may be a module which is not there."""

    scheduler: str
    engine: str = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """A service with its destinations."""

    service: Service
    destinations: dict[Endpoint, Destination] = field(default_factory=dict)


Table = dict[ServiceKey, Entry]


@dataclass(frozen=True, slots=True)
class AddService:
    """Create a service (`ipvsadm -A`)."""

    key: ServiceKey
    service: Service


@dataclass(frozen=True, slots=True)
class EditService:
    """Change a service's settings and keep its connections (`ipvsadm -E`)."""

    key: ServiceKey
    service: Service


@dataclass(frozen=True, slots=True)
class DeleteService:
    """Remove a service with its destinations (`ipvsadm -D`)."""

    key: ServiceKey


@dataclass(frozen=True, slots=True)
class AddDestination:
    """Add a destination (`ipvsadm -a`)."""

    key: ServiceKey
    endpoint: Endpoint
    destination: Destination


@dataclass(frozen=True, slots=True)
class EditDestination:
    """Change a destination's settings and keep its connections (`ipvsadm -e`)."""

    key: ServiceKey
    endpoint: Endpoint
    destination: Destination


@dataclass(frozen=True, slots=True)
class DeleteDestination:
    """Remove a destination (`ipvsadm -d`)."""

    key: ServiceKey
    endpoint: Endpoint


Operation = AddService | EditService | DeleteService | AddDestination | EditDestination | DeleteDestination


def carry_out(table: Table, operation: Operation) -> None:
    """Change a table as the kernel changes its own when it accepts an operation.

    Raises:
        KeyError: the operation needs a service that is not there.
    """
    match operation:
        case AddService(key, service):
            table[key] = Entry(service)
        case EditService(key, service):
            table[key] = Entry(service, table[key].destinations)
        case DeleteService(key):
            table.pop(key, None)
        case AddDestination(key, endpoint, destination) | EditDestination(key, endpoint, destination):
            table[key].destinations[endpoint] = destination
        case DeleteDestination(key, endpoint):
            if key in table:
                table[key].destinations.pop(endpoint, None)


def holds(table: Table, operation: AddService | AddDestination) -> bool:
    """Tell whether a table has what an operation would add, with equal settings."""
    entry = table.get(operation.key)
    if entry is None:
        return False
    if isinstance(operation, AddService):
        return entry.service == operation.service
    return entry.destinations.get(operation.endpoint) == operation.destination


def in_words(operation: Operation) -> str:
    """Return an operation as people type it: `ipvsadm -a -t 192.0.2.1:80 -r 192.0.2.10:80 -g -w 1`."""
    match operation:
        case AddService(key, service) | EditService(key, service):
            letter = "A" if isinstance(operation, AddService) else "E"
            return f"ipvsadm -{letter} {service_in_words(key, service)}"
        case DeleteService(key):
            return f"ipvsadm -D {key}"
        case AddDestination(key, endpoint, destination) | EditDestination(key, endpoint, destination):
            letter = "a" if isinstance(operation, AddDestination) else "e"
            return f"ipvsadm -{letter} {destination_in_words(key, endpoint, destination)}"
        case DeleteDestination(key, endpoint):
            return f"ipvsadm -d {key} -r {endpoint}"


def service_in_words(key: ServiceKey, service: Service) -> str:
    """Return a service with its settings, as it stands after `-A`."""
    words = [str(key), "-s", service.scheduler]
    if service.timeout:
        words += ["-p", str(service.timeout)]
        if service.granularity != key.family.bits:
            words += ["-M", _mask(key.family, service.granularity)]
        if service.engine:
            words += ["--pe", service.engine]
    if service.one_packet:
        words.append("-o")
    if service.flags:
        words += ["-b", ",".join(service.flags)]
    return " ".join(words)


def destination_in_words(key: ServiceKey, endpoint: Endpoint, destination: Destination) -> str:
    """Return a destination with its settings, as it stands after `-a`."""
    words = [str(key), "-r", str(endpoint), _METHODS[destination.method], "-w", str(destination.weight)]
    if destination.method == "TUN":
        words += ["--tun-type", destination.tunnel]
        if destination.tunnel_port:
            words += ["--tun-port", str(destination.tunnel_port)]
        if destination.tunnel != "ipip":
            words.append(f"--tun-{destination.tunnel_checksum or 'nocsum'}")
    if destination.upper_threshold:
        words += ["-x", str(destination.upper_threshold)]
    if destination.lower_threshold:
        words += ["-y", str(destination.lower_threshold)]
    return " ".join(words)


def _mask(family: Family, prefix: int) -> str:
    """Return a granularity as a netmask, in IPv6 as a prefix length."""
    return str(prefix) if family is Family.IPV6 else str(ipaddress.IPv4Network(f"0.0.0.0/{prefix}").netmask)


def copy_of(table: Table) -> Table:
    """Return a table that can be changed without changing this one."""
    return {key: Entry(entry.service, dict(entry.destinations)) for key, entry in table.items()}
