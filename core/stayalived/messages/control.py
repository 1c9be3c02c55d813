"""What the supervisor and a child say to each other, and what the command line asks for.

These, and the receipts of `messages.notify`, are the only bodies that the supervisor decodes. Everything else crosses
it as a frame.
"""

from enum import StrEnum

import msgspec

from stayalived.config.problems import Problem
from stayalived.messages.census import Census


class Start(StrEnum):
    """Why a child is given a configuration: it decides what the child may adopt (`rules.md`, Signals, death, start)."""

    FIRST = "first"  # the daemon starts: vrrp adopts nothing, ipvs adopts what is in the kernel
    RESPAWNED = "respawned"  # this child died and was replaced: adopt while it is fresh
    RELEASE = "release"  # vrrp keeps dying: adopt, priority 0, remove everything, exit
    RELOAD = "reload"  # the child is running: change only what differs


class Message(msgspec.Struct, frozen=True, array_like=True, kw_only=True, omit_defaults=False):
    """Root of every body: an array on the wire, so that new fields go to the end."""


class Hello(Message, frozen=True):
    """A child is up, has dropped its rights and waits for its configuration."""

    pid: int
    user: str = ""


class Alive(Message, frozen=True):
    """A child's loop turns. Sent each second; who is silent for longer than `HEARTBEAT_LIMIT` allows is killed."""


class Prepare(Message, frozen=True):
    """Read the configuration of the descriptor that comes along, say whether you can use it, change nothing."""

    generation: int


class Prepared(Message, frozen=True):
    """The child can use it. With problems, all of them warnings, for the report."""

    generation: int
    warnings: tuple[Problem, ...] = ()


class Refused(Message, frozen=True):
    """The child cannot use it; nothing changes anywhere."""

    generation: int
    problems: tuple[Problem, ...]


class Commit(Message, frozen=True):
    """Use it now. Nothing may be refused any more."""

    generation: int
    start: Start


class Abort(Message, frozen=True):
    """Somebody refused: forget what was prepared."""

    generation: int


class Stop(Message, frozen=True):
    """End in order. `leave` keeps the kernel's IPVS table; addresses are released always."""

    leave: bool


class Stopped(Message, frozen=True):
    """Everything is released; the child exits after this."""


class Failed(Message, frozen=True):
    """The child cannot do its job (SG08), for instance for want of a right. The text says what is missing."""

    code: int
    text: str


class Needs(Message, frozen=True):
    """What the supervisor has to know of a configuration that it does not read."""

    children: tuple[str, ...]  # names: "vrrp", "checker", "checker/acme-checks", …
    child_wait_time: int  # ns
    log: str
    log_facility: str
    log_level: str
    objects: int
    shortest_master_down: int  # ns; 0 without instances
    realtime: bool
    start_only: tuple[str, ...]  # `key=value` of what cannot change without a restart (P28)
    removable: tuple[Census, ...]  # instances and virtual servers, for the limit on removals
    plugins: tuple[str, ...]  # `NAME VERSION` of the plugin distributions in use
    checker_capabilities: tuple[str, ...] = ()  # what the bundled checks need beyond none: NET_RAW, NET_BIND_SERVICE
    state_dir: str = ""  # folder of what outlives the daemon; "" = nothing does
    fifos: tuple[str, ...] = ()  # that actions write into


class Parsed(Message, frozen=True):
    """The config child is done. With errors among the problems there is no descriptor and no `needs`.

    Nor is there where the files mean what is in force already: `unchanged`.
    """

    generation: int
    problems: tuple[Problem, ...]
    needs: Needs | None
    unchanged: bool = False


class Request(Message, frozen=True):
    """The command line asks, through api. Verbs: `reload`, `stop`, `drain`, `undrain`, `weight`."""

    identifier: int
    verb: str
    force: bool = False
    leave: bool = False
    server: str = ""  # `service42/tic`; api knows the names
    weight: int | None = None  # of `weight`; None = as configured again
    duration: int = 0  # ns, how long a drain waits for connections, or how long a weight holds; 0 = for ever


class Reply(Message, frozen=True):
    """Answer to a `Request`; for a reload it comes when all children have committed, or one refused."""

    identifier: int
    accepted: bool
    text: str
    problems: tuple[Problem, ...] = ()
    generation: int = 0


class ChildState(Message, frozen=True):
    """How one child is; the supervisor tells api. State is a name of `supervisor.lifecycle.State`, or `releasing`."""

    name: str
    pid: int
    state: str
    since: int  # monotonic ns
    restarts: int
    user: str
    note: str


class DaemonState(Message, frozen=True):
    """How the daemon is: phase, generation in force, when it was accepted, and the last refusal."""

    phase: str  # starting, running, reloading, stopping
    generation: int
    accepted_at: int  # wall clock, ns
    refused: tuple[Problem, ...]
    run_dir: str
    config_dir: str
