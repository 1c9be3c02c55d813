"""The network in memory behaves as the real one does; `tests/namespaces/test_network.py` runs the same list there."""

import errno

import pytest

from namespaces.network_cases import (
    CASES,
    DEFAULT_6,
    DIRECT,
    GATEWAY_4,
    VMAC_4,
    VMAC_6,
)
from namespaces.network_steps import GIVEN, Case, address, changes, expected_of, play, route, rule
from stayalived.addresses import VirtualAddress
from stayalived.config.virtual_routers import PlacedAddress
from stayalived.kernel.api import Gone, Interface, Verb
from stayalived.kernel.losses import RouteDeleted, RuleDeleted
from stayalived.kernel.memory_network import MemoryNetwork
from stayalived.kernel.memory_routing import Refused


def interface(*addresses: str, index: int = 2, name: str = "eth0", up: bool = True) -> Interface:
    held = tuple(VirtualAddress.parse(text) for text in addresses)
    return Interface(name=name, index=index, up=up, mac=b"\2\0\0\0\0\1", mtu=1500, arp=True, addresses=held)


class Memory:
    """The world of a case, in memory."""

    def __init__(self, *given: str) -> None:
        self.kernel = MemoryNetwork([interface(*given)])

    def set_link(self, *, up: bool) -> None:
        self.kernel.set_link("eth0", up=up)

    def disable_ipv6(self) -> None:
        self.kernel.set_ipv6("eth0", enabled=False)

    def delete_address(self, text: str) -> None:
        self.kernel.delete_behind(address(text))

    def held(self, interface: str) -> set[str]:
        return {str(address) for address in self.kernel.interfaces()[interface].addresses}

    def barriers(self) -> set[str]:
        return self.kernel.barriers


@pytest.fixture
def kernel() -> MemoryNetwork:
    return Memory(*GIVEN).kernel


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_network_in_memory(case: Case) -> None:
    assert expected_of(case) == play(case, Memory(*case.given))


def test_a_promoted_secondary_stays_when_the_first_address_goes() -> None:
    kernel = MemoryNetwork([interface("192.0.2.1/24", "192.0.2.2/24", "192.0.2.3/24")], promote_secondaries=True)

    kernel.apply(changes(Verb.REMOVE, [address("192.0.2.1/24"), address("192.0.2.2/24")], kernel))

    assert (VirtualAddress("192.0.2.3", 24),) == kernel.interfaces()["eth0"].addresses


def test_what_is_there_at_the_start_is_no_change() -> None:
    assert MemoryNetwork([interface("192.0.2.1/24")]).next_change() is None


def test_each_change_is_told_once_as_the_interface_is_then() -> None:
    kernel = MemoryNetwork([interface()])

    for _ in range(2):
        kernel.apply(changes(Verb.ADD, [address("192.0.2.9/32")], kernel))
    kernel.set_carrier("eth0", up=False)
    kernel.unplug("eth0")

    told = list(iter(kernel.next_change, None))
    assert [interface("192.0.2.9/32"), interface("192.0.2.9/32", up=False), Gone(name="eth0")] == told


def test_an_interface_may_appear_later() -> None:
    kernel = MemoryNetwork()

    kernel.plug(interface(index=7, name="eth1"))

    assert kernel.next_change() == interface(index=7, name="eth1")
    assert {"eth1"} == kernel.interfaces().keys()
    assert [None] == kernel.apply(changes(Verb.ADD, [address("192.0.2.9/32", "eth1")], kernel))


def test_an_address_with_a_peer_has_the_prefix_of_the_peer(kernel: MemoryNetwork) -> None:
    item = address("198.51.100.1/24", peer="198.51.100.2/32")

    kernel.apply(changes(Verb.ADD, [item], kernel))
    there = kernel.interfaces()["eth0"].addresses
    kernel.apply(changes(Verb.REMOVE, [item], kernel))

    assert VirtualAddress("198.51.100.1", 32) in there
    assert VirtualAddress("198.51.100.1", 32) not in kernel.interfaces()["eth0"].addresses


