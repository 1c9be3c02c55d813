"""The configuration as every process sees it: resolved, complete, without anything left to look up.

The config child makes it from the TOML files: names are resolved, defaults and inheritance applied, plugin options
validated. It is encoded once (MessagePack, `encode`) and travels as a sealed memfd, see `docs/architecture.md`.
Nothing beyond this line knows TOML. A default here is what holds where nobody asked for anything else. What there are
tens of thousands of is an array on the way, without names (2 MB in place of 7 of 37,205 servers), so new fields go to
the end; and it is no matter of the garbage collector, for it holds nothing that could lead back to it.
"""

import msgspec

from stayalived.addresses import Endpoint, Family
from stayalived.config.directors import SyncDaemon
from stayalived.config.origin import Origin
from stayalived.config.virtual_routers import SyncGroup, VrrpInstance
from stayalived.timing import NO_TIME, Duration


class Timeouts(msgspec.Struct, frozen=True, kw_only=True):
    """How long the kernel's IPVS keeps idle connections, in seconds; 0 stands for what it is now."""

    tcp: int = 0
    tcpfin: int = 0  # after a FIN was seen
    udp: int = 0

    def __str__(self) -> str:
        """Return the command that sets them."""
        return f"ipvsadm --set {self.tcp} {self.tcpfin} {self.udp}"


class Globals(msgspec.Struct, frozen=True, kw_only=True):
    """What `[global]` says."""

    router_id: str
    host_id: str
    child_wait_time: Duration
    script_user: str
    start_hold: Duration
    start_rate: int
    dynamic_interfaces: bool
    realtime: bool
    flush: bool
    log: str  # "stderr", "syslog", "journald" or "file:PATH"
    log_facility: str
    log_level: str
    vrrp_startup_delay: Duration = Duration(0)  # VG17
    vrrp_delay_after_boot: Duration = Duration(0)
    vrrp_priority: int = 0  # nice value of the vrrp process (P11)
    vrrp_rt_priority: int = 1  # of SCHED_RR, where `realtime` (P12)
    vrrp_cpu_affinity: tuple[int, ...] = ()  # processors of the vrrp process; empty: all (P15)
    vrrp_no_swap: bool = False  # its memory is locked, as it is under `realtime` (P14)
    nftables: str = "stayalived"  # name of the table of `accept = false` (VG20)
    nftables_priority: int = -1
    sync_daemon: SyncDaemon | None = None  # LV37
    peer_directors: tuple[bytes, ...] = ()  # MAC addresses
    peer_addresses: tuple[str, ...] = ()  # IP addresses: their MAC addresses are looked up
    peer_mark: int = 0  # of what they have balanced already (LV51)
    lvs_timeouts: Timeouts = Timeouts()
    checker_processes: int = 1  # that share the bundled checks
    state_dir: str = "/var/lib/stayalived"
    rs_init_notifies: bool = False  # N18


GLOBAL = "global"
"""The subject of the actions that stand at `[global]`: they are told of everything."""


class Condition(msgspec.Struct, frozen=True, kw_only=True):
    """What beside its kind an event must be like: one of each that is not empty. Subjects and reasons are globs."""

    subjects: tuple[str, ...]
    states: tuple[str, ...]  # lower case
    reasons: tuple[str, ...]


class Action(msgspec.Struct, frozen=True, kw_only=True):
    """One notify action of one object: which plugin runs it, when, with which options."""

    subject: str  # `instance NAME`, `virtual_server NAME`, `real_server VS/RS`, `group NAME` or `global`
    type: str
    distribution: str
    on: tuple[str, ...]  # kinds of events, lower case; empty = all of the subject that need no name
    options: bytes  # the plugin's Options as MessagePack
    only_if: Condition | None = None
    rate_events: int = 0  # told at most in `rate_period`; 0 = any number
    rate_period: Duration = NO_TIME
    overlap: str = "queue"  # or "latest", "kill"
    in_turn: bool = False  # one lane for all actions of this type and one subject
    ends: tuple[str, ...] = ()  # kinds of events that end what the action holds


class Timing(msgspec.Struct, frozen=True, kw_only=True, array_like=True, gc=False):
    """When and how often a subscriber wants its check done, and what it makes of the results."""

    delay_loop: Duration
    connect_timeout: Duration
    retry: int
    delay_before_retry: Duration
    warmup: Duration
    rise: int
    fall: int
    alpha: bool
    weight: int
    reverse: bool
    limit: Duration = NO_TIME  # of a whole probe; 0: three times `connect_timeout`
    fast_interval: Duration = NO_TIME  # in place of delay_loop while the state is changing; 0: delay_loop
    log_all_failures: bool = False
    from_start: bool = False  # delay_loop counts from the start of a probe, else from its end


class Source(msgspec.Struct, frozen=True, kw_only=True, array_like=True, gc=False):
    """Where a check's packets come from: part of a probe's identity."""

    bindto: str
    bind_port: int
    bind_if: str
    fwmark: int


