"""What the VRRP engine wants done. The shell does it in the order given; the simulator does it on a LAN of its own.

`Listen`, `ApplyChanges`, `MakeVirtualMac` and `SetSysctl` answer with an event each. Packets answer only when they
could not be sent.
"""

from dataclasses import dataclass

from stayalived.addresses import Family
from stayalived.config.virtual_routers import VirtualMac
from stayalived.kernel.api import Change


@dataclass(frozen=True, slots=True, kw_only=True)
class Listen:
    """Hear IP protocol 112 on an interface. Repeating it is harmless.

    Attributes:
        address: a multicast group, which is joined, or an address of this machine, for unicast.
        source_mac: on a macvlan: hear frames that come from this hardware address, its own, without joining anything.
            The kernel gives what comes from a macvlan's own address to that macvlan alone, so what another director
            says from the same virtual MAC is heard nowhere else (drivers/net/macvlan.c, macvlan_handle_frame).
    """

    interface: str
    index: int
    family: Family
    address: str
    source_mac: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unlisten:
    """Close the socket of this address, and so leave its group. Harmless when there is none."""

    interface: str
    family: Family
    address: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SendAdvert:
    """Send a VRRP message with TOS or traffic class 0xC0, not looped back.

    After the packet has left, the moment goes into `slot` of the page of send times; a message of priority 0 sets the
    slot to 0. The checksum is filled in, for IPv6 too.

    Attributes:
        source_mac: where the packet leaves from a virtual MAC: the hardware address that it comes from, as a frame of
            its own on `interface`, because an address that it could be bound to is not on that interface. Else empty.
        ttl: time to live or hop limit; 255 for multicast.
    """

    router: str
    slot: int
    interface: str
    index: int
    family: Family
    source: str
    destination: str
    data: bytes
    leaving: bool  # priority 0
    ttl: int = 255
    source_mac: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class SendAdverts:
    """Send these, in this order: those of one link together, because each change of the link costs twice a packet."""

    adverts: tuple[SendAdvert, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplyChanges:
    """Change addresses, routes, rules and barriers in the kernel; answered by `ChangesApplied`."""

    changes: tuple[Change, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class MakeVirtualMac:
    """Make a macvlan, or take over the one that is there. It becomes known by `InterfaceChanged`."""

    virtual_mac: VirtualMac


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoveVirtualMacs:
    """Remove macvlans; harmless for those that are gone. All at once: one takes the kernel as long as hundreds."""

    names: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SetSysctl:
    """Set a sysctl of an interface; answered by `SysctlSet` with the value that it had."""

    name: str  # `net/ipv4/conf/eth0/promote_secondaries`
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SendGratuitousArp:
    """Broadcast an ARP request whose sender and target address are the virtual address (keepalived's form)."""

    interface: str
    index: int
    mac: bytes
    address: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SendNeighbourAdvert:
    """Send an unsolicited neighbour advertisement to ff02::1, Override set (RFC 4861 4.4)."""

    interface: str
    index: int
    mac: bytes
    address: str


VrrpEffect = (
    Listen
    | Unlisten
    | SendAdverts
    | ApplyChanges
    | MakeVirtualMac
    | RemoveVirtualMacs
    | SetSysctl
    | SendGratuitousArp
    | SendNeighbourAdvert
)
