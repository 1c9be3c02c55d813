"""What the ipvs engine is told beside what every child is, and what it may ask for."""

from dataclasses import dataclass

from stayalived.addresses import Endpoint
from stayalived.child.events import ChildEffect, ChildEvent
from stayalived.errors import KernelProblem
from stayalived.ipvs.model import Connections, Operation, ServiceKey, Table

INFO, WARNING, ERROR = 20, 30, 40  # levels of `Report`; a pure module does not import logging for three numbers


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


@dataclass(frozen=True, slots=True)
class ReadTable:
    """Read the kernel's table. Answered by `TableRead` or `KernelRefused`."""


@dataclass(frozen=True, slots=True)
class Apply:
    """Carry out operations in this order. Answered by `OperationsDone`."""

    operations: tuple[Operation, ...]


IpvsEvent = TableRead | KernelRefused | OperationsDone
IpvsEffect = ReadTable | Apply
AnyEvent = ChildEvent | IpvsEvent
AnyEffect = ChildEffect | IpvsEffect
