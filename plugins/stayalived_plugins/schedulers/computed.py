"""Policies that compute weights, on top of a scheduler of the kernel that goes by them.

The kernel's weights are whole numbers, and configured ones are small, so the weights given here are configured ones
times `scale`: of a server of weight 1 there are a hundred steps.
"""

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import Annotated, ClassVar

import msgspec

from stayalived.plugin import Instant, Scheduler, SchedulerOptions, ServerView, elapsed, seconds

WEIGHTED = ("wrr", "wlc", "sed", "nq", "sh", "mh", "lblc", "lblcr", "ovf")
"""Schedulers of the kernel that go by weights (net/netfilter/ipvs/ip_vs_*.c)."""


class ComputedOptions(SchedulerOptions, frozen=True):
    """What may stand beside `type`, whatever the policy."""

    kernel: Annotated[str, msgspec.Meta(description="The kernel's scheduler, which goes by the weights.")] = "wrr"
    scale: Annotated[int, msgspec.Meta(ge=1, le=10_000, description="What configured weights are multiplied by.")] = 100

    def __post_init__(self) -> None:
        """Refuse a scheduler that does not look at weights."""
        if self.kernel not in WEIGHTED:
            raise ValueError(f"kernel {self.kernel!r} must be one that goes by weights: {', '.join(WEIGHTED)}")


class Computed(Scheduler):
    """A policy with a scheduler of the kernel below it."""

    computes_weights = True
    Options: ClassVar[type[SchedulerOptions]] = ComputedOptions

    @property
    def kernel(self) -> str:
        """Name of the kernel's scheduler."""
        return self._options.kernel

    @property
    def _options(self) -> ComputedOptions:
        assert isinstance(self.options, ComputedOptions)
        return self.options

    def weights(self, servers: Sequence[ServerView], now: Instant) -> Mapping[str, int]:
        """Return for each server its part of the configured weight, scaled; of one that has some, 1 at least."""
        shares = self.shares(servers, now)
        scale = self._options.scale
        return {one.name: max(round(one.weight * scale * shares[one.name]), min(one.weight, 1)) for one in servers}

    @abstractmethod
    def shares(self, servers: Sequence[ServerView], now: Instant) -> Mapping[str, float]:
        """Return for each server the part of its weight that it gets; 1 is all of it."""


class SlowStartOptions(ComputedOptions, frozen=True):
    """How a server begins."""

    time: Annotated[
        float, msgspec.Meta(ge=1, le=86_400, description="Seconds until a server that returned has its whole weight.")
    ] = 30


class SlowStart(Computed):
    """A server that returns gets its weight little by little, on top of `kernel`; not at the start of the daemon."""

    name = "slow_start"
    Options: ClassVar[type[SchedulerOptions]] = SlowStartOptions

    def shares(self, servers: Sequence[ServerView], now: Instant) -> Mapping[str, float]:
        """Return how far each server is on its way; all have the whole weight where nobody has arrived yet."""
        options = self.options
        assert isinstance(options, SlowStartOptions)
        way = seconds(options.time)
        return {one.name: min(elapsed(one.up_since, now) / way, 1.0) for one in servers}


class LeastLatencyOptions(ComputedOptions, frozen=True):
    """How weights follow latencies."""

    damping: Annotated[
        float, msgspec.Meta(gt=0, le=1, description="Part of the way to the new weight that is gone at a time.")
    ] = 0.2
    limit: Annotated[
        float,
        msgspec.Meta(ge=1, le=100, description="A weight becomes at most so many times more, or less."),
    ] = 4
    tolerance: Annotated[
        float, msgspec.Meta(ge=0, le=1, description="Part of a weight by which it may be wrong before it is changed.")
    ] = 0.1


class LeastLatency(Computed):
    """Who answers checks faster than the mean of the servers gets more, on top of `kernel`; damped."""

    name = "least_latency"
    Options: ClassVar[type[SchedulerOptions]] = LeastLatencyOptions

    def shares(self, servers: Sequence[ServerView], now: Instant) -> Mapping[str, float]:  # noqa: ARG002  (it knows no time)
        """Return for each server how its share moves towards what its latency deserves."""
        measured = [one.latency for one in servers if one.up and one.latency > 0]
        mean = sum(measured) / len(measured) if measured else 0.0
        return {one.name: self._share(one, mean) for one in servers}

    def _share(self, server: ServerView, mean: float) -> float:
        options = self.options
        assert isinstance(options, LeastLatencyOptions)
        whole = server.weight * options.scale
        if not server.up or not server.latency or not whole:
            return 1.0
        deserved = min(max(mean / server.latency, 1 / options.limit), options.limit)
        present = server.given / whole if server.given else 1.0
        if abs(deserved - present) <= options.tolerance * present:
            return present
        return present + (deserved - present) * options.damping
