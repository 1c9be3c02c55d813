"""An hour of noise on the link changes nothing but counters, and each of them by exactly what was heard."""

import os
from collections import Counter

import pytest

from conformance.driver import arrival, configured, fresh
from conformance.noise import OURS, SECOND, Counts, Heard, hour
from stayalived.child.events import Report, Tell
from stayalived.messages.notify import Event
from stayalived.messages.vrrp import RouterCounters
from stayalived.timing import Instant, seconds
from vrrp_machine import Machine, adverts, instance

SECONDS = 3_600
RATE = int(os.environ.get("STAYALIVED_NOISE_RATE", "30"))
SIX = {"addresses": "fe80::100/64 2001:db8::100/64"}
QUIET = (Tell, Report)


class Listener:
    """A director that hears an hour of noise; what it does all that time is kept, but for counters and the log."""

    def __init__(self, priority: int, *, late: bool = False) -> None:
        self.late = late
        self.machine = Machine()
        halves = (configured({"priority": priority}), configured({"priority": priority, **SIX}))
        self.machine.start(instance(*halves))
        self.done: list[object] = []
        self.counts: Counts = Counter()
        self.reported: set[str] = set()

    def hear(self, heard: Heard, began: Instant) -> None:
        self.until(Instant(began + heard.at))
        event = arrival(heard.packet, self.machine.now) if self.late else fresh([heard.packet])
        self._keep(self.machine.do(event))
        self.counts.update(heard.counts)

    def until(self, end: Instant) -> None:
        machine = self.machine
        while (due := machine.engine.deadline) is not None and due <= end:
            machine.now = max(machine.now, due)
            self._keep(machine.wake())
        machine.now = max(machine.now, end)

    def told(self, key: str) -> dict[str, int]:
        """Return the counters of what was heard that have moved."""
        message = self.machine.retained[RouterCounters, key]
        assert isinstance(message, RouterCounters)
        moved = {"received": message.adverts_received, "zero": message.priority_zero_received, **message.errors}
        return {name: count for name, count in moved.items() if count}

    def expected(self, whose: str) -> dict[str, int]:
        return {name: count for (who, name), count in self.counts.items() if who == whose}

    def _keep(self, effects: list[object]) -> None:
        self.reported |= {effect.once for effect in effects if isinstance(effect, Report)}
        self.done += [effect for effect in effects if not isinstance(effect, QUIET)]
        self.done += [effect for effect in effects if isinstance(effect, Tell) and isinstance(effect.message, Event)]
        self.machine.effects.clear()


def check_counters(listener: Listener) -> None:
    listener.until(Instant(listener.machine.now + seconds(1.5)))

    expected = {whose: listener.expected(whose) for whose in ("4", "6", "eth0")}
    told = {whose: listener.told(key) for whose, key in (("4", "tic/4"), ("6", "tic/6"), ("eth0", "eth0"))}
    assert expected == told


@pytest.mark.parametrize(("seed", "late"), [(9568, False), (3768, True)])
def test_an_hour_of_noise_changes_nothing_but_counters(seed: int, late: bool) -> None:
    listener = Listener(priority=OURS, late=late)
    machine = listener.machine
    began = machine.now
    heard = hour(seed, SECONDS, RATE, masters=True)
    for each in (next(heard), next(heard), next(heard), next(heard)):
        listener.hear(each, began)
    before, addresses = machine.told(), machine.links["eth0"].addresses

    for each in heard:
        listener.hear(each, began)

    assert (before, addresses) == (machine.told(), machine.links["eth0"].addresses)
    assert before.state == "BACKUP"
    assert [row.master for row in before.routers] == ["192.0.2.2", "fe80::2"]
    assert listener.done == []
    check_counters(listener)
    assert sum(listener.counts.values()) > SECONDS * RATE
    assert len(listener.reported) < 20


def test_a_master_in_an_hour_of_noise_goes_on_as_if_there_were_none() -> None:
    listener = Listener(priority=255)
    machine = listener.machine
    began = machine.now
    listener.until(Instant(began + seconds(6)))
    listener.done.clear()
    before, addresses, first = machine.told(), machine.links["eth0"].addresses, machine.now

    for each in hour(2338, SECONDS, RATE, masters=False):
        listener.hear(each, first)
    listener.until(Instant(first + SECONDS * SECOND))

    assert (before, addresses) == (machine.told(), machine.links["eth0"].addresses)
    assert before.state == "MASTER"
    sent = adverts(listener.done)
    assert len(sent) == 2 * SECONDS
    assert [effect for effect in listener.done if not adverts([effect])] == []
    assert {effect.data[2] for effect in sent} == {255}
    check_counters(listener)
