"""The parts of the simulator by themselves: sockets, segment, clock, processes, the kernel's news."""

from collections.abc import Callable

import pytest

from simulation.site import booted, holds, live, states
from stayalived.addresses import Family
from stayalived.simulation.clockwork import Clockwork
from stayalived.simulation.ears import Ears
from stayalived.simulation.lan import SWITCHING, Conditions, Datagram, Lan
from stayalived.simulation.world import START, World
from stayalived.timing import Instant, after, elapsed, milliseconds, seconds
from stayalived.vrrp.effects import Listen
from stayalived.vrrp.events import DatagramReceived, ItemsUnknown, PacketsReceived, SocketOverflowed

GROUP = "224.0.0.18"
LISTEN = Listen(interface="eth0", index=2, family=Family.IPV4, address=GROUP)


def datagram(number: int = 1, **changes: object) -> Datagram:
    values = {"family": Family.IPV4, "source": "192.0.2.1", "destination": GROUP, "ttl": 255, "data": bytes((number,))}
    return Datagram(**(values | changes))


# ── sockets ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def ears(room: int = 10) -> Ears:
    made = Ears(room)
    made.listen(LISTEN)
    return made


def test_what_has_just_come_in_is_told_as_bytes_all_at_once() -> None:
    heard = ears()
    for number in (1, 2):
        assert heard.take_in("eth0", datagram(number), START) == ""

    ((event, told),) = heard.read(after(START, milliseconds(1)))

    assert isinstance(event, PacketsReceived)
    assert [packet[-1] for packet in event.packets] == [1, 2]
    assert told == (datagram(1), datagram(2))
    assert list(heard.read(after(START, milliseconds(2)))) == []


def test_what_has_waited_is_told_one_by_one_with_its_time_and_the_losses_come_last() -> None:
    heard = ears(room=2)
    moments = [Instant(START + number) for number in range(3)]
    lost = [heard.take_in("eth0", datagram(number), at) for number, at in enumerate(moments)]

    events = [event for event, _ in heard.read(after(START, seconds(2)))]

    assert lost == ["", "", "lost in a full socket"]
    assert [type(event) for event in events] == [DatagramReceived, DatagramReceived, SocketOverflowed]
    assert [event.at for event in events[:2]] == moments[:2]
    assert events[2].lost == 1


def test_a_socket_that_an_earlier_packet_closes_tells_nothing_more() -> None:
    heard = ears()
    for number in range(3):
        heard.take_in("eth0", datagram(number), START)

    reading = heard.read(after(START, seconds(2)))
    next(reading)
    heard.close(("eth0", Family.IPV4, GROUP))

    assert list(reading) == []


def test_nothing_is_heard_without_a_socket_or_on_an_interface_that_is_gone() -> None:
    heard = ears()
    assert heard.take_in("eth1", datagram(), START) == "heard by no socket"

    heard.forget("eth0")

    assert heard.take_in("eth0", datagram(), START) == "heard by no socket"


def test_what_a_machine_that_stood_still_finds_has_just_come() -> None:
    heard = ears()
    heard.take_in("eth0", datagram(), START)

    heard.restamp(after(START, seconds(3)))
    ((event, _),) = heard.read(after(START, seconds(3)))

    assert isinstance(event, PacketsReceived)


# ── the segment ──────────────────────────────────────────────────────────────────────────────────────────────────────


class Segment:
    """Three stations that write down what they hear."""

    def __init__(self) -> None:
        self.world = World(1)
        self.lan = Lan(self.world)
        self.heard: dict[str, list[Datagram]] = {}
        for number, name in enumerate(("a", "b", "c"), 1):
            self.lan.join(name, self.listener(name), [f"192.0.2.{number}"])

    def listener(self, name: str) -> Callable[[Datagram], None]:
        return self.heard.setdefault(name, []).append

    def settle(self) -> None:
        self.world.run(after(self.world.now, seconds(1)), lambda: None)


