"""The status document: what `stayalived status --json` prints and the control socket answers. Versioned, for machines.

`schema` counts the versions of this shape. Fields may be added under one number; one that goes or changes its meaning
raises it. Durations are seconds, moments are seconds since the epoch, weights and counters are whole numbers. What is
said of a field here is its line in `docs/status.md`.
"""

from typing import Annotated

import msgspec

SCHEMA = 1


def _says(text: str) -> msgspec.Meta:
    return msgspec.Meta(description=text)


Seconds = Annotated[float, _says("Since how many seconds it is in this state.")]


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """Root of the document's parts: JSON objects with all their keys, so that a reader need not know defaults."""


class Daemon(Row, frozen=True):
    """The daemon itself."""

    version: Annotated[str, _says("Version of the program.")]
    pid: Annotated[int, _says("Process id of the supervisor.")]
    phase: Annotated[str, _says("`starting`, `running`, `reloading` or `stopping`.")]
    generation: Annotated[int, _says("Number of the configuration in force; each accepted one counts.")]
    accepted_at: Annotated[float, _says("When the configuration in force was accepted, in seconds since the epoch.")]
    refused: Annotated[list[str], _says("What was wrong with the last configuration that was refused, line by line.")]
    run_dir: Annotated[str, _says("Folder of the pid file and the control socket.")]
    config_dir: Annotated[str, _says("Folder of the configuration.")]


class Child(Row, frozen=True):
    """One process."""

    name: Annotated[
        str,
        _says(
            "Its role: `vrrp`, `ipvs`, `checker`, …; with `/DISTRIBUTION` for plugins of others, "
            "with `#2`, … where several share the work of a role."
        ),
    ]
    pid: Annotated[int, _says("Its process id, 0 while there is none.")]
    state: Annotated[
        str,
        _says(
            "`starting`, `preparing`, `ready`, `running`, `ending`, `backoff` (waits to be started again), "
            "`stopping` or `stopped`."
        ),
    ]
    seconds: Seconds
    restarts: Annotated[int, _says("How often it was started again.")]
    user: Annotated[str, _says("User that it runs as.")]
    note: Annotated[str, _says("Why its last process ended; empty when none did.")]


class Router(Row, frozen=True):
    """One virtual router of an instance: one family."""

    key: Annotated[str, _says("The instance's name and the family: `tic/4`.")]
    family: Annotated[int, _says("4 or 6.")]
    state: Annotated[str, _says("`INIT`, `BACKUP`, `MASTER` or `FAULT`.")]
    virtual_router_id: Annotated[int, _says("As configured.")]
    interface: Annotated[str, _says("As configured.")]
    addresses: Annotated[list[str], _says("The virtual addresses of this family.")]
    advert_interval: Annotated[float, _says("Interval of adverts as configured, in seconds.")]
    master_interval: Annotated[float, _says("Interval in force, in seconds: version 3 learns it from the master.")]
    master: Annotated[str, _says("Address of the master that it follows; empty for one that it is to replace.")]
    excluded: Annotated[list[str], _says("Addresses that it holds and does not advertise.")]
    virtual_mac: Annotated[str, _says("Name of the macvlan with its virtual MAC; empty without one.")]
    held: Annotated[bool, _says("Whether the kernel of this machine has all that a master holds.")]
    adverts_sent: Annotated[int, _says("Counted since the daemon started, as are the others.")]
    adverts_received: Annotated[int, _says("All that came for it, with those that were dropped.")]
    became_master: Annotated[int, _says("How often.")]
    released_master: Annotated[int, _says("How often it stepped down.")]
    priority_zero_sent: Annotated[int, _says("Adverts that say: the master leaves.")]
    priority_zero_received: Annotated[int, _says("The same from others.")]
    trailers_received: Annotated[int, _says("Adverts with an `auth_hmac` trailer, which is not looked at yet.")]
    errors: Annotated[
        dict[str, int], _says("What was wrong with adverts, mostly those that were dropped; see operations.md.")
    ]


class Instance(Row, frozen=True):
    """One VRRP instance."""

    name: Annotated[str, _says("As configured.")]
    state: Annotated[str, _says("`INIT`, `BACKUP`, `MASTER` or `FAULT`.")]
    seconds: Seconds
    reason: Annotated[str, _says("Why it is in this state.")]
    priority: Annotated[int, _says("The priority in force.")]
    configured_priority: Annotated[int, _says("As configured, before what is tracked.")]
    group: Annotated[str, _says("The sync group that it belongs to; empty when it moves alone.")]
    faults: Annotated[list[str], _says("Every cause that keeps it in `FAULT`.")]
    routers: Annotated[list[Router], _says("One for each family of its addresses.")]


class Group(Row, frozen=True):
    """One sync group: its instances move together."""

    name: Annotated[str, _says("As configured.")]
    state: Annotated[str, _says("That of all its instances.")]
    seconds: Seconds
    reason: Annotated[str, _says("Why it is in this state.")]
    instances: Annotated[list[str], _says("Their names.")]


