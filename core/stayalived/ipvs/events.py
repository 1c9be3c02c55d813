"""What the ipvs engine is told beside what every child is, and what it may ask for."""

from dataclasses import dataclass

from stayalived.addresses import Endpoint
from stayalived.child.events import ChildEffect, ChildEvent
from stayalived.config.model import Timeouts
from stayalived.errors import KernelProblem
from stayalived.ipvs.daemons import Daemon
from stayalived.ipvs.model import Connections, Need, Operation, ServiceKey, Table
from stayalived.ipvs.surroundings import Surroundings

INFO, WARNING, ERROR = 20, 30, 40  # levels of `Report`; a pure module does not import logging for three numbers

TUNNELS = (4, 41, 47)
"""IP protocols that packets of TUN come in: IPIP, IPv6, GRE."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TableRead:
    """Answer to `ReadTable`: the kernel's whole table, and the connections that it counts."""

    table: Table
    connections: dict[tuple[ServiceKey, Endpoint], Connections]


@dataclass(frozen=True, slots=True, kw_only=True)
class KernelRefused:
    """Answer to `ReadTable`: the table cannot be read."""

    problem: KernelProblem


@dataclass(frozen=True, slots=True, kw_only=True)
class OperationsDone:
    """Answer to `Apply`: for each operation None, or why the kernel refused it."""

    operations: tuple[Operation, ...]
    problems: tuple[KernelProblem | None, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class MissingFound:
    """Answer to `FindMissing`: for each need None, or what is missing."""

    generation: int
    needs: tuple[Need, ...]
    problems: tuple[KernelProblem | None, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeoutsAnswered:
    """Answer to `ReadTimeouts`, with the timeouts, and to `SetTimeouts`; with a problem when the kernel refused."""

    timeouts: Timeouts | None = None
    problem: KernelProblem | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AddressesSeen:
    """Answer to `WatchAddresses`: all addresses of this machine; with a problem when they are not known."""

    addresses: frozenset[str] = frozenset()
    problem: str = ""


@dataclass(frozen=True, slots=True)
class ReadTable:
    """Read the kernel's table. Answered by `TableRead` or `KernelRefused`."""


@dataclass(frozen=True, slots=True)
class Apply:
    """Carry out operations in this order. Answered by `OperationsDone`."""

    operations: tuple[Operation, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Marks:
    """Which packets are marked before IPVS sees them: those that another director has balanced already.

    Attributes:
        macs: hardware addresses of the other directors.
        peers: IP addresses of others, whose hardware addresses have to be looked up.
        mark: what the packets get.
        addresses: the virtual ones, in network byte order: packets to others are left alone.
        fwmarks: marks that the services have in place of addresses.
        tunnelled: whether packets come in tunnels as well.
    """

    table: str
    priority: int
    macs: tuple[bytes, ...]
    mark: int
    addresses: tuple[bytes, ...]
    fwmarks: tuple[int, ...] = ()
    tunnelled: bool = False
    peers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Direct:
    """Make it so who balances. Answered by `Directed`.

    Attributes:
        daemons: sync daemons that run, and no others; None leaves them alone.
        backup_only: value of net.ipv4.vs.backup_only; None leaves it alone.
        marks: of packets from other directors; None removes what `table` names.
        table: name of the nftables table, empty when there is none to touch.
    """

    daemons: frozenset[Daemon] | None = None
    backup_only: bool | None = None
    marks: Marks | None = None
    table: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Directed:
    """Answer to `Direct`: what was refused, and which addresses this machine has."""

    problems: tuple[str, ...] = ()
    local: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class LookAround:
    """Look at settings of the machine, and at its addresses. Answered by `SeenAround`."""

    settings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SeenAround:
    """Answer to `LookAround`."""

    found: Surroundings


@dataclass(frozen=True, slots=True)
class FindMissing:
    """Find out what the kernel lacks of what a configuration needs, and change nothing. Answered by `MissingFound`."""

    generation: int
    needs: tuple[Need, ...]


@dataclass(frozen=True, slots=True)
class ReadTimeouts:
    """Read how long the kernel keeps idle connections. Answered by `TimeoutsAnswered`."""


@dataclass(frozen=True, slots=True)
class WatchAddresses:
    """Tell from now on which addresses this machine has. Answered by `AddressesSeen`, at once and at each change."""


@dataclass(frozen=True, slots=True)
class SetTimeouts:
    """Set it; what is 0 stays as it is. Answered by `TimeoutsAnswered`."""

    timeouts: Timeouts


IpvsEvent = (
    TableRead | KernelRefused | OperationsDone | Directed | SeenAround | MissingFound | TimeoutsAnswered | AddressesSeen
)
IpvsEffect = ReadTable | Apply | Direct | LookAround | FindMissing | ReadTimeouts | SetTimeouts | WatchAddresses
AnyEvent = ChildEvent | IpvsEvent
AnyEffect = ChildEffect | IpvsEffect
