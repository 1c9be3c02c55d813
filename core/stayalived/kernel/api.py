"""The kernel as the shells see it: two small interfaces, each with a real and an in-memory implementation.

What is in memory (`kernel/memory_network.py`, `kernel/memory_ipvs.py`) refuses what the kernel refuses, and one list of
cases runs on both (`tests/unit/kernel`, `tests/namespaces`, `tests/uml`).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from stayalived.addresses import Endpoint, VirtualAddress
from stayalived.config.virtual_routers import PlacedAddress, Route, Rule, VirtualMac
from stayalived.errors import KernelProblem
from stayalived.ipvs.model import Connections, Need, Operation, ServiceKey, Table, Timeouts


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
    parent: int = 0  # index of the interface underneath a macvlan; 0 without one
    kind: str = ""  # "macvlan", "veth", …; empty for hardware


@dataclass(frozen=True, slots=True, kw_only=True)
class Gone:
    """There is no interface of this name any more."""

    name: str


class Verb(StrEnum):
    """What becomes of an item."""

    ADD = "add"
    REMOVE = "delete"


@dataclass(frozen=True, slots=True, kw_only=True)
class Barrier:
    """A firewall's drop for a virtual address that its MASTER does not answer to (`accept = false`, V32).

    What is needed to find the address on the link passes: ARP, and neighbour solicitations and advertisements.
    """

    address: str

    @property
    def key(self) -> str:
        """What makes it one."""
        return self.address


Item = PlacedAddress | Route | Rule | Barrier
"""What a MASTER puts into the kernel. Each has a `key` that makes it one of its kind."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One item to be put into the kernel, or taken out.

    `index` is that of the interface that a `PlacedAddress` is on; for a route 0, or that of its interface.
    """

    verb: Verb
    item: Item
    index: int = 0


class NetworkKernel(Protocol):
    """Addresses, routes, rules, macvlans and drops of one network namespace."""

    def apply(self, changes: Sequence[Change]) -> list[KernelProblem | None]:
        """Carry out changes in this order, in batches; go on after one that is refused.

        Returns:
            one entry for each change: None, or why it was refused. To add what exists already is a success, and so is
            to remove what is not there, or from an interface that is gone.
        """
        ...

    def interfaces(self) -> dict[str, Interface]:
        """Return all interfaces by name, read from the kernel."""
        ...

    def make_virtual_mac(self, virtual_mac: VirtualMac) -> None:
        """Make the macvlan, in private mode, with its sysctls, and set it up; take over one that is there already.

        While it carries no address of `apply`, as in BACKUP, it neither speaks nor routes (see `kernel.tenancy`).

        Raises:
            KernelProblem: it cannot be made.
        """
        ...

    def remove_virtual_mac(self, name: str) -> None:
        """Remove the macvlan; harmless when it is gone.

        Raises:
            KernelProblem: the kernel refuses.
        """
        ...

    def remove_virtual_macs(self, names: Iterable[str]) -> dict[str, KernelProblem]:
        """Remove many macvlans in one step, which takes the kernel hardly longer than a single one.

        Returns:
            what was refused, by name.
        """
        ...

    def routes(self) -> list[Route]:
        """Return our routes as the kernel has them; `kernel.routes.identity` compares them with configured ones.

        Raises:
            KernelProblem: they cannot be read.
        """
        ...

    def rules(self) -> list[Rule]:
        """Return our rules as the kernel has them; their `key` compares them with configured ones.

        Raises:
            KernelProblem: they cannot be read.
        """
        ...

    def clear_barriers(self) -> None:
        """Remove all barriers: what a first start does with what it finds, and a stop in the end.

        Raises:
            KernelProblem: the kernel refuses.
        """
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

    def missing(self, needs: Sequence[Need]) -> list[KernelProblem | None]:
        """Tell which schedulers and persistence engines the kernel has not; changes nothing.

        Returns:
            one entry for each need: None, or what is missing.
        """
        ...

    def timeouts(self) -> Timeouts:
        """Return how long idle connections are kept.

        Raises:
            KernelProblem: we lack the right.
        """
        ...

    def set_timeouts(self, timeouts: Timeouts) -> None:
        """Set how long idle connections are kept; what is 0 stays as it is.

        Raises:
            KernelProblem: we lack the right, or one is too long for the kernel.
        """
        ...
