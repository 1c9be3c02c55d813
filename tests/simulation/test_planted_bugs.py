"""The test of the tests: bugs planted on purpose, each of which the gate finds within a few seeds."""

import ast
import inspect
import textwrap
from collections.abc import Callable
from typing import Any

import pytest

from stayalived.simulation import scenario
from stayalived.supervisor.memory import Memory
from stayalived.timing import Duration
from stayalived.vrrp import election
from stayalived.vrrp.election import Election
from stayalived.vrrp.packet import PRIORITY_LEAVING

SEEDS = range(120)
Plant = Callable[[pytest.MonkeyPatch], None]


def first_failure() -> str:
    """Return the first failure that the gate finds, with its seed; empty when it finds none."""
    for seed in SEEDS:
        outcome = scenario.run(seed)
        if outcome.failure:
            return outcome.failure
    return ""


def forget_skew(patch: pytest.MonkeyPatch) -> None:
    """The skew is truncated to whole seconds, as a peer's code once did."""
    right = election.master_down_interval

    def wrong(version: int, priority: int, interval: Duration, adverts: int) -> Duration:
        return Duration(right(version, priority, interval, adverts) // 10**9 * 10**9 // 2)

    patch.setattr(election, "master_down_interval", wrong)


def ignore_equal_priority(patch: pytest.MonkeyPatch) -> None:
    """A MASTER pays no heed to another of its own priority."""
    right = Election._hear_as_master

    def wrong(self: Election, advert: Any, source: str, heard: Any) -> Any:
        return None if advert.priority == self.router.priority else right(self, advert, source, heard)

    patch.setattr(Election, "_hear_as_master", wrong)


def ignore_priority_zero(patch: pytest.MonkeyPatch) -> None:
    """A BACKUP pays no heed to a master that leaves."""
    right = Election._hear_as_backup

    def wrong(self: Election, advert: Any, source: str, heard: Any) -> None:
        if advert.priority != PRIORITY_LEAVING:
            right(self, advert, source, heard)

    patch.setattr(Election, "_hear_as_backup", wrong)


def ignore_higher_priority(patch: pytest.MonkeyPatch) -> None:
    """A MASTER never steps down."""
    patch.setattr(Election, "_hear_as_master", lambda *_: None)


def retell_nothing(patch: pytest.MonkeyPatch) -> None:
    """A restarted child is told nothing of what was."""
    patch.setattr(Memory, "retell", lambda *_: iter(()))


PLANTS: dict[Plant, str] = {
    forget_skew: "",
    ignore_equal_priority: "one master",
    ignore_priority_zero: "quick hand-over",
    ignore_higher_priority: "one master",
    retell_nothing: "retelling",
}


@pytest.mark.parametrize(("plant", "invariant"), PLANTS.items(), ids=lambda value: getattr(value, "__name__", ""))
@pytest.mark.timeout(300)
def test_the_gate_finds_a_planted_bug(plant: Plant, invariant: str, monkeypatch: pytest.MonkeyPatch) -> None:
    plant(monkeypatch)

    failure = first_failure()

    assert invariant in failure
    assert failure != ""


def test_every_planted_bug_says_what_it_is() -> None:
    for plant in PLANTS:
        tree = ast.parse(textwrap.dedent(inspect.getsource(plant)))
        assert ast.get_docstring(tree.body[0])  # type: ignore[arg-type]  # the body is the function itself
