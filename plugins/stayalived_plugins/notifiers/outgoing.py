"""Which mail is sent when (pure): a digest when too many come, back-off when a relay does not take them.

A letter is one mail for one recipient. It is known from the moment it is added until it was taken by a relay, refused
for good, too old, or pushed out because there were too many.
"""

from collections import OrderedDict, deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import Enum

import msgspec

from stayalived.plugin import Duration, Instant, seconds

SINGLY = 5  # mails for one recipient in `WINDOW` that go by themselves; what comes beyond waits for a digest
WINDOW: Duration = seconds(30)
MOST_LETTERS = 10_000  # that wait; the oldest is left out for a newer one
MOST_IN_DIGEST = 500
MOST_REMEMBERED = 20_000  # names of letters, so that nothing is mailed twice that two actions say
BATCH = 50  # letters for one connection
FIRST_DELAY: Duration = seconds(2)
LONGEST_DELAY: Duration = seconds(60)  # so much later than the relay itself they come at most
EVER = Instant(0)
NEW = Duration(0)
MOST_AGE: Duration = seconds(5 * 86_400)  # RFC 5321 4.5.4.1: give up after 4 to 5 days


class Letter(msgspec.Struct, frozen=True, kw_only=True):
    """One mail for one recipient, as it lies in the spool."""

    name: str  # of the mail and the recipient: the same for a repeat
    recipient: str
    route: str  # which relays take it, by their name
    sender: str
    headline: str  # for a digest
    identity: str  # Message-ID
    message: bytes
    written: int  # wall clock, ns
    parts: tuple[str, ...] = ()  # names of the letters that this digest stands for


class Fate(Enum):
    """What became of a letter at a relay."""

    TAKEN = "taken"
    REFUSED = "refused"  # for good, 5yz
    LATER = "later"  # 4yz, or nobody got so far


@dataclass(slots=True)
class _Lane:
    """The letters of one recipient that wait for a digest."""

    singly: deque[Instant] = field(default_factory=lambda: deque(maxlen=SINGLY))
    held: list[Letter] = field(default_factory=list)
    until: Instant = EVER


@dataclass(slots=True)
class _Route:
    """The letters that may go to one set of relays, and when it is tried again."""

    ready: "OrderedDict[str, Letter]" = field(default_factory=OrderedDict)
    busy: bool = False
    failures: int = 0
    at: Instant = EVER


def delay(failures: int) -> Duration:
    """Return how long to wait after so many failures in a row."""
    return Duration(min(FIRST_DELAY << min(failures - 1, 16), LONGEST_DELAY))