class Check(msgspec.Struct, frozen=True, kw_only=True, array_like=True, gc=False):
    """One check of one subject. Checks of equal identity are one probe."""

    subject: str  # `service42/tic`; of a tracked check `track:NAME` or `track:NAME@TARGET`
    number: int  # position among the subject's checks; see `resolve_track` for tracked ones
    name: str  # of the named check it came from; else its type
    type: str
    distribution: str
    options: bytes  # the plugin's Options as MessagePack
    target: Endpoint  # `NOWHERE` where it looks at this machine
    virtual_host: str
    source: Source
    timing: Timing
    server_weight: int = 0  # as configured, of the server that it is for

    @property
    def key(self) -> str:
        """Name of this check in messages: `service42/tic#0`."""
        return f"{self.subject}#{self.number}"


class Forwarding(msgspec.Struct, frozen=True, kw_only=True, array_like=True, gc=False):
    """How the kernel forwards to a real server."""

    method: str  # NAT, DR, TUN
    tunnel: str  # ipip, gue, gre; empty unless TUN
    port: int
    checksum: str  # "", "csum", "remcsum"


class RealServer(msgspec.Struct, frozen=True, kw_only=True, array_like=True, gc=False):
    """One server of a virtual server; its addresses are one for each family that the service has."""

    name: str
    addresses: tuple[Endpoint, ...]  # at most one for each family
    weight: int
    forward: Forwarding
    upper_threshold: int
    lower_threshold: int
    inhibit_on_failure: bool
    checks: tuple[Check, ...]

    def endpoint(self, family: Family) -> Endpoint | None:
        """Return the server's address of a family, or None when it has none."""
        return next((address for address in self.addresses if address.family is family), None)


class PoolManners(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """What a virtual server does in rare moments: when too much is down, when nobody answers, when it stops."""

    panic_threshold: int = 0  # per cent of its weight; with less live, those that are down serve as well; 0 = off
    omega: bool = False  # its end is told as if all of it went down (LV18)
    sorry_inhibit: bool = False  # the sorry server stays at weight 0 when it is needed no more (LV24)
    stale_is_down: bool = False  # a verdict that is too old counts as down
    ha_suspend: bool = False  # its checks sleep while none of its addresses is on this machine (LV26)


class VirtualServer(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """A service that the kernel balances: one IPVS service for each of its addresses and protocols."""

    name: str
    protocols: tuple[str, ...]  # tcp, udp, sctp; of a mark none
    addresses: tuple[Endpoint, ...]
    fwmarks: tuple[int, ...]  # empty = by address
    fwmark_families: tuple[Family, ...]
    scheduler: str  # the kernel's name
    scheduler_flags: tuple[str, ...]  # "flag-1", "flag-2", "flag-3" as ipvsadm calls them
    policy: str  # the scheduler plugin's own name
    policy_distribution: str
    policy_options: bytes
    computes_weights: bool
    persistence_timeout: Duration
    persistence_granularity: int  # prefix length
    one_packet: bool
    alpha: bool
    quorum: int
    hysteresis: int
    sorry_servers: tuple[Endpoint, ...]  # at most one for each family
    sorry_forward: Forwarding
    real_servers: tuple[RealServer, ...]
    persistence_engine: str = ""  # "sip"; empty: clients are told apart by their addresses
    follow: str = ""  # instance: in the table of its MASTER only
    manners: PoolManners = PoolManners()


class Distribution(msgspec.Struct, frozen=True, order=True):
    """A plugin distribution that this configuration uses, and in which roles."""

    name: str
    version: str
    roles: tuple[str, ...]  # of "checker", "notify"


class Configuration(msgspec.Struct, frozen=True, kw_only=True):
    """Everything. `BUNDLED` names the distribution whose plugins run in the plain `checker` and `notify`."""

    globals: Globals
    instances: tuple[VrrpInstance, ...]
    virtual_servers: tuple[VirtualServer, ...]
    tracked_checks: tuple[Check, ...]
    actions: tuple[Action, ...]
    distributions: tuple[Distribution, ...]
    sync_groups: tuple[SyncGroup, ...] = ()
    origin: Origin | None = None  # for whoever reads the files the next time


BUNDLED = "stayalived"

_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Configuration)


class _Head(msgspec.Struct, frozen=True):
    globals: Globals


class _Tail(msgspec.Struct, frozen=True):
    origin: Origin | None = None


_tail_decoder = msgspec.msgpack.Decoder(_Tail)
_head_decoder = msgspec.msgpack.Decoder(_Head)


def encode(configuration: Configuration) -> bytes:
    """Return the configuration as the bytes that travel in a memfd."""
    return _encoder.encode(configuration)


def decode(data: bytes) -> Configuration:
    """Return the configuration that `encode` was given.

    Raises:
        msgspec.ValidationError: the bytes are no configuration: a bug of ours.
    """
    return _decoder.decode(data)


def decode_origin(data: bytes) -> Origin | None:
    """Return where the configuration that `encode` was given came from, without the rest of it.

    Raises:
        msgspec.ValidationError: the bytes are no configuration: a bug of ours.
    """
    return _tail_decoder.decode(data).origin


def decode_globals(data: bytes) -> Configuration:
    """Return the configuration that `encode` was given with nothing in it but `[global]`, for who needs no more.

    Of tens of thousands of servers that saves tens of megabytes.

    Raises:
        msgspec.ValidationError: the bytes are no configuration: a bug of ours.
    """
    head = _head_decoder.decode(data)
    return Configuration(
        globals=head.globals, instances=(), virtual_servers=(), tracked_checks=(), actions=(), distributions=()
    )
