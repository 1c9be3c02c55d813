"""keepalived's scripts run unchanged: told the same words in the same order, side by side with keepalived (N01 to N04).

Each story is lived through by eight subjects with other scripts each: the general one, the specific ones, both, that
of a lower priority, some, and a sync group with two members. A subject in a story is one scenario.
"""

from collections.abc import Callable

import pytest

from namespaces.lab import Lab
from namespaces.told import GENERAL, OURS, SUBJECTS, Pair


def begins_and_stops(pair: Pair) -> None:
    pair.wait_for("BACKUP", "MASTER")


def loses_its_link(pair: Pair) -> None:
    pair.wait_for("BACKUP", "MASTER")
    pair.each(lambda side: side.host.plug(into=False))
    pair.wait_for("FAULT")
    pair.each(lambda side: side.host.plug(into=True))
    pair.wait_for("BACKUP", "MASTER")


def yields_to_a_higher_one(pair: Pair) -> None:
    pair.wait_for("BACKUP", "MASTER")
    pair.say(200)
    pair.wait_for("BACKUP", "MASTER")


def hears_a_lower_one(pair: Pair) -> None:
    pair.wait_for("BACKUP", "MASTER")
    pair.say(50)
    pair.wait_for_word("lower", "notify_master_rx_lower_pri")


def is_told_that_the_master_goes(pair: Pair) -> None:
    pair.wait_for("BACKUP", "MASTER")
    pair.say(200)
    pair.wait_for("BACKUP")
    pair.say(0)
    pair.wait_for("MASTER")


def stops_without_a_link(pair: Pair) -> None:
    pair.wait_for("BACKUP", "MASTER")
    pair.each(lambda side: side.host.plug(into=False))
    pair.wait_for("FAULT")


def is_taken_out_by_a_reload(pair: Pair) -> None:
    pair.wait_for("BACKUP", "MASTER")
    pair.each(lambda side: side.reload((GENERAL,)))
    pair.wait_for_word("some", "notify_deleted")


STORIES: tuple[Callable[[Pair], None], ...] = (
    begins_and_stops,
    loses_its_link,
    yields_to_a_higher_one,
    hears_a_lower_one,
    is_told_that_the_master_goes,
    stops_without_a_link,
    is_taken_out_by_a_reload,
)


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.__name__)
def test_scripts_are_told_the_same_words_in_the_same_order_as_by_keepalived(
    lab: Lab, story: Callable[[Pair], None]
) -> None:
    pair = Pair(lab)
    pair.each(lambda side: side.start(pair.names))
    story(pair)
    pair.settle()  # what waits for its turn when the daemon stops is left out, but for the stop
    pair.each(lambda side: side.stop())
    pair.settle()

    assert pair.differences() == {}
    assert pair.sides[OURS].told(GENERAL)[-1] == "notify INSTANCE general STOP 100"


def test_there_are_enough_scenarios() -> None:
    assert len(STORIES) * len(SUBJECTS) >= 30
