"""The gate: thousands of clusters under every kind of fault, and no invariant violated.

`STAYALIVED_SEEDS` says how many (default 2,000). A failure replays with `python -m stayalived.simulation SEED`.
"""

import multiprocessing
import os
from collections import Counter

import pytest

from stayalived.simulation import scenario
from stayalived.simulation.blows import Fault
from stayalived.simulation.scenario import Outcome
from stayalived.simulation.weather import AIMS, Phase

SEEDS = int(os.environ.get("STAYALIVED_SEEDS", "2000"))
LEAST = 20 * SEEDS // 2000
"""How often each kind of fault hits each phase at least."""


@pytest.fixture(scope="module")
def outcomes() -> list[Outcome]:
    context = multiprocessing.get_context("fork")
    with context.Pool(os.cpu_count()) as pool:
        return pool.map(scenario.run, range(SEEDS), chunksize=20)


@pytest.mark.timeout(600)
def test_no_seed_violates_an_invariant(outcomes: list[Outcome]) -> None:
    failed = [
        f"python -m stayalived.simulation {outcome.seed}   # {outcome.failure}"
        for outcome in outcomes
        if outcome.failure
    ]

    assert failed == []
    assert len(outcomes) == SEEDS


def test_every_fault_hits_every_phase_often_enough(outcomes: list[Outcome]) -> None:
    coverage: Counter[tuple[Fault, Phase]] = sum((outcome.coverage for outcome in outcomes), Counter())

    seldom = {f"{fault} in {phase}": coverage[fault, phase] for fault, phase in AIMS if coverage[fault, phase] < LEAST}

    assert seldom == {}


def test_something_happens_in_every_cluster(outcomes: list[Outcome]) -> None:
    quiet = [outcome.seed for outcome in outcomes if outcome.happened < 200]

    assert quiet == []


@pytest.mark.parametrize("seed", [3, 77, 1234])
def test_a_seed_has_one_history(seed: int) -> None:
    assert scenario.run(seed).digest == scenario.run(seed).digest


def test_seeds_have_different_histories(outcomes: list[Outcome]) -> None:
    assert len({outcome.digest for outcome in outcomes}) == len(outcomes)
