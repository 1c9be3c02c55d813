"""The story of an election between ours and a peer: every way in which mastership moves, one after the other.

What is asserted of it stands in `test_elections`; here it is played, and what was seen from outside is written down.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from namespaces.frames import advert_alike, announcement_alike
from namespaces.kinds import Kind
from namespaces.lab import Lab
from namespaces.rivals import Rivals, macvlans
from namespaces.scenes import Scene, Seen

HIGH, OURS, LOW = 200, 100, 50
"""Priorities of the peer when it is to win, of ours, and of whoever is to lose."""

SETTLED = 0.02
"""Seconds after the first advert of a new master, in which the old one may still say what it had in hand."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What an act has measured: seconds of each virtual router, their limits, and since when all must be calm.

    `announcing` are the moments between which the master's announcements are looked at; 0 = begin and end of the scene.
    """

    master: str
    seconds: list[float]
    least: float
    most: float
    since: int
    odd: list[str] = field(default_factory=list)
    announcing: tuple[int, int] = (0, 0)


class Contest:
    """Plays the acts, in order, at one site."""

    def __init__(self, lab: Lab, kind: Kind) -> None:
        self.lab, self.kind = lab, kind
        self.site = Rivals(lab, kind)
        self.seen = Seen()

    def play(self, publish: Callable[[Seen], None]) -> None:
        """Play all acts; publish what was seen after each."""
        for act in ACTS:
            begun = time.time_ns()
            self.seen.scenes[act.__name__] = self._look(act(self), begun)
            self._collect()
            publish(self.seen)
        self._part_from("tic", self.site.ours.stop)
        self._part_from("peer", self.site.theirs.stop)
        publish(self.seen)

    # ── acts ─────────────────────────────────────────────────────────────────────────────────────────────────────────

    def they_win(self) -> Outcome:
        """The peer has the higher priority and was there first."""
        self.site.start("peer", HIGH)
        self.site.wait_for_master("peer")
        self.site.start("tic", OURS)
        self.site.wait_for_backup()
        return self._undisturbed("peer")

    def they_stop(self) -> Outcome:
        """The peer ends in order: its last advert has priority 0."""
        self._part_from("peer", self.site.theirs.stop)
        return self._followed("peer", "tic", self.kind.skew(OURS), leaving=True)

    def they_return(self) -> Outcome:
        """The peer starts again with its higher priority, and preempts."""
        return self._preempt("peer", HIGH)

    def they_die(self) -> Outcome:
        """The peer's machine is lost."""
        self._part_from("peer", self.site.theirs.kill)
        self.site.peer.cut()
        return self._followed("peer", "tic", self.kind.master_down(OURS))

    def we_win(self) -> Outcome:
        """The peer comes back from the dead, with a lower priority; what it held is still in its kernel."""
        self.site.peer.heal()
        self.site.start("peer", LOW)
        self.site.theirs.wait_for_backup(within=self.kind.limit)
        return self._undisturbed("tic")

    def we_stop(self) -> Outcome:
        """Ours ends in order."""
        self._part_from("tic", self.site.ours.stop)
        return self._followed("tic", "peer", self.kind.their_skew(LOW), leaving=True)

    def we_return(self) -> Outcome:
        """Ours starts again with its higher priority, and preempts."""
        return self._preempt("tic", OURS)

    def we_die(self) -> Outcome:
        """Our machine is lost."""
        self._part_from("tic", self.site.ours.kill_machine)
        return self._followed("tic", "peer", self.kind.their_master_down(LOW))

    def we_return_as_an_equal(self) -> Outcome:
        """Ours comes back from the dead, with the peer's priority: who is master stays it (RFC 9568 6.4.2)."""
        self.site.tic.heal()
        self.site.start("tic", LOW)
        self.site.wait_for_backup()
        return self._undisturbed("peer")

    def we_lose_a_tie(self) -> Outcome:
        """Both are masters of equal priority when the wire is whole again, and our address is the lower one."""
        return self._heal_a_split("peer", "tic")

    def we_win_a_tie(self) -> Outcome:
        """The same from a machine with a higher address than the peer's."""
        self._part_from("tic", self.site.ours.stop)
        self.site.tic = self.site.machine("toc")
        self.site.start("tic", LOW)
        self.site.wait_for_backup()
        return self._heal_a_split("tic", "peer")

    # ── what they are made of ────────────────────────────────────────────────────────────────────────────────────────

    def _undisturbed(self, master: str) -> Outcome:
        """Somebody has come who must not become master: measured is the longest gap between adverts."""
        begun = time.time_ns()
        self.site.wait_for_adverts(master, 3)
        gaps = [max(self.site.gaps(master, each, begun)) for each in self.kind.routers]
        return Outcome(
            master=master, seconds=gaps, least=0, most=self.kind.advert_int + self.kind.slack(master), since=begun
        )

    def _followed(self, old: str, new: str, interval: float, *, leaving: bool = False) -> Outcome:
        """One has ended: measured is the time from its last advert to the first of the other."""
        last = [self.site.of(old, each)[-1] for each in self.kind.routers]
        first = self.site.wait_for_first(new, min(packet.time for packet in last))
        said = {packet.vrrp().priority for packet in last}
        odd = [f"{old} left with priority {said}"] if leaving != (said == {0}) else []
        slack = self.kind.slack(new)
        most = interval + slack + (self.kind.their_delay if new == "peer" else 0.0)
        seconds = self.site.silences(old, new)
        return Outcome(master=new, seconds=seconds, least=interval - slack, most=most, since=first, odd=odd)

    def _preempt(self, new: str, priority: int) -> Outcome:
        """One starts that is better: measured is for how long the old one goes on after the first advert of the new."""
        old, begun = "tic" if new == "peer" else "peer", time.time_ns()
        self.site.start(new, priority)
        first = self.site.wait_for_first(new, begun)
        self.site.wait_for_master(new)
        seconds = []
        for each in self.kind.routers:
            last = self.site.of(old, each)[-1].time
            seconds.append((last - self.site.of(new, each, begun)[0].time) / 1e9)
        # The new one's first advert comes at any moment between two of the old one.
        gap = self.kind.advert_int + self.kind.slack(old) + (self.kind.their_delay if new == "peer" else 0.0)
        return Outcome(master=new, seconds=seconds, least=-gap, most=SETTLED, since=first)

    def _heal_a_split(self, winner: str, loser: str) -> Outcome:
        """Ours is cut off until both are master: measured is how long the loser goes on when it no longer is.

        One that hears the winner before it is due itself says nothing more, and what is measured is less than 0.
        """
        host, begun = self.site.tic, time.time_ns()
        host.cut()
        self.site.wait_for_first("tic", begun)
        healing, gap = time.time_ns(), self.kind.advert_int + self.kind.slack(loser)
        host.heal()
        healed = time.time_ns()
        self.site.wait_for_master(winner)
        since = healed + round(gap * 1e9)
        seconds = [(self.site.of(loser, each)[-1].time - healed) / 1e9 for each in self.kind.routers]
        times = (healing, since + round(self.kind.slack(winner) * 1e9))
        return Outcome(master=winner, seconds=seconds, least=-gap, most=gap, since=since, announcing=times)

    def _part_from(self, who: str, end: Callable[[], object]) -> None:
        """End one of the two in some way, and keep what it had to say."""
        one = self.site.ours if who == "tic" else self.site.theirs
        if who == "tic":
            for kind, count in self.site.ours.errors().items():
                self.seen.errors[kind] = self.seen.errors.get(kind, 0) + count
        status = end()
        self.seen.complaints += [f"{who} ended with {status}"] if status else []
        if end == self.site.ours.stop:
            self.seen.complaints += [f"{who} left {name}" for name in macvlans(self.site.tic)]
        self.seen.complaints += [f"{who}: {line}" for line in one.complaints()]

    # ── what is seen after each ──────────────────────────────────────────────────────────────────────────────────────

    def _look(self, outcome: Outcome, begun: int) -> Scene:
        """Wait until all is calm, and see who speaks, who has the addresses, and what was announced."""
        master, calm = outcome.master, outcome.since + round(SETTLED * 1e9)
        self.site.wait_for_adverts(master, 2, outcome.since)
        self.site.wait_for_master(master)
        name, odd = self.site.holder(master).name, list(outcome.odd)
        others = {packet.sender for packet in self.site.wire.adverts(since=calm)} - {name}
        odd += [f"{other} speaks while {name} is master" for other in sorted(others)]
        gaps = [gap for each in self.kind.routers for gap in self.site.gaps(master, each, outcome.since)]
        allowed = self.kind.advert_int + self.kind.slack(master)
        odd += [f"{gap:.3f} s between adverts of {name}" for gap in gaps if gap > allowed]
        return Scene(
            master=master,
            seconds=tuple(outcome.seconds),
            least=outcome.least,
            most=outcome.most,
            odd=tuple(odd),
            announced=self._announced(name, outcome.announcing[0] or begun, outcome.announcing[1] or time.time_ns()),
        )

    def _announced(self, name: str, first: int, last: int) -> tuple[bytes, ...]:
        packets = self.site.wire.packets()
        meant = (packet for packet in packets if first <= packet.time <= last and packet.sender == name)
        return tuple(announcement_alike(packet, self.kind) for packet in meant if packet.gratuitous())

    def _collect(self) -> None:
        """Keep what is asked of the story as a whole."""
        packets = self.site.wire.packets()
        theirs = [packet for packet in packets if packet.sender == "peer"]
        ours = [packet for packet in packets if packet.sender != "peer"]
        for who, said in (("tic", ours), ("peer", theirs)):
            self.seen.adverts[who] = {advert_alike(packet, self.kind) for packet in said if packet.vrrp()}
        self.seen.packets = [packet for packet in ours if packet.vrrp() or packet.gratuitous()]


ACTS: tuple[Callable[[Contest], Outcome], ...] = (
    Contest.they_win,
    Contest.they_stop,
    Contest.they_return,
    Contest.they_die,
    Contest.we_win,
    Contest.we_stop,
    Contest.we_return,
    Contest.we_die,
    Contest.we_return_as_an_equal,
    Contest.we_lose_a_tie,
    Contest.we_win_a_tie,
)
EVENTS = tuple(act.__name__ for act in ACTS)
