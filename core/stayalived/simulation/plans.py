"""What stands in the files of a simulated machine: plans of instances and groups, and the configuration made of them.

A plan is the same on all machines but for the priorities; what differs from machine to machine is filled in for each:
own addresses as sources of unicast, the others' as peers.
"""

from dataclasses import dataclass

from stayalived.addresses import Family, VirtualAddress
from stayalived.config.virtual_routers import (
    Route,
    Rule,
    Tracker,
)
from stayalived.simulation.services import ServicePlan
from stayalived.timing import NO_TIME, Duration

GROUPS = {Family.IPV4: "224.0.0.18", Family.IPV6: "ff02::12"}
OWNER = 255


@dataclass(frozen=True, slots=True, kw_only=True)
class Station:
    """One machine of a drawn cluster.

    Attributes:
        name: `r0`.
        number: 1 for the first one.
        mirrored: its IPv6 addresses are in the opposite order of its IPv4 addresses.
        clock: what its clock shows at the beginning, less the world's.
    """

    name: str
    number: int
    mirrored: bool = False
    clock: Duration = NO_TIME

    def ipv4(self, segment: int) -> VirtualAddress:
        """Return its own IPv4 address on a segment."""
        return VirtualAddress(f"{NETS[segment]}.{self.number}", 24)

    def ipv6(self, segment: int) -> VirtualAddress:
        """Return its own IPv6 link-local address on a segment."""
        number = 0x40 - self.number if self.mirrored else self.number
        return VirtualAddress(f"fe80::{segment + 1:x}:{number:x}", 64)

    def own(self, family: Family, segment: int) -> str:
        """Return its own address of a family on a segment."""
        return (self.ipv4(segment) if family is Family.IPV4 else self.ipv6(segment)).address


NETS = ("192.0.2", "198.51.100", "203.0.113")
"""IPv4 networks of the segments; the last one is the uplink's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InstancePlan:
    """One instance. What has the name of a field of `VirtualRouter` means the same.

    Attributes:
        segment: where it is.
        priorities: one for each machine.
        stretches: by how much the advert intervals of some machines are longer; empty: they are not.
        has_mac: it has virtual MACs.
        unicast: adverts go from machine to machine.
        manners: other fields of `VirtualRouter`, as they are.
    """

    name: str
    segment: int
    number: int
    version: int
    advert_int: Duration
    priorities: tuple[int, ...]
    addresses: tuple[VirtualAddress, ...]
    excluded: tuple[VirtualAddress, ...] = ()
    untracked: tuple[VirtualAddress, ...] = ()
    routes: tuple[Route, ...] = ()
    rules: tuple[Rule, ...] = ()
    trackers: tuple[Tracker, ...] = ()
    stretches: tuple[int, ...] = ()
    split: bool = False
    has_mac: bool = False
    unicast: bool = False
    preempt: bool = True
    preempt_delay: Duration = NO_TIME
    accept: bool = True
    authentication: bytes = b""
    manners: tuple[tuple[str, object], ...] = ()

    @property
    def interface(self) -> str:
        """Name of the interface that it is on."""
        return f"eth{self.segment}"

    @property
    def families(self) -> tuple[Family, ...]:
        """Families of its virtual routers."""
        return tuple(family for family in Family if any(address.family is family for address in self.addresses))


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupPlan:
    """One sync group."""

    name: str
    members: tuple[str, ...]
    trackers: tuple[Tracker, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """All that stands in the files of one machine.

    Attributes:
        checks: names of the tracked checks.
        fault: what is wrong with the files, so that no configuration can be made of them; empty: nothing.
    """

    instances: tuple[InstancePlan, ...]
    groups: tuple[GroupPlan, ...] = ()
    checks: tuple[str, ...] = ()
    service: ServicePlan | None = None
    startup_delay: Duration = NO_TIME
    delay_after_boot: Duration = NO_TIME
    dynamic_interfaces: bool = True
    fault: str = ""

    def instance(self, name: str) -> InstancePlan:
        """Return an instance by name."""
        return next(instance for instance in self.instances if instance.name == name)
