"""The kernel in memory behaves as the real one does; `tests/namespaces/test_addresses.py` runs the same list there."""

import pytest

from namespaces.address_cases import CASES, Case, play
from stayalived.addresses import VirtualAddress
from stayalived.kernel.api import Gone, Interface
from stayalived.kernel.memory import MemoryAddresses


def interface(*addresses: str, index: int = 2, name: str = "eth0", up: bool = True) -> Interface:
    held = tuple(VirtualAddress.parse(address) for address in addresses)
    return Interface(name=name, index=index, up=up, mac=b"\2\0\0\0\0\1", mtu=1500, arp=True, addresses=held)


class Memory:
    """The world of a case, in memory."""

    def __init__(self, given: tuple[str, ...]) -> None:
        self.kernel, self.index = MemoryAddresses([interface(*given)]), 2

    def set_link(self, *, up: bool) -> None:
        self.kernel.set_link("eth0", up=up)

    def disable_ipv6(self) -> None:
        self.kernel.set_ipv6("eth0", enabled=False)

    def held(self) -> set[str]:
        return {str(address) for address in self.kernel.interfaces()["eth0"].addresses}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_addresses_in_memory(case: Case) -> None:
    play(case, Memory(case.given))


def test_a_promoted_secondary_stays_when_the_first_address_goes() -> None:
    kernel = MemoryAddresses([interface("192.0.2.1/24", "192.0.2.2/24", "192.0.2.3/24")], promote_secondaries=True)

    kernel.remove_addresses(2, [VirtualAddress.parse("192.0.2.1/24")])
    kernel.remove_addresses(2, [VirtualAddress.parse("192.0.2.2/24")])

    assert {VirtualAddress("192.0.2.3", 24)} == set(kernel.interfaces()["eth0"].addresses)


def test_what_is_there_at_the_start_is_no_change() -> None:
    assert MemoryAddresses([interface("192.0.2.1/24")]).next_change() is None


def test_each_change_is_told_once_as_the_interface_is_then() -> None:
    kernel = MemoryAddresses([interface()])
    address = VirtualAddress.parse("192.0.2.9/32")

    kernel.add_addresses(2, [address])
    kernel.add_addresses(2, [address])
    kernel.set_carrier("eth0", up=False)
    kernel.unplug("eth0")

    told = list(iter(kernel.next_change, None))
    assert [interface("192.0.2.9/32"), interface("192.0.2.9/32", up=False), Gone(name="eth0")] == told


def test_an_interface_may_appear_later() -> None:
    kernel = MemoryAddresses()

    kernel.plug(interface(index=7, name="eth1"))

    assert kernel.next_change() == interface(index=7, name="eth1")
    assert {"eth1"} == kernel.interfaces().keys()
    assert kernel.add_addresses(7, [VirtualAddress.parse("192.0.2.9/32")]) == {}
