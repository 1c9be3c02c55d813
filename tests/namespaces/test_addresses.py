"""Addresses of a real interface: what is read of them, and which one is the source of what the host sends."""

import pytest

from namespaces.lab import Lab
from namespaces.network_steps import address
from namespaces.test_network import Real
from stayalived.kernel.api import Verb
from stayalived.kernel.netlink import Netlink


@pytest.mark.parametrize("prefix", [64, 128])
def test_a_virtual_address_of_ipv6_is_deprecated_so_that_it_is_no_source(lab: Lab, prefix: int) -> None:
    world = Real(lab, "2001:db8::1/64")

    assert [0] == world.apply(Verb.ADD, address(f"2001:db8::9/{prefix}"))

    shown = world.ip("-6", "-o", "addr", "show", "dev", "eth0", "to", "2001:db8::9/128")
    assert "nodad" in shown
    assert "deprecated" in shown
    assert "preferred_lft 0sec" in shown
    assert "src 2001:db8::1 " in world.ip("-6", "route", "get", "2001:db8::77")


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
