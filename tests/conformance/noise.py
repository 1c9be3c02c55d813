"""An hour on a bad link: what a master says, and between it whatever should not be there; with what each must count as.

The bytes are made here, by nobody's encoder but this file's, and so is the account of them.
"""

import dataclasses
import heapq
import random
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from conformance.steps import Packet
from conformance.sums import adds_up, pseudo_header, sealed

ROUTER = 51
OURS = 120
"""Priority of the router that listens. A master has 200; a replay is of one that had 50 once."""

ADDRESSES = {
    "4": "c0000264",
    "6": "fe800000000000000000000000000100 20010db8000000000000000000000100",
}
ENDS = {"4": ("192.0.2.2", "224.0.0.18"), "6": ("fe80::2", "ff02::12")}
OWN = {"4": "192.0.2.1", "6": "fe80::1"}
SECOND = 1_000_000_000

Counts = Counter[tuple[str, str]]
"""By whose counters they are (`4`, `6`, or the link's) and by their name."""


@dataclass(frozen=True, slots=True)
class Heard:
    """A packet of that hour."""

    at: int  # nanoseconds from its begin
    packet: Packet
    counts: tuple[tuple[str, str], ...]


def advert(
    family: str,
    *,
    router: int = ROUTER,
    priority: int = 200,
    head: int = 0x31,
    interval: int = 100,
    addresses: str = "",
) -> Packet:
    """Return an advert with a checksum that is right."""
    body = bytes.fromhex(addresses or ADDRESSES[family])
    count = len(body) // (4 if family == "4" else 16)
    data = bytes((head, router, priority, count)) + interval.to_bytes(2) + bytes(2) + body
    source, destination = ENDS[family]
    return sealed(Packet(data.hex(), source, destination))


def has_a_right_sum(packet: Packet) -> bool:
    """Tell whether a checksum is right in one of the forms that are in use."""
    bare = ":" not in packet.source and adds_up(packet.data)
    return bare or adds_up(pseudo_header(packet, len(packet.data)) + packet.data)


