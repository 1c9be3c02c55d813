"""The real kernel's IPVS table, over pyroute2's generic netlink. I/O.

Own messages, since pyroute2's helper deletes on "update", turns NAT into DR on a change of weight, sends the port of a
GUE tunnel in the wrong byte order and cannot do IPv6 or firewall marks; `tests/uml/inside` holds a test for each.
"""

import errno
from collections.abc import Sequence
from contextlib import suppress

from stayalived.addresses import Endpoint
from stayalived.config.model import Timeouts
from stayalived.errors import KernelProblem
from stayalived.ipvs.model import (
    AddDestination,
    AddService,
    Connections,
    DeleteDestination,
    DeleteService,
    EditService,
    Entry,
    Need,
    Operation,
    ServiceKey,
    Table,
    holds,
    in_words,
)
from stayalived.kernel import modules
from stayalived.kernel.generic import GenericSocket
from stayalived.kernel.ipvs_attributes import Reply, Request
from stayalived.kernel.ipvs_messages import (
    NotOurs,
    read_service,
    request_destinations,
    request_services,
)
from stayalived.kernel.ipvs_packing import pack_operation, read_packed_destination
from stayalived.kernel.ipvs_settings import read_timeouts, request_change, request_probe, request_timeouts

NO_IPVS = (
    "the kernel has no IPVS: `modprobe ip_vs`; is the module installed (/lib/modules), or does a container lack it?"
)
NO_RIGHT = "CAP_NET_ADMIN is missing: start as root, or from a unit with AmbientCapabilities=CAP_NET_ADMIN"
LOST_ANSWERS = "more answers than fit the receive buffer: raise net.core.rmem_max"
HELD = "it is there with other settings: another program keeps it; stop that one, or give it other services"


