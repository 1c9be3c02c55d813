import pytest

from stayalived.ipvs.levels import AS_CONFIGURED, Levels
from stayalived.messages.services import BIGGEST_WEIGHT, Override
from stayalived.timing import Instant

TIC = "web/tic"
SECOND = 1_000_000_000


def level(mode: str, value: float = 0, source: str = "command", **more: object) -> Override:
    return Override(**({"server": TIC, "source": source, "mode": mode, "value": value} | more))


def levels(*wanted: Override) -> Levels:
    made = Levels(wall_offset=0)
    for one in wanted:
        made.hear(f"{one.server} {one.source} {one.mode}", one)
    return made


@pytest.mark.parametrize(
    ("wanted", "delta", "expected"),
    [
        ((), 0, 10),
        ((), 5, 15),
        ((level("set", 4),), 0, 4),
        ((level("factor", 0.5),), 0, 5),
        ((level("add", -3),), 0, 7),
        ((level("add", 2), level("factor", 0.5), level("set", 8)), 1, 7),  # whatever the order they came in
        ((level("factor", 0.001),), 0, 1),  # a part of a weight is some
        ((level("factor", 0),), 0, 0),
        ((level("add", -99),), 0, 0),
        ((level("set", 2.0**40),), 0, BIGGEST_WEIGHT),
        ((level("set", 3, "instance tic weight#0"), level("set", 7)), 0, 7),  # a person wins over an action
        ((level("factor", 0.5, "a"), level("factor", 0.5, "b")), 0, 2),
        ((level("set", 4), level("drain")), 9, 0),
    ],
)
def test_levels_are_applied_in_their_order(wanted: tuple[Override, ...], delta: int, expected: int) -> None:
    assert expected == levels(*wanted).of(TIC).weight(10, delta)


def test_what_is_withdrawn_holds_no_longer() -> None:
    held = levels(level("set", 4))

    assert TIC == held.hear(f"{TIC} command set", None)

    assert AS_CONFIGURED == held.of(TIC)
    assert "" == held.hear("never heard of", None)


def test_a_mode_that_nobody_knows_and_a_number_that_is_none_change_nothing() -> None:
    held = levels(level("square", 4), level("set", float("nan")), level("add", float("inf")))

    assert AS_CONFIGURED == held.of(TIC)


def test_a_level_ends_at_its_time() -> None:
    held = levels(level("set", 4, until=7 * SECOND))

    assert Instant(7 * SECOND) == held.deadline
    assert set() == held.pass_time(Instant(7 * SECOND - 1))
    assert {TIC} == held.pass_time(Instant(7 * SECOND))
    assert AS_CONFIGURED == held.of(TIC)
    assert held.deadline is None


def test_the_wall_clock_is_counted_from() -> None:
    held = Levels(wall_offset=1_000 * SECOND)
    held.hear("x", level("set", 4, until=1_007 * SECOND))

    assert Instant(7 * SECOND) == held.deadline


def test_a_drain_is_over_at_its_deadline_and_not_before() -> None:
    held = levels(level("drain", deadline=7 * SECOND))
    assert held.of(TIC).draining

    held.pass_time(Instant(6 * SECOND))
    assert held.of(TIC).draining
    assert {TIC} == held.pass_time(Instant(7 * SECOND))

    assert held.of(TIC).drained
    assert held.deadline is None


def test_a_drain_that_is_asked_for_again_after_it_was_undone_begins_anew() -> None:
    held = levels(level("drain"))
    held.end_drain(TIC)
    held.hear(f"{TIC} command drain", None)

    held.hear(f"{TIC} command drain", level("drain"))

    assert held.of(TIC).draining


def test_people_are_told_why() -> None:
    held = levels(level("drain"), level("set", 2, "real_server web/tac weight#0", reason="down of web/tac"))

    assert ("draining: command", "set 2: real_server web/tac weight#0, down of web/tac") == held.of(TIC).in_words()
