"""What the world tells the VRRP engine. State, not edges: an event holds the whole present value.

The shell posts, before it hands on the first `Commit`: one `InterfaceChanged` for each interface that there is, and
`SendTimesRead` with what the page of send times holds. Packets that wait in a socket are posted before an expired
deadline is acted on, and `SocketOverflowed` after the packets of that socket.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from stayalived.addresses import Family
from stayalived.kernel.api import Change, Interface, Item
from stayalived.timing import Duration, Instant
from stayalived.vrrp.datagrams import Header, Message6
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
class PacketsReceived:
    """IPv4 packets of protocol 112 came in by one socket, one after the other, not long ago; with their headers.

    Those that waited while this process stood still are told one by one, as `DatagramReceived` with their times.
    """

    interface: str
    packets: Sequence[bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class MessagesReceived:
    """The same over IPv6, where a socket gives the messages without the headers."""

    interface: str
    messages: Sequence[Message6]


@dataclass(frozen=True, slots=True, kw_only=True)
class SocketOverflowed:
    """A listening socket lost packets (SO_MEMINFO): nobody knows what was in them."""

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
class ChangesApplied:
    """Answer to `ApplyChanges`: what the kernel refused, and why; all others are done.

    To add what is there already, and to remove what is not, is done.
    """

    changes: Sequence[Change]
    refused: Mapping[int, str]  # by position among the changes


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemLost:
    """Somebody has deleted a route or a rule of ours."""

    item: Item


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemsUnknown:
    """Which of our routes and rules there are has to be looked at anew: the kernel's news overflowed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SysctlSet:
    """Answer to `SetSysctl`: the value that was there before."""

    name: str
    before: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Listening:
    """Packets to this address are heard: answer to `Listen`."""

    interface: str
    family: Family
    address: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EffectFailed:
    """The kernel refused what an effect asked for. The text says what and why; the engine decides what follows."""

    effect: VrrpEffect
    problem: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SendTimesRead:
    """When the last advert of each slot left, read from the page shared with the supervisor; a slot of 0 is absent."""

    times: Mapping[int, Instant]


Received = PacketsReceived | MessagesReceived | DatagramReceived | SocketOverflowed
"""What a socket that hears has to tell."""

VrrpEvent = (
    Received
    | Suspended
    | InterfaceChanged
    | InterfaceGone
    | ChangesApplied
    | ItemLost
    | ItemsUnknown
    | SysctlSet
    | Listening
    | EffectFailed
    | SendTimesRead
)


def datagram(interface: str, family: Family, header: Header, data: bytes, at: Instant) -> DatagramReceived:
    """Return the event of one packet that was taken apart."""
    return DatagramReceived(
        interface=interface,
        family=family,
        source=header.source,
        destination=header.destination,
        ttl=header.ttl,
        data=data,
        at=at,
    )
