"""What docs/operations.md quotes is what the program says: reasons of INIT and FAULT, counters, lines of the log."""

import errno
import os
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from stayalived.addresses import VirtualAddress
from stayalived.child.events import Report
from stayalived.config.virtual_routers import Tracker, VirtualMac
from stayalived.errors import KernelProblem
from stayalived.kernel.api import Interface
from stayalived.timing import after, for_people, seconds
from stayalived.vrrp import counters, ears, frame_ears, group, holding, preparation, rhythm, tracking
from stayalived.vrrp.desk import WARNING
from stayalived.vrrp.effects import Listen
from stayalived.vrrp.links import Link
from stayalived.vrrp.packet import Kind
from stayalived.vrrp.realtime import RealTime
from stayalived.vrrp.sites import Site
from stayalived.vrrp.tracking import Tracked
from vrrp_machine import VIP6, Machine, instance, interface, router

TOP = Path(__file__).parents[2]
PAGE = (TOP / "docs" / "operations.md").read_text()
VRRP = TOP / "core" / "stayalived" / "vrrp"
MAC = VirtualMac(name="vrrp.51", parent="eth0", mac=bytes.fromhex("00005e000133"), ipv6=False)
COUNTED = re.compile(r"""(?:\.fail|_drop|_count)\((?:found\[1\]\.counters, )?"(\w+)\"""")


def section(heading: str) -> str:
    """Return what stands under a heading."""
    return PAGE.split(f"\n## {heading}\n", 1)[1].split("\n## ", 1)[0]


def first_cells(heading: str) -> list[str]:
    """Return what stands between backticks in the first column of a section's table."""
    rows = [line for line in section(heading).splitlines() if line.startswith("| `")]
    return [text for row in rows for text in re.findall(r"`([^`]+)`", row.split(" | ")[0])]


def link(name: str = "eth0", *, up: bool = True, addresses: tuple[str, ...] = ("192.0.2.11/24",)) -> Link:
    """An interface that the kernel has described."""
    seen = Link(name)
    parsed = tuple(map(VirtualAddress.parse, addresses))
    seen.see(Interface(name=name, index=2, up=up, mac=bytes(6), mtu=1500, arp=True, addresses=parsed))
    return seen


def without_ears() -> str:
    deaf = link()
    effect = Listen(interface="eth0", index=2, family=router().family, address="224.0.0.18")
    deaf.refuse(effect, str(KernelProblem("listen to 224.0.0.18 on eth0", errno.EPERM)), Machine().now)
    return deaf.fault(router())


def macvlan(*, kind: str = "macvlan", up: bool = True) -> Link:
    seen = link("vrrp.51", up=up, addresses=())
    seen.virtual_mac = MAC.mac
    assert seen.interface is not None
    seen.see(replace(seen.interface, kind=kind, mac=MAC.mac))
    return seen


def on_macvlan(macvlan: Link) -> str:
    member = router(virtual_mac=MAC)
    return Site(member, {"eth0": link(), "vrrp.51": macvlan}).fault(member)


def tracked(tracker: Tracker, seen: Tracked, **links: Link) -> str:
    (fault,) = tracking.judge([tracker], {"key": seen}, links).faults
    return fault


def a_check(name: str, **more: bool) -> Tracker:
    return Tracker(name=name, check="key", **more)


FAULTS: tuple[Callable[[], str], ...] = (
    lambda: Link("eth7").fault(router(interface="eth7")),
    lambda: link(up=False).fault(router()),
    lambda: link(addresses=()).fault(router()),
    lambda: link().fault(router(VIP6)),
    lambda: link().fault(router(source="192.0.2.1")),
    without_ears,
    lambda: on_macvlan(Link("vrrp.51")),
    lambda: on_macvlan(macvlan(kind="veth")),
    lambda: on_macvlan(macvlan(up=False)),
    lambda: tracked(a_check("uplink"), Tracked(up=False, reason="command: exit status 1")),
    lambda: tracked(a_check("uplink", init_fail=True), tracking.UNKNOWN),
    lambda: tracked(a_check("maintenance"), Tracked(up=True, value=3)),
    lambda: tracked(a_check("standby", reverse=True), Tracked(up=True)),
    lambda: tracked(Tracker(name="eth2", interface="eth2"), tracking.UNKNOWN, eth2=link("eth2", up=False)),
    lambda: tracked(Tracker(name="eth2", interface="eth2", reverse=True), tracking.UNKNOWN, eth2=link("eth2")),
)


