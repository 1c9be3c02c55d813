"""An IPVS table in memory that refuses what the kernel refuses. Pure.

The rules are those of net/netfilter/ipvs/ip_vs_ctl.c; one list of cases (`tests/uml/cases.py`) runs here and on the
real kernel.
"""

import errno
import ipaddress
from collections import deque
from collections.abc import Collection, Sequence

from stayalived.addresses import Endpoint, Family
from stayalived.errors import KernelProblem
from stayalived.ipvs.model import (
    AddDestination,
    AddService,
    Connections,
    DeleteDestination,
    DeleteService,
    Destination,
    EditDestination,
    EditService,
    Need,
    Operation,
    Service,
    ServiceKey,
    Table,
    Timeouts,
    carry_out,
    copy_of,
    holds,
    in_words,
)

SCHEDULERS = frozenset(("rr", "wrr", "lc", "wlc", "lblc", "lblcr", "dh", "sh", "sed", "nq", "mh", "fo", "ovf"))
"""What Linux 6.1 has; `twos` came later."""

ENGINES = frozenset(("", "sip"))
"""Persistence engines of that Linux; none is needed to tell clients apart by their addresses."""

BIGGEST_WEIGHT = 2**31 - 1  # the kernel holds it as a signed int and refuses what is negative (ERANGE)


class MemoryIpvs:
    """The table, as `stayalived.kernel.api.IpvsKernel` describes it.

    Attributes:
        table: what is in it now; a test may change it, as another program would the kernel's.
        connections: what `read` says is counted.
        journal: every operation that was accepted and changed something, in order.
        refusals: error numbers for the next operations, whatever they are (0 = none): what goes wrong in a simulation.
        absent: the kernel has no IPVS; everything fails.
        kept: how long idle connections are kept.
    """

    def __init__(self, table: Table | None = None, schedulers: Collection[str] = SCHEDULERS) -> None:
        """Start with a table, and with the schedulers whose modules exist."""
        self.table: Table = copy_of(table or {})
        self.connections: dict[tuple[ServiceKey, Endpoint], Connections] = {}
        self.journal: list[Operation] = []
        self.refusals: deque[int] = deque()
        self.absent = False
        self.kept = Timeouts(tcp=900, tcpfin=120, udp=300)
        self._schedulers = schedulers

    def close(self) -> None:
        """Do nothing: there is no connection."""

    def read(self) -> tuple[Table, dict[tuple[ServiceKey, Endpoint], Connections]]:
        """Return a copy of the table and the connections that were set.

        Raises:
            KernelProblem: `absent` is set.
        """
        self._be_there()
        connections = {
            (key, endpoint): self.connections.get((key, endpoint), Connections())
            for key, entry in self.table.items()
            for endpoint in entry.destinations
        }
        return copy_of(self.table), connections

    def apply(self, operations: Sequence[Operation]) -> list[KernelProblem | None]:
        """Carry out operations in this order and go on after one that is refused.

        Returns:
            one entry for each operation: None, or why it was refused.
        """
        return [self._apply(operation) for operation in operations]

    def missing(self, needs: Sequence[Need]) -> list[KernelProblem | None]:
        """Return one entry for each need: None, or what is missing."""
        return [
            KernelProblem(f"find {need.scheduler} {need.engine}".rstrip(), errno.ENOENT, "`modprobe`")
            if self.absent or need.scheduler not in self._schedulers or need.engine not in ENGINES
            else None
            for need in needs
        ]

    def timeouts(self) -> Timeouts:
        """Return how long idle connections are kept.

        Raises:
            KernelProblem: `absent` is set.
        """
        self._be_there()
        return self.kept

    def set_timeouts(self, timeouts: Timeouts) -> None:
        """Set how long idle connections are kept; what is 0 stays as it is.

        Raises:
            KernelProblem: `absent` is set, or a number comes out of `refusals`.
        """
        self._be_there()
        if self.refusals and (number := self.refusals.popleft()):
            raise KernelProblem(str(timeouts), number)
        self.kept = Timeouts(
            tcp=timeouts.tcp or self.kept.tcp,
            tcpfin=timeouts.tcpfin or self.kept.tcpfin,
            udp=timeouts.udp or self.kept.udp,
        )

    def _be_there(self) -> None:
        if self.absent:
            raise KernelProblem("find IPVS in the kernel", errno.ENOENT, "`modprobe ip_vs`")

    def _apply(self, operation: Operation) -> KernelProblem | None:
        refusal = self.refusals.popleft() if self.refusals else 0
        number = refusal or (errno.ENOENT if self.absent else self._judge(operation))
        if number == errno.EEXIST and isinstance(operation, AddService | AddDestination):
            return None if holds(self.table, operation) else KernelProblem(in_words(operation), number)
        if number in {errno.ENOENT, errno.ESRCH} and isinstance(operation, DeleteService | DeleteDestination):
            return KernelProblem(in_words(operation), number) if refusal or self.absent else None
        if number:
            return KernelProblem(in_words(operation), number)
        carry_out(self.table, operation)
        self.journal.append(operation)
        return None

    def _judge(self, operation: Operation) -> int:
        """Return the error number that the kernel would answer with, in the order of its own tests."""
        entry = self.table.get(operation.key)
        match operation:
            case AddService(key, service):
                return errno.EEXIST if entry is not None else self._judge_service(key, service)
            case _ if entry is None:
                return errno.ESRCH
            case EditService(key, service):
                return self._judge_service(key, service)
            case DeleteService():
                return 0
            case DeleteDestination(_, endpoint):
                return 0 if endpoint in entry.destinations else errno.ENOENT
            case AddDestination(key, endpoint, destination) | EditDestination(key, endpoint, destination):
                is_new = isinstance(operation, AddDestination)
                return _judge_destination(key, endpoint, destination) or _judge_presence(
                    endpoint, is_new=is_new, is_there=endpoint in entry.destinations
                )

    def _judge_service(self, key: ServiceKey, service: Service) -> int:
        """ip_vs_add_service, ip_vs_edit_service: first the scheduler, then the engine, then the mask."""
        if service.scheduler not in self._schedulers or service.engine not in ENGINES:
            return errno.ENOENT
        if key.family is Family.IPV6 and not 1 <= service.granularity <= 128:
            return errno.EINVAL
        return 0


