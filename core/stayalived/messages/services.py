"""What checker and ipvs tell of real and virtual servers: whole present values, never changes."""

from stayalived.messages.control import Message


class CheckState(Message, frozen=True):
    """Where one check of one subject stands. Key on the pipe: `SUBJECT#NUMBER`."""

    subject: str
    number: int
    check: str  # name for people
    up: bool | None  # None: UNKNOWN, no result yet
    weight: int  # delta that this check asks for
    reason: str  # step, what was seen, what was expected
    latency: int  # ns of the last probe
    since: int  # monotonic ns of the last change
    stale: bool


class AdoptedServer(Message, frozen=True):
    """ipvs found this real server in the kernel's table at start. Weight > 0: it is UP until a check fails."""

    subject: str
    weight: int


class FirstRound(Message, frozen=True):
    """Whether some server is still UNKNOWN. vrrp does not preempt while it is open (`start_hold`)."""

    open: bool


class ServerRow(Message, frozen=True):
    """One real server as ipvs treats it."""

    subject: str
    addresses: tuple[str, ...]
    state: str  # UNKNOWN, UP, DOWN
    reason: str
    weight: int  # in the kernel's table now; -1 = not in it
    configured_weight: int
    active: int
    inactive: int


class ServiceState(Message, frozen=True):
    """One virtual server: its quorum, who is in its pool."""

    name: str
    protocol: str
    addresses: tuple[str, ...]
    scheduler: str
    forward: str
    quorum: str  # undecided, up, down
    sorry: bool
    servers: tuple[ServerRow, ...]
    problem: str  # last refusal of the kernel, "" when the table is as wanted
