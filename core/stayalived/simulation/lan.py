"""A network segment that carries bytes, and loses, doubles, delays, swaps and spoils them.

The segment knows stations by name and by address. What it delivers is what a raw socket would give: source,
destination, TTL and the protocol data unit. Every datagram that does not arrive is counted under the reason, so that
nothing is lost silently.
"""

from collections import Counter, deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from random import Random

from stayalived.addresses import Family
from stayalived.config.virtual_routers import VirtualRouter
from stayalived.simulation.world import World, between
from stayalived.timing import Duration, Instant, after, milliseconds

SWITCHING = milliseconds(0.2)
"""Time from one station to another when the network is well."""

OVERHEARD = 200
"""Datagrams that somebody who listens on the segment remembers, to say them again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Datagram:
    """What crosses the segment: one protocol data unit with what the IP header says of it.

    Attributes:
        source_mac: the virtual MAC that it comes from, where that is not the sender's own.
        origin: the virtual router that said it, as it was configured then; None when it is somebody else's, or was
            spoilt or kept back on the way.
        sound: its checksum is right, and it says what its sender meant.
    """

    family: Family
    source: str
    destination: str
    ttl: int
    data: bytes
    source_mac: bytes = b""
    origin: VirtualRouter | None = None
    sound: bool = True


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
    strangers: int = 0  # how many hostile stations are at work

    @property
    def is_fair(self) -> bool:
        """Whether everything arrives, once, soon and unspoilt, and nobody lies."""
        odds = self.loss or self.duplication or self.delay or self.reordering or self.corruption
        return not (odds or self.cut or self.strangers)


Receiver = Callable[[Datagram], None]


class Lan:
    """One broadcast segment.

    Attributes:
        conditions: how it treats datagrams.
        counts: what became of every datagram.
        flying: datagrams on their way.
        overheard: the last sound ones.
        fair_since: since when its conditions have been fair; None while they are not.
    """

    def __init__(self, world: World, name: str = "lan") -> None:
        """Make a calm, empty segment."""
        self.world = world
        self.name = name
        self.conditions = Conditions()
        self.counts: Counter[str] = Counter()
        self.flying = 0
        self.overheard: deque[Datagram] = deque(maxlen=OVERHEARD)
        self.fair_since: Instant | None = world.now
        self._stations: dict[str, Receiver] = {}
        self._owners: dict[str, str] = {}
        self._dead_links: set[str] = set()
        self._chances: dict[tuple[str, str], Random] = {}

    def join(self, station: str, receiver: Receiver, addresses: Iterable[str] = ()) -> None:
        """Connect a station; what others send to all, or to one of its addresses, arrives at `receiver`."""
        self._stations[station] = receiver
        self._owners.update(dict.fromkeys(addresses, station))

    def leave(self, station: str) -> None:
        """Disconnect a station for good."""
        self._stations.pop(station, None)
        self._owners = {address: owner for address, owner in self._owners.items() if owner != station}

    def set_link(self, station: str, *, up: bool) -> None:
        """Cut or mend the cable of one station."""
        if up:
            self._dead_links.discard(station)
        else:
            self._dead_links.add(station)

    def link_is_up(self, station: str) -> bool:
        """Tell whether a station's cable is whole."""
        return station not in self._dead_links

    def look(self) -> None:
        """Note whether the conditions are fair; called by whoever has changed them."""
        if not self.conditions.is_fair:
            self.fair_since = None
        elif self.fair_since is None:
            self.fair_since = self.world.now

    def send(self, sender: str, datagram: Datagram) -> None:
        """Carry a datagram from one station to the one that has its destination, or to all others."""
        self.counts["sent"] += 1
        if sender in self._dead_links:
            self.counts["sent on a dead link"] += 1
            return
        if datagram.sound:
            self.overheard.append(datagram)
        owner = self._owners.get(datagram.destination)
        for station in (owner,) if owner is not None else tuple(self._stations):
            if station != sender:
                self._carry(sender, station, datagram)

    def _carry(self, sender: str, station: str, datagram: Datagram) -> None:
        conditions = self.conditions
        self.counts["carried"] += 1
        if self.fair_since is not None:
            self._deliver(station, datagram, SWITCHING)
            return
        chance = self._chance(sender, station)
        if (sender, station) in conditions.cut:
            self.counts["cut"] += 1
        elif chance.random() < conditions.loss:
            self.counts["lost"] += 1
        else:
            if chance.random() < conditions.duplication:
                self.counts["doubled"] += 1
                self._deliver(station, datagram, between(chance, 0.0, conditions.greatest_delay))
            self._deliver(station, self._spoil(chance, datagram), self._delay(chance))

    def _chance(self, sender: str, station: str) -> Random:
        found = self._chances.get((sender, station))
        if found is None:
            found = self._chances[sender, station] = self.world.chance(f"{self.name}:{sender}>{station}")
        return found

    def _delay(self, chance: Random) -> Duration:
        conditions = self.conditions
        if chance.random() < conditions.delay:
            return between(chance, 0.0, conditions.greatest_delay)
        if chance.random() < conditions.reordering:
            return Duration(SWITCHING + between(chance, 0.0, 0.01))
        return SWITCHING

    def _spoil(self, chance: Random, datagram: Datagram) -> Datagram:
        if not datagram.data or chance.random() >= self.conditions.corruption:
            return datagram
        self.counts["spoilt"] += 1
        spoilt = bytearray(datagram.data)
        spoilt[chance.randrange(len(spoilt))] ^= 1 << chance.randrange(8)
        return replace(datagram, data=bytes(spoilt), origin=None, sound=False)

    def _deliver(self, station: str, datagram: Datagram, delay: Duration) -> None:
        self.flying += 1

        def arrive() -> None:
            self.flying -= 1
            receiver = self._stations.get(station)
            if receiver is None or station in self._dead_links:
                self.counts["nobody there"] += 1
                return
            self.counts["delivered"] += 1
            receiver(datagram)

        self.world.at(after(self.world.now, delay), arrive)
