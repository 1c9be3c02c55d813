"""The shortest schedule that still fails: faults are left out, and the storm is cut, as long as the failure stays.

What is left out does not change the others: each stroke of a storm has a source of chance of its own.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from stayalived.simulation.scenario import Outcome, run
from stayalived.simulation.weather import Storm, Stroke
from stayalived.timing import Duration, seconds

TRIALS = 200
"""Runs that one seed is tried with at most; each takes about a twentieth of a second."""

SHORTEST = seconds(0.5)
"""A storm is not cut below this."""

Trial = Callable[[Storm], Outcome]


@dataclass(slots=True)
class _Search:
    """The shortest storm that is known to fail in the same way, and how many more may be tried."""

    outcome: Outcome
    trial: Trial
    left: int = TRIALS

    def fails(self, storm: Storm) -> bool:
        """Try a storm; keep it when it violates the same invariant."""
        if self.left <= 0:
            return False
        self.left -= 1
        outcome = self.trial(storm)
        if kind_of(outcome) != kind_of(self.outcome):
            return False
        self.outcome = outcome
        return True


def shrink(failed: Outcome, trial: Trial | None = None) -> Outcome:
    """Return the outcome of the shortest storm that fails as this one did.

    Args:
        failed: the outcome of a seed that fails.
        trial: lives through the same seed with another storm.
    """
    search = _Search(failed, trial or (lambda storm: run(failed.seed, storm)))
    if search.outcome.storm.aim is not None:
        search.fails(replace(search.outcome.storm, aim=None))
    _leave_out(search)
    _shorten(search)
    _leave_out(search)
    return search.outcome


def kind_of(outcome: Outcome) -> str:
    """Return what an outcome is the same failure by: the invariant, or the exception, without where and when."""
    return ":".join(outcome.failure.split(":")[:2])


def _leave_out(search: _Search) -> None:
    """Leave strokes out: first halves, then quarters, in the end single ones (delta debugging)."""
    size = max(len(search.outcome.storm.strokes) // 2, 1)
    while search.outcome.storm.strokes:
        while any(search.fails(smaller) for smaller in _without(search.outcome.storm, size)):
            pass
        if size == 1:
            return
        size //= 2


def _without(storm: Storm, size: int) -> Iterator[Storm]:
    strokes: tuple[Stroke, ...] = storm.strokes
    for start in range(0, len(strokes), size):
        yield replace(storm, strokes=strokes[:start] + strokes[start + size :])


def _shorten(search: _Search) -> None:
    """Let the storm, and each of its strokes, be half as long."""
    while search.outcome.storm.length > 2 * SHORTEST:
        storm = search.outcome.storm
        length = Duration(storm.length // 2)
        if not search.fails(replace(storm, length=length, strokes=_until(storm.strokes, length))):
            break
    for place in range(len(search.outcome.storm.strokes)):
        storm = search.outcome.storm
        if place < len(storm.strokes):
            halved = replace(storm.strokes[place], lasts=Duration(storm.strokes[place].lasts // 2))
            search.fails(replace(storm, strokes=(*storm.strokes[:place], halved, *storm.strokes[place + 1 :])))


def _until(strokes: tuple[Stroke, ...], length: Duration) -> tuple[Stroke, ...]:
    return tuple(stroke for stroke in strokes if stroke.at < length)