def _judge_destination(key: ServiceKey, endpoint: Endpoint, destination: Destination) -> int:
    """ip_vs_genl_set_cmd, then the common beginning of ip_vs_add_dest and ip_vs_edit_dest."""
    if endpoint.family is not key.family and destination.method != "TUN":
        return errno.EINVAL
    if not 0 <= destination.weight <= BIGGEST_WEIGHT:
        return errno.ERANGE
    if destination.lower_threshold > destination.upper_threshold:
        return errno.ERANGE
    if destination.tunnel == "gue" and not destination.tunnel_port:
        return errno.EINVAL
    return 0


def _judge_presence(endpoint: Endpoint, *, is_new: bool, is_there: bool) -> int:
    """The rest of ip_vs_add_dest and ip_vs_edit_dest; ip_vs_new_dest alone looks at the kind of address."""
    if not is_new:
        return 0 if is_there else errno.ENOENT
    if is_there:
        return errno.EEXIST
    return 0 if _is_forwardable(endpoint) else errno.EINVAL


def _is_forwardable(endpoint: Endpoint) -> bool:
    """Tell whether it is an address that a packet can be sent to: unicast, and in IPv6 not link-local."""
    address = ipaddress.ip_address(endpoint.address)
    if isinstance(address, ipaddress.IPv6Address):
        return not (address.is_multicast or address.is_unspecified or address.is_link_local)
    # inet_addr_type(): 0.0.0.0/8 and 255.255.255.255 are broadcasts, 240.0.0.0/4 is plain unicast to the kernel.
    return not (address.is_multicast or address.packed[0] == 0 or address.packed == b"\xff" * 4)