def test_every_cause_of_fault_is_on_the_page_in_the_programs_words() -> None:
    assert first_cells("FAULT, and how to get out of it") == [fault() for fault in FAULTS]


def waiting_for_time() -> Machine:
    machine = Machine()
    machine.start(instance(router()), startup_delay=seconds(10))
    return machine


def waiting_for_a_macvlan() -> Machine:
    machine = Machine(makes_virtual_macs=False)
    machine.start(instance(router(virtual_mac=MAC)))
    return machine


def waiting_for_a_check() -> Machine:
    machine = Machine()
    machine.start(instance(router(), track=[a_check("uplink")]))
    return machine


def test_what_an_instance_waits_for_is_on_the_page_in_the_programs_words() -> None:
    machines = waiting_for_time(), waiting_for_a_macvlan(), waiting_for_a_check()

    assert [machine.state for machine in machines] == ["INIT"] * 3
    assert first_cells("INIT, and what it waits for") == [machine.told().reason for machine in machines]


def test_every_kind_of_error_of_a_virtual_router_is_on_the_page_once() -> None:
    sources = ((VRRP / f"{name}.py").read_text() for name in ("hearing", "election", "senses"))
    counted = {kind for text in sources for kind in COUNTED.findall(text)} | set(Kind)

    explained = first_cells("Both are master")

    assert sorted(explained) == sorted(counted)


@pytest.fixture
def master() -> Machine:
    machine = Machine()
    machine.start(instance(router("10.42.0.1/24", instance="inside")))
    machine.pass_time(seconds(4))
    machine.effects.clear()
    return machine


def warnings(machine: Machine) -> list[str]:
    return [effect.text for effect in machine.effects if isinstance(effect, Report) and effect.level >= WARNING]


def test_the_line_about_a_deleted_address_is_the_one_that_is_written(master: Machine) -> None:
    master.delete_address("10.42.0.1/24")

    (written,) = warnings(master)
    assert f"\n    {written}\n" in section("Somebody else deletes an address")


def test_the_line_about_a_standstill_is_the_one_that_is_written(master: Machine) -> None:
    assert master.engine.deadline is not None
    master.now = after(master.engine.deadline, seconds(2))
    master.wake()

    (written,) = warnings(master)
    assert f"\n    {written}\n" in section("Short intervals, real time")


def test_the_line_about_real_time_is_the_one_that_is_written(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(*_arguments: object) -> None:
        raise OSError(errno.EPERM, os.strerror(errno.EPERM))

    monkeypatch.setattr("resource.setrlimit", lambda *_arguments: None)
    monkeypatch.setattr("signal.signal", lambda *_arguments: None)
    monkeypatch.setattr("os.sched_setscheduler", refuse)

    RealTime().want(1)

    (written,) = caplog.messages
    assert f"\n    {written}\n" in section("Short intervals, real time")


@pytest.mark.parametrize(
    ("heading", "said"),
    [
        ("Somebody else deletes an address", f"within {for_people(holding.REPAIR_PAUSE)} is one repair"),
        (
            "Somebody else deletes an address",
            f"more than {holding.REPAIRS} repairs in {for_people(holding.REPAIR_WINDOW)}",
        ),
        ("Thousands of virtual routers", f"one process has places for {preparation.SLOTS}"),
        ("Thousands of virtual routers", f"most {rhythm.TOGETHER} adverts of a link leave at once"),
        ("Thousands of virtual routers", f"receive buffers of {ears.RECEIVE_BUFFER >> 20} MiB"),
        ("Thousands of virtual routers", f"set `net.core.rmem_max` to {frame_ears.RECEIVE_BUFFER} there"),
        ("INIT, and what it waits for", f"for {for_people(group.PATIENCE)} at most"),
        ("Is all well?", f"those of {counters.TOLD_AT_ONCE} virtual routers in a second"),
    ],
)
def test_figures_are_those_of_the_code(heading: str, said: str) -> None:
    assert said in " ".join(section(heading).split())


def test_the_machine_of_the_tests_has_what_the_faults_say_is_missing() -> None:
    """Else each of them would be a fault for another reason than that of its row."""
    whole = Link("eth0")
    whole.see(interface())

    assert (whole.fault(router()), whole.fault(router(VIP6)), on_macvlan(macvlan())) == ("", "", "")
