"""What can change of a pool, as values: for whoever tells it. Pure."""

from dataclasses import dataclass

from stayalived.config.model import RealServer
from stayalived.ipvs.health import Health, State
from stayalived.ipvs.levels import Adjustment
from stayalived.ipvs.quorum import Quorum
from stayalived.timing import Instant

LONG_AGO = Instant(-(2**62))
"""Since when a server is UP that was so when we came: before anything that a policy would wait for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """What the process before this one told of a real server."""

    health: Health
    been_up: bool
    up_since: Instant
    weight: int  # in the kernel's table


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerChange:
    """A real server's state changed; `tested` when a check had a result."""

    server: RealServer
    old: State
    new: Health
    tested: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class QuorumChange:
    """A virtual server's quorum was decided, gained or lost."""

    old: Quorum
    new: Quorum
    live: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PanicChange:
    """Servers that are down serve as well, or do no longer."""

    on: bool
    live: int
    total: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AdjustmentChange:
    """Something else is wanted of a real server; the weights are those that it has when it is UP."""

    server: RealServer
    old: Adjustment
    new: Adjustment
    old_weight: int
    new_weight: int