@dataclass
class Noise:
    """Makes what should not be there, one kind after the other as chance has it.

    Attributes:
        replays: adverts that were good once are among it. A master answers those of lower priority, as it should.
    """

    seed: int
    replays: bool
    rng: random.Random = field(init=False)

    def __post_init__(self) -> None:
        self.rng = random.Random(self.seed)

    def any(self) -> tuple[Packet, tuple[tuple[str, str], ...]]:
        """Return a packet, and the counters that it moves."""
        kinds: tuple[Callable[[str], tuple[Packet, tuple[tuple[str, str], ...]]], ...] = (
            self.truncated,
            self.of_wrong_ttl,
            self.of_wrong_sum,
            self.with_a_flipped_bit,
            self.of_strangers,
            self.of_another_version,
            self.of_another_type,
            self.without_interval,
            self.to_us_alone,
            self.of_our_own,
            self.garbage,
            *((self.replayed,) if self.replays else ()),
        )
        return self.rng.choice(kinds)(self.rng.choice("46"))

    def truncated(self, family: str) -> tuple[Packet, tuple[tuple[str, str], ...]]:
        """Cut anywhere. One byte has no number of a virtual router, so it is nobody's."""
        whole = self._better(family)
        length = self.rng.randrange(len(whole.data))
        counts = ((family, "received"), (family, "length")) if length > 1 else (("eth0", "length"),)
        return dataclasses.replace(whole, text=whole.data[:length].hex()), counts

    def of_wrong_ttl(self, family: str) -> tuple[Packet, tuple[tuple[str, str], ...]]:
        """Forwarded by somebody."""
        return dataclasses.replace(self._better(family), ttl=self.rng.randrange(255)), self._bad(family, "ttl")

    def of_wrong_sum(self, family: str) -> tuple[Packet, tuple[tuple[str, str], ...]]:
        """With any other checksum than the right ones."""
        packet = self._better(family)
        while has_a_right_sum(packet):
            data = packet.data
            packet = dataclasses.replace(packet, text=(data[:6] + self.rng.randbytes(2) + data[8:]).hex())
        return packet, self._bad(family, "checksum")

    def with_a_flipped_bit(self, family: str) -> tuple[Packet, tuple[tuple[str, str], ...]]:
        """One bit of priority, checksum or addresses is another one: what is checked before the checksum is right."""
        packet = self._better(family)
        data = bytearray(packet.data)
        data[self.rng.choice((2, *range(6, len(data))))] ^= 1 << self.rng.randrange(8)
        return dataclasses.replace(packet, text=bytes(data).hex()), self._bad(family, "checksum")

    def of_strangers(self, family: str) -> tuple[Packet, tuple[tuple[str, str], ...]]:
        """Good adverts of virtual routers that are not here."""
        number = self.rng.choice([each for each in range(1, 256) if each != ROUTER])
        return advert(family, router=number, priority=255), (("eth0", f"unknown_vrid_{number}"),)

    def of_another_version(self, family: str) -> tuple[Packet, tuple[tuple[str, str], ...]]:
        """A version that is not spoken here; with the authentication data that version 2 has."""
        version = self.rng.choice((0, 1, 2, 4, 15))
        packet = advert(family, priority=200, head=version << 4 | 1, interval=1)
        if version == 2:
            packet = dataclasses.replace(packet, text=(packet.data + bytes(8)).hex())
        return sealed(packet), self._bad(family, "version")

    def of_another_type(self, family: str) -> tuple[Packet, tuple[tuple[str, str], ...]]:
        """No advert at all."""
        head = 0x30 | self.rng.choice([each for each in range(16) if each != 1])
        return advert(family, head=head), self._bad(family, "type")

    def without_interval(self, family: str) -> tuple[Packet, tuple[tuple[str, str], ...]]:
        """An interval of 0, whatever the reserved bits say."""
        return advert(family, interval=self.rng.randrange(16) << 12), self._bad(family, "interval")

    def to_us_alone(self, family: str) -> tuple[Packet, tuple[tuple[str, str], ...]]:
        """Not to the group."""
        packet = dataclasses.replace(self._better(family), destination=OWN[family])
        return sealed(packet), self._bad(family, "destination")

    def of_our_own(self, family: str) -> tuple[Packet, tuple[tuple[str, str], ...]]:
        """What we might have said ourselves, looped back or sent again by somebody."""
        packet = dataclasses.replace(advert(family, priority=self.rng.choice((0, OURS, 255))), source=OWN[family])
        return sealed(packet), self._bad(family, "own")

    def replayed(self, family: str) -> tuple[Packet, tuple[tuple[str, str], ...]]:
        """An advert that was good once: of the master, or of one before it that had a lower priority.

        A replayed farewell cannot be told from a real one, so there is none of it (RFC 9568 9).
        """
        return advert(family, priority=self.rng.choice((200, 50))), ((family, "received"),)

    def garbage(self, family: str) -> tuple[Packet, tuple[tuple[str, str], ...]]:
        """Anything; where it is long enough for a number, it is that of nobody here."""
        data = bytearray(self.rng.randbytes(self.rng.randrange(60)))
        if len(data) > 1 and data[1] == ROUTER:
            data[1] += 1
        source, destination = ENDS[family]
        name = f"unknown_vrid_{data[1]}" if len(data) > 1 else "length"
        return Packet(bytes(data).hex(), source, destination, self.rng.randrange(256)), (("eth0", name),)

    def _better(self, family: str) -> Packet:
        """An advert that would make anybody yield, and that a backup would follow."""
        return advert(family, priority=self.rng.choice((200, 255)))

    @staticmethod
    def _bad(family: str, kind: str) -> tuple[tuple[str, str], ...]:
        return ((family, "received"), (family, kind))


def of_noise(noise: Noise, seconds: int, rate: int) -> Iterator[Heard]:
    """Return noise at about `rate` packets a second."""
    at = 0
    while at < seconds * SECOND:
        packet, counts = noise.any()
        yield Heard(at, packet, counts)
        at += noise.rng.randrange(2 * SECOND // rate)


def of_master(family: str, seconds: int, offset: int) -> Iterator[Heard]:
    """Return what a good master says meanwhile, each second."""
    packet = advert(family)
    for second in range(seconds):
        yield Heard(second * SECOND + offset, packet, ((family, "received"),))


def hour(seed: int, seconds: int, rate: int, *, masters: bool) -> Iterator[Heard]:
    """Return all that comes in, in the order of its time; `masters`: there is a master in each family."""
    sources = [of_noise(Noise(seed, replays=masters), seconds, rate)]
    if masters:
        sources += [of_master("4", seconds, 1_000), of_master("6", seconds, 2_000)]
    return heapq.merge(*sources, key=lambda heard: heard.at)
