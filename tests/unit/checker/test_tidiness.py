import gc
from collections.abc import Callable, Iterator

import pytest

from stayalived.checker.tidiness import SETTLED_AFTER, Tidiness
from stayalived.timing import in_seconds


@pytest.fixture(autouse=True)
def unfrozen() -> Iterator[None]:
    """Look at everything again afterwards."""
    yield
    gc.unfreeze()


def test_checks_are_put_away_once_for_all_that_came_meanwhile() -> None:
    calls: list[tuple[float, Callable[[], None]]] = []
    tidiness = Tidiness(lambda wait, call: calls.append((wait, call)))
    for _ in range(3):
        tidiness.grown()
    ((wait, put_away),) = calls
    before = gc.get_freeze_count()
    put_away()
    assert in_seconds(SETTLED_AFTER) == wait
    assert gc.get_freeze_count() > before


def test_checks_that_come_later_are_put_away_as_well() -> None:
    calls: list[Callable[[], None]] = []
    tidiness = Tidiness(lambda _, call: calls.append(call))
    tidiness.grown()
    calls[0]()
    tidiness.grown()
    assert len(calls) == 2
