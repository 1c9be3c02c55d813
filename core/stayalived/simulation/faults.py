"""What may go wrong, and what a machine may be doing when it does: the names."""

from enum import StrEnum


class Fault(StrEnum):
    """What may go wrong."""

    LOSS = "loss"
    DUPLICATION = "duplication"
    DELAY = "delay"
    REORDERING = "reordering"
    CORRUPTION = "corruption"
    PARTITION = "partition"
    ONE_WAY = "one-way partition"
    NOISE = "hostile packets"
    REPLAY = "replayed adverts"
    LINK_FLAP = "link flap"
    LINK_DOWN = "interface set down"
    LINK_GONE = "interface removed"
    LINK_RENAMED = "interface renamed"
    UPLINK_FLAP = "tracked interface flaps"
    SABOTAGE = "somebody deletes an address"
    SABOTAGE_ROUTE = "somebody deletes a route or a rule"
    CHILD_KILLED = "child killed"
    HALFWAY = "child killed in the middle of its work"
    CHILD_HANGS = "child stands still"
    CRASH_LOOP = "vrrp killed again and again"
    CHECKER_DEAD = "checker killed again and again"
    SUPERVISOR_KILLED = "supervisor killed"
    RESTART = "daemon stopped and started"
    POWER_CUT = "power cut"
    FROZEN = "node frozen"
    OVERFLOW = "sockets overflow in a freeze"
    SUSPENDED = "node suspended"
    REFUSAL = "netlink refusal"
    DEAF = "sockets refused"
    MUTE = "adverts refused"
    NETLINK_OVERFLOW = "netlink overflow"
    FULL_PIPE = "full pipe"
    SERVER_STALLS = "server stalls"
    SERVER_FLAPS = "server flaps"
    SERVER_LIES = "server lies"
    CHECK_FAILS = "tracked check fails"
    CHECK_FLAPS = "tracked check flaps"
    CHECK_HANGS = "tracked check hangs"
    RELOAD = "reload"
    RELOAD_REFUSED = "reload refused"


class Impossible(Exception):
    """A fault has no effect where it was to happen: there is nothing to delete, nobody to kill."""


class Phase(StrEnum):
    """What a machine is doing when a fault hits it."""

    MASTER = "MASTER"
    BACKUP = "BACKUP"
    FAULT = "FAULT"
    PREPARE = "PREPARE"
    RESPAWN = "RESPAWN"


AIMS: tuple[tuple[Fault, Phase], ...] = tuple((fault, phase) for phase in Phase for fault in Fault)
"""Every pair that the coverage table of the gate counts."""