class LinuxIpvs:
    """The IPVS table of this network namespace, as `stayalived.kernel.api.IpvsKernel` describes it."""

    def __init__(self) -> None:
        """Connect; the kernel loads its ip_vs module if it has one and is not built with it.

        Raises:
            KernelProblem: the kernel has no IPVS.
        """
        self._netlink = GenericSocket("IPVS", Reply, NO_IPVS)

    def close(self) -> None:
        """Close the connection to the kernel; the table stays as it is."""
        self._netlink.close()

    def read(self) -> tuple[Table, dict[tuple[ServiceKey, Endpoint], Connections]]:
        """Return the whole table and the connections that it counts.

        Raises:
            KernelProblem: we lack the right, or the answers were lost.
        """
        table: Table = {}
        connections: dict[tuple[ServiceKey, Endpoint], Connections] = {}
        try:
            for reply in self._netlink.dump(request_services()):
                with suppress(NotOurs):
                    key, service = read_service(reply)
                    table[key] = Entry(service)
            for key, entry in table.items():
                for body in self._netlink.dump_packed(request_destinations(key)):
                    endpoint, destination, counted = read_packed_destination(body, key.family)
                    entry.destinations[endpoint] = destination
                    connections[key, endpoint] = counted
        except OSError as error:
            raise _problem("read the IPVS table", error.errno or errno.EIO) from error
        return table, connections

    def apply(self, operations: Sequence[Operation]) -> list[KernelProblem | None]:
        """Carry out operations in this order, in batches; go on after one that is refused.

        Returns:
            one entry for each operation: None, or why it was refused. To add what exists with equal settings and to
            delete what is gone are successes.
        """
        try:
            numbers = self._netlink.carry_out(map(pack_operation, operations))
        except OSError as error:
            return [_problem(in_words(operation), error.errno or errno.EIO) for operation in operations]
        there = self._read_if(errno.EEXIST in numbers)
        return [
            _problem(in_words(operation), number, operation) if _refused(operation, number, there) else None
            for operation, number in zip(operations, numbers, strict=True)
        ]

    def missing(self, needs: Sequence[Need]) -> list[KernelProblem | None]:
        """Tell which schedulers and persistence engines the kernel has not, after trying to load their modules.

        Nothing is changed. Where IPVS lacks IPv6 the kernel cannot be asked this way: then the modules that are loaded,
        built in and installed are looked at.

        Returns:
            one entry for each need: None, or what is missing.
        """
        problems: list[KernelProblem | None] = []
        for need in needs:
            asked = [("scheduler", need.scheduler, request_probe(need.scheduler, ""))]
            if need.engine:
                asked.append(("persistence engine", need.engine, request_probe(need.scheduler, need.engine)))
            try:
                lacks = [_missing(kind, name) for kind, name, probe in asked if self._lacks(kind, name, probe)]
            except OSError as error:
                return [_problem("ask for schedulers", error.errno or errno.EIO)] * len(needs)
            problems.append(lacks[0] if lacks else None)
        return problems

    def timeouts(self) -> Timeouts:
        """Return how long idle connections are kept.

        Raises:
            KernelProblem: we lack the right.
        """
        try:
            return read_timeouts(self._netlink.ask(request_timeouts()))
        except OSError as error:
            raise _problem("ipvsadm -l --timeout", error.errno or errno.EIO) from error

    def set_timeouts(self, timeouts: Timeouts) -> None:
        """Set how long idle connections are kept; what is 0 stays as it is.

        Raises:
            KernelProblem: we lack the right, or one is too long for the kernel.
        """
        try:
            (number,) = self._netlink.carry_out([request_change(timeouts)])
        except OSError as error:
            number = error.errno or errno.EIO
        if number:
            raise _problem(str(timeouts), number)

    def _lacks(self, kind: str, name: str, probe: Request) -> bool:
        (number,) = self._netlink.carry_out([probe])
        # ip_vs_genl_parse_service of a kernel without CONFIG_IP_VS_IPV6 looks at nothing else.
        return modules.lacks(_module(kind, name)) if number == errno.EAFNOSUPPORT else number == errno.ENOENT

    def _read_if(self, needed: bool) -> Table:
        """Return the table when something was there already: is it what was wanted?"""
        if not needed:
            return {}
        try:
            return self.read()[0]
        except KernelProblem:
            return {}  # then the operation counts as refused, and the engine reads again itself


def _refused(operation: Operation, number: int, there: Table) -> bool:
    """Tell whether an operation failed, and not only found its work done."""
    match operation:
        case _ if number == 0:
            return False
        case AddService() | AddDestination() if number == errno.EEXIST:
            return not holds(there, operation)
        case DeleteService():
            return number != errno.ESRCH
        case DeleteDestination():
            return number not in {errno.ENOENT, errno.ESRCH}
        case _:
            return True


def _remedy(kind: str, name: str) -> str:
    return f"the kernel has no {kind} {name}: `modprobe {_module(kind, name)}`"


def _module(kind: str, name: str) -> str:
    return {"scheduler": f"ip_vs_{name}", "persistence engine": f"ip_vs_pe_{name}"}[kind]


def _missing(kind: str, name: str) -> KernelProblem:
    return KernelProblem(f"find {kind} {name}", errno.ENOENT, f"{_remedy(kind, name)}; is the module installed?")


def _problem(action: str, number: int, operation: Operation | None = None) -> KernelProblem:
    """Return a refusal with what a person can do about it."""
    remedy = ""
    match operation, number:
        case (AddService() | EditService()) as refused, errno.ENOENT:
            remedy = _remedy("scheduler", refused.service.scheduler)
            if refused.service.engine:
                remedy = f"{remedy}, or {_remedy('persistence engine', refused.service.engine)}"
            remedy = f"{remedy}; is the module installed?"
        case ((AddService() | AddDestination()), errno.EEXIST):
            remedy = HELD
        case _, errno.EPERM:
            remedy = NO_RIGHT
        case _, errno.ENOBUFS:
            remedy = LOST_ANSWERS
    return KernelProblem(action, number, remedy)