class Outgoing:
    """All letters that wait.

    Attributes:
        dropped: how many were left out, because there were too many or they were too old.
    """

    def __init__(self) -> None:
        """Have none."""
        self.dropped = 0
        self._lanes: dict[tuple[str, str], _Lane] = {}
        self._routes: dict[str, _Route] = {}
        self._expiry: OrderedDict[str, tuple[Instant, Letter]] = OrderedDict()  # of all that wait, oldest first
        self._tries: dict[str, tuple[int, Instant]] = {}  # of letters that were put off: how often, until when
        self._remembered: OrderedDict[str, None] = OrderedDict()

    def __len__(self) -> int:
        """Return how many letters wait."""
        return len(self._expiry)

    def knows(self, name: str) -> bool:
        """Tell whether a letter of this name was added before."""
        return name in self._remembered

    def add(self, letter: Letter, now: Instant, age: Duration = NEW) -> list[Letter]:
        """Let a letter wait to be sent by itself, or in a digest; return those that were left out for it."""
        self.remember(letter.name)
        self._expiry[letter.name] = (Instant(now + MOST_AGE - age), letter)
        lane = self._lanes.setdefault((letter.route, letter.recipient), _Lane())
        while lane.singly and now - lane.singly[0] >= WINDOW:
            lane.singly.popleft()
        if letter.parts or (not lane.held and len(lane.singly) < SINGLY):
            if not letter.parts:
                lane.singly.append(now)
            self._release(letter)
        else:
            if not lane.held:
                lane.until = Instant(lane.singly[0] + WINDOW)
            lane.held.append(letter)
        return self._leave_out(now)

    def remember(self, name: str) -> None:
        """From now on, a letter of this name is known."""
        self._remembered[name] = None
        while len(self._remembered) > MOST_REMEMBERED:
            self._remembered.popitem(last=False)

    def digests(self, now: Instant) -> list[tuple[Letter, ...]]:
        """Return the letters of each digest that is due; `digested` is to be called for each."""
        due = []
        for key, lane in list(self._lanes.items()):
            if lane.held and now >= lane.until:
                chosen, lane.held = tuple(lane.held[:MOST_IN_DIGEST]), lane.held[MOST_IN_DIGEST:]
                lane.singly.extend([now] * SINGLY)  # while it goes on, only digests
                lane.until = Instant(now + WINDOW)
                due.append(chosen)
            elif not lane.held and (not lane.singly or now - lane.singly[-1] >= WINDOW):
                del self._lanes[key]
        return due

    def digested(self, parts: Sequence[Letter], digest: Letter, now: Instant) -> None:
        """A digest stands for these letters from now on; one letter may stand for itself."""
        for part in parts:
            self._expiry.pop(part.name, None)
        self.remember(digest.name)
        self._expiry[digest.name] = (Instant(now + MOST_AGE), digest)
        self._release(digest)

    def take(self, now: Instant) -> list[tuple[str, tuple[Letter, ...]]]:
        """Return letters for each set of relays that may be tried now; `settle` is to be called for each."""
        batches = []
        for name, route in self._routes.items():
            if route.busy or now < route.at:
                continue
            due = [letter for letter in route.ready.values() if self._tries.get(letter.name, (0, now))[1] <= now]
            if due:
                route.busy = True
                batches.append((name, tuple(due[:BATCH])))
        return batches

    def settle(self, route: str, fates: Iterable[tuple[Letter, Fate]], now: Instant, *, reached: bool) -> None:
        """Take in what became of a batch.

        Args:
            route: whose it was.
            fates: of each letter.
            now: the moment.
            reached: whether a relay talked to us; if not, all letters of the route wait.
        """
        state = self._routes[route]
        state.busy = False
        state.failures = 0 if reached else state.failures + 1
        if not reached:
            state.at = Instant(now + delay(state.failures))
        for letter, fate in fates:
            if fate is not Fate.LATER:
                self.forget(letter.name)
            elif reached:
                tries = self._tries.get(letter.name, (0, now))[0] + 1
                self._tries[letter.name] = (tries, Instant(now + delay(tries)))

    def forget(self, name: str) -> None:
        """A letter waits no more."""
        _, letter = self._expiry.pop(name, (None, None))
        self._tries.pop(name, None)
        if letter is not None and letter.route in self._routes:
            self._routes[letter.route].ready.pop(name, None)

    def hurry(self) -> None:
        """Let all that waits for its time be due now: the process ends."""
        for lane in self._lanes.values():
            lane.until = EVER
        for route in self._routes.values():
            route.at = EVER
        self._tries.clear()

    @property
    def deadline(self) -> Instant | None:
        """When there is something to do again, without anything new."""
        times = [lane.until for lane in self._lanes.values() if lane.held]
        for route in self._routes.values():
            if route.ready and not route.busy:
                waits = (self._tries.get(name, (0, EVER))[1] for name in route.ready)
                times.append(max(route.at, min(waits)))
        return min(times, default=None)

    def _release(self, letter: Letter) -> None:
        self._routes.setdefault(letter.route, _Route()).ready[letter.name] = letter

    def _leave_out(self, now: Instant) -> list[Letter]:
        """Forget the oldest while there are too many, and those that are too old."""
        gone = []
        while self._expiry:
            expiry, letter = next(iter(self._expiry.values()))
            if len(self._expiry) <= MOST_LETTERS and now < expiry:
                break
            self.forget(letter.name)
            lane = self._lanes.get((letter.route, letter.recipient))
            if lane is not None and letter in lane.held:
                lane.held.remove(letter)
            gone.append(letter)
        self.dropped += len(gone)
        return gone
