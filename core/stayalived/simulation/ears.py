"""The listening sockets of a simulated vrrp process: what waits in them, what is lost, how it is told.

As `vrrp/sockets.py` does it with the kernel's: what has just come in is told as bytes, several packets at once; what
has waited while the process stood still is told one by one, with the moment at which it came; what did not fit is told
as a number, after what did.
"""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache

from stayalived.addresses import Family
from stayalived.simulation.lan import Datagram
from stayalived.timing import Instant, elapsed, milliseconds
from stayalived.vrrp import events
from stayalived.vrrp.datagrams import Message6, ipv4_packet, ipv6_message
from stayalived.vrrp.effects import Listen

ROOM = 1300
"""Adverts that wait in one socket of the real process."""

LATE = milliseconds(50)
"""What has waited for longer is told with the moment at which it came (`vrrp/sockets.py`)."""

MANY = 64
"""So many packets at once, or late ones, make the process ask what was lost."""

Key = tuple[str, Family, str]
Heard = tuple[events.VrrpEvent, tuple[Datagram, ...]]
"""An event, and the datagrams that it tells of."""


@dataclass(slots=True)
class _Ear:
    """One socket: which interface it is bound to, what waits in it, how many packets it has lost."""

    index: int
    waiting: deque[tuple[Instant, Datagram]] = field(default_factory=deque)
    lost: int = 0


class Ears:
    """All listening sockets of one process.

    Args:
        room: how many packets wait in one of them before the next one is lost.

    Attributes:
        version: grows when a socket is opened or closed.
    """

    def __init__(self, room: int = ROOM) -> None:
        """Begin deaf."""
        self.room = room
        self.version = 0
        self._ears: dict[Key, _Ear] = {}

    def __contains__(self, key: Key) -> bool:
        return key in self._ears

    def keys(self) -> set[Key]:
        """Return what is listened to: interface, family and address of each socket."""
        return set(self._ears)

    def listen(self, effect: Listen) -> None:
        """Open a socket; harmless when it is open on the same interface."""
        key = (effect.interface, effect.family, effect.address)
        known = self._ears.get(key)
        if known is None or known.index != effect.index:
            self._ears[key] = _Ear(effect.index)
            self.version += 1

    def close(self, key: Key) -> None:
        """Close a socket with what waits in it; harmless when there is none."""
        self._ears.pop(key, None)
        self.version += 1

    def forget(self, interface: str) -> None:
        """Close every socket of an interface that is gone."""
        for key in [key for key in self._ears if key[0] == interface]:
            del self._ears[key]
        self.version += 1

    def close_all(self) -> None:
        """Close every socket: the process is gone."""
        self._ears.clear()
        self.version += 1

    def restamp(self, now: Instant) -> None:
        """Let what waits have come now: the machine under the process stood still as well."""
        for ear in self._ears.values():
            ear.waiting = deque((now, datagram) for _, datagram in ear.waiting)

    def take_in(self, interface: str, datagram: Datagram, at: Instant) -> str:
        """Put a datagram into the socket that is for it; returns why not, or an empty text.

        Args:
            interface: name of the interface that it came in by.
            datagram: what came.
            at: the machine's clock.
        """
        ear = self._ears.get((interface, datagram.family, datagram.destination))
        if ear is None:
            return "heard by no socket"
        if len(ear.waiting) >= self.room:
            ear.lost += 1
            return "lost in a full socket"
        ear.waiting.append((at, datagram))
        return ""

    def read(self, now: Instant) -> Iterator[Heard]:
        """Yield what waits, socket by socket; what is done about one event may close the next socket."""
        for key, ear in list(self._ears.items()):
            if ear.waiting and self._ears.get(key) is ear:
                yield from self._read(key, ear, now)

    def _read(self, key: Key, ear: _Ear, now: Instant) -> Iterator[Heard]:
        interface, family, _ = key
        count = len(ear.waiting)
        if elapsed(ear.waiting[0][0], now) >= LATE:
            count = MANY
            while ear.waiting and self._ears.get(key) is ear:
                at, datagram = ear.waiting.popleft()
                yield _late(interface, datagram, at), (datagram,)
        else:
            datagrams = tuple(datagram for _, datagram in ear.waiting)
            ear.waiting.clear()
            yield as_received(interface, datagrams), datagrams
        if count >= MANY and ear.lost and self._ears.get(key) is ear:
            lost, ear.lost = ear.lost, 0
            yield events.SocketOverflowed(interface=interface, family=family, lost=lost), ()


def as_received(interface: str, datagrams: tuple[Datagram, ...]) -> events.VrrpEvent:
    """Return what the shell tells of datagrams of one family: bytes, with the IP header where a raw socket gives it."""
    if datagrams[0].family is Family.IPV4:
        packets = tuple(_packet(one.source, one.destination, one.ttl, one.data) for one in datagrams)
        return events.PacketsReceived(interface=interface, packets=packets)
    messages = tuple(_message(one.source, one.destination, one.ttl, one.data) for one in datagrams)
    return events.MessagesReceived(interface=interface, messages=messages)


def _late(interface: str, datagram: Datagram, at: Instant) -> events.VrrpEvent:
    return events.DatagramReceived(
        interface=interface,
        family=datagram.family,
        source=datagram.source,
        destination=datagram.destination,
        ttl=datagram.ttl,
        data=datagram.data,
        at=at,
    )


@lru_cache(maxsize=4096)
def _packet(source: str, destination: str, ttl: int, data: bytes) -> bytes:
    return ipv4_packet(source=source, destination=destination, ttl=ttl, data=data)


@lru_cache(maxsize=4096)
def _message(source: str, destination: str, ttl: int, data: bytes) -> Message6:
    return ipv6_message(source=source, destination=destination, ttl=ttl, data=data)
