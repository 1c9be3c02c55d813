"""What users of keepalived reported of its VRRP, and what must not happen here. `kNNN` is an issue of its tracker.

What needs a wire is in `tests/namespaces`; this is what the engine alone can show.
"""

import itertools
import random
from pathlib import Path

import pytest

from conformance.driver import arrival
from conformance.packets import EQUAL, LOWER
from conformance.steps import Packet
from conformance.sums import sealed
from stayalived.addresses import Family, VirtualAddress
from stayalived.child.events import Report, Tell
from stayalived.config.virtual_routers import PlacedAddress, Route
from stayalived.timing import Duration, Instant, after, elapsed, milliseconds, seconds
from stayalived.vrrp.announcer import CHUNK
from stayalived.vrrp.events import ItemLost
from stayalived.vrrp.holding import REPAIR_PAUSE
from vrrp_machine import (
    VIP6,
    Machine,
    adverts,
    announcements,
    events,
    instance,
    interface,
    kinds,
    lines,
    priorities,
    router,
)

CORE = Path(__file__).parents[3] / "core/stayalived"
DOWN = milliseconds(3_609.375)
FOUR, SIX = router(), router(VIP6)


def on(name: str, *addresses: str) -> tuple[PlacedAddress, ...]:
    """Addresses that belong on this interface."""
    return tuple(PlacedAddress(address=VirtualAddress.parse(text), interface=name) for text in addresses)


def first_of(effects: list[object]) -> object:
    """The first thing that is done, and not only told."""
    return next(effect for effect in effects if not isinstance(effect, Tell | Report))


def master(**changes: object) -> Machine:
    machine = Machine()
    machine.start(instance(router(**changes)))
    machine.pass_time(seconds(12))
    assert machine.state == "MASTER"
    return machine


# ── two masters ──────────────────────────────────────────────────────────────────────────────────────────────────────


class Pair:
    """Two directors on one wire: what one says the other hears a millisecond later."""

    DELAY = milliseconds(1)

    def __init__(self, *configurations: object) -> None:
        self.machines = [Machine(number=number) for number in (1, 2)]
        self.configurations = configurations
        self.wire: list[tuple[Instant, int, object]] = []
        for machine, configuration in zip(self.machines, configurations, strict=True):
            machine.start(configuration)

    def run(self, duration: Duration) -> None:
        end = after(self.machines[0].now, duration)
        while (moment := self.next()) is not None and moment <= end:
            for machine in self.machines:
                machine.now = moment
            self.deliver(moment)
            for number, machine in enumerate(self.machines):
                if machine.engine.deadline is not None and machine.engine.deadline <= moment:
                    self.say(number, machine.wake())
        for machine in self.machines:
            machine.now = end

    def next(self) -> Instant | None:
        moments = [machine.engine.deadline for machine in self.machines] + [at for at, _, _ in self.wire]
        return min((max(moment, self.machines[0].now) for moment in moments if moment is not None), default=None)

    def deliver(self, moment: Instant) -> None:
        arrived = [each for each in self.wire if each[0] <= moment]
        self.wire = [each for each in self.wire if each[0] > moment]
        for _, number, advert in arrived:
            packet = Packet(advert.data.hex(), advert.source, advert.destination)
            self.say(1 - number, self.machines[1 - number].do(arrival(packet, moment)))

    def say(self, number: int, effects: list[object]) -> None:
        at = after(self.machines[number].now, self.DELAY)
        self.wire += [(at, number, advert) for advert in adverts(effects)]

    def reload(self, number: int) -> None:
        self.say(number, self.machines[number].configure(self.configurations[number]))

    @property
    def states(self) -> list[str]:
        return [machine.state for machine in self.machines]


@pytest.mark.parametrize("seed", range(40))
def test_k2649_k2387_k2403_k1884_two_that_start_and_reload_at_once_settle_on_one_master(seed: int) -> None:
    rng = random.Random(seed)
    priorities_of = rng.choice([(100, 100), (100, 200), (200, 100), (100, 101)])
    pair = Pair(*(instance(router(priority=priority)) for priority in priorities_of))

    for _ in range(rng.randrange(1, 12)):
        pair.run(milliseconds(rng.randrange(1, 900)))
        pair.reload(rng.randrange(2))
    pair.run(seconds(8))

    best = "second" if priorities_of[1] >= priorities_of[0] else "first"
    assert pair.states == (["BACKUP", "MASTER"] if best == "second" else ["MASTER", "BACKUP"])


