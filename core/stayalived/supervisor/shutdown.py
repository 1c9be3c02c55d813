"""The order in which children stop: whoever is told something by another stops after it."""

from stayalived.messages.routes import API, CHECKER, CONFIG, IPVS, LOG, NOTIFY, RUNNER, VRRP
from stayalived.supervisor.lifecycle import Child, State
from stayalived.supervisor.population import WARNING, Population
from stayalived.timing import Duration, Instant, after, elapsed, seconds

STAGES: tuple[tuple[str, ...], ...] = (
    (VRRP,),  # addresses go first: nobody is sent here any more
    (IPVS, CHECKER),
    (NOTIFY,),  # it has heard all that was to be told
    (RUNNER, API),  # the scripts that this started have ended
    (LOG,),  # and every line is written
)
LAST_STAGE = len(STAGES) - 1

EXIT_OK = 0
EXIT_CONFIGURATION = 2
EXIT_MISSING_RIGHT = 4
"""SG08."""

STAGE_FLOOR = seconds(1)
"""What each stage gets even if those before it have used up `child_wait_time`: a stop lasts at most 4 s longer."""

IDLE_LIMIT = seconds(1.5)
"""What a checker gets, and a stranger's notify, which tells for 1 s at most (N09): they hold nothing of the host's.

One that a plugin keeps from stopping must not use up the time of the scripts.
"""


class Shutdown:
    """An orderly stop that has begun."""

    def __init__(self, population: Population, now: Instant, *, leave: bool, wait: Duration, code: int) -> None:
        """Begin; call `advance` now and after each exit.

        Args:
            population: the children.
            now: the moment from which on `wait` counts, for all stages together.
            leave: keep the kernel's IPVS table.
            wait: `child_wait_time` (P06); beyond it each stage has its `STAGE_FLOOR`, and who is there then is killed.
            code: what the daemon exits with in the end.
        """
        self.code = code
        self._population = population
        self._leave = leave
        self._until = after(now, wait)
        self._stage = -1

    @property
    def deadline(self) -> Instant | None:
        """When whoever of the present stage has not ended is killed; None while there is nobody to kill."""
        return self._until if self._lingering() else None

    def enforce(self, now: Instant) -> None:
        """Kill whoever of the present stage is still there when its time is over."""
        if now < self._until:
            return
        for child in self._lingering():
            self._population.kill(child, now, "did not stop in time")
        self._until = after(now, STAGE_FLOOR)  # for one that is yet to be started, to release its addresses

    def advance(self, now: Instant) -> bool:
        """Go to the next stage when all of this one have ended. Returns whether everything is over."""
        while not any(self._in_stage(child) for child in self._population.living()):
            if self._stage == LAST_STAGE:
                return True
            self._stage += 1
            if STAGES[self._stage - 1] == (NOTIFY,):
                self._report_untold()
            self._stop_stage(now)
        return False

    def _report_untold(self) -> None:
        """Say how many events nobody will be told any more."""
        for child in self._population.children.values():
            untold = self._population.switchboard.untold(child.name)
            if untold:
                text = f"the daemon stops; events that {child.name} has not told: {untold}"
                self._population.report(WARNING, text, child)

    def _lingering(self) -> list[Child]:
        """Return the processes of this stage and of those before that have not been killed yet."""
        killed = {State.STOPPING, State.ENDING}
        return [
            child
            for child in self._population.living()
            if self._in_stage(child) and not (child.state in killed and child.limit is None)
        ]

    def _in_stage(self, child: Child) -> bool:
        """Whether a child belongs to the present stage or to one before; without a stage it is the first."""
        return next((n for n, roles in enumerate(STAGES) if child.role in roles), 0) <= self._stage

    def _stop_stage(self, now: Instant) -> None:
        self._until = max(self._until, after(now, STAGE_FLOOR))
        left = elapsed(now, self._until)
        for child in self._population.children.values():
            if self._in_stage(child) and child.role != CONFIG:
                child.restart_when_stopped = False
                limit = min(left, IDLE_LIMIT) if _is_idle(child) else left
                if child.role in STAGES[self._stage] and self._population.owes_telling(child):
                    self._population.tell_last(child, now, limit)
                else:
                    self._population.stop(child, now, leave=self._leave, limit=limit)


def _is_idle(child: Child) -> bool:
    """Whether all that a child would lose by being killed is its own."""
    return child.role == CHECKER or (child.role == NOTIFY and child.name != NOTIFY)
