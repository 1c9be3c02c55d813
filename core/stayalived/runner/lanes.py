"""Who waits for whom (pure): the lanes of one sender, of which each runs one program at a time."""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum

from stayalived.messages.notify import Run
from stayalived.timing import Instant

LANE_DEPTH = 1_000  # requests in one lane, the running one included
WAITING_OF_SENDER = 10_000  # requests of one sender that wait, in all its lanes
RUNNING_OF_SENDER = 256  # programs of one sender at the same time: a flood costs its own sender only


class State(Enum):
    """Where a request stands."""

    WAITING = "waiting"
    RUNNING = "running"
    TERMINATING = "terminating"
    KILLED = "killed"
    ENDED = "ended"


@dataclass(slots=True)
class Job:
    """One request. `token` is the runner's own number for it; `reason` says why it is being ended.

    `expired`: because it used up its time, and not for a reason that is not its own.
    """

    token: int
    sender: str
    run: Run
    state: State = State.WAITING
    began: Instant | None = None
    due: Instant | None = None
    reason: str = ""
    expired: bool = False


@dataclass(slots=True)
class Lanes:
    """The requests of one sender, by lane, and the lanes whose first request may start."""

    sender: str
    waiting: int = 0
    running: int = 0
    _lanes: dict[str, deque[Job]] = field(default_factory=dict)
    _ready: deque[str] = field(default_factory=deque)
    _by_identifier: dict[int, Job] = field(default_factory=dict)

    def full(self, lane: str) -> str:
        """Return why no more can wait in a lane, or an empty text."""
        if len(self._lanes.get(lane, ())) >= LANE_DEPTH:
            return f"{LANE_DEPTH} programs wait in lane {lane!r} already"
        if self.waiting >= WAITING_OF_SENDER:
            return f"{WAITING_OF_SENDER} programs of {self.sender} wait already"
        return ""

    def append(self, job: Job) -> None:
        """Let a request wait at the end of its lane."""
        lane = self._lanes.setdefault(job.run.lane, deque())
        if not lane:
            self._ready.append(job.run.lane)
        lane.append(job)
        self.waiting += 1
        self._by_identifier[job.run.identifier] = job

    def next(self) -> Job | None:
        """Return the next request to start, now counted as running, or None."""
        if not self._ready or self.running >= RUNNING_OF_SENDER:
            return None
        job = self._lanes[self._ready.popleft()][0]
        self.waiting -= 1
        self.running += 1
        return job

    def find(self, identifier: int) -> Job | None:
        """Return the request that has this identifier, or None when it is over."""
        return self._by_identifier.get(identifier)

    def all_waiting(self) -> Iterator[Job]:
        """Yield what has not been started, lane by lane."""
        for lane in list(self._lanes.values()):
            yield from [job for job in lane if job.state is State.WAITING]

    def withdraw(self, job: Job) -> None:
        """Take out a request that has not been started."""
        lane = self._lanes[job.run.lane]
        alone = len(lane) == 1
        lane.remove(job)
        self.waiting -= 1
        if alone:
            self._ready.remove(job.run.lane)
            del self._lanes[job.run.lane]
        self._forget(job)

    def end(self, job: Job) -> None:
        """Take out a request whose program has ended; the next of its lane may start."""
        lane = self._lanes[job.run.lane]
        lane.popleft()
        self.running -= 1
        if lane:
            self._ready.append(job.run.lane)
        else:
            del self._lanes[job.run.lane]
        self._forget(job)

    def _forget(self, job: Job) -> None:
        """Forget the identifier, unless a sender that was restarted has used it again."""
        if self._by_identifier.get(job.run.identifier) is job:
            del self._by_identifier[job.run.identifier]
