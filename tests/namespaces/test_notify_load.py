"""Twenty instances that change all the time, and scripts that sleep, fork, die, fill the pipe and ignore TERM."""

import pytest

from namespaces.lab import Lab
from namespaces.notify_load import Load

pytestmark = pytest.mark.alone

COUNT, CYCLES = 20, 8


def test_bad_scripts_cost_no_order_and_what_was_left_out_is_counted(lab: Lab) -> None:
    load = Load(lab, COUNT)
    load.start()
    load.play(CYCLES)
    load.wait_until_told(within=60.0)

    events = load.events()
    assert {len(numbers) for numbers in events.values()} == {2 + 2 * CYCLES}
    assert load.disorder() == []
    assert sum(map(len, load.noted().values())) == sum(map(len, events.values()))
    counts = load.counts()
    assert counts["merged"] > 0  # of the bad ones, which want the latest only
    assert counts["failed"] > 0
    assert load.daemon.stop() == 0