def test_k2387_a_reload_leaves_every_socket_open() -> None:
    machine = master()

    effects = [machine.configure(instance(router())) for _ in range(10)]

    assert {kind for each in effects for kind in kinds(each)} <= {"AnswerPrepared"}


# ── after a split brain ──────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("heard", [LOWER, EQUAL])
def test_k14_k20_k166_k1528_the_master_that_survives_announces_its_addresses_twice(heard: Packet) -> None:
    machine = Machine(number=3)
    machine.start(instance(router(virtual_router_id=51, priority=120)))
    machine.pass_time(seconds(12))

    machine.do(arrival(sealed(heard), machine.now))
    first = announcements(machine.pass_time(Duration(0)))
    second = announcements(machine.pass_time(seconds(6)))

    assert machine.state == "MASTER"
    assert first == second == ["192.0.2.100"] * 5


# ── standing still ───────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("stall", [5, 30, 3_600])
def test_k2066_k2238_k1955_k2271_a_master_that_stood_still_yields_to_who_took_over(stall: int) -> None:
    machine = master()
    machine.now = after(machine.now, seconds(stall))

    machine.do(machine.datagram(priority=200, at=Instant(machine.now - seconds(1))))

    assert adverts(machine.wake()) == []
    assert machine.state == "BACKUP"


def test_k2066_a_master_that_stood_still_and_heard_nobody_speaks_before_anything_else() -> None:
    machine = master()
    machine.now = after(machine.now, seconds(30))

    effects = machine.wake()

    assert priorities([first_of(effects)]) == [100]
    assert announcements(effects) == ["192.0.2.100"] * 5
    assert machine.state == "MASTER"


def test_k2066_how_long_it_stood_still_is_said() -> None:
    machine = master()
    machine.now = after(machine.now, seconds(30))

    said = lines(machine.wake())

    assert [line for line in said if "stood still for 2" in line or "stood still for 30" in line] != []


def test_k2475_nothing_of_the_vrrp_process_lingers_or_waits_for_a_socket() -> None:
    texts = {path.name: path.read_text() for part in ("vrrp", "kernel") for path in (CORE / part).glob("*.py")}
    opening = {name for name, text in texts.items() if "socket.socket(" in text}
    waiting = {name for name in opening if "SOCK_NONBLOCK" not in texts[name]}

    assert opening >= {"ears.py", "mouths.py", "subscription.py", "neighbours.py"}
    assert waiting <= {"connection.py"}  # requests to the kernel, which answers within the call
    assert [name for name, text in texts.items() if "LINGER" in text] == []


# ── very many ────────────────────────────────────────────────────────────────────────────────────────────────────────


def many(count: int, links: int = 1, **changes: object) -> Machine:
    """A director with so many instances, spread over so many interfaces; virtual router numbers repeat on others."""
    names = [f"eth{number}" for number in range(links)]
    machine = Machine(links={name: interface(1, name=name, index=index) for index, name in enumerate(names, 2)})
    instances = []
    for number in range(count):
        address, name = f"198.51.{number // 250}.{number % 250 + 1}/32", names[number % links]
        half = router(
            address,
            instance=f"r{number}",
            interface=name,
            addresses=on(name, address),
            virtual_router_id=number // links + 1,
            **changes,
        )
        instances.append(instance(half))
    machine.start(*instances)
    return machine


def states(machine: Machine) -> set[str]:
    return {message.state for (_, key), message in machine.retained.items() if key.startswith("r") and "/" not in key}


def test_k1333_512_instances_on_256_interfaces_are_all_master_after_the_master_down_time() -> None:
    machine = many(512, links=256)

    before = machine.pass_time(Duration(DOWN - 1))
    machine.pass_time(milliseconds(50))
    later = machine.pass_time(seconds(1))

    assert adverts(before) == []
    assert states(machine) == {"MASTER"}
    assert len(adverts(later)) == 512


def test_k390_k38_of_40_interfaces_only_the_one_that_went_down_is_in_fault() -> None:
    machine = many(80, links=40)
    machine.pass_time(seconds(5))

    machine.change_link(name="eth7", up=False)

    faults = {key for (_, key), message in machine.retained.items() if getattr(message, "state", "") == "FAULT"}
    assert faults == {"r7", "r47"}


def test_k2191_a_thousand_instances_advertise_each_second() -> None:
    machine = many(1_000, links=16)
    machine.pass_time(seconds(30))  # the announcements of the takeover are over

    sent = adverts(machine.pass_time(seconds(3)))

    assert len(sent) == 3_000
    assert len({advert.router for advert in sent}) == 1_000


