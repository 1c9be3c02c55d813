"""The status document: what `stayalived status --json` prints and the control socket answers. Versioned, for machines.

`schema` counts the versions of this shape. Fields may be added under one number; one that goes or changes its meaning
raises it. Durations are seconds, moments are seconds since the epoch, weights and counters are whole numbers.
"""

import msgspec

SCHEMA = 1


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """Root of the document's parts: JSON objects with all their keys, so that a reader need not know defaults."""


class Daemon(Row, frozen=True):
    """The daemon itself. `accepted_at` is when the configuration in force was accepted; `refused` the last refusal."""

    version: str
    pid: int
    phase: str
    generation: int
    accepted_at: float
    refused: list[str]
    run_dir: str
    config_dir: str


class Child(Row, frozen=True):
    """One process. `note` says what is special about it, such as a right that it keeps."""

    name: str
    pid: int
    state: str
    seconds: float
    restarts: int
    user: str
    note: str


class Router(Row, frozen=True):
    """One virtual router of an instance: one family. `master` is empty when it is this machine, or nobody."""

    key: str
    family: int
    state: str
    virtual_router_id: int
    interface: str
    addresses: list[str]
    advert_interval: float
    master_interval: float
    master: str
    held: bool
    adverts_sent: int
    adverts_received: int
    became_master: int
    released_master: int
    priority_zero_sent: int
    priority_zero_received: int
    errors: dict[str, int]


class Instance(Row, frozen=True):
    """One VRRP instance: its state, since how many seconds, why, and its effective priority."""

    name: str
    state: str
    seconds: float
    reason: str
    priority: int
    routers: list[Router]


class Check(Row, frozen=True):
    """One check of a server or of a host. `up` is null until its first result."""

    subject: str
    number: int
    check: str
    up: bool | None
    seconds: float
    reason: str
    weight: int
    latency: float
    stale: bool


class Server(Row, frozen=True):
    """One real server. `weight` is the kernel's, -1 when it is not in the table."""

    name: str
    addresses: list[str]
    state: str
    reason: str
    weight: int
    configured_weight: int
    active: int
    inactive: int
    checks: list[Check]


class Service(Row, frozen=True):
    """One virtual server and its pool. `problem` is the kernel's last refusal, empty when the table is as wanted."""

    name: str
    protocol: str
    addresses: list[str]
    scheduler: str
    forward: str
    quorum: str
    sorry: bool
    problem: str
    servers: list[Server]


class Document(Row, frozen=True):
    """Everything. `tracked` are the checks of hosts; `first_round`: a server still waits for its first result."""

    schema: int
    daemon: Daemon | None
    children: list[Child]
    instances: list[Instance]
    services: list[Service]
    tracked: list[Check]
    first_round: bool
