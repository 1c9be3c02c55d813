"""What one subscriber makes of the results of its probe.

| state | result | condition | becomes |
|---|---|---|---|
| UNKNOWN | passed | | UP: the first result decides |
| UNKNOWN | failed | | DOWN: no retries before the first result (C05) |
| UP, presumed | failed | `alpha = false`, no result yet | DOWN: no retries before the first result (LV41) |
| UP | passed | | UP, counts start again |
| UP | failed | tries of this round left | UP, next try after `delay_before_retry` |
| UP | failed | round lost, fewer than `fall` lost | UP, next round after `delay_loop` |
| UP | failed | `fall` rounds lost in a row | DOWN |
| DOWN | failed | | DOWN, counts start again |
| DOWN | passed | fewer than `rise` in a row | DOWN |
| DOWN | passed | `rise` in a row | UP |

Between rounds that `fall` counts and passes that `rise` counts the wait is `fast_interval` where it is given.

A round is one try and up to `retry` more. UP may also be handed down: by ipvs, which found the server in the kernel's
table, or by this process's predecessor; then the retries count from the start.
"""

from stayalived.checker.probes import ProbeIdentity
from stayalived.config.model import Check
from stayalived.messages.services import CheckState, state_type
from stayalived.plugin.checks import Verdict
from stayalived.timing import NO_TIME, Duration, Instant, after, elapsed

STALE_AFTER = 3
"""A verdict is stale when it is older than this many periods."""

LOWEST_PRODUCT = -(2**31)
"""Value times weight; at this or below a check fails, whatever its weight (C37)."""

NOT_CHECKED_YET = "not checked yet"
ADOPTED = "found in the kernel's table"


