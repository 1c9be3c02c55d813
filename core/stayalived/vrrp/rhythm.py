"""When thousands of masters send: those of one link together, a few links one after the other, then a pause.

Each wake-up costs a process several times what an advert costs, at the sender and at every hearer, and so does each
change from one link to another. So where there are many virtual routers, masters of one link and interval share beats:
moments in a window at the beginning of each interval, the same for all of them. A router that becomes MASTER speaks at
once, as RFC 9568 6.4.2 says, and from then on with its beat: the second advert comes sooner than an interval after the
first, never later. Where there are few, each keeps its own time.

The window also bounds how far apart the takeovers of all of them are when this machine is lost: each of its routers'
backups waits from the last advert of its own.
"""

from collections.abc import Iterable, Iterator
from itertools import groupby
from operator import attrgetter
from typing import TYPE_CHECKING, NamedTuple

from stayalived.config.virtual_routers import VirtualRouter
from stayalived.timing import Duration, Instant, milliseconds

if TYPE_CHECKING:
    from stayalived.vrrp.election import Election

FEW = 16
"""So many virtual routers of one link and interval each keep their own time."""

TOGETHER = 50
"""Adverts of one beat at most: 250 of them in one go fill the default receive buffer of a peer (212,992 bytes)."""

WINDOW = milliseconds(150)
"""All beats lie in so much of an interval, or in a quarter of it where that is shorter."""

ABREAST = 5
"""Links at most whose masters send at one moment, one link after the other: to wake up costs as much as six adverts."""

STEP = milliseconds(10)
"""From one moment to the next, where the window has room for that."""


class Beat:
    """The masters that send at the same moments.

    Attributes:
        deadline: the next moment; None while nobody is MASTER.
        members: those who are MASTER, by key, in the order in which they became it.
    """

    __slots__ = ("_interval", "_phase", "deadline", "filed", "members")

    def __init__(self, interval: Duration, phase: Duration) -> None:
        """Beat once in each interval, `phase` after its beginning; intervals are counted from the clock's zero."""
        self._interval = interval
        self._phase = phase
        self.deadline: Instant | None = None
        self.filed: Instant | None = None
        self.members: dict[str, Election] = {}

    def join(self, member: "Election", now: Instant) -> None:
        """Let a member speak with the next beat."""
        self.members[member.router.key] = member
        if self.deadline is None:
            self.deadline = self._following(now)

    def leave(self, member: "Election") -> None:
        """Let a member be silent; harmless when it is."""
        if self.members.pop(member.router.key, None) is not None and not self.members:
            self.deadline = None

    def take(self, now: Instant) -> "tuple[Instant, list[Election]]":
        """Return the moment that was due and who speaks; the next beat is the first after now."""
        due = self.deadline or now
        self.deadline = self._following(now)
        return due, list(self.members.values())

    def _following(self, now: Instant) -> Instant:
        return Instant(now + self._interval - (now - self._phase) % self._interval)


class Rhythm:
    """Which virtual router has which beat."""

    def __init__(self) -> None:
        """Start without a virtual router."""
        self._beats: dict[tuple[str, int, Duration, Duration], Beat] = {}
        self._of: dict[str, Beat] = {}

    def plan(self, routers: Iterable[VirtualRouter]) -> None:
        """Give beats to the virtual routers of a configuration. What stays where it was keeps its beat."""
        beats: dict[tuple[str, int, Duration, Duration], Beat] = {}
        self._of = {}
        for interval, moments in _moments(_crowds(routers)).items():
            step = min(STEP, min(WINDOW, interval // 4) // len(moments))
            for place, flocks in enumerate(moments):
                phase = Duration(place * step)
                for flock in flocks:
                    key = (flock.link, flock.number, interval, phase)
                    beat = beats[key] = self._beats.get(key) or Beat(interval, phase)
                    self._of.update(dict.fromkeys(flock.keys, beat))
        self._beats = beats

    def of(self, key: str) -> Beat | None:
        """Return the beat of a virtual router; None when it keeps its own time."""
        return self._of.get(key)


Crowd = tuple[str, Duration, list[str]]


class _Flock(NamedTuple):
    """Virtual routers of one link that send together; `number` is its place among those of the link."""

    number: int
    link: str
    keys: list[str]


def _crowds(routers: Iterable[VirtualRouter]) -> list[Crowd]:
    """Return the keys of the routers of one link and interval, where there are many."""
    ordered = sorted(routers, key=_place)
    crowds = [(place, [router.key for router in members]) for place, members in groupby(ordered, key=_place)]
    return [(place[0], place[1], keys) for place, keys in crowds if len(keys) > FEW]


def _place(router: VirtualRouter) -> tuple[str, Duration]:
    return router.interface, router.advert_int


def _moments(crowds: list[Crowd]) -> dict[Duration, list[list[_Flock]]]:
    """Return who sends at each moment of each interval: no two of a link at one, so that its hearers can keep up."""
    flocks: dict[Duration, list[_Flock]] = {}
    for link, interval, keys in crowds:
        parts = enumerate(range(0, len(keys), TOGETHER))
        flocks.setdefault(interval, []).extend(
            _Flock(number, link, keys[start : start + TOGETHER]) for number, start in parts
        )
    moments: dict[Duration, list[list[_Flock]]] = {}
    for interval, each in flocks.items():
        rounds = groupby(sorted(each), key=attrgetter("number"))
        moments[interval] = [abreast for _, members in rounds for abreast in _split(list(members))]
    return moments


def _split(flocks: list[_Flock]) -> Iterator[list[_Flock]]:
    return (flocks[start : start + ABREAST] for start in range(0, len(flocks), ABREAST))
