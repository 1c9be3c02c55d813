"""Somebody on the segment who means ill: noise that must change nothing, and old adverts said again.

RFC 9568 9 (and RFC 3768 10) leave an attacker on the link all he wants: who can say an advert again can keep a BACKUP
waiting, or send a MASTER away. So what is said again may delay and disturb; noise may not.
"""

from collections.abc import Callable
from dataclasses import replace
from random import Random
from typing import TYPE_CHECKING

from stayalived.addresses import Family
from stayalived.simulation.faults import Impossible
from stayalived.simulation.lan import Datagram, Lan
from stayalived.simulation.plans import GROUPS, NETS
from stayalived.simulation.world import between
from stayalived.timing import Duration

if TYPE_CHECKING:
    from stayalived.simulation.cluster import Cluster
    from stayalived.simulation.machine import Machine

Undo = Callable[[], None]
Forge = Callable[[Lan, Random], Datagram | None]

STRANGER = "stranger"
PAUSE = (0.01, 0.15)
"""Seconds from one packet to the next."""

FOREIGN_NUMBER = 250


def noise(cluster: "Cluster", _machine: "Machine", chance: Random, _lasts: Duration) -> Undo:
    """Throw garbage, spoilt adverts, foreign numbers and wrong TTLs at a segment."""
    return _talk(cluster, chance, _noise)


def replay(cluster: "Cluster", _machine: "Machine", chance: Random, _lasts: Duration) -> Undo:
    """Say adverts of the cluster's own machines again, from their own addresses."""
    if not any(lan.overheard for lan in cluster.lans):
        raise Impossible
    return _talk(cluster, chance, _replay, disturbs=True)


def _talk(cluster: "Cluster", chance: Random, forge: Forge, *, disturbs: bool = False) -> Undo:
    over: list[bool] = []
    used = sorted({instance.segment for instance in cluster.drawn.plan.instances})
    lan = cluster.lans[chance.choice(used)]
    lan.conditions.strangers += disturbs
    lan.look()
    cluster.touch_all()

    def speak() -> None:
        if over:
            return
        datagram = forge(lan, chance)
        if datagram is not None:
            lan.send(STRANGER, datagram)
        cluster.world.later(between(chance, *PAUSE), speak)

    def undo() -> None:
        over.append(True)
        lan.conditions.strangers = max(lan.conditions.strangers - disturbs, 0)
        lan.look()
        cluster.touch_all()

    speak()
    return undo


def _replay(lan: Lan, chance: Random) -> Datagram | None:
    if not lan.overheard:
        return None
    return replace(chance.choice(lan.overheard), origin=None)


def _noise(lan: Lan, chance: Random) -> Datagram | None:
    return chance.choice((_garbage, _garbage, _mutilated, _foreign, _forwarded))(lan, chance)


def _garbage(lan: Lan, chance: Random) -> Datagram:
    family = chance.choice(tuple(Family))
    return Datagram(
        family=family,
        source=f"{NETS[int(lan.name[-1])]}.{chance.randrange(200, 220)}" if family is Family.IPV4 else "fe80::bad",
        destination=GROUPS[family],
        ttl=chance.choice((255, 255, 1)),
        data=chance.randbytes(chance.choice((0, 1, 3, 8, 20, 40, 200))),
        sound=False,
    )


def _mutilated(lan: Lan, chance: Random) -> Datagram | None:
    """Return an advert of the cluster's that is cut short or has a byte changed."""
    if not lan.overheard:
        return None
    heard = chance.choice(lan.overheard)
    data = bytearray(heard.data)
    if chance.random() < 0.5:
        del data[chance.randrange(2, len(data)) :]
    else:
        data[chance.randrange(2, len(data))] ^= 1 << chance.randrange(8)
    return replace(heard, data=bytes(data), origin=None, sound=False)


def _foreign(lan: Lan, chance: Random) -> Datagram | None:
    """Return an advert for a number that no virtual router here has."""
    if not lan.overheard:
        return None
    heard = chance.choice(lan.overheard)
    data = bytearray(heard.data)
    data[1] = FOREIGN_NUMBER
    return replace(heard, data=bytes(data), origin=None, sound=False)


def _forwarded(lan: Lan, chance: Random) -> Datagram | None:
    """Return an advert that some router has forwarded: its TTL is not 255 any more (RFC 9568 5.1.1.3)."""
    heard = [one for one in lan.overheard if one.destination in GROUPS.values()]
    return replace(chance.choice(heard), ttl=254, origin=None, sound=False) if heard else None
