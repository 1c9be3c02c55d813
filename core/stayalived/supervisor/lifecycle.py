"""The life of a child as the supervisor sees it: the table first, then one record for each child."""

from dataclasses import dataclass, field
from enum import StrEnum

from stayalived.errors import Bug
from stayalived.messages.control import ChildState, Start
from stayalived.messages.routes import API, CONFIG, IPVS, RUNNER, role_of
from stayalived.supervisor.backoff import Backoff
from stayalived.timing import Duration, Instant, after, elapsed, seconds

HEARTBEAT_LIMIT = seconds(3)
"""A child that is silent for longer is killed and replaced; it ought to say `Alive` each second."""

WORKING_LIMIT = seconds(15)
"""The same for those who may work on all of a farm in one turn, or fork, and keep no time.

On a machine that others kept busy, to read and compare a table of 40,000 servers has taken more than three seconds. Who
is killed for that leaves the same work to a successor, which is killed for it, too.
"""

WORKERS = frozenset({IPVS, API, RUNNER})

START_LIMIT = seconds(15)
"""From fork to Hello; it imports nothing that the supervisor did not import before."""

EXIT_LIMIT = seconds(1)
"""From the end of its pipe, or from Stopped, to its exit."""


class State(StrEnum):
    """Where a child is in its life."""

    STOPPED = "stopped"  # no process, none wanted
    STARTING = "starting"  # forked, has not said Hello
    PREPARING = "preparing"  # has been given a configuration, has not answered
    READY = "ready"  # can use it, waits for the others
    RUNNING = "running"
    ENDING = "ending"  # its pipe is closed or it was killed; it has not been reaped
    BACKOFF = "backoff"  # dead, will be started again when its delay is over
    STOPPING = "stopping"  # told to stop, or killed for it


class Cue(StrEnum):
    """What moves a child from one state to the next."""

    FORK = "fork"
    PREPARE = "prepare"
    PREPARED = "prepared"
    COMMIT = "commit"
    END = "end"
    STOP = "stop"
    EXIT = "exit"


TRANSITIONS: dict[tuple[State, Cue], State] = {
    (State.STOPPED, Cue.FORK): State.STARTING,
    (State.BACKOFF, Cue.FORK): State.STARTING,
    (State.STARTING, Cue.PREPARE): State.PREPARING,
    (State.PREPARING, Cue.PREPARE): State.PREPARING,
    (State.READY, Cue.PREPARE): State.PREPARING,
    (State.RUNNING, Cue.PREPARE): State.RUNNING,  # a reload: it goes on working while it reads
    (State.PREPARING, Cue.PREPARED): State.READY,
    (State.RUNNING, Cue.PREPARED): State.RUNNING,
    (State.READY, Cue.COMMIT): State.RUNNING,
    (State.RUNNING, Cue.COMMIT): State.RUNNING,
    (State.STARTING, Cue.END): State.ENDING,
    (State.PREPARING, Cue.END): State.ENDING,
    (State.READY, Cue.END): State.ENDING,
    (State.RUNNING, Cue.END): State.ENDING,
    (State.ENDING, Cue.END): State.ENDING,
    (State.STOPPING, Cue.END): State.STOPPING,
    (State.STARTING, Cue.STOP): State.STOPPING,
    (State.PREPARING, Cue.STOP): State.STOPPING,
    (State.READY, Cue.STOP): State.STOPPING,
    (State.RUNNING, Cue.STOP): State.STOPPING,
    (State.ENDING, Cue.STOP): State.STOPPING,
    (State.STOPPING, Cue.STOP): State.STOPPING,
    (State.BACKOFF, Cue.STOP): State.STOPPED,
    (State.STOPPED, Cue.STOP): State.STOPPED,
    (State.STARTING, Cue.EXIT): State.BACKOFF,
    (State.PREPARING, Cue.EXIT): State.BACKOFF,
    (State.READY, Cue.EXIT): State.BACKOFF,
    (State.RUNNING, Cue.EXIT): State.BACKOFF,
    (State.ENDING, Cue.EXIT): State.BACKOFF,
    (State.STOPPING, Cue.EXIT): State.STOPPED,
}

ALIVE = frozenset({State.STARTING, State.PREPARING, State.READY, State.RUNNING, State.ENDING, State.STOPPING})
"""States in which there is a process."""

LISTENING = frozenset({State.PREPARING, State.READY, State.RUNNING})
"""States in which a child is told what the others tell."""


RELEASING = "releasing"
"""What is told of a vrrp that runs only to release its addresses: it is not `running` for anybody."""

_NEVER = Instant(0)


@dataclass(slots=True, kw_only=True)
class Child:
    """One child: its state, and what belongs to the process that it is just now."""

    name: str
    since: Instant
    state: State = State.STOPPED
    pid: int = 0
    user: str = ""
    note: str = ""  # why its last process ended
    failure: str = ""  # what this process said of why it ends, or why it was killed
    start: Start = Start.FIRST
    restarts: int = 0
    backoff: Backoff = field(default_factory=Backoff)
    ever_ran: bool = False
    started_at: Instant = _NEVER
    heard_at: Instant = _NEVER
    asked: int = 0  # generation of the last Prepare; 0 = none
    answered: bool = True  # whether it was answered
    limit: Instant | None = None  # moment at which the process is killed unless it has moved on
    respawn_at: Instant | None = None
    said_hello: bool = False
    committed: bool = False  # whether this process was ever told to use a configuration
    restart_when_stopped: bool = False
    stops_at: Instant | None = None  # it is started only for what it has to tell, and is gone by then

    @property
    def role(self) -> str:
        """Its role: `checker` for `checker/acme-checks` and for `checker#2`."""
        return role_of(self.name)

    @property
    def foreign(self) -> bool:
        """Whether it runs what a third party wrote: what goes wrong in it is not to cost anybody else anything."""
        return "/" in self.name

    @property
    def alive(self) -> bool:
        """Whether there is a process."""
        return self.state in ALIVE

    @property
    def listening(self) -> bool:
        """Whether it is told what others tell."""
        return self.state in LISTENING

    @property
    def deadline(self) -> Instant | None:
        """When something has to be done about it: it is to be killed, or to be started."""
        if self.state is State.BACKOFF:
            return self.respawn_at
        if self.limit is not None:
            return self.limit
        if self.listening and self.answered and self.role != CONFIG:
            return after(self.heard_at, WORKING_LIMIT if self.role in WORKERS else HEARTBEAT_LIMIT)
        return None

    def enter(self, cue: Cue, now: Instant) -> None:
        """Move to the state that the table names.

        Raises:
            Bug: the table has no such move.
        """
        target = TRANSITIONS.get((self.state, cue))
        if target is None:
            raise Bug(f"{self.name}: {cue} makes no sense while it is {self.state}")
        if target is not self.state:
            self.since = now
        self.state = target

    def row(self) -> ChildState:
        """Return what api is told of it."""
        releasing = self.alive and self.committed and self.start is Start.RELEASE
        return ChildState(
            name=self.name,
            pid=self.pid,
            state=RELEASING if releasing else self.state,
            since=self.since,
            restarts=self.restarts,
            user=self.user,
            note=self.note,
        )

    def lived(self, now: Instant) -> Duration:
        """Return how long its process has existed."""
        return elapsed(self.started_at, now)