def test_what_somebody_else_deletes_is_told_and_what_we_remove_is_not(kernel: MemoryNetwork) -> None:
    ours = rule(100, table=1000)
    kernel.apply(changes(Verb.ADD, [GATEWAY_4, DEFAULT_6, ours], kernel))

    kernel.delete_behind(GATEWAY_4)
    kernel.delete_behind(GATEWAY_4)
    kernel.delete_behind(ours)
    kernel.apply(changes(Verb.REMOVE, [DEFAULT_6], kernel))

    assert [RouteDeleted(route=GATEWAY_4), RuleDeleted(rule=ours)] == list(iter(kernel.next_loss, None))
    assert ([], []) == (kernel.routes(), kernel.rules())


def test_addresses_that_somebody_else_adds_and_deletes_are_told_and_count_like_any(kernel: MemoryNetwork) -> None:
    theirs, ours = address("192.0.2.7/32"), address("192.0.2.9/32")
    kernel.apply(changes(Verb.ADD, [ours], kernel))
    kernel.next_change()

    kernel.add_behind(theirs)
    kernel.add_behind(theirs)
    kernel.delete_behind(ours)
    kernel.delete_behind(ours)
    kernel.delete_behind(address("192.0.2.9/32", "eth7"))

    assert [interface(*GIVEN, "192.0.2.9/32", "192.0.2.7/32"), interface(*GIVEN, "192.0.2.7/32")] == list(
        iter(kernel.next_change, None)
    )
    assert [None] == kernel.apply(changes(Verb.REMOVE, [theirs], kernel))
    assert interface(*GIVEN) == kernel.interfaces()["eth0"]


@pytest.mark.parametrize(
    ("item", "number"),
    [(address("ff02::5/128"), errno.EADDRNOTAVAIL), (address("192.0.2.9/32", "eth7"), errno.ENODEV)],
    ids=lambda value: errno.errorcode[value] if isinstance(value, int) else "",
)
def test_what_the_kernel_refuses_nobody_else_can_add_either(
    kernel: MemoryNetwork, item: PlacedAddress, number: int
) -> None:
    with pytest.raises(Refused) as refused:
        kernel.add_behind(item)

    assert number == refused.value.number
    assert kernel.next_change() is None


def test_of_an_interface_that_goes_down_ipv6_routes_are_told_and_ipv4_routes_are_not(kernel: MemoryNetwork) -> None:
    kernel.apply(changes(Verb.ADD, [GATEWAY_4, DIRECT, DEFAULT_6], kernel))

    kernel.set_link("eth0", up=False)

    assert [RouteDeleted(route=DEFAULT_6)] == list(iter(kernel.next_loss, None))
    assert kernel.routes() == []


def test_a_virtual_mac_is_up_as_its_parent_is_and_goes_with_it(kernel: MemoryNetwork) -> None:
    kernel.make_virtual_mac(VMAC_4)
    made = kernel.interfaces()["vrrp.51"]
    kernel.set_carrier("eth0", up=False)
    without_carrier = kernel.interfaces()["vrrp.51"]
    kernel.unplug("eth0")

    assert (True, False, "macvlan", 2, VMAC_4.mac) == (made.up, without_carrier.up, made.kind, made.parent, made.mac)
    assert kernel.interfaces() == {}
    assert [Gone(name="vrrp.51"), Gone(name="eth0")] == [
        change for change in iter(kernel.next_change, None) if isinstance(change, Gone)
    ]


def test_many_virtual_macs_are_removed_in_one_step_and_what_is_none_stays(kernel: MemoryNetwork) -> None:
    kernel.make_virtual_mac(VMAC_4)
    kernel.make_virtual_mac(VMAC_6)

    problems = kernel.remove_virtual_macs(["vrrp.51", "eth0", "vrrp6.51", "eth7"])

    assert ["eth0"] == list(problems)
    assert {"eth0"} == kernel.interfaces().keys()


def test_a_virtual_mac_without_addresses_loses_its_ipv6_routes(kernel: MemoryNetwork) -> None:
    kernel.make_virtual_mac(VMAC_6)
    item, way = address("2001:db8::9/64", "vrrp6.51"), route("::/0", interface="vrrp6.51")
    kernel.apply(changes(Verb.ADD, [item, way], kernel))

    kernel.apply(changes(Verb.REMOVE, [item], kernel))

    assert kernel.routes() == []
