"""The gate: thousands of clusters under every kind of fault, and no invariant violated.

`STAYALIVED_SEEDS` says how many (default 5,000). A failure replays with `python -m stayalived.simulation SEED`.
"""

import multiprocessing
import os
from collections import Counter

import pytest

from stayalived.simulation import scenario
from stayalived.simulation.describe import describe
from stayalived.simulation.faults import AIMS, Fault, Phase
from stayalived.simulation.scenario import Outcome
from stayalived.simulation.shrink import shrink

SEEDS = int(os.environ.get("STAYALIVED_SEEDS", "5000"))
LEAST = 10 * SEEDS // 5000
"""How often each kind of fault hits each phase at least."""

SHRUNK = 3
"""Of so many failures the shortest schedule is looked for."""


@pytest.fixture(scope="module")
def outcomes() -> list[Outcome]:
    context = multiprocessing.get_context("fork")
    with context.Pool(os.cpu_count()) as pool:
        return pool.map(scenario.run, range(SEEDS), chunksize=20)


def report(failed: list[Outcome]) -> str:
    """Return what somebody needs who is going to mend it."""
    lines = [f"python -m stayalived.simulation {outcome.seed} --shrink   # {outcome.failure}" for outcome in failed]
    for outcome in map(shrink, failed[:SHRUNK]):
        drawn, _ = scenario.draw_seed(outcome.seed)
        lines += [
            "",
            f"seed {outcome.seed}: {outcome.failure}",
            describe(drawn),
            str(outcome.storm),
            *outcome.tail[-20:],
        ]
    return "\n".join(lines)


@pytest.mark.timeout(0)
def test_no_seed_violates_an_invariant(outcomes: list[Outcome]) -> None:
    failed = [outcome for outcome in outcomes if outcome.failure]

    if failed:
        pytest.fail(report(failed), pytrace=False)
    assert len(outcomes) == SEEDS


def test_every_fault_hits_every_phase_often_enough(outcomes: list[Outcome]) -> None:
    coverage: Counter[tuple[Fault, Phase]] = sum((outcome.coverage for outcome in outcomes), Counter())

    seldom = {f"{fault} in {phase}": coverage[fault, phase] for fault, phase in AIMS if coverage[fault, phase] < LEAST}

    assert seldom == {}


def test_something_happens_in_every_cluster(outcomes: list[Outcome]) -> None:
    quiet = [outcome.seed for outcome in outcomes if outcome.happened < 200]

    assert quiet == []


@pytest.mark.parametrize("seed", [3, 77, 1234, 4321])
def test_a_seed_has_one_history(seed: int) -> None:
    assert scenario.run(seed, hashed=True).digest == scenario.run(seed, hashed=True).digest


def test_a_seed_has_one_history_in_every_process() -> None:
    """Nothing hangs on the order of a set: hashes of text differ from process to process."""
    context = multiprocessing.get_context("spawn")
    with context.Pool(1) as pool:
        elsewhere = pool.map(digest_of, range(5))

    assert elsewhere == [digest_of(seed) for seed in range(5)]


def digest_of(seed: int) -> str:
    return scenario.run(seed, hashed=True).digest


def test_seeds_have_different_histories() -> None:
    assert len({digest_of(seed) for seed in range(60)}) == 60
