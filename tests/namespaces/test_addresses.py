"""Addresses on a real interface: the cases of `address_cases`, on the kernel, seen by iproute2."""

import pytest

from namespaces.address_cases import CASES, Case, play
from namespaces.lab import Lab
from stayalived.addresses import VirtualAddress
from stayalived.kernel.netlink import Netlink


class Real:
    """The world of a case: a host on a real segment."""

    def __init__(self, lab: Lab, given: tuple[str, ...]) -> None:
        self.host = lab.host("tic", *given)
        for scope in ("all", "eth0"):  # a new namespace takes them over from the first one
            self.host.sysctl(f"net.ipv4.conf.{scope}.promote_secondaries", 0)
        with self.host.inside():
            self.kernel = lab.keep(Netlink())
        self.index = self.kernel.interfaces()["eth0"].index

    def set_link(self, *, up: bool) -> None:
        self.host.link(up=up)

    def disable_ipv6(self) -> None:
        self.host.sysctl("net.ipv6.conf.eth0.disable_ipv6", 1)

    def held(self) -> set[str]:
        return self.host.addresses()


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_addresses_on_the_kernel(lab: Lab, case: Case) -> None:
    play(case, Real(lab, case.given))


@pytest.mark.parametrize("prefix", [64, 128])
def test_a_virtual_address_of_ipv6_is_deprecated_so_that_it_is_no_source(lab: Lab, prefix: int) -> None:
    world = Real(lab, ("2001:db8::1/64",))

    world.kernel.add_addresses(world.index, [VirtualAddress.parse(f"2001:db8::9/{prefix}")])

    shown = world.host.run(["ip", "-6", "-o", "addr", "show", "dev", "eth0", "to", "2001:db8::9/128"]).stdout
    assert "nodad" in shown
    assert "deprecated" in shown
    assert "preferred_lft 0sec" in shown
    assert "src 2001:db8::1 " in world.host.run(["ip", "-6", "route", "get", "2001:db8::77"]).stdout


def test_without_the_right_the_refusal_names_it(lab: Lab) -> None:
    host = lab.host("tic")

    def refused() -> None:
        import os

        os.setresuid(65534, 65534, 65534)
        with Netlink() as netlink:
            index = netlink.interfaces()["eth0"].index
            address = VirtualAddress.parse("192.0.2.9/32")
            print(netlink.add_addresses(index, [address])[address], flush=True)  # noqa: T201

    process = host.fork(refused)

    assert process.wait(within=5.0) == 0
    assert "Operation not permitted" in process.log()
    assert "CAP_NET_ADMIN" in process.log()


def test_interfaces_are_as_iproute2_shows_them(lab: Lab) -> None:
    host = lab.host("tic", "192.0.2.1/24", "2001:db8::1/64")
    host.run(["ip", "link", "set", "eth0", "mtu", "1400"])
    host.run(["ip", "link", "set", "eth0", "arp", "off"])
    with host.inside(), Netlink() as netlink:
        found = netlink.interfaces()

    eth0 = found["eth0"]
    assert {"lo", "eth0"} == found.keys()
    assert (host.mac(), 1400, False, True) == (eth0.mac.hex(":"), eth0.mtu, eth0.arp, eth0.up)
    assert host.addresses(link_local=True) == {str(address) for address in eth0.addresses}


def test_an_address_that_is_still_tentative_is_left_out(lab: Lab) -> None:
    host = lab.host("tic", duplicate_detection=True)
    host.run(["ip", "-6", "addr", "add", "2001:db8::5/64", "dev", "eth0"])

    with host.inside(), Netlink() as netlink:
        addresses = netlink.interfaces()["eth0"].addresses

    assert "tentative" in host.run(["ip", "-6", "addr", "show", "dev", "eth0"]).stdout
    assert "2001:db8::5/64" not in {str(address) for address in addresses}
