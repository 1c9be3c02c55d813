"""A network segment that carries bytes, and loses, doubles, delays, swaps and spoils them.

The segment knows stations by name. What it delivers is what a raw socket would give: source, destination, TTL and the
protocol data unit. Every datagram that does not arrive is counted under the reason, so that nothing is lost silently.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from stayalived.addresses import Family
from stayalived.simulation.world import World, between
from stayalived.timing import Duration, after, milliseconds

SWITCHING = milliseconds(0.2)
"""Time from one station to another when the network is well."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Datagram:
    """What crosses the segment: one protocol data unit with what the IP header says of it."""

    family: Family
    source: str
    destination: str
    ttl: int
    data: bytes


@dataclass(slots=True)
class Conditions:
    """How the segment treats datagrams now. Probabilities of each datagram, between 0 and 1."""

    loss: float = 0.0
    duplication: float = 0.0
    delay: float = 0.0
    reordering: float = 0.0
    corruption: float = 0.0
    greatest_delay: float = 0.4  # seconds
    cut: set[tuple[str, str]] = field(default_factory=set)  # (from, to): one direction each


Receiver = Callable[[Datagram], None]


class Lan:
    """One broadcast segment."""

    def __init__(self, world: World) -> None:
        """Make a calm, empty segment."""
        self.world = world
        self.conditions = Conditions()
        self.counts: Counter[str] = Counter()
        self.flying = 0
        self._stations: dict[str, Receiver] = {}
        self._dead_links: set[str] = set()

    def join(self, station: str, receiver: Receiver) -> None:
        """Connect a station; what others send arrives at `receiver`."""
        self._stations[station] = receiver

    def leave(self, station: str) -> None:
        """Disconnect a station for good."""
        self._stations.pop(station, None)

    def set_link(self, station: str, *, up: bool) -> None:
        """Cut or mend the cable of one station."""
        if up:
            self._dead_links.discard(station)
        else:
            self._dead_links.add(station)

    def link_is_up(self, station: str) -> bool:
        """Tell whether a station's cable is whole."""
        return station not in self._dead_links

    def send(self, sender: str, datagram: Datagram) -> None:
        """Carry a datagram from one station to all others."""
        self.counts["sent"] += 1
        if not self.link_is_up(sender):
            self.counts["sent on a dead link"] += 1
            return
        for station in sorted(self._stations):
            if station != sender:
                self._carry(sender, station, datagram)

    def _carry(self, sender: str, station: str, datagram: Datagram) -> None:
        conditions, chance = self.conditions, self.world.chance(f"lan:{sender}>{station}")
        self.counts["carried"] += 1
        if (sender, station) in conditions.cut:
            self.counts["cut"] += 1
        elif chance.random() < conditions.loss:
            self.counts["lost"] += 1
        else:
            if chance.random() < conditions.duplication:
                self.counts["doubled"] += 1
                self._deliver(station, datagram, between(chance, 0.0, conditions.greatest_delay))
            self._deliver(station, self._spoil(sender, station, datagram), self._delay(sender, station))

    def _delay(self, sender: str, station: str) -> Duration:
        conditions, chance = self.conditions, self.world.chance(f"lan:{sender}>{station}")
        if chance.random() < conditions.delay:
            return between(chance, 0.0, conditions.greatest_delay)
        if chance.random() < conditions.reordering:
            return Duration(SWITCHING + between(chance, 0.0, 0.01))
        return SWITCHING

    def _spoil(self, sender: str, station: str, datagram: Datagram) -> Datagram:
        chance = self.world.chance(f"lan:{sender}>{station}")
        if not datagram.data or chance.random() >= self.conditions.corruption:
            return datagram
        self.counts["spoilt"] += 1
        spoilt = bytearray(datagram.data)
        spoilt[chance.randrange(len(spoilt))] ^= 1 << chance.randrange(8)
        return Datagram(
            family=datagram.family,
            source=datagram.source,
            destination=datagram.destination,
            ttl=datagram.ttl,
            data=bytes(spoilt),
        )

    def _deliver(self, station: str, datagram: Datagram, delay: Duration) -> None:
        self.flying += 1

        def arrive() -> None:
            self.flying -= 1
            receiver = self._stations.get(station)
            if receiver is None or not self.link_is_up(station):
                self.counts["nobody there"] += 1
                return
            self.counts["delivered"] += 1
            receiver(datagram)

        self.world.at(after(self.world.now, delay), arrive)
