from configuration_kit import good, read
from stayalived.addresses import VirtualAddress
from stayalived.config.virtual_routers import FOREVER, PlacedAddress
from unit.config.instance_kit import V4, V6, instance, router, routers, warned


def address(text: str) -> VirtualAddress:
    return VirtualAddress.parse(text)


def test_a_plain_address_goes_onto_the_interface_of_the_instance() -> None:
    assert router().addresses == (PlacedAddress(address=address("192.0.2.1/24"), interface="eth0"),)


def test_a_table_that_says_nothing_more_is_a_plain_address() -> None:
    assert router(addresses='{ address = "192.0.2.1/24" }') == router()


def test_an_ipv4_address_with_everything() -> None:
    text = '{ address = "192.0.2.7/26", dev = "eth1", label = "eth1:web", scope = "link", brd = "192.0.2.99" '
    text += ", noprefixroute = true, no_track = true }"

    assert router(addresses=text).addresses == (
        PlacedAddress(
            address=address("192.0.2.7/26"),
            interface="eth1",
            label="eth1:web",
            scope=253,
            broadcast="192.0.2.99",
            flags=0x200,
            tracked=False,
        ),
    )


def test_an_ipv6_address_with_everything() -> None:
    text = '{ address = "2001:db8::7/64", nodad = false, home = true, mngtmpaddr = true, noprefixroute = true'
    text += ', preferred_lft = "forever" }'

    assert router(addresses=text).addresses == (
        PlacedAddress(
            address=address("2001:db8::7/64"),
            interface="eth0",
            flags=0x10 | 0x100 | 0x200,
            duplicate_detection=True,
            preferred_lifetime=FOREVER,
        ),
    )


def test_an_ipv6_address_is_used_at_once_and_chosen_by_nobody_unless_it_says_so() -> None:
    plain, timed = router(addresses=f'{V6}, {{ address = "2001:db8::2", nodad = true, preferred_lft = 60 }}').addresses

    assert (plain.duplicate_detection, plain.preferred_lifetime) == (False, 0)
    assert (timed.duplicate_detection, timed.preferred_lifetime) == (False, 60)


def test_a_broadcast_address_may_be_computed() -> None:
    entries = ", ".join(f'{{ address = "192.0.2.{host}/26", brd = "{sign}" }}' for host, sign in ((70, "+"), (71, "-")))

    assert [placed.broadcast for placed in router(addresses=entries).addresses] == ["192.0.2.127", "192.0.2.64"]


def test_the_other_end_of_a_link_has_the_prefix_and_its_net_the_broadcast_address() -> None:
    text = (
        '{ address = "192.0.2.1", peer = "198.51.100.2/30", brd = "+" }, { address = "192.0.2.2", peer = "10.0.0.1" }'
    )

    wide, narrow = router(addresses=text).addresses

    assert (wide.address, wide.peer, wide.broadcast) == (address("192.0.2.1/32"), "198.51.100.2/30", "198.51.100.3")
    assert narrow.peer == "10.0.0.1/32"


def test_a_scope_is_a_word_of_iproute2_or_a_number() -> None:
    texts = ('"host"', '"200"', "7")
    entries = ", ".join(f'{{ address = "192.0.2.{number}", scope = {text} }}' for number, text in enumerate(texts, 1))

    assert [placed.scope for placed in router(addresses=entries).addresses] == [254, 200, 7]


def test_addresses_of_one_net_have_one_scope_on_each_interface() -> None:
    text = '"192.0.2.1/24", { address = "192.0.2.2/25", scope = "link" }'
    text += ', { address = "192.0.2.3/24", scope = "link", dev = "eth1" }, { address = "192.0.2.4/24" }'

    assert [placed.scope for placed in router(addresses=text).addresses] == [0, 253, 253, 0]


def test_addresses_keep_the_order_of_the_file_which_is_that_of_the_wire() -> None:
    found = router(addresses='"192.0.2.9", { address = "192.0.2.3" }, "192.0.2.5"')

    assert [each.address for each in found.advertised] == ["192.0.2.9", "192.0.2.3", "192.0.2.5"]


