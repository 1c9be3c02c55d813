"""What the supervisor's engine is told, and what it asks its shell to do."""

from dataclasses import dataclass
from enum import Enum

from stayalived.child.events import Report
from stayalived.config.problems import Problem
from stayalived.messages.codec import Frame
from stayalived.messages.control import Needs, Start

BlobId = int
"""Number of a configuration in a sealed memfd that the shell keeps until `DropBlob`."""


class Order(Enum):
    """What a signal asks for."""

    RELOAD = "SIGHUP"  # SG01
    STOP = "SIGTERM"  # SG02; SIGINT as well
    STATUS = "SIGUSR1"  # SG03: to the log here


@dataclass(frozen=True, slots=True, kw_only=True)
class Started:
    """The daemon begins. Given once, first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChildStarted:
    """A fork worked: the child has this process id."""

    name: str
    pid: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ForkFailed:
    """A fork did not work; there is no process."""

    name: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ChildExited:
    """A child was reaped; whatever it had still sent was handed in before. `signal` is 0 when it exited by itself."""

    name: str
    pid: int
    status: int
    signal: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameReceived:
    """A child sent a frame, and perhaps a sealed memfd with it."""

    name: str
    frame: Frame
    blob: BlobId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BadFrames:
    """A child sent datagrams that are no frames; they were dropped."""

    name: str
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class EndOfFile:
    """A child closed its pipe. Normally it is about to be reaped."""

    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SignalReceived:
    """A signal came to the supervisor."""

    order: Order


@dataclass(frozen=True, slots=True, kw_only=True)
class WishesRead:
    """Answer to `ReadWishes`: what the file holds, empty when there is none, or why it cannot be read."""

    data: bytes = b""
    problem: str = ""


Event = (
    Started
    | ChildStarted
    | ForkFailed
    | ChildExited
    | FrameReceived
    | BadFrames
    | EndOfFile
    | SignalReceived
    | WishesRead
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fork:
    """Start a child with a new pipe; answer `ChildStarted` or `ForkFailed`. `generation` is for the config child."""

    name: str
    start: Start
    generation: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Kill:
    """Send SIGKILL to a child."""

    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Send:
    """Send a frame to a child, with a configuration if `blob` is given. Never blocks."""

    name: str
    frame: Frame
    blob: BlobId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AllowKeys:
    """So many keys are configured: the bound of each child's outbox follows."""

    keys: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DropBlob:
    """This configuration is not needed any more."""

    blob: BlobId


@dataclass(frozen=True, slots=True, kw_only=True)
class ForgetSendTimes:
    """The addresses were released: nothing in the page of send times may be adopted any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TellSystemd:
    """Send this text to systemd's notification socket, when there is one (sd_notify(3))."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class UseNeeds:
    """This configuration is in force: what the shell has to know of it, for the children that it will fork."""

    needs: Needs


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadWishes:
    """Read what people wanted of real servers before the daemon stopped; answer `WishesRead`."""

    folder: str


@dataclass(frozen=True, slots=True, kw_only=True)
class KeepWishes:
    """Write what people want of real servers to where `ReadWishes` finds it."""

    data: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class ShowProblems:
    """The daemon cannot start: print these for whoever started it."""

    problems: tuple[Problem, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Exit:
    """Everything is over: end with this exit code (SG08)."""

    code: int


Effect = (
    Fork
    | Kill
    | Send
    | AllowKeys
    | DropBlob
    | ForgetSendTimes
    | TellSystemd
    | UseNeeds
    | ReadWishes
    | KeepWishes
    | ShowProblems
    | Report
    | Exit
)
