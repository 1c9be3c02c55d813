"""All that VRRP says: by mouths, or by frames where it comes from a virtual MAC; and when it was said. I/O."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby
from operator import attrgetter

from stayalived.errors import KernelProblem
from stayalived.kernel import frames
from stayalived.kernel.neighbours import NeighbourSender
from stayalived.timing import Instant
from stayalived.vrrp.effects import SendAdvert
from stayalived.vrrp.mouths import Mouth
from stayalived.vrrp.volleys import Volley

LEAST = 8
"""Adverts for which a volley is worth the trouble."""

KEPT = 1024
"""Groups of adverts that are remembered at most."""

_FRAMES = 4096
_place_of = attrgetter("interface", "index", "source", "destination")

_frame_around = lru_cache(maxsize=_FRAMES)(frames.advert)

Place = tuple[str, int, str, str]
Refused = tuple[SendAdvert, KernelProblem]
_Volleys = tuple[tuple[Volley, Sequence[SendAdvert]], ...]


@dataclass(slots=True)
class _Salvo:
    """Adverts that were sent together once; at the second time their volleys are laid out, if they can be."""

    adverts: Sequence[SendAdvert]
    volleys: _Volleys | None = None


class Speaker:
    """Sends adverts.

    Args:
        neighbours: sends frames; stays the caller's.
        page: the page of send times, one slot for each virtual router; None without one.
    """

    def __init__(self, neighbours: NeighbourSender, page: "memoryview[int] | None" = None) -> None:
        """Open nothing: a socket is opened with its first advert."""
        self._neighbours = neighbours
        self._page = page
        self._mouths: dict[Place, Mouth] = {}
        self._salvos: dict[int, _Salvo] = {}

    def close(self) -> None:
        """Close all sockets."""
        self._salvos.clear()
        for mouth in self._mouths.values():
            mouth.close()
        self._mouths.clear()

    def forget(self, interface: str) -> None:
        """Close the sockets of an interface that is gone: one of the same name is another interface."""
        for place in [place for place in self._mouths if place[0] == interface]:
            self._drop(place)

    def say(self, adverts: Sequence[SendAdvert], now: Instant) -> list[Refused]:
        """Send adverts in this order and note when; return those that did not leave.

        A slot beyond the page is that of a router which a replacement of this process will not adopt.
        """
        refused = self._say(adverts)
        page = self._page
        if page is not None:
            silent = {id(advert) for advert, _ in refused} if refused else ()
            size = len(page)
            for advert in adverts:
                if advert.slot < size and id(advert) not in silent:
                    page[advert.slot] = 0 if advert.leaving else now
        return refused

    def _say(self, adverts: Sequence[SendAdvert]) -> list[Refused]:
        if len(adverts) < LEAST:
            return self._one_by_one(adverts)
        salvo = self._salvos.get(id(adverts[0]))
        if salvo is None or salvo.adverts != adverts:
            self._remember(_Salvo(adverts))
            return self._one_by_one(adverts)
        if salvo.volleys is None:
            salvo.volleys = self._volleys(adverts)
        if not salvo.volleys:
            return self._one_by_one(adverts)
        left: list[SendAdvert] = []
        for volley, members in salvo.volleys:
            try:
                left += members[volley.send() :]
            except OSError:  # told one by one, each with its reason
                left += members
        return self._one_by_one(left)

    def _one_by_one(self, adverts: Sequence[SendAdvert]) -> list[Refused]:
        refused: list[Refused] = []
        for advert in adverts:
            try:
                if advert.source_mac:
                    frame = _frame_around(advert.source_mac, advert.source, advert.destination, advert.data)
                    self._neighbours.send(advert.interface, frame)
                else:
                    self._send(advert)
            except KernelProblem as problem:
                refused.append((advert, problem))
        return refused

    def _send(self, advert: SendAdvert) -> None:
        place = _place_of(advert)
        try:
            mouth = self._mouths.get(place)
            if mouth is None:
                mouth = self._mouths[place] = Mouth(advert)
            mouth.send(advert.data)
        except OSError as error:
            self._drop(place)
            what = f"send to {advert.destination} from {advert.source or 'no address'} on {advert.interface}"
            raise KernelProblem(what, error.errno or 0) from error

    def _remember(self, salvo: _Salvo) -> None:
        if len(self._salvos) >= KEPT:
            self._salvos.clear()
        self._salvos[id(salvo.adverts[0])] = salvo

    def _volleys(self, adverts: Sequence[SendAdvert]) -> _Volleys:
        """Return the adverts by socket; nothing where one of them goes another way, or is said only once."""
        found: list[tuple[Volley, Sequence[SendAdvert]]] = []
        for place, group in groupby(adverts, key=_place_of):
            members = list(group)
            mouth = self._mouths.get(place)
            if mouth is None or not mouth.is_connected or any(one.leaving or one.source_mac for one in members):
                return ()
            found.append((Volley(mouth.fileno(), [one.data for one in members]), members))
        return tuple(found)

    def _drop(self, place: Place) -> None:
        """Close a socket, and forget all volleys: one of them may be for its descriptor."""
        mouth = self._mouths.pop(place, None)
        if mouth is not None:
            self._salvos.clear()
            mouth.close()
