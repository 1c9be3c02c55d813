"""The order in which children stop: whoever is told something by another stops after it."""

from stayalived.messages.routes import CONFIG, role_of
from stayalived.supervisor.lifecycle import Child
from stayalived.supervisor.population import Population
from stayalived.timing import Duration, Instant, after, elapsed

STAGES: tuple[tuple[str, ...], ...] = (
    ("vrrp",),  # addresses go first: nobody is sent here any more
    ("ipvs", "checker"),
    ("notify",),  # it has heard all that was to be told
    ("runner", "api"),  # the scripts that this started have ended
    ("log",),  # and every line is written
)
LAST_STAGE = len(STAGES) - 1

LOG_GRACE = Duration(500_000_000)
"""What log gets beyond `child_wait_time`: it may be all that the others needed their time for."""


class Shutdown:
    """An orderly stop that has begun."""

    def __init__(self, population: Population, now: Instant, *, leave: bool, wait: Duration, code: int) -> None:
        """Begin; call `advance` now and after each exit.

        Args:
            population: the children.
            now: the moment from which on `wait` counts, for all stages together.
            leave: keep the kernel's IPVS table.
            wait: `child_wait_time`; who has not ended then is killed.
            code: what the daemon exits with in the end.
        """
        self.code = code
        self._population = population
        self._begun = now
        self._leave = leave
        self._wait = wait
        self._stage = -1
        self.enforced = False

    @property
    def deadline(self) -> Instant:
        """When whoever has not ended is killed."""
        return after(self._begun, Duration(self._wait + LOG_GRACE))

    def enforce(self, now: Instant) -> None:
        """Kill whoever is still there when the time for everything is over."""
        if self.enforced or now < self.deadline:
            return
        self.enforced = True
        for child in self._population.living():
            self._population.kill(child, now, "did not stop in time")

    def advance(self, now: Instant) -> bool:
        """Go to the next stage when all of this one have ended. Returns whether everything is over."""
        while not any(self._in_stage(child) for child in self._population.living()):
            if self._stage == LAST_STAGE:
                return True
            self._stage += 1
            self._stop_stage(now)
        return False

    def _in_stage(self, child: Child) -> bool:
        """Whether a child belongs to the present stage or to one before; without a stage it is the first."""
        return next((n for n, roles in enumerate(STAGES) if role_of(child.name) in roles), 0) <= self._stage

    def _stop_stage(self, now: Instant) -> None:
        left = max(Duration(self._wait - elapsed(self._begun, now)), Duration(0))
        limit = Duration(left + LOG_GRACE) if self._stage == LAST_STAGE else left
        for child in self._population.children.values():
            if self._in_stage(child) and child.role != CONFIG:
                child.restart_when_stopped = False
                self._population.stop(child, now, leave=self._leave, limit=limit)
