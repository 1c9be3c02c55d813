"""When garbage is collected: never while a deadline is near."""

import gc
from collections.abc import Iterator

import pytest

from stayalived.timing import Instant, after, milliseconds
from stayalived.vrrp.realtime import QUIET, TIDY_INTERVAL, Tidiness

NOW = Instant(1_000_000_000_000)


class Cycle:
    """What reference counting alone never frees."""

    alive = 0

    def __init__(self) -> None:
        self.itself = self
        Cycle.alive += 1

    def __del__(self) -> None:
        Cycle.alive -= 1


@pytest.fixture
def tidiness() -> Iterator[Tidiness]:
    Cycle.alive = 0
    yield Tidiness()
    gc.enable()
    gc.unfreeze()
    gc.collect()


def test_the_collector_does_nothing_by_itself(tidiness: Tidiness) -> None:
    Cycle()

    assert not gc.isenabled()
    assert Cycle.alive == 1


def test_young_garbage_is_collected_when_no_deadline_is_near(tidiness: Tidiness) -> None:
    Cycle()

    assert tidiness.work(after(NOW, milliseconds(21)), NOW) == after(NOW, TIDY_INTERVAL)
    assert Cycle.alive == 0


def test_nothing_is_collected_shortly_before_or_after_a_deadline(tidiness: Tidiness) -> None:
    Cycle()

    for milliseconds_ahead in (19, 0, -5):
        assert tidiness.work(after(NOW, milliseconds(milliseconds_ahead)), NOW) == after(NOW, QUIET)
    assert Cycle.alive == 1


def test_after_a_reload_old_garbage_is_collected_too(tidiness: Tidiness) -> None:
    Cycle()
    kept = Cycle()
    gc.collect(0)
    Cycle.alive, kept.itself = 1, kept
    del kept
    tidiness.work(None, NOW)
    assert Cycle.alive == 1

    tidiness.collect_everything()
    tidiness.work(None, NOW)

    assert Cycle.alive == 0
