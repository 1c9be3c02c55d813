"""The test of the tests: bugs planted on purpose (`plants.py`), each of which the gate's own seeds find soon."""

import inspect
from collections.abc import Iterator
from itertools import islice

import pytest

from simulation.plants import PLANTED, Planted
from simulation.test_gate import SEEDS
from stayalived.simulation import scenario
from stayalived.simulation.faults import AIMS

TRIED = 120
"""Seeds of the gate that one bug is looked for with: the first ones that aim a fault which brings it to light."""


def seeds_of(bug: Planted) -> Iterator[int]:
    aimed = (seed for seed in range(SEEDS) if AIMS[seed % len(AIMS)][0] in bug.faults)
    return islice(bug.seeds or aimed, TRIED)


def violated(bug: Planted) -> str:
    """Return the first invariant that the gate's seeds find violated; of others than the bug's they may find some."""
    found = ""
    for seed in seeds_of(bug):
        failure = scenario.run(seed).failure
        if failure.startswith("Violation: "):
            found = failure.removeprefix("Violation: ").split(":")[0]
            if found in bug.invariants:
                break
    return found


@pytest.mark.parametrize("bug", PLANTED, ids=lambda bug: bug.plant.__name__)
def test_the_gate_finds_a_planted_bug(bug: Planted, monkeypatch: pytest.MonkeyPatch) -> None:
    bug.plant(monkeypatch)

    assert violated(bug) in bug.invariants


@pytest.mark.parametrize("bug", PLANTED[:1], ids=lambda bug: bug.plant.__name__)
def test_without_it_the_same_seeds_find_nothing(bug: Planted) -> None:
    assert violated(bug) == ""


def test_every_planted_bug_says_what_it_is() -> None:
    assert [bug.plant.__name__ for bug in PLANTED if not inspect.getdoc(bug.plant)] == []


def test_there_are_bugs_of_many_kinds() -> None:
    assert len(PLANTED) >= 30
    assert len({bug.plant.__name__ for bug in PLANTED}) == len(PLANTED)
