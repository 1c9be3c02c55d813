"""The bundled schedulers and the hook that registers them."""

from collections.abc import Iterable

from stayalived.plugin import Scheduler, hookimpl
from stayalived_plugins.schedulers import computed, kernel

SCHEDULERS: tuple[type[Scheduler], ...] = (
    kernel.RoundRobin,
    kernel.WeightedRoundRobin,
    kernel.LeastConnection,
    kernel.WeightedLeastConnection,
    kernel.LocalityBasedLeastConnection,
    kernel.LocalityBasedLeastConnectionWithReplication,
    kernel.DestinationHashing,
    kernel.SourceHashing,
    kernel.ShortestExpectedDelay,
    kernel.NeverQueue,
    kernel.MaglevHashing,
    kernel.WeightedFailover,
    kernel.WeightedOverflow,
    kernel.PowerOfTwoChoice,
    computed.SlowStart,
    computed.LeastLatency,
)


@hookimpl
def stayalived_schedulers() -> Iterable[type[Scheduler]]:
    """Return the bundled schedulers."""
    return SCHEDULERS
