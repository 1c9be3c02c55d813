"""An instance whose source address is configured speaks from that address or not at all."""

import dataclasses

import pytest

from stayalived.addresses import VirtualAddress
from stayalived.timing import seconds
from vrrp_machine import VIP, VIP6, Machine, adverts, instance, interface, router

SOURCE = "192.0.2.9"
MISSING = f"fault: tic/4: interface eth0 does not carry {SOURCE}, the configured source of adverts"


def started(text: str = VIP, **changes: object) -> Machine:
    machine = Machine()
    machine.start(instance(router(text, **changes)))
    machine.pass_time(seconds(12.3))
    return machine


def give(machine: Machine, text: str = f"{SOURCE}/24") -> None:
    machine.change_link(addresses=(*machine.links["eth0"].addresses, VirtualAddress.parse(text)))


def test_an_address_that_the_interface_does_not_carry_is_a_fault_with_a_reason() -> None:
    machine = started(source=SOURCE)
    assert ("FAULT", MISSING) == (machine.state, machine.told().reason)
    assert [] == adverts(machine.effects)


def test_the_fault_ends_when_the_address_comes() -> None:
    machine = started(source=SOURCE)
    give(machine)
    assert machine.state == "BACKUP"
    machine.pass_time(seconds(12.3))
    assert machine.state == "MASTER"
    assert {SOURCE} == {advert.source for advert in adverts(machine.effects)}


def test_a_master_that_loses_the_address_releases_and_is_in_fault() -> None:
    machine = Machine()
    give(machine)
    machine.start(instance(router(source=SOURCE)))
    machine.pass_time(seconds(12.3))
    assert machine.state == "MASTER"

    machine.delete_address(f"{SOURCE}/24")

    assert ("FAULT", MISSING) == (machine.state, machine.told().reason)
    assert not machine.holds()


def test_a_reload_that_names_a_missing_address_is_a_fault_until_it_names_another() -> None:
    machine = started()
    assert machine.state == "MASTER"

    machine.configure(instance(router(source=SOURCE)))
    assert ("FAULT", MISSING) == (machine.state, machine.told().reason)

    machine.configure(instance(router(source="192.0.2.1")))
    machine.pass_time(seconds(12.3))
    assert machine.state == "MASTER"


def test_a_virtual_address_is_no_source() -> None:
    other = router("192.0.2.101/24", instance="tac", virtual_router_id=2, source="192.0.2.100")
    machine = Machine()
    machine.start(instance(router()), instance(other))
    machine.pass_time(seconds(12.3))
    assert (machine.told("tic").state, machine.told("tac").state) == ("MASTER", "FAULT")


def test_an_owner_may_speak_from_its_own_virtual_address() -> None:
    machine = started(priority=255, source="192.0.2.100")
    assert machine.state == "MASTER"


@pytest.mark.parametrize(("source", "state"), [("fe80::1", "MASTER"), ("fe80::9", "FAULT")])
def test_a_link_local_source_is_looked_for_as_well(source: str, state: str) -> None:
    assert started(VIP6, source=source).state == state


def test_the_same_address_on_another_interface_does_not_count() -> None:
    machine = Machine()
    eth1 = interface(2, name="eth1", index=3)
    machine.links["eth1"] = dataclasses.replace(eth1, addresses=(VirtualAddress.parse(f"{SOURCE}/24"),))
    machine.start(instance(router(source=SOURCE)))
    assert machine.told().reason == MISSING
