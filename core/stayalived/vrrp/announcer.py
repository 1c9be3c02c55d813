"""Gratuitous ARPs and unsolicited neighbour advertisements: which, how often, when; never in an advert's way.

A takeover announces each address `garp_master_repeat` times at once and again after `garp_master_delay` (keepalived's
VG03 and VG04), then every `garp_master_refresh` (VG05); a lower advert heard while MASTER does likewise with its own
figures (VG06). Packets leave in chunks with a pause between them: with 4,000 virtual routers a takeover is 20,000
packets, 130 ms of sending, and adverts fall due meanwhile. Where a least time between two packets is configured for
an interface (VG07), what it has to send waits in a queue of its own.
"""

import heapq
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

from stayalived.timing import NO_TIME, Duration, Instant, after, earliest, milliseconds
from stayalived.vrrp.effects import SendGratuitousArp, SendNeighbourAdvert

CHUNK = 200
"""Packets that leave in one go: about 1.3 ms of sending."""

PAUSE = milliseconds(1)
"""Between two chunks: room for what is due and for what has come in."""

Announcement = SendGratuitousArp | SendNeighbourAdvert
_LONG_AGO = Instant(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """What one virtual router announces on one occasion.

    Attributes:
        packets: one for each address, in the order of the configuration.
        repeat: how often each is sent in one block.
        delay: from the first block to the second; none when it is 0 (VG03).
        refresh: between the blocks that follow; 0 = none.
        refresh_repeat: how often each is sent in a refreshing block.
    """

    packets: tuple[Announcement, ...]
    repeat: int
    delay: Duration = NO_TIME
    refresh: Duration = NO_TIME
    refresh_repeat: int = 1


@dataclass(slots=True, kw_only=True)
class Pace:
    """Least time between two packets on an interface, that of a macvlan's base included; 0: none.

    Attributes:
        garp: between gratuitous ARPs.
        gna: between neighbour advertisements.
        free_at: when the next one may leave; belongs to the announcer.
        waiting: what waits for that, in order; belongs to the announcer.
    """

    garp: Duration = NO_TIME
    gna: Duration = NO_TIME
    free_at: Instant = _LONG_AGO
    waiting: "deque[tuple[_Tenure, Announcement]]" = field(default_factory=deque)

    def after(self, packet: Announcement) -> Duration:
        """Return the least time from this packet to the next."""
        return self.garp if isinstance(packet, SendGratuitousArp) else self.gna


@dataclass(slots=True)
class _Tenure:
    """The time for which one virtual router is MASTER with these addresses; over for good once it is cancelled."""

    over: bool = False


@dataclass(slots=True)
class _Block:
    """Packets that are being sent, over and over, until `left` is used up."""

    tenure: _Tenure
    packets: tuple[Announcement, ...]
    left: int
    place: int = 0


@dataclass(frozen=True, slots=True)
class _Later:
    """A block that begins later: the second one of a series, or a refreshing one, which follows itself."""

    tenure: _Tenure
    series: Series
    refreshing: bool


class Announcer:
    """The queue of announcements of all virtual routers of this process.

    Attributes:
        paces: of interfaces by name; those of one base and its macvlans are one.
    """

    def __init__(self) -> None:
        """Start with nothing to say."""
        self.paces: dict[str, Pace] = {}
        self._blocks: deque[_Block] = deque()
        self._later: list[tuple[Instant, int, _Later]] = []
        self._count = 0
        self._tenures: dict[str, _Tenure] = {}
        self._next_chunk: Instant | None = None

    @property
    def deadline(self) -> Instant | None:
        """When the next chunk may leave, or the next block begins."""
        self._skip_cancelled()
        begins = self._later[0][0] if self._later else None
        paced = [pace.free_at for pace in self.paces.values() if pace.waiting] if self.paces else ()
        return earliest((self._next_chunk if self._blocks else None, begins, *paced))

    def announce(self, router: str, series: Series, now: Instant) -> None:
        """Begin a series: its first block at once, the others in their time, until `cancel`."""
        if not series.packets:
            return
        tenure = self._tenures.setdefault(router, _Tenure())
        self._begin_block(tenure, series.packets, series.repeat, now)
        if series.delay and series.repeat:
            self._put_off(after(now, series.delay), _Later(tenure, series, refreshing=False))
        if series.refresh:  # VG05: the first one comes after delay and refresh
            self._put_off(after(now, Duration(series.delay + series.refresh)), _Later(tenure, series, refreshing=True))

    def cancel(self, router: str) -> None:
        """Drop what this router has not sent yet: it is no longer MASTER, or its addresses have changed."""
        tenure = self._tenures.pop(router, None)
        if tenure is not None:
            tenure.over = True

    def take(self, now: Instant) -> Sequence[Announcement]:
        """Return the packets that may leave now, at most `CHUNK`."""
        self._begin_what_is_due(now)
        packets = self._take_paced(now) if self.paces else []
        if not self._blocks or (self._next_chunk is not None and now < self._next_chunk):
            return packets
        while self._blocks and len(packets) < CHUNK:
            block = self._blocks[0]
            self._move_packets(block, packets, now)
            if not block.left:
                self._blocks.popleft()
        self._next_chunk = after(now, PAUSE)
        return packets

    def _take_paced(self, now: Instant) -> list[Announcement]:
        """Return what may leave of that which waits for its interface, one for each."""
        packets: list[Announcement] = []
        for pace in {id(pace): pace for pace in self.paces.values() if pace.waiting}.values():
            while pace.waiting and pace.waiting[0][0].over:
                pace.waiting.popleft()
            if pace.waiting and now >= pace.free_at:
                packet = pace.waiting.popleft()[1]
                pace.free_at = after(now, pace.after(packet))
                packets.append(packet)
        return packets

    def _begin_block(self, tenure: _Tenure, packets: tuple[Announcement, ...], repeat: int, now: Instant) -> None:
        if repeat:
            if self._next_chunk is None or self._next_chunk < now:
                self._next_chunk = now
            self._blocks.append(_Block(tenure, packets, repeat * len(packets)))

    def _put_off(self, moment: Instant, later: _Later) -> None:
        self._count += 1
        heapq.heappush(self._later, (moment, self._count, later))

    def _begin_what_is_due(self, now: Instant) -> None:
        """Turn what was put off into blocks, and put the next refreshing one off."""
        self._skip_cancelled()
        while self._later and self._later[0][0] <= now:
            later = heapq.heappop(self._later)[2]
            series = later.series
            repeat = series.refresh_repeat if later.refreshing else series.repeat
            self._begin_block(later.tenure, series.packets, repeat, now)
            if later.refreshing:
                self._put_off(after(now, series.refresh), later)
            self._skip_cancelled()

    def _skip_cancelled(self) -> None:
        """Forget what nobody waits for any more, as far as it is next."""
        while self._blocks and self._blocks[0].tenure.over:
            self._blocks.popleft()
        while self._later and self._later[0][2].tenure.over:
            heapq.heappop(self._later)

    def _move_packets(self, block: _Block, packets: list[Announcement], now: Instant) -> None:
        """Move packets of one block, as many as there is room for and none when its tenure is over."""
        if block.tenure.over:
            block.left = 0
        while block.left and len(packets) < CHUNK:
            packet = block.packets[block.place]
            block.place = (block.place + 1) % len(block.packets)
            block.left -= 1
            pace = self.paces.get(packet.interface)
            if pace is None or not pace.after(packet):
                packets.append(packet)
            elif pace.waiting or now < pace.free_at:
                pace.waiting.append((block.tenure, packet))
            else:
                pace.free_at = after(now, pace.after(packet))
                packets.append(packet)
