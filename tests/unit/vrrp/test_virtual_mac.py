"""Routers with a hardware address of their own (V07, V08), sysctls that are borrowed, and what else a MASTER holds."""

import dataclasses

import pytest

from stayalived.addresses import Family, VirtualAddress
from stayalived.config.virtual_routers import PlacedAddress, Route, Rule, VirtualMac, VirtualRouter
from stayalived.kernel.api import Barrier, Verb
from stayalived.messages.control import Start
from stayalived.messages.vrrp import BorrowedSysctl
from stayalived.timing import after, milliseconds, seconds
from stayalived.vrrp.effects import (
    ApplyChanges,
    Listen,
    MakeVirtualMac,
    RemoveVirtualMacs,
    SendGratuitousArp,
    SetSysctl,
)
from stayalived.vrrp.events import EffectFailed, InterfaceGone, ItemLost, ItemsUnknown
from stayalived.vrrp.holding import REPAIR_PAUSE
from vrrp_machine import Machine, adverts, events, instance, interface, lines, router

MAC = VirtualMac(name="vrrp.1", parent="eth0", mac=bytes.fromhex("00005e000101"), ipv6=False)
ADDRESS = PlacedAddress(address=VirtualAddress("192.0.2.100", 24), interface="vrrp.1")
ROUTE = Route(family=Family.IPV4, destination=VirtualAddress("10.0.0.0", 8), gateway="192.0.2.254", interface="eth0")
RULE = Rule(family=Family.IPV4, preference=16384, table=100, source=VirtualAddress("192.0.2.100", 32))


def with_mac(**changes: object) -> VirtualRouter:
    return router(**({"virtual_mac": MAC, "addresses": (ADDRESS,)} | changes))


def started(one: VirtualRouter, **options: object) -> Machine:
    machine = Machine(**options)
    machine.start(instance(one))
    return machine


def master(one: VirtualRouter) -> Machine:
    machine = started(one)
    machine.pass_time(seconds(12))
    assert machine.state == "MASTER"
    return machine


def of_kind(effects: list[object], kind: type) -> list[object]:
    return [effect for effect in effects if isinstance(effect, kind)]


def changes(effects: list[object]) -> list[tuple[str, str]]:
    return [
        (change.verb.name, type(change.item).__name__)
        for effect in of_kind(effects, ApplyChanges)
        for change in effect.changes
    ]


def test_the_macvlan_is_made_and_the_router_begins_when_it_is_there() -> None:
    machine = Machine()

    effects = machine.start(instance(with_mac()))

    assert of_kind(effects, MakeVirtualMac) == [MakeVirtualMac(virtual_mac=MAC)]
    assert machine.links["vrrp.1"].mac == MAC.mac
    assert machine.state == "BACKUP"
    assert events(machine.effects) == ["backup"]


def test_adverts_and_announcements_come_from_the_virtual_mac() -> None:
    machine = started(with_mac())

    effects = machine.pass_time(seconds(4))

    (advert,) = adverts(effects)
    assert (advert.interface, advert.index, advert.source_mac, advert.source) == ("vrrp.1", 3, MAC.mac, "192.0.2.1")
    assert {(arp.interface, arp.mac) for arp in of_kind(effects, SendGratuitousArp)} == {("vrrp.1", MAC.mac)}
    assert machine.holds(name="vrrp.1")


def test_what_another_director_says_from_the_same_virtual_mac_is_heard_on_the_macvlan() -> None:
    machine = started(with_mac())
    ears = [(ear.interface, ear.address, ear.source_mac) for ear in of_kind(machine.effects, Listen)]
    assert sorted(ears) == [("eth0", "224.0.0.18", b""), ("vrrp.1", "224.0.0.18", MAC.mac)]

    advert = machine.datagram(priority=200)
    machine.do(dataclasses.replace(advert, interface="vrrp.1"))

    assert machine.told().routers[0].master == "192.0.2.2"


def test_whoever_cannot_hear_on_the_macvlan_is_in_fault() -> None:
    machine = started(with_mac())
    ear = Listen(interface="vrrp.1", index=3, family=Family.IPV4, address="224.0.0.18", source_mac=MAC.mac)

    machine.do(EffectFailed(effect=ear, problem="listen on vrrp.1: Operation not permitted"))

    assert machine.told().reason == "fault: tic/4: listen on vrrp.1: Operation not permitted"


def test_adverts_leave_by_the_interface_itself_where_that_is_wanted() -> None:
    machine = started(with_mac(transmit_on_base=True))

    (advert,) = adverts(machine.pass_time(seconds(4)))

    assert (advert.interface, advert.source_mac) == ("eth0", b"")


