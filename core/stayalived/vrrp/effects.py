"""What the VRRP engine wants done. The shell does it in the order given; the simulator does it on a LAN of its own.

Effects on the kernel answer with an event each: `AddressesAdded`, `AddressesRemoved`, `Listening`, or `EffectFailed`.
Packets answer only when they could not be sent.
"""

from dataclasses import dataclass

from stayalived.addresses import Family, VirtualAddress


@dataclass(frozen=True, slots=True, kw_only=True)
class Listen:
    """Join a multicast group on an interface and hear IP protocol 112 there. Repeating it is harmless."""

    interface: str
    index: int
    family: Family
    group: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Unlisten:
    """Leave the group and close the socket. Repeating it, or asking it of an interface that is gone, is harmless."""

    interface: str
    family: Family
    group: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SendAdvert:
    """Send a VRRP message: TTL or hop limit 255, TOS or traffic class 0xC0, not looped back.

    After the packet has left, the moment goes into `slot` of the page of send times; a message of priority 0 sets the
    slot to 0. The checksum is filled in, for IPv6 too.
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


@dataclass(frozen=True, slots=True, kw_only=True)
class AddAddresses:
    """Put addresses on an interface, without duplicate address detection. One that is there already is a success."""

    router: str
    interface: str
    index: int
    addresses: tuple[VirtualAddress, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoveAddresses:
    """Take addresses off an interface. One that is not there, or an interface that is gone, is a success."""

    router: str
    interface: str
    index: int
    addresses: tuple[VirtualAddress, ...]


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


VrrpEffect = Listen | Unlisten | SendAdvert | AddAddresses | RemoveAddresses | SendGratuitousArp | SendNeighbourAdvert
