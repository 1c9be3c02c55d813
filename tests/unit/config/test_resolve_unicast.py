from configuration_kit import good
from stayalived.addresses import Family
from stayalived.config.virtual_routers import UnicastPeer
from unit.config.instance_kit import V4, V6, instance, router, routers, warned

PEER = 'unicast_peer = ["192.0.2.9"]'
UNNAMED = '[vrrp_instance.tic]\nvirtual_router_id = 51\nvirtual_ipaddress = ["192.0.2.1/24"]\n'


def test_without_peers_adverts_go_to_the_group() -> None:
    found = router()

    assert (found.group, found.peers, found.check_unicast_src) == ("224.0.0.18", (), False)


def test_with_peers_adverts_go_to_no_group() -> None:
    found = router(PEER)

    assert found.group == ""
    assert found.peers == (UnicastPeer(address="192.0.2.9"),)
    assert (found.unicast_ttl, found.check_unicast_src) == (255, False)


def test_peers_keep_their_order_and_may_be_tables_and_names() -> None:
    found = router('unicast_peer = ["192.0.2.9", { address = "tac", min_ttl = 250, max_ttl = 254 }, "192.0.2.5"]')

    assert found.peers == (
        UnicastPeer(address="192.0.2.9"),
        UnicastPeer(address="192.0.2.131", min_ttl=250, max_ttl=254),
        UnicastPeer(address="192.0.2.5"),
    )


def test_a_name_gives_a_peer_of_each_family_that_the_instance_has() -> None:
    four, six = routers('unicast_peer = ["tic"]', addresses=f"{V4}, {V6}")

    assert [four.peers[0].address, six.peers[0].address] == ["192.0.2.130", "2001:db8::130"]
    assert [each.address for each in router('unicast_peer = ["tic"]').peers] == ["192.0.2.130"]


def test_an_empty_list_of_peers_is_none_so_that_a_host_can_take_them_back() -> None:
    text = instance(PEER) + "[host.tic.vrrp_instance.tic]\nunicast_peer = []\n[host.tac]\n"

    found = [good(text, host=host).instances[0].routers[0].group for host in ("tic", "tac")]

    assert found == ["224.0.0.18", ""]


def test_the_source_of_unicast_goes_by_either_name() -> None:
    names = ("unicast_src_ip", "mcast_src_ip")

    found = [router(f'{PEER}\n{name} = "192.0.2.8"').source for name in names]
    both = router(PEER + "".join(f'\n{name} = "192.0.2.8"' for name in names))

    assert [*found, both.source] == ["192.0.2.8"] * 3


def test_each_family_has_a_source_of_its_own() -> None:
    text = 'unicast_peer = ["tic"]\nunicast_src_ip = ["192.0.2.8", "2001:db8::8"]'

    assert [each.source for each in routers(text, addresses=f"{V4}, {V6}")] == ["192.0.2.8", "2001:db8::8"]


def test_the_owner_s_source_is_its_address() -> None:
    assert router('priority = 255\nmcast_src_ip = "192.0.2.1"').source == "192.0.2.1"


def test_foreign_adverts_are_dropped_where_the_instance_or_everybody_wants_it() -> None:
    everywhere = "vrrp_check_unicast_src = true"

    found = [
        router(f"{PEER}\ncheck_unicast_src = true").check_unicast_src,
        router(PEER, common=everywhere).check_unicast_src,
        router(f"{PEER}\ncheck_unicast_src = false", common=everywhere).check_unicast_src,
        router(common=everywhere).check_unicast_src,
    ]

    assert found == [True, True, False, False]


def test_any_bound_of_a_ttl_makes_foreign_adverts_be_dropped() -> None:
    bounds = ("min_ttl = 1", "max_ttl = 254", "min_ttl = 0, max_ttl = 255")

    found = [router(f'unicast_peer = [{{ address = "192.0.2.9", {bound} }}]') for bound in bounds]

    assert [each.check_unicast_src for each in found] == [True, True, False]


def test_a_bound_wins_over_a_no() -> None:
    text = 'unicast_peer = [{ address = "192.0.2.9", min_ttl = 1 }]\ncheck_unicast_src = false'

    found, warnings = warned(text)

    assert found.check_unicast_src
    assert warnings == ["found false; min_ttl or max_ttl of a peer turns it on; leave it out"]


def test_the_ttl_of_unicast_can_be_chosen() -> None:
    assert router(f"{PEER}\nunicast_ttl = 64").unicast_ttl == 64


def test_a_virtual_router_of_the_same_number_may_have_another_source() -> None:
    other = instance(f'{PEER}\nunicast_src_ip = "192.0.2.7"', addresses='"192.0.2.2"', name="tac")

    found = good(instance(f'{PEER}\nunicast_src_ip = "192.0.2.8"') + other).instances

    assert [each.routers[0].family for each in found] == [Family.IPV4, Family.IPV4]


def test_an_instance_without_an_interface_is_on_the_one_that_has_its_source() -> None:
    """V02: with unicast adverts from an address of this machine no interface need be written."""
    text = UNNAMED + 'unicast_peer = ["192.0.2.9"]\nunicast_src_ip = ["192.0.2.11"]'

    (found,) = good(text).instances

    assert found.interface == "eth0"
    assert {router.interface for router in found.routers} == {"eth0"}
    assert {placed.interface for router in found.routers for placed in router.addresses} == {"eth0"}