def test_a_group_is_heard_by_all_others_and_an_address_by_its_owner() -> None:
    segment = Segment()

    segment.lan.send("a", datagram())
    segment.lan.send("a", datagram(destination="192.0.2.3"))
    segment.settle()

    assert {name: len(heard) for name, heard in segment.heard.items()} == {"a": 0, "b": 1, "c": 2}


def test_nothing_arrives_at_once() -> None:
    segment = Segment()

    segment.lan.send("a", datagram())
    segment.world.run(Instant(START + SWITCHING - 1), lambda: None)

    assert segment.heard["b"] == []


@pytest.mark.parametrize(
    ("condition", "count"),
    [("loss", "lost"), ("duplication", "doubled"), ("corruption", "spoilt")],
)
def test_what_befalls_a_datagram_is_counted(condition: str, count: str) -> None:
    segment = Segment()
    setattr(segment.lan.conditions, condition, 1.0)
    segment.lan.look()

    segment.lan.send("a", datagram())
    segment.settle()

    assert segment.lan.counts[count] == 2
    assert all(not one.sound and one.origin is None for one in segment.heard["b"] if condition == "corruption")


def test_a_partition_has_a_direction() -> None:
    segment = Segment()
    segment.lan.conditions.cut = {("a", "b")}
    segment.lan.look()

    segment.lan.send("a", datagram())
    segment.lan.send("b", datagram(2))
    segment.settle()

    assert [len(segment.heard[name]) for name in ("a", "b")] == [1, 0]


def test_a_segment_knows_since_when_it_has_been_fair() -> None:
    segment = Segment()
    segment.lan.conditions.delay = 0.5
    segment.lan.look()
    assert segment.lan.fair_since is None
    segment.settle()

    segment.lan.conditions = Conditions()
    segment.lan.look()

    assert segment.lan.fair_since == segment.world.now


# ── clocks ───────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("suspended", "shown"), [(False, 3), (True, 1)])
def test_the_clock_of_a_machine_stands_still_while_it_is_suspended(suspended: bool, shown: float) -> None:
    world = World(1)
    machine = Clockwork(world, "r0", seconds(5))
    happened: list[Instant] = []
    begin = machine.now

    machine.freeze(after(world.now, seconds(2)), suspended=suspended)
    machine.at(after(world.now, seconds(1)), lambda: happened.append(world.now))
    world.run(after(world.now, seconds(3)), lambda: None)

    assert happened == [after(START, seconds(2))]
    assert elapsed(begin, machine.now) == seconds(shown)


def test_what_was_to_happen_is_forgotten_when_the_power_is_cut() -> None:
    world = World(1)
    machine = Clockwork(world, "r0")
    happened: list[Instant] = []
    machine.at(after(world.now, seconds(1)), lambda: happened.append(world.now))

    machine.forget_all()
    world.run(after(world.now, seconds(2)), lambda: None)

    assert happened == []


# ── processes ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_process_that_stands_still_is_killed_and_its_addresses_are_given_up() -> None:
    site = booted()
    assert states(site) == ["MASTER", "BACKUP"]
    process = site.machines[0].vrrp()

    process.stand(after(site.world.now, seconds(60)))
    live(site, 5)

    assert not process.alive
    assert not holds(site.machines[0]) & holds(site.machines[1])


def test_a_doomed_process_dies_between_two_effects() -> None:
    site = booted()
    process = site.machines[0].vrrp()
    sent = len(site.machines[0].adverts["site/4"])
    process.doomed = 0

    live(site, 1.2)

    assert not process.alive
    assert site.machines[0].vrrp() not in {None, process}
    assert len(site.machines[0].adverts["site/4"]) > sent


def test_news_that_were_lost_are_told_anew() -> None:
    site = booted()
    machine = site.machines[0]
    told: list[object] = []
    machine.vrrp().post = told.append

    machine.monitor.overflow()
    machine.kernel.set_carrier("eth0", up=False)
    machine.touch_kernel()
    live(site, 0.01)
    assert told == []
    machine.monitor.recover()

    assert [type(event).__name__ for event in told] == ["InterfaceChanged", "ItemsUnknown"]
    assert not told[0].interface.up
    assert told[1] == ItemsUnknown()
