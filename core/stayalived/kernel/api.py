"""The kernel as the shells see it: two small interfaces, each with a real and an in-memory implementation.

`kernel/memory.py` refuses what the kernel refuses, and one list of cases runs on both (`tests/unit/kernel`,
`tests/namespaces`, `tests/uml`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from stayalived.addresses import Endpoint, VirtualAddress
from stayalived.errors import KernelProblem
from stayalived.ipvs.model import Connections, Operation, ServiceKey, Table


@dataclass(frozen=True, slots=True, kw_only=True)
class Interface:
    """A network interface as it is now.

    `up` means IFF_UP and RUNNING (carrier). Addresses are in the kernel's order, without
    IPv6 ones that are still tentative.
    """

    name: str
    index: int
    up: bool
    mac: bytes
    mtu: int
    arp: bool
    addresses: tuple[VirtualAddress, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Gone:
    """There is no interface of this name any more."""

    name: str


class AddressKernel(Protocol):
    """Addresses on interfaces."""

    def add_addresses(self, interface: int, addresses: Sequence[VirtualAddress]) -> dict[VirtualAddress, KernelProblem]:
        """Add addresses, without duplicate address detection; one that is there already is a success.

        Returns:
            what was refused; empty when all is well.
        """
        ...

    def remove_addresses(
        self, interface: int, addresses: Sequence[VirtualAddress]
    ) -> dict[VirtualAddress, KernelProblem]:
        """Remove addresses; one that is not there is a success.

        Returns:
            what was refused; empty when all is well.
        """
        ...

    def interfaces(self) -> dict[str, Interface]:
        """Return all interfaces by name, read from the kernel."""
        ...


class IpvsKernel(Protocol):
    """The kernel's IPVS table."""

    def read(self) -> tuple[Table, dict[tuple[ServiceKey, Endpoint], Connections]]:
        """Return the whole table and the connections that it counts.

        Raises:
            KernelProblem: the kernel has no IPVS, or we lack the right.
        """
        ...

    def apply(self, operations: Sequence[Operation]) -> list[KernelProblem | None]:
        """Carry out operations in this order, in batches; go on after one that is refused.

        Returns:
            one entry for each operation: None, or why it was refused. To add what exists with equal settings and to
            delete what is gone are successes.
        """
        ...
