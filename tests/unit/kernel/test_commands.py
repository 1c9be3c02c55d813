"""Changes in the words of ip(8); `tests/namespaces/test_network.py` types them."""

import pytest

from namespaces.network_steps import barrier, route, rule
from stayalived.addresses import Family, VirtualAddress
from stayalived.config.virtual_routers import NextHop, PlacedAddress
from stayalived.kernel.api import Change, Item, Verb
from stayalived.kernel.commands import command


@pytest.mark.parametrize(
    ("item", "words"),
    [
        (
            PlacedAddress(address=VirtualAddress.parse("192.0.2.1/24"), interface="eth0"),
            "ip address {} 192.0.2.1/24 dev eth0",
        ),
        (
            PlacedAddress(address=VirtualAddress.parse("192.0.2.1/24"), interface="eth0", peer="192.0.2.2/31"),
            "ip address {} 192.0.2.1 peer 192.0.2.2/31 dev eth0",
        ),
        (route("0.0.0.0/0", "192.0.2.254"), "ip route {} default via 192.0.2.254"),
        (
            route("10.0.0.0/8", "192.0.2.7", "eth0", source="192.0.2.9", table=100, metric=5, mtu=1400, onlink=True),
            "ip route {} 10.0.0.0/8 via 192.0.2.7 dev eth0 onlink src 192.0.2.9 table 100 metric 5 mtu 1400",
        ),
        (route("10.0.0.0/8", "2001:db8::7", "eth0"), "ip route {} 10.0.0.0/8 via inet6 2001:db8::7 dev eth0"),
        (route("2001:db8::/64", kind=7), "ip -6 route {} unreachable 2001:db8::/64"),
        (route("10.0.0.0/8", interface="eth0", scope=253), "ip route {} 10.0.0.0/8 dev eth0 scope link"),
        (
            route(
                "10.0.0.0/8", next_hops=(NextHop(gateway="192.0.2.7", weight=2, onlink=True), NextHop(interface="eth1"))
            ),
            "ip route {} 10.0.0.0/8 nexthop via 192.0.2.7 weight 2 onlink nexthop dev eth1 weight 1",
        ),
        (rule(5), "ip rule {} from all table 254 preference 5"),
        (
            rule(
                5,
                Family.IPV6,
                source=VirtualAddress.parse("2001:db8::/64"),
                destination=VirtualAddress.parse("fd00::/8"),
                mark=1,
                mark_mask=0xFF,
                input_interface="a",
                table=9,
                tos=0x10,
                inverted=True,
            ),
            "ip -6 rule {} not from 2001:db8::/64 to fd00::/8 fwmark 0x1/0xff iif a tos 0x10 table 9 preference 5",
        ),
        (rule(5, action=2, goto=9), "ip rule {} from all goto 9 preference 5"),
        (rule(5, action=8), "ip rule {} from all prohibit preference 5"),
        (barrier("192.0.2.9"), "nft {} element 192.0.2.9"),
    ],
)
def test_each_thing_is_named_as_a_person_would_type_it(item: Item, words: str) -> None:
    assert words.format("add") == command(Change(verb=Verb.ADD, item=item))
    assert words.format("delete") == command(Change(verb=Verb.REMOVE, item=item))


def test_the_attributes_of_an_address_matter_only_when_it_is_added() -> None:
    address = VirtualAddress.parse("192.0.2.1/24")
    item = PlacedAddress(address=address, interface="eth0", label="eth0:v", scope=254, broadcast="192.0.2.255")

    added = "ip address add 192.0.2.1/24 broadcast 192.0.2.255 label eth0:v scope host dev eth0"
    assert added == command(Change(verb=Verb.ADD, item=item))
    assert "ip address delete 192.0.2.1/24 dev eth0" == command(Change(verb=Verb.REMOVE, item=item))
