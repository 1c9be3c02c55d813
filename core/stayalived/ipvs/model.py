"""The kernel's IPVS table as values: services, destinations, and the operations that change it.

What is here is what the kernel knows, in the kernel's terms; names of servers and reasons stay outside.
"""

from dataclasses import dataclass, field

from stayalived.addresses import Endpoint, Family


@dataclass(frozen=True, slots=True, order=True)
class ServiceKey:
    """What makes a service one service for the kernel: protocol and address and port, or a firewall mark."""

    family: Family
    protocol: str  # tcp, udp, "" for a mark
    endpoint: Endpoint | None
    fwmark: int = 0

    def __str__(self) -> str:
        """Return the service as `ipvsadm -Sn` names it: `-t 192.0.2.1:80`, `-f 7`."""
        if self.endpoint is None:
            return f"-f {self.fwmark}" + (" -6" if self.family is Family.IPV6 else "")
        return f"{'-t' if self.protocol == 'tcp' else '-u'} {self.endpoint}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """A service's settings. `timeout` in seconds, 0 = not persistent; `granularity` a prefix length."""

    scheduler: str
    flags: tuple[str, ...] = ()  # flag-1, flag-2, flag-3, sorted
    timeout: int = 0
    granularity: int = 32
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