def test_a_macvlan_that_is_there_is_not_made_again() -> None:
    bare = interface(name="vrrp.1", index=7)
    there = dataclasses.replace(bare, mac=MAC.mac, parent=2, kind="macvlan", addresses=())

    machine = started(with_mac(), links={"eth0": interface(), "vrrp.1": there})

    assert of_kind(machine.effects, MakeVirtualMac) == []
    assert machine.state == "BACKUP"


def test_a_macvlan_that_the_kernel_refuses_is_a_fault_and_asked_for_again() -> None:
    machine = Machine(makes_virtual_macs=False)
    machine.start(instance(with_mac()))

    assert (machine.state, machine.told().reason) == ("INIT", "virtual MAC vrrp.1 is being made")

    problem = "ip link add vrrp.1: Operation not permitted"
    machine.do(EffectFailed(effect=MakeVirtualMac(virtual_mac=MAC), problem=problem))
    assert (machine.state, machine.told().reason) == ("FAULT", f"fault: tic/4: {problem}")
    machine.makes_virtual_macs = True
    machine.pass_time(seconds(1.1))

    assert machine.state == "BACKUP"
    assert "ip link add vrrp.1: Operation not permitted; trying again" in lines(machine.effects)


@pytest.mark.parametrize("up", [True, False])
def test_another_interface_that_has_the_name_of_the_macvlan_is_a_fault_that_says_what_to_do(*, up: bool) -> None:
    foreign = dataclasses.replace(interface(name="vrrp.1", up=up), index=9, kind="veth")

    machine = Machine(links={"eth0": interface(), "vrrp.1": foreign}, makes_virtual_macs=False)
    machine.start(instance(with_mac()))
    machine.do(EffectFailed(effect=MakeVirtualMac(virtual_mac=MAC), problem="ip link add vrrp.1: File exists"))
    machine.pass_time(seconds(5))

    assert machine.state == "FAULT"
    assert "fault: tic/4: vrrp.1 is not the macvlan with the virtual MAC 00:00:5e:00:01:" in machine.told().reason
    assert "remove it (ip link delete vrrp.1) or give use_vmac another name" in machine.told().reason
    assert not machine.holds(name="vrrp.1")


def test_a_macvlan_that_somebody_deletes_is_a_fault_and_made_again() -> None:
    machine = master(with_mac())
    del machine.links["vrrp.1"]

    effects = machine.do(InterfaceGone(name="vrrp.1"))

    assert of_kind(effects, MakeVirtualMac) == [MakeVirtualMac(virtual_mac=MAC)]
    machine.pass_time(seconds(5))
    assert machine.state == "MASTER"
    assert machine.holds(name="vrrp.1")


def test_the_macvlan_is_removed_at_the_stop_after_its_addresses() -> None:
    machine = master(with_mac())

    effects = machine.stop()

    assert "vrrp.1" not in machine.links
    kinds = [type(effect).__name__ for effect in effects]
    assert kinds.index("SendAdverts") < kinds.index("ApplyChanges") < kinds.index("RemoveVirtualMacs")


def test_a_reload_without_the_virtual_mac_makes_another_router_and_removes_the_macvlan() -> None:
    machine = master(with_mac())

    effects = [*machine.configure(instance(router())), *machine.wake()]

    assert of_kind(effects, RemoveVirtualMacs) == [RemoveVirtualMacs(names=("vrrp.1",))]
    assert machine.state == "BACKUP"


def test_a_replaced_process_removes_the_macvlan_of_a_router_that_is_no_longer_configured() -> None:
    machine = master(with_mac())
    machine.die()

    machine.start(how=Start.RESPAWNED)

    assert "vrrp.1" not in machine.links


def test_a_replaced_process_goes_on_with_the_macvlan_and_its_addresses() -> None:
    machine = master(with_mac())
    machine.die()
    machine.now = after(machine.now, milliseconds(100))

    effects = machine.start(instance(with_mac()), how=Start.RESPAWNED)

    assert machine.state == "MASTER"
    assert of_kind(effects, MakeVirtualMac) == []
    assert changes(effects) == []


# ── sysctls ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def sysctl(key: str, name: str = "eth0") -> str:
    return f"net/ipv4/conf/{name}/{key}"


def test_a_sysctl_that_is_needed_is_set_and_put_back() -> None:
    machine = started(router(promote_secondaries=True))
    assert machine.sysctls[sysctl("promote_secondaries")] == "1"

    machine.stop()

    assert machine.sysctls[sysctl("promote_secondaries")] == "0"


def test_what_was_as_wanted_already_is_not_put_back() -> None:
    machine = Machine(sysctls={sysctl("promote_secondaries"): "1"})
    machine.start(instance(router(promote_secondaries=True)))

    effects = machine.stop()

    assert of_kind(effects, SetSysctl) == []