def test_excluded_addresses_are_held_and_not_advertised() -> None:
    found = router('virtual_ipaddress_excluded = ["198.51.100.1/24"]')

    assert [str(each) for each in found.advertised] == ["192.0.2.1/24"]
    assert [str(placed.address) for placed in found.held] == ["192.0.2.1/24", "198.51.100.1/24"]


def test_an_excluded_address_goes_with_the_router_of_its_family_else_with_the_first() -> None:
    excluded = 'virtual_ipaddress_excluded = ["2001:db8::9/64", "192.0.2.9/24"]'

    alone = router(excluded)
    four, six = routers(excluded, addresses=f"{V4}, {V6}")

    assert [str(placed.address) for placed in alone.excluded] == ["2001:db8::9/64", "192.0.2.9/24"]
    assert [str(placed.address) for placed in four.excluded] == ["192.0.2.9/24"]
    assert [str(placed.address) for placed in six.excluded] == ["2001:db8::9/64"]


def test_excluded_addresses_of_the_other_family_do_not_choose_the_version() -> None:
    assert router('virtual_ipaddress_excluded = ["2001:db8::9"]').version == 2


def test_one_address_may_be_on_several_interfaces_when_it_is_advertised_once() -> None:
    found = router('virtual_ipaddress_excluded = [{ address = "192.0.2.1/24", dev = "eth1" }]')

    assert [placed.key for placed in found.held] == [
        ("eth0", address("192.0.2.1/24")),
        ("eth1", address("192.0.2.1/24")),
    ]


def test_a_label_that_does_not_begin_with_the_interface_is_used_with_a_warning() -> None:
    found, warnings = warned("", addresses='{ address = "192.0.2.1", label = "eth01" }')

    assert found.addresses[0].label == "eth01"
    assert warnings == ['found label "eth01"; programs like ifconfig find no address by it; write eth0:NAME']


def test_the_interface_s_own_name_is_a_label() -> None:
    assert router(addresses='{ address = "192.0.2.1", label = "eth0" }').addresses[0].label == "eth0"


def test_a_link_local_address_may_be_that_of_an_instance_on_each_link() -> None:
    same = '"fe80::1/64", '
    here = instance(addresses=same + V6)
    elsewhere = instance(addresses=same + '"2001:db8:1::1/64"', name="tac", interface="eth1")

    assert len(good(here + elsewhere).instances) == 2


def test_a_link_local_address_of_two_instances_on_one_link_draws_a_warning_behind_virtual_macs_too() -> None:
    same = 'use_vmac = true\nvirtual_ipaddress_excluded = ["fe80::1/64"]'
    other = instance(same, addresses='"2001:db8::2/64"', name="tac", number=52)

    configuration, problems = read(instance(same, addresses=V6) + other)

    assert configuration is not None
    assert [problem.partition("warning: ")[2] for problem in problems] == [
        "found fe80::1; is in tic as well: two masters will hold it"
    ]


def test_as_many_addresses_as_fit_the_interface_are_advertised() -> None:
    many = ", ".join(f'"2001:db8::{number:x}"' for number in range(1, 91))

    assert len(router(addresses=many).addresses) == 90


def test_an_interface_that_is_not_here_yet_is_taken_to_have_the_usual_mtu() -> None:
    many = ", ".join(f'"2001:db8::{number:x}"' for number in range(1, 92))

    configuration, problems = read(instance(addresses=many, interface="vlan7"))

    assert configuration is None
    assert "at the MTU of vlan7, 1500, an advert has room for 90" in problems[0]


def test_the_password_of_version_2_takes_its_place() -> None:
    eight = ", ".join(f'"192.0.2.{number}"' for number in range(1, 9))
    nine = eight + ', "192.0.2.9"'

    fitting = [
        read(instance(f"version = {version}", addresses=many, interface="tiny0"))[0] is not None
        for version, many in ((2, eight), (2, nine), (3, nine), (3, nine + ', "192.0.2.10", "192.0.2.11"'))
    ]

    assert fitting == [True, False, True, False]
