"""The kernel's own schedulers (net/netfilter/ipvs/ip_vs_*.c, ipvsadm(8)), each under the name that the kernel gives it.

They compute no weights: the kernel chooses a server for each new connection by what it knows itself.
"""

from typing import Annotated, ClassVar, Literal

import msgspec

from stayalived.plugin import Scheduler, SchedulerOptions


class KernelOptions(SchedulerOptions, frozen=True):
    """What every scheduler of the kernel can be given."""

    flags: Annotated[
        tuple[Literal["flag-1", "flag-2", "flag-3"], ...],
        msgspec.Meta(description="Flags by number, as `ipvsadm -b` takes them; what they mean is the scheduler's."),
    ] = ()


class KernelScheduler(Scheduler):
    """A scheduler whose name here is its name in the kernel."""

    Options: ClassVar[type[SchedulerOptions]] = KernelOptions

    def flags(self) -> tuple[str, ...]:
        """Return the flags that are given by number, each once."""
        options = self.options
        return tuple(dict.fromkeys(options.flags)) if isinstance(options, KernelOptions) else ()

    @property
    def kernel(self) -> str:
        """Name of the kernel's scheduler."""
        return self.name


class RoundRobin(KernelScheduler):
    """The servers in turn, whatever their weight."""

    name = "rr"


class WeightedRoundRobin(KernelScheduler):
    """The servers in turn, as often as their weight says."""

    name = "wrr"


class LeastConnection(KernelScheduler):
    """The server with the fewest active connections."""

    name = "lc"


class WeightedLeastConnection(KernelScheduler):
    """The server with the fewest active connections for its weight."""

    name = "wlc"
    is_default = True  # LV06: keepalived's


class LocalityBasedLeastConnection(KernelScheduler):
    """One server for each destination address, until it is overloaded. For a set of caches."""

    name = "lblc"


class LocalityBasedLeastConnectionWithReplication(KernelScheduler):
    """A set of servers for each destination address, which grows when all of it are overloaded. For a set of caches."""

    name = "lblcr"


class DestinationHashing(KernelScheduler):
    """The server that a fixed table gives for the destination address."""

    name = "dh"


# include/uapi/linux/ip_vs.h: IP_VS_SVC_F_SCHED_SH_FALLBACK and IP_VS_SVC_F_SCHED_MH_FALLBACK are flag 1,
# IP_VS_SVC_F_SCHED_SH_PORT and IP_VS_SVC_F_SCHED_MH_PORT are flag 2.
_FALLBACK = "flag-1"
_PORT = "flag-2"


class HashingOptions(KernelOptions, frozen=True):
    """keepalived's `sh-port` and `sh-fallback`, `mh-port` and `mh-fallback`."""

    port: Annotated[bool, msgspec.Meta(description="The source port counts as well as the source address.")] = False
    fallback: Annotated[
        bool, msgspec.Meta(description="A client whose server is gone or has weight 0 gets another one.")
    ] = False


class SourceHashing(KernelScheduler):
    """The server that a fixed table gives for the source address."""

    name = "sh"
    Options: ClassVar[type[SchedulerOptions]] = HashingOptions

    def flags(self) -> tuple[str, ...]:
        """Return `flag-1` for the fallback and `flag-2` for the port, and those that are given by number."""
        options = self.options
        assert isinstance(options, HashingOptions)
        named = tuple(flag for flag, wanted in ((_FALLBACK, options.fallback), (_PORT, options.port)) if wanted)
        return tuple(dict.fromkeys((*named, *super().flags())))


class ShortestExpectedDelay(KernelScheduler):
    """The server where a connection has the least to wait for: (active connections + 1) / weight."""

    name = "sed"


class NeverQueue(KernelScheduler):
    """An idle server when there is one, whatever its weight; else the shortest expected delay."""

    name = "nq"


class MaglevHashing(SourceHashing):
    """As `sh`, with a table in which few clients change servers when one comes or goes. Linux 4.18."""

    name = "mh"


class WeightedFailover(KernelScheduler):
    """The server of the greatest weight alone, until it is gone or has weight 0. Linux 3.18."""

    name = "fo"


class WeightedOverflow(KernelScheduler):
    """The server of the greatest weight until it has as many active connections as that, then the next. Linux 4.3."""

    name = "ovf"


class PowerOfTwoChoice(KernelScheduler):
    """Of two servers drawn by weight, the one with the fewer connections for its weight. Linux 5.15."""

    name = "twos"
