"""Timers: RFC 3768 6.1, RFC 9568 6.1; exact in nanoseconds. Alarms: who is woken, and when."""

import pytest

from stayalived.timing import Duration, Instant, milliseconds, seconds
from stayalived.vrrp.timers import Alarms, master_down_interval, skew


@pytest.mark.parametrize(
    ("version", "priority", "interval", "expected"),
    [
        (2, 100, seconds(1), 609_375_000),
        (2, 100, seconds(10), 609_375_000),  # version 2: whatever the interval
        (2, 255, seconds(1), 3_906_250),
        (2, 1, seconds(1), 996_093_750),
        (3, 100, seconds(1), 609_375_000),
        (3, 100, milliseconds(100), 60_937_500),  # version 3: parts of the master's interval
        (3, 254, milliseconds(10), 78_125),
        (3, 255, seconds(40.95), 159_960_937),
    ],
)
def test_skew(version: int, priority: int, interval: Duration, expected: int) -> None:
    assert skew(version, priority, interval) == expected


@pytest.mark.parametrize("version", [2, 3])
def test_master_down_interval_of_the_usual_case_is_3609_ms(version: int) -> None:
    assert master_down_interval(version, 100, seconds(1), 3) == 3_609_375_000


def test_more_adverts_may_be_missed_when_asked_for() -> None:
    assert master_down_interval(3, 100, seconds(1), 5) == 5_609_375_000


class Sleeper:
    def __init__(self, deadline: int | None) -> None:
        self.deadline = None if deadline is None else Instant(deadline)
        self.filed: Instant | None = None


def filed(*deadlines: int | None) -> tuple[Alarms[Sleeper], list[Sleeper]]:
    alarms: Alarms[Sleeper] = Alarms()
    sleepers = [Sleeper(deadline) for deadline in deadlines]
    for sleeper in sleepers:
        alarms.file(sleeper)
    return alarms, sleepers


def test_the_earliest_is_next() -> None:
    alarms, _ = filed(30, 10, None, 20)

    assert alarms.next() == 10


def test_a_deadline_moved_later_needs_no_filing() -> None:
    alarms, sleepers = filed(10, 20)

    sleepers[0].deadline = Instant(40)

    assert alarms.next() == 20
    assert [sleeper.deadline for sleeper in alarms.due(Instant(50), 9)] == [20, 40]


def test_a_deadline_moved_earlier_is_filed_and_fires_once() -> None:
    alarms, sleepers = filed(30)

    sleepers[0].deadline = Instant(10)
    alarms.file(sleepers[0])
    fired = list(alarms.due(Instant(30), 9))

    assert fired == sleepers
    assert alarms.next() is None


def test_a_deadline_withdrawn_never_fires_and_can_be_set_again() -> None:
    alarms, sleepers = filed(10)
    sleepers[0].deadline = None
    assert alarms.next() is None

    sleepers[0].deadline = Instant(15)
    alarms.file(sleepers[0])

    assert alarms.next() == 15


def test_no_more_than_asked_for_are_taken_out_at_once() -> None:
    alarms, _ = filed(1, 2, 3)

    assert len(list(alarms.due(Instant(9), 2))) == 2
    assert alarms.next() == 3