class Subscriber:
    """One check of one subject. `up` is None while it is UNKNOWN."""

    __slots__ = (
        "_failures",
        "_lost_rounds",
        "_passes",
        "_verdict",
        "check",
        "decided",
        "fresh_at",
        "identity",
        "judged_at",
        "latency",
        "passed",
        "reason",
        "results",
        "since",
        "stale",
        "suspended",
        "told_at",
        "up",
        "value",
        "weight",
        "wish",
    )

    def __init__(self, check: Check, now: Instant) -> None:
        """Start UNKNOWN, or presumed UP where `alpha` is off."""
        self.check = check
        self.identity = ProbeIdentity.of(check)
        self.up: bool | None = None
        self.decided = False  # whether a failure has retries before it
        self.results = 0  # judged so far; 2 is enough to know
        self.passed = False  # whether the last one was good, whatever became of it
        self.judged_at: Instant | None = None
        self.fresh_at = now  # when the verdict was last confirmed
        self.since = now
        self.told_at = now
        self.reason = NOT_CHECKED_YET
        self.weight = 0
        self.value: int | None = None
        self._verdict: Verdict | None = None  # the last one
        self.latency = NO_TIME
        self.stale = False
        self.suspended = False  # no address of its service is on this machine (`ha_suspend`)
        self.wish = check.timing.delay_loop
        self._failures = self._lost_rounds = self._passes = 0
        if not check.timing.alpha:
            self._enter(True, now)

    @property
    def is_retrying(self) -> bool:
        """Whether a round is open: a try failed and another one is wanted soon."""
        return self.up is True and self._failures > 0

    @property
    def asleep(self) -> bool:
        """Whether no result is wanted: it is suspended, and has a verdict, which is kept (C39).

        Without one, the first result is waited for: a pool that was never looked at would be empty at a takeover.
        """
        return self.suspended and self.up is not None

    def is_due(self, counted_at: Instant) -> bool:
        """Whether a result that counts from this moment lies at least the own period behind the last one."""
        if self.suspended and self.up is not None:
            return False
        return self.judged_at is None or elapsed(self.judged_at, counted_at) >= self.wish

    def suspend(self, suspended: bool, now: Instant) -> None:
        """Sleep, or go on: then the verdict is as good as it was, until a result is missing from now on."""
        if self.suspended and not suspended:
            self.fresh_at = now
        self.suspended = suspended

    def judge(
        self, verdict: Verdict, latency: Duration, now: Instant, spread: float, counted_at: Instant | None = None
    ) -> bool:
        """Take in a result and decide.

        Args:
            verdict: what the probe found.
            latency: how long it took.
            now: when it ended.
            spread: part of `warmup` that passes before the second result, from 0 to 1.
            counted_at: the moment that the period counts from, where it is not `now`.

        Returns:
            whether the state changed.
        """
        timing = self.check.timing
        passed = self.passed = self._has_passed(verdict) is not (timing.reverse and timing.weight == 0)
        self.judged_at, self.fresh_at = counted_at or now, now
        self.latency, self.stale = latency, False
        if verdict != self._verdict:  # nearly never: the same words are not put together again
            self._verdict, self.reason = verdict, str(verdict)
        self.results = min(self.results + 1, 2)
        before = self.up
        self._enter(self._after_pass() if passed else self._after_failure(), now)
        self.weight, self.value, self.decided = self._delta(verdict), verdict.value, True
        self.wish = self._next_wish(spread)
        return self.up is not before

    def excuse(self, text: str) -> bool:
        """Say why there is no result yet. Returns whether that is news."""
        before = self.reason
        if self.results == 0 and self.up is None:
            self.reason = f"{NOT_CHECKED_YET}: {text}"
        return self.reason != before

    def adopt(self, now: Instant) -> bool:
        """Be UP because the server serves already: until checks fail, with all retries.

        A failure that came just before counts as the first try: which of the two messages is faster is chance.

        Returns:
            whether the state changed.
        """
        timing = self.check.timing
        if self.results == 0 and not self.decided:
            self.decided = True
            if self.up is None:
                self.reason = ADOPTED
                self._enter(True, now)
                return True
        elif self.results == 1 and self.up is False and not self.is_last_try(failures=1):
            self._enter(True, now)
            self._failures, self.wish = 1, timing.delay_before_retry
            return True
        return False

    def restore(self, state: CheckState, now: Instant) -> None:
        """Be what this process's predecessor told last; nobody needs to be told again."""
        if state.up is not None:
            self._enter(state.up, now)
            self.decided = True
        self.since, self.reason, self.weight = Instant(state.since), state.reason, state.weight
        self.latency, self.stale, self.value = Duration(state.latency), state.stale, state.value

    def follow(self, check: Check) -> None:
        """Go on under a changed configuration of the same question: state and counts stay (C41)."""
        self.check = check
        self.identity = ProbeIdentity.of(check)
        if not self.is_retrying:
            self.wish = check.timing.delay_loop

    def stale_at(self) -> Instant:
        """Return when the verdict becomes stale if no result comes.

        Not before the next probe has had its whole time: one that waits for a dead server is late, not missing.
        """
        period = self.check.timing.delay_loop
        return after(self.fresh_at, Duration(max(STALE_AFTER * period, period + self.identity.limit)))

    def is_last_try(self, failures: int) -> bool:
        """Whether a failed try, the how-manieth it is of its round, makes an UP server DOWN."""
        timing = self.check.timing
        return failures > timing.retry and self._lost_rounds + 1 >= timing.fall

    def state(self) -> CheckState:
        """Return the whole present state for the pipe."""
        return state_type(self.check.subject)(
            subject=self.check.subject,
            number=self.check.number,
            check=self.check.name,
            up=self.up,
            weight=self.weight,
            reason=self.reason,
            latency=self.latency,
            since=self.since,
            stale=self.stale,
            value=self.value,
        )

    def _has_passed(self, verdict: Verdict) -> bool:
        """Return whether a result is a good one before `reverse` turns it: a value that nobody weighs must be 0 (T12).

        C37: a product as low as an integer of 32 bits can be takes the server out.
        """
        if verdict.value is None or not verdict.up:
            return verdict.up
        return self._product(verdict.value) > LOWEST_PRODUCT if self.check.timing.weight else verdict.value == 0

    def _after_pass(self) -> bool:
        """Count a result that passed and return whether the server is up now."""
        self._failures = self._lost_rounds = 0
        self._passes += 1
        return self.up is not False or self._passes >= self.check.timing.rise

    def _after_failure(self) -> bool:
        """Count a result that failed and return whether the server is up now."""
        self._passes = 0
        if self.up is not True or not self.decided:
            return False
        self._failures += 1
        if self.is_last_try(self._failures):
            return False
        if self._failures > self.check.timing.retry:
            self._failures = 0
            self._lost_rounds += 1
        return True

    def _enter(self, up: bool, now: Instant) -> None:
        """Set the state: the only place that does."""
        if up is not self.up:
            self.up, self.since = up, now
            self._failures = self._lost_rounds = self._passes = 0

    def _next_wish(self, spread: float) -> Duration:
        """Return how long after this result the next one is wanted."""
        timing = self.check.timing
        if self.is_retrying:
            return timing.delay_before_retry
        if self.results == 1 and timing.warmup:
            return Duration(round(timing.warmup * spread))
        is_changing = self._lost_rounds > 0 or (self.up is False and self._passes > 0)
        return timing.fast_interval if timing.fast_interval and is_changing else timing.delay_loop

    def _delta(self, verdict: Verdict) -> int:
        """Return the weight asked for: the result's own, and the configured one while it applies, or times its value.

        As for keepalived's tracked scripts: a positive weight counts while the check is up, a negative one while it is
        down, and `reverse` turns the sign. A result that sets the server's weight asks for the difference (C31).
        """
        timing = self.check.timing
        own = verdict.weight if verdict.server_weight is None else verdict.server_weight - self.check.server_weight
        if verdict.value is not None:
            return own + self._product(verdict.value)
        return own + (self._product(1) if timing.weight and self.up is (timing.weight > 0) else 0)

    def _product(self, value: int) -> int:
        """Return a value times the weight, turned round where the check says so."""
        timing = self.check.timing
        return -value * timing.weight if timing.reverse else value * timing.weight
