"""What checker and ipvs tell of real and virtual servers: whole present values, never changes."""

from stayalived.messages.control import Message

BIGGEST_WEIGHT = 2**31 - 1  # a signed int in the kernel


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
    value: int | None = None  # what was measured; `up` and `weight` are what the check's own weight makes of it


class TrackState(CheckState, frozen=True):
    """The same of a check that instances track: a topic of its own, for vrrp wants none of the servers' thousands.

    `up` is the check's own verdict, after `rise` and `fall`. Weight, `reverse` and `init_fail` are the tracker's, and
    where there is a `value` whoever tracks multiplies it himself. Key on the pipe: `Tracker.check`.
    """


def state_type(subject: str) -> type[CheckState]:
    """Return what carries the state of a subject's checks: a server's name has a slash, a tracked check's has none.

    A key on the pipe will do for the subject.
    """
    return CheckState if "/" in subject else TrackState


class AdoptedServer(Message, frozen=True):
    """ipvs found this real server in the kernel's table at start. Weight > 0: it is UP until a check fails."""

    subject: str
    weight: int


class AddressPresent(Message, frozen=True):
    """Whether some address of a virtual server is on this machine: its checks sleep while none is (`ha_suspend`).

    Told of virtual servers that ask for it, no others. Key on the pipe: the virtual server's name.
    """

    service: str
    present: bool


class FoundTimeouts(Message, frozen=True):
    """The kernel's timeouts of connections as ipvs found them, in seconds: for whoever replaces it, to restore them."""

    tcp: int
    tcpfin: int
    udp: int


class FirstRound(Message, frozen=True):
    """Whether some server is still UNKNOWN. vrrp does not preempt while it is open (`start_hold`)."""

    open: bool


class Override(Message, frozen=True):
    """Somebody wants another weight for a real server, or wants it drained: a level, that holds until it is withdrawn.

    Key on the pipe: `SERVER SOURCE`. Order of application: configured, set, factor, add, what checks add; clamped.
    """

    server: str  # `service42/tic`
    source: str  # `command`, or the action that asks: `instance tic weight#0`
    mode: str  # set, factor, add, drain
    value: float  # weight, factor or delta; of a drain 0
    until: int = 0  # wall clock, ns, when it ends by itself; 0: when it is withdrawn
    deadline: int = 0  # of a drain: wall clock, ns, when the server is taken out whatever connections it has; 0: never
    reason: str = ""  # for people: `down of service42/tac`


class ServerRow(Message, frozen=True, gc=False):
    """One real server as ipvs treats it."""

    subject: str
    addresses: tuple[str, ...]
    state: str  # UNKNOWN, UP, DOWN, or `DOWN (kept)` in a panic
    reason: str
    weight: int  # in the kernel's table now; -1 = not in it
    configured_weight: int
    active: int
    inactive: int
    overrides: tuple[str, ...] = ()  # what keeps its weight from the configured one: `drained: command`, …
    been_up: bool = False  # at some time since the daemon started: a panic may keep it
    new: int = 0  # connections in a second, as the kernel estimates it
    bytes_in: int = 0  # in a second
    bytes_out: int = 0  # in a second
    up_since: int = 0  # monotonic ns, when it returned; 0 = it was up when the daemon started, or is not up


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
    panic: bool = False  # so few servers are live that those which are down serve, too
