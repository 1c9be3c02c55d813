"""All kinds of events (pure): of whom each is, what it means, who is told it, what ends it. The only list.

`docs/events.md` is written from it, the configuration takes from it what may stand at `on`.
"""

from dataclasses import dataclass

VERSION = 1
"""Of the list and of an event's fields. New ones leave it; one that goes or changes its meaning raises it."""

INSTANCE, GROUP = "instance", "group"
VIRTUAL_SERVER, REAL_SERVER = "virtual_server", "real_server"
CHILD, PLUGIN, DAEMON = "child", "plugin", "daemon"

SUBJECT_TYPES = {
    INSTANCE: "a VRRP instance; one of both families is one subject",
    GROUP: "a sync group, besides its instances",
    VIRTUAL_SERVER: "a virtual server, `NAME`",
    REAL_SERVER: "a real server, `VIRTUAL_SERVER/NAME`",
    CHILD: "a process of the daemon",
    PLUGIN: "a distribution that brings plugins",
    DAEMON: "the daemon, `stayalived`",
}
"""What an event may be about, for people."""


@dataclass(frozen=True, slots=True)
class EventKind:
    """One kind of event of one type of subject.

    Attributes:
        name: as it stands at `on`.
        subject_type: of whom it is.
        meaning: for people.
        ended_by: the kinds that are its opposite: what an action holds because of it is withdrawn at one of these.
        by_name: only actions that name it at `on` are told it; without `on` an action gets the others.
    """

    name: str
    subject_type: str
    meaning: str
    ended_by: tuple[str, ...] = ()
    by_name: bool = False


KINDS = (
    EventKind("master", INSTANCE, "it became MASTER", ("backup", "fault", "stop", "deleted")),
    EventKind("backup", INSTANCE, "it became BACKUP", ("master", "fault", "stop", "deleted")),
    EventKind("fault", INSTANCE, "it cannot work: `reason` says why", ("master", "backup", "stop", "deleted")),
    EventKind("stop", INSTANCE, "the daemon stops", ("master", "backup", "fault")),
    EventKind("deleted", INSTANCE, "a reload took it out of the configuration"),
    EventKind("lower_priority", INSTANCE, "as MASTER it heard an advert of lower priority (N04)", by_name=True),
    EventKind("priority", INSTANCE, "its effective priority changed: `priority` is the new one (N16)", by_name=True),
    EventKind("master", GROUP, "all of it became MASTER", ("backup", "fault", "stop", "deleted")),
    EventKind("backup", GROUP, "all of it became BACKUP", ("master", "fault", "stop", "deleted")),
    EventKind("fault", GROUP, "something keeps it from working", ("master", "backup", "stop", "deleted")),
    EventKind("stop", GROUP, "the daemon stops", ("master", "backup", "fault")),
    EventKind("deleted", GROUP, "a reload took it out of the configuration"),
    EventKind("up", REAL_SERVER, "its checks passed: it is in the pool", ("down",)),
    EventKind("down", REAL_SERVER, "a check failed: it is out of the pool, or has weight 0", ("up",)),
    EventKind("weight", REAL_SERVER, "its weight changed: `old` and `new` are weights", by_name=True),
    EventKind("drain", REAL_SERVER, "it gets no new connection any more", ("undrain",)),
    EventKind("drained", REAL_SERVER, "the last of its connections is gone, or the time is over", ("undrain",)),
    EventKind("undrain", REAL_SERVER, "it is no longer drained", ("drain",)),
    EventKind("stale", REAL_SERVER, "no check of it has had a result for long", ("up", "down"), by_name=True),
    EventKind("quorum_up", VIRTUAL_SERVER, "enough of its servers live", ("quorum_down",)),
    EventKind("quorum_down", VIRTUAL_SERVER, "too few of its servers live", ("quorum_up",)),
    EventKind("sorry_on", VIRTUAL_SERVER, "the sorry server serves", ("sorry_off",)),
    EventKind("sorry_off", VIRTUAL_SERVER, "the sorry server serves no longer", ("sorry_on",)),
    EventKind("panic_on", VIRTUAL_SERVER, "so few servers live that the dead ones stay in the pool", ("panic_off",)),
    EventKind("panic_off", VIRTUAL_SERVER, "enough servers live again: the dead ones are out", ("panic_on",)),
    EventKind("child_died", CHILD, "a process of the daemon ended; it is started again", ("child_started",)),
    EventKind("child_started", CHILD, "a process of the daemon runs", ("child_died",)),
    EventKind("stalled", CHILD, "a process stood still, or the machine did: `reason` says for how long"),
    EventKind("plugin_failed", PLUGIN, "a plugin raised, hung or could not be loaded"),
    EventKind("reloaded", DAEMON, "another configuration is in force", ("reload_refused",)),
    EventKind("reload_refused", DAEMON, "a configuration was refused; nothing changed", ("reloaded",)),
)


def kinds_of(subject_type: str) -> tuple[str, ...]:
    """Return the kinds of events that a type of subject has: what may stand at its `on`."""
    return tuple(kind.name for kind in KINDS if kind.subject_type == subject_type)


ALL_KINDS = tuple(dict.fromkeys(kind.name for kind in KINDS))
"""What may stand at `on` of `[global]`."""

BY_NAME = frozenset(kind.name for kind in KINDS if kind.by_name)
"""What no action is told that does not name it."""


def opposites(on: tuple[str, ...]) -> tuple[str, ...]:
    """Return the kinds of events that end what one of these began."""
    ending = (end for kind in KINDS if kind.name in on for end in kind.ended_by)
    return tuple(dict.fromkeys(name for name in ending if name not in on))