class Check(Row, frozen=True):
    """One check of a server or of a host."""

    subject: Annotated[str, _says("Whom it checks: `SERVICE/SERVER`; one that is tracked `track:NAME[@TARGET]`.")]
    number: Annotated[int, _says("Its place among the checks of its subject, from 0; else a number that tells apart.")]
    check: Annotated[str, _says("Its name, or its type.")]
    up: Annotated[bool | None, _says("Whether it passes; null until its first result.")]
    seconds: Seconds
    reason: Annotated[str, _says("The step, what was seen, what was expected.")]
    weight: Annotated[int, _says("What it adds to the server's weight; who tracks it may have a weight of his own.")]
    latency: Annotated[float, _says("How long the last probe took, in seconds.")]
    stale: Annotated[bool, _says("Whether its last result is too old to be relied on.")]
    value: Annotated[int | None, _says("The number that it measured; null for a check that measures none.")] = None


class Server(Row, frozen=True):
    """One real server."""

    name: Annotated[str, _says("`SERVICE/SERVER`.")]
    addresses: Annotated[list[str], _says("At most one for each family.")]
    state: Annotated[str, _says("`UNKNOWN`, `UP`, `DOWN`, or `DOWN (kept)` in a panic.")]
    reason: Annotated[str, _says("Why it is in this state.")]
    weight: Annotated[int, _says("Weight in the kernel's table, -1 when it is not there.")]
    configured_weight: Annotated[int, _says("As configured.")]
    active: Annotated[int, _says("Its active connections, as the kernel counts them.")]
    inactive: Annotated[int, _says("Its inactive connections, as the kernel counts them.")]
    connections_per_second: Annotated[int, _says("New connections, as the kernel estimates them.")]
    bytes_in_per_second: Annotated[int, _says("From clients to it, as the kernel estimates it.")]
    bytes_out_per_second: Annotated[int, _says("From it to clients; by DR and TUN the kernel sees none of it.")]
    checks: Annotated[list[Check], _says("All must pass.")]
    overrides: Annotated[
        list[str], _says("What keeps its weight from the configured one: `draining: command`, `set 5: command`, …")
    ] = []


class Service(Row, frozen=True):
    """One virtual server and its pool."""

    name: Annotated[str, _says("As configured.")]
    protocol: Annotated[str, _says("`tcp` or `udp`.")]
    addresses: Annotated[list[str], _says("With their ports, or `-f MARK`, as ipvsadm writes it.")]
    scheduler: Annotated[str, _says("Its name in the configuration.")]
    forward: Annotated[str, _says("`NAT`, `DR` or `TUN`; joined by `/` where servers differ.")]
    quorum: Annotated[str, _says("`up`, `down`, or `undecided` while servers wait for their first result.")]
    sorry: Annotated[bool, _says("Whether the sorry server is in the pool.")]
    problem: Annotated[str, _says("The kernel's last refusal; empty when its table is as wanted.")]
    servers: Annotated[list[Server], _says("The pool and those that are not in it.")]
    panic: Annotated[bool, _says("Whether servers that are down serve as well, for so few are live.")] = False
    suspended: Annotated[
        bool, _says("Whether its checks sleep (`ha_suspend`): none of its addresses is on this machine.")
    ] = False


class Strays(Row, frozen=True):
    """What came in by one interface and was for no virtual router of this daemon."""

    interface: Annotated[str, _says("Its name.")]
    errors: Annotated[dict[str, int], _says("Packets by what they are: `unknown_vrid_NUMBER`, `length`, …")]


class Notified(Row, frozen=True):
    """What came of the events for one type of action, or for the observers of one distribution."""

    name: Annotated[str, _says("Of the type of action; `observers` for observers.")]
    distribution: Annotated[str, _says("Who brought it.")]
    told: Annotated[int, _says("Events that were told, since its process started, as all that follows.")]
    failed: Annotated[int, _says("Events that could not be told.")]
    merged: Annotated[int, _says("Events that were merged into later ones because an action was behind.")]
    limited: Annotated[int, _says("Events that were merged into later ones because of `rate`.")]
    waiting: Annotated[int, _says("Events that wait for their turn.")]
    longest: Annotated[float, _says("Of observers: the longest call, in seconds.")]


class Document(Row, frozen=True):
    """Everything: the outermost object."""

    schema: Annotated[int, _says("Version of this shape.")]
    daemon: Annotated[Daemon | None, _says("Null in the first moments of a start.")]
    children: Annotated[list[Child], _says("The daemon's processes, by name.")]
    instances: Annotated[list[Instance], _says("The VRRP instances, by name.")]
    groups: Annotated[list[Group], _says("The sync groups, by name.")]
    strays: Annotated[list[Strays], _says("VRRP that was for nobody here, by interface.")]
    services: Annotated[list[Service], _says("The virtual servers, by name.")]
    tracked: Annotated[list[Check], _says("Checks that instances and groups track.")]
    first_round: Annotated[bool, _says("Whether a server still waits for its first result.")]
    notify: Annotated[list[Notified], _says("Actions and observers, by distribution and name.")] = []
