"""The kernel's connection sync daemons (LV37): which should run, and the way there. Pure.

A master tells connections over multicast, a backup listens and keeps them: net/netfilter/ipvs/ip_vs_sync.c.
"""

from collections.abc import Collection
from dataclasses import dataclass
from enum import IntEnum

from stayalived.config.directors import SyncDaemon

MASTER_STATE = "MASTER"  # of an instance


class Role(IntEnum):
    """What a daemon does; the value is the kernel's IP_VS_STATE_*."""

    MASTER = 1
    BACKUP = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Daemon:
    """One daemon. There is at most one of each role in a network namespace.

    Attributes:
        maxlen: as asked for, 0 = what the MTU allows. The kernel shows what became of it, so it is not compared.
    """

    role: Role
    interface: str
    sync_id: int
    group: str
    port: int
    ttl: int
    maxlen: int = 0

    def like(self, other: "Daemon") -> bool:
        """Tell whether the kernel would show another one in the same way."""
        return _shown(self) == _shown(other)


def daemons_of(wanted: SyncDaemon | None, state: str | None) -> frozenset[Daemon] | None:
    """Return the daemons that should run.

    Args:
        wanted: what is configured.
        state: of its instance; None while it is not known.

    Returns:
        None when it cannot be said yet: then what runs goes on.
    """
    if wanted is None:
        return frozenset()
    if wanted.instance and state is None:
        return None
    roles = (Role.MASTER if state == MASTER_STATE else Role.BACKUP,) if wanted.instance else tuple(Role)
    return frozenset(
        Daemon(
            role=role,
            interface=wanted.interface,
            sync_id=wanted.sync_id,
            group=wanted.group,
            port=wanted.port,
            ttl=wanted.ttl,
            maxlen=wanted.maxlen,
        )
        for role in roles
    )


def steps(actual: Collection[Daemon], wanted: Collection[Daemon]) -> tuple[list[Role], list[Daemon]]:
    """Return the roles whose daemons have to be stopped, and then the daemons that have to be started."""
    stopped = [one.role for one in actual if not any(one.like(other) for other in wanted)]
    started = [one for one in wanted if not any(one.like(other) for other in actual)]
    return sorted(stopped), sorted(started, key=lambda one: one.role)


def _shown(daemon: Daemon) -> tuple[object, ...]:
    return daemon.role, daemon.interface, daemon.sync_id, daemon.group, daemon.port, daemon.ttl
