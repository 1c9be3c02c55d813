"""What the world tells the VRRP engine. State, not edges: an event holds the whole present value.

The shell posts, before it hands on the first `Commit`: one `InterfaceChanged` for each interface that there is, and
`SendTimesRead` with what the page of send times holds. Packets that wait in a socket are posted before an expired
deadline is acted on, and `SocketOverflowed` after the packets of that socket.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from stayalived.addresses import Family, VirtualAddress
from stayalived.kernel.api import Interface
from stayalived.timing import Duration, Instant
from stayalived.vrrp.effects import VrrpEffect


@dataclass(frozen=True, slots=True, kw_only=True)
class DatagramReceived:
    """A packet of IP protocol 112 came in.

    Attributes:
        interface: name of the interface that it came in by.
        family: of the IP packet.
        source: sender's address as text, without a zone.
        destination: address that it was sent to.
        ttl: time to live, or hop limit.
        data: the VRRP message, without the IP header.
        at: when the kernel received it; `now` where the shell does not know.
    """

    interface: str
    family: Family
    source: str
    destination: str
    ttl: int
    data: bytes
    at: Instant


@dataclass(frozen=True, slots=True, kw_only=True)
class SocketOverflowed:
    """A listening socket lost packets (SO_RXQ_OVFL): nobody knows what was in them."""

    interface: str
    family: Family
    lost: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Suspended:
    """The machine slept (CLOCK_BOOTTIME ran ahead of the monotonic clock): peers did not, and nobody heard them."""

    slept: Duration


@dataclass(frozen=True, slots=True, kw_only=True)
class InterfaceChanged:
    """An interface as it is now: link, hardware address, addresses. Also how the engine learns that it exists."""

    interface: Interface


@dataclass(frozen=True, slots=True, kw_only=True)
class InterfaceGone:
    """There is no interface of this name any more."""

    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AddressesAdded:
    """The kernel has these addresses: answer to `AddAddresses`."""

    router: str
    addresses: tuple[VirtualAddress, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AddressesRemoved:
    """The kernel has these addresses no more: answer to `RemoveAddresses`."""

    router: str
    addresses: tuple[VirtualAddress, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Listening:
    """Packets to this group are heard: answer to `Listen`."""

    interface: str
    family: Family
    group: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EffectFailed:
    """The kernel refused what an effect asked for. The text says what and why; the engine decides what follows."""

    effect: VrrpEffect
    problem: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SendTimesRead:
    """When the last advert of each slot left, read from the page shared with the supervisor; a slot of 0 is absent."""

    times: Mapping[int, Instant]


VrrpEvent = (
    DatagramReceived
    | SocketOverflowed
    | Suspended
    | InterfaceChanged
    | InterfaceGone
    | AddressesAdded
    | AddressesRemoved
    | Listening
    | EffectFailed
    | SendTimesRead
)
