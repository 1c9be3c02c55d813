"""Schedulers that compute weights: who runs them, and what they are shown. Pure but for the factory that it is given.

Only policies that come with stayalived run here: ipvs has rights over the kernel's table, and no stranger's code.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence

from stayalived.config.model import VirtualServer
from stayalived.ipvs.pool import Checks, Connected, Pool
from stayalived.ipvs.views import views_of
from stayalived.plugin.schedulers import Scheduler, ServerView
from stayalived.timing import Instant, after, seconds

REWEIGH_INTERVAL = seconds(2)
"""How often a policy is asked when nothing happens: connections are counted as often."""

Factory = Callable[[str, bytes], Scheduler]
"""Makes a policy by its name and its options, as they stand in the configuration."""


class Policies:
    """The policies in use; each is made once for its options.

    Attributes:
        connections: what the kernel counted last.
        deadline: when they are to be asked again; None: there is none.
    """

    def __init__(self, factory: Factory | None = None) -> None:
        """Start with none made; without a factory nobody computes weights."""
        self._factory = factory
        self._made: dict[tuple[str, bytes], Scheduler] = {}
        self.connections: Connected = {}
        self.deadline: Instant | None = None

    def plan(self, pools: Iterable[Pool], now: Instant) -> None:
        """Say when the policies are to be asked again, if some pool has one."""
        asked = any(self.compute(pool.service) for pool in pools)
        self.deadline = after(now, REWEIGH_INTERVAL) if asked else None

    def reweigh(self, pool: Pool, checks: Checks, now: Instant) -> bool:
        """Ask a pool's policy for its weights, if it computes some; return whether they changed."""
        if not self.compute(pool.service):
            return False
        return pool.reweigh(self._weights(pool.service, views_of(pool, checks, self.connections), now))

    def compute(self, service: VirtualServer) -> bool:
        """Return whether a virtual server's weights are computed."""
        return service.computes_weights and self._factory is not None

    def _weights(self, service: VirtualServer, views: Sequence[ServerView], now: Instant) -> Mapping[str, int]:
        key = (service.policy, service.policy_options)
        if key not in self._made and self._factory is not None:
            self._made[key] = self._factory(*key)
        return self._made[key].weights(views, now)
