"""What a scheduler policy is made of. Import it from `stayalived.plugin`."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import msgspec

from stayalived.timing import Duration, Instant


class SchedulerOptions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Root of a policy's options: its fields are the keys that a user may write beside `type`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerView:
    """One real server as a policy sees it when it computes weights."""

    name: str
    weight: int  # configured, as commands, actions and checks have changed it
    up: bool
    up_since: Instant  # when it returned; long ago where it was up when the daemon started
    latency: Duration  # of the slowest of its checks, the last time; 0 = not measured
    active_connections: int
    given: int = 0  # the weight that this policy gave it last; 0 = none yet


class Scheduler(ABC):
    """One scheduler policy: names the kernel's scheduler and its flags, and may compute weights.

    A policy that computes weights overrides `weights` and sets `computes_weights`. It is asked when a server's state
    changes and every two seconds, in the process that changes the kernel's table, which runs bundled policies only: a
    configuration with another one is refused.
    """

    name: ClassVar[str]
    Options: ClassVar[type[SchedulerOptions]] = SchedulerOptions
    computes_weights: ClassVar[bool] = False
    is_default: ClassVar[bool] = False
    """Whether it is meant where a virtual server names no scheduler. Counts for the bundled ones only."""

    def __init__(self, options: SchedulerOptions) -> None:
        """Keep the validated options."""
        self.options = options

    @property
    @abstractmethod
    def kernel(self) -> str:
        """Name of the kernel's scheduler, as `ipvsadm -s` takes it."""

    def flags(self) -> tuple[str, ...]:
        """Return the scheduler's flags as `ipvsadm -b` takes them: `flag-1` to `flag-3`."""
        return ()

    def weights(self, servers: Sequence[ServerView], now: Instant) -> Mapping[str, int]:  # noqa: ARG002  (for those who override it)
        """Return the weight of each server by its name. Pure: the same views and moment give the same weights."""
        return {server.name: server.weight for server in servers}