def test_k2191_an_interval_of_ten_milliseconds_is_kept() -> None:
    machine = master(advert_int=milliseconds(10))

    assert len(adverts(machine.pass_time(seconds(1)))) == 100


# ── adverts wait for nothing ─────────────────────────────────────────────────────────────────────────────────────────


def test_k1653_adverts_do_not_wait_for_255_addresses() -> None:
    addresses = " ".join(f"198.51.100.{number}/32" for number in range(255))
    machine = Machine()
    machine.start(instance(router(addresses, advert_int=milliseconds(10))))

    effects, moments = [], []
    end = after(machine.now, seconds(3))
    while machine.engine.deadline is not None and machine.engine.deadline <= end:
        machine.now = max(machine.now, machine.engine.deadline)
        woken = machine.wake()
        moments += [machine.now] * len(adverts(woken))
        effects += woken

    gaps = {elapsed(one, two) for one, two in itertools.pairwise(moments)}
    assert gaps == {milliseconds(10)}
    assert priorities([first_of(effects)]) == [100]
    assert len(announcements(effects)) == 255 * 5


def test_k1143_k111_616_addresses_are_announced_in_portions() -> None:
    instances = [
        instance(
            router(
                " ".join(f"198.51.{part}.{number}/32" for number in range(154)),
                instance=f"r{part}",
                virtual_router_id=part + 1,
            )
        )
        for part in range(4)
    ]
    machine = Machine()
    machine.start(*instances)

    portions = []
    end = after(machine.now, seconds(4))
    while machine.engine.deadline is not None and machine.engine.deadline <= end:
        machine.now = max(machine.now, machine.engine.deadline)
        portions.append((machine.now, len(announcements(machine.wake()))))

    said = [(at, count) for at, count in portions if count]
    assert sum(count for _, count in said) == 616 * 5
    assert max(count for _, count in said) <= CHUNK
    assert min(elapsed(one[0], two[0]) for one, two in itertools.pairwise(said)) >= milliseconds(1)


# ── addresses ────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("gap", [10, 50])
def test_k1143_k111_announcements_of_one_interface_are_paced(gap: int) -> None:
    machine = Machine()
    machine.start(instance(router("192.0.2.100/24 192.0.2.101/24", garp_interval=milliseconds(gap))))

    moments = []
    end = after(machine.now, seconds(5))
    while machine.engine.deadline is not None and machine.engine.deadline <= end:
        machine.now = max(machine.now, machine.engine.deadline)
        moments += [machine.now] * len(announcements(machine.wake()))

    assert len(moments) == 10
    assert min(elapsed(one, two) for one, two in itertools.pairwise(moments)) >= milliseconds(gap)


def test_k1385_a_route_that_somebody_deletes_is_put_back_and_then_given_up() -> None:
    destination = VirtualAddress("10.0.0.0", 8)
    route = Route(family=Family.IPV4, destination=destination, gateway="192.0.2.254", interface="eth0")
    machine = master(routes=(route,))
    assert list(machine.items) == [route]

    for _ in range(5):
        machine.items.clear()
        machine.do(ItemLost(item=route))
        machine.pass_time(REPAIR_PAUSE)
        assert list(machine.items) == [route]
    machine.items.clear()
    effects = machine.do(ItemLost(item=route))

    assert priorities(effects) == [0]
    assert machine.state == "BACKUP"
    assert list(machine.items) == []


def test_k836_k1385_k1170_k2479_k2564_an_address_that_networkd_deletes_is_put_back_and_then_given_up() -> None:
    machine = master()

    repaired = [[*machine.delete_address(), *machine.pass_time(REPAIR_PAUSE)] for _ in range(5)]
    given_up = machine.delete_address()

    assert [priorities(effects) for effects in repaired] == [[]] * 5
    assert [line for effects in repaired for line in lines(effects) if "somebody deleted 192.0.2.100/24" in line] != []
    assert priorities(given_up) == [0]
    assert machine.state == "BACKUP"
    assert "somebody keeps deleting the addresses" in machine.told().reason


def test_k375_neighbour_advertisements_leave_with_the_takeover_of_ipv6() -> None:
    machine = Machine()
    machine.start(instance(SIX))

    effects = machine.pass_time(DOWN)

    assert machine.state == "MASTER"
    assert machine.holds(VIP6)
    assert announcements(effects) == ["2001:db8::100"] * 5