def test_a_replaced_process_puts_back_what_the_one_before_it_has_set() -> None:
    machine = started(router(promote_secondaries=True))
    assert machine.retained[BorrowedSysctl, sysctl("promote_secondaries")].before == "0"
    machine.die()
    machine.start(instance(router(promote_secondaries=True)), how=Start.RESPAWNED)

    machine.stop()

    assert machine.sysctls[sysctl("promote_secondaries")] == "0"
    assert (BorrowedSysctl, sysctl("promote_secondaries")) not in machine.retained


def test_a_reload_that_needs_a_sysctl_no_longer_puts_it_back() -> None:
    machine = started(router(promote_secondaries=True))

    machine.configure(instance(router()))

    assert machine.sysctls[sysctl("promote_secondaries")] == "0"


def test_sysctls_are_set_again_on_an_interface_that_comes_back() -> None:
    machine = started(router(promote_secondaries=True))
    machine.lose_link()
    machine.sysctls.clear()

    machine.links["eth0"] = dataclasses.replace(interface(), index=9)
    machine.change_link(index=9)

    assert machine.sysctls[sysctl("promote_secondaries")] == "1"


# ── routes, rules, barriers, excluded addresses ──────────────────────────────────────────────────────────────────────


def holding_all(**options: object) -> VirtualRouter:
    excluded = PlacedAddress(address=VirtualAddress("2001:db8::200", 64), interface="eth0")
    return router(**({"excluded": (excluded,), "routes": (ROUTE,), "rules": (RULE,), "accept": False} | options))


def test_a_master_takes_barriers_then_addresses_then_routes_then_rules() -> None:
    machine = started(holding_all())

    effects = machine.pass_time(seconds(4))

    order = ["Barrier", "Barrier", "PlacedAddress", "PlacedAddress", "Route", "Rule"]
    assert changes(effects) == [("ADD", name) for name in order]
    assert machine.told().routers[0].held


def test_it_gives_them_up_the_other_way_round() -> None:
    machine = master(holding_all())

    effects = machine.hear(priority=200)

    order = ["Rule", "Route", "PlacedAddress", "PlacedAddress", "Barrier", "Barrier"]
    assert changes(effects) == [("REMOVE", name) for name in order]
    assert machine.items == {}


def test_an_owner_answers_to_its_addresses_always() -> None:
    machine = started(holding_all(priority=255))

    assert Barrier(address="192.0.2.100") not in machine.items


def test_leftover_routes_and_rules_are_removed_before_the_first_packet() -> None:
    machine = started(holding_all())

    assert changes(machine.effects)[:2] == [("REMOVE", "Barrier"), ("REMOVE", "Barrier")]
    assert ("REMOVE", "Route") in changes(machine.effects)
    assert adverts(machine.effects) == []


def test_a_route_that_somebody_deletes_is_put_back() -> None:
    machine = master(holding_all())
    del machine.items[ROUTE]

    machine.do(ItemLost(item=ROUTE))

    assert ROUTE in machine.items
    assert "(tic/4) somebody deleted the route to 10.0.0.0/8: added again" in lines(machine.effects)


def test_a_route_that_is_deleted_again_and_again_makes_the_master_step_down() -> None:
    machine = master(holding_all())

    for _ in range(6):
        machine.pass_time(REPAIR_PAUSE)
        machine.do(ItemLost(item=ROUTE))

    assert machine.state == "BACKUP"


def test_what_is_not_tracked_is_not_put_back() -> None:
    import msgspec

    untracked = msgspec.structs.replace(ROUTE, tracked=False)
    machine = master(holding_all(routes=(untracked,)))
    del machine.items[untracked]

    machine.do(ItemLost(item=untracked))

    assert untracked not in machine.items
    assert machine.state == "MASTER"


def test_when_the_kernels_news_overflow_routes_and_rules_are_asked_for_again() -> None:
    machine = master(holding_all())

    effects = machine.do(ItemsUnknown())

    assert changes(effects) == [("ADD", "Route"), ("ADD", "Rule")]


def test_the_excluded_address_is_held_and_announced_and_not_advertised() -> None:
    machine = started(holding_all())

    effects = machine.pass_time(seconds(4))

    (advert,) = adverts(effects)
    assert advert.data[3] == 1
    assert "2001:db8::200" in {getattr(effect, "address", "") for effect in effects}
    assert machine.told().routers[0].excluded == ("2001:db8::200/64",)


def test_a_reload_that_changes_one_route_touches_that_route_only() -> None:
    machine = master(holding_all())
    other = Route(family=Family.IPV4, destination=VirtualAddress("10.1.0.0", 16), gateway="192.0.2.254")

    effects = machine.configure(instance(holding_all(routes=(other,))))

    assert [(change.verb, change.item) for effect in of_kind(effects, ApplyChanges) for change in effect.changes] == [
        (Verb.REMOVE, ROUTE),
        (Verb.ADD, other),
    ]