def test_k2573_one_link_local_address_may_be_on_two_interfaces() -> None:
    links = {name: interface(1, name=name, index=index) for index, name in enumerate(("eth0", "eth1"), 2)}
    machine = Machine(links=dict(links))
    machine.start(
        *(
            instance(router("fe80::100/64", instance=name, interface=name, addresses=on(name, "fe80::100/64")))
            for name in links
        )
    )
    machine.pass_time(seconds(4))
    assert machine.holds("fe80::100/64", "eth0")
    assert machine.holds("fe80::100/64", "eth1")

    machine.change_link(name="eth0", up=False)

    assert not machine.holds("fe80::100/64", "eth0")
    assert machine.holds("fe80::100/64", "eth1")
    assert (machine.told("eth0").state, machine.told("eth1").state) == ("FAULT", "MASTER")


# ── delays of preemption ─────────────────────────────────────────────────────────────────────────────────────────────

MASTER_FROM = {
    # (preempt, preempt_delay) and what is heard each 100 ms, in order, each for so many seconds: when it takes over
    (True, 0, "lower for ever"): DOWN,
    (True, 10, "lower for ever"): seconds(10) + DOWN,
    (False, 0, "lower for ever"): None,
    (True, 10, "nobody"): DOWN,
    (False, 0, "nobody"): DOWN,
    (True, 10, "lower for 4 s, then nobody"): seconds(4) + DOWN,
    (True, 10, "lower for 4 s, higher for 4 s, then lower"): seconds(18) + DOWN,
    (True, 0, "higher for ever"): None,
    (True, 10, "equal for ever"): None,
}
HEARD = {
    "lower for ever": [(50, None)],
    "higher for ever": [(200, None)],
    "equal for ever": [(100, None)],
    "nobody": [],
    "lower for 4 s, then nobody": [(50, 4)],
    "lower for 4 s, higher for 4 s, then lower": [(50, 4), (200, 4), (50, None)],
}


def priority_heard(what: str, second: float) -> int | None:
    for priority, duration in HEARD[what]:
        if duration is None or second < duration:
            return priority
        second -= duration
    return None


@pytest.mark.parametrize(("case", "expected"), MASTER_FROM.items(), ids=str)
def test_k80_k82_k2098_k2032_k1808_k2650_preempt_delay_is_what_the_table_says(
    case: tuple[bool, int, str], expected: Duration | None
) -> None:
    preempt, delay, what = case
    machine = Machine()
    machine.start(instance(router(preempt=preempt, preempt_delay=seconds(delay))))
    began = machine.now

    while machine.state == "BACKUP" and elapsed(began, machine.now) < seconds(60):
        priority = priority_heard(what, elapsed(began, machine.now) / seconds(1))
        if priority is not None:
            machine.hear(priority=priority)
        machine.pass_time(milliseconds(100))

    took = elapsed(began, machine.now) if machine.state == "MASTER" else None
    assert took == (None if expected is None else pytest.approx(expected, abs=milliseconds(200)))


@pytest.mark.parametrize(("delay", "priority", "expected"), [(0, 100, DOWN), (10, 100, seconds(10) + DOWN)])
def test_k80_k82_k2098_k2032_k1808_k2650_startup_delay_comes_before_everything(
    delay: int, priority: int, expected: Duration
) -> None:
    machine = Machine()
    machine.start(instance(router(priority=priority)), startup_delay=seconds(delay))

    before = machine.pass_time(Duration(expected - 1))
    at_last = machine.pass_time(Duration(1))

    assert adverts(before) == []
    assert priorities(at_last) == [priority]


# ── what is told ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_k2087_each_move_is_one_event_and_nothing_else_is() -> None:
    machine = Machine()
    told = []

    told += events(machine.start(instance(router())))
    told += events(machine.pass_time(seconds(4)))
    told += events(machine.hear(priority=200))
    told += events(machine.hear(priority=200))
    told += events(machine.change_link(up=False))
    told += events(machine.change_link(up=False))
    told += events(machine.change_link(up=True))
    told += events(machine.stop())

    assert told == ["backup", "master", "backup", "fault", "backup", "stop"]


def test_k2220_k2469_k211_each_move_says_why_and_flaps_are_counted() -> None:
    machine = Machine()
    machine.start(instance(router()))
    reasons = [machine.told().reason]

    for _ in range(3):
        machine.pass_time(DOWN)
        reasons.append(machine.told().reason)
        machine.hear(priority=200)
        reasons.append(machine.told().reason)

    assert reasons == ["started"] + ["no advert of a master", "advert of higher priority: 192.0.2.2"] * 3
    assert (machine.counters().became_master, machine.counters().released_master) == (3, 3)
