from configuration_kit import good
from stayalived.config.virtual_routers import VirtualMac, VirtualRouter
from unit.config.instance_kit import V4, V6, instance, router, routers, warned

USE = "use_vmac = true"


def of_all(*texts: str) -> list[VirtualMac | None]:
    return [each.virtual_mac for found in good("".join(texts)).instances for each in found.routers]


def names(*texts: str) -> list[str]:
    return [mac.name for mac in of_all(*texts) if mac is not None]


def interfaces(found: VirtualRouter) -> list[str]:
    return [placed.interface for placed in found.held]


def test_without_the_key_there_is_no_macvlan() -> None:
    assert router().virtual_mac is None
    assert router("use_vmac = false").virtual_mac is None


def test_an_ipv4_router_has_the_rfc_s_address_on_its_interface() -> None:
    assert router(USE).virtual_mac == VirtualMac(
        name="vrrp.51", parent="eth0", mac=bytes.fromhex("00005e000133"), ipv6=False
    )


def test_an_ipv6_router_has_another_name_and_block() -> None:
    assert router(USE, addresses=V6).virtual_mac == VirtualMac(
        name="vrrp6.51", parent="eth0", mac=bytes.fromhex("00005e000233"), ipv6=True
    )


def test_a_group_has_a_number_or_a_name() -> None:
    texts = ("group = 7", 'group = "default"', 'group = "7"')

    found = [router(f"use_vmac = {{ {text} }}").virtual_mac for text in texts]

    assert [mac.group for mac in found if mac] == [7, 0, 7]


def test_an_instance_of_both_families_has_two() -> None:
    assert names(instance(USE, addresses=f"{V4}, {V6}")) == ["vrrp.51", "vrrp6.51"]
    assert names(instance('use_vmac = { name = "web" }', addresses=f"{V4}, {V6}")) == ["web", "web6"]


def test_addresses_are_on_the_macvlan_unless_they_name_an_interface() -> None:
    text = f'{USE}\nvirtual_ipaddress_excluded = ["192.0.2.9", {{ address = "192.0.2.10", dev = "eth0" }}]'

    found = router(text, addresses=f'{V4}, {{ address = "192.0.2.2", dev = "eth1" }}')

    assert interfaces(found) == ["vrrp.51", "eth1", "vrrp.51", "eth0"]
    assert found.interface == "eth0"


def test_the_macvlan_of_ipv4_carries_ipv6_where_an_excluded_address_needs_it() -> None:
    texts = ('"2001:db8::9"', '{ address = "2001:db8::9", dev = "eth1" }')

    found = [router(f"{USE}\nvirtual_ipaddress_excluded = [{text}]").virtual_mac for text in texts]

    assert [mac.ipv6 for mac in found if mac] == [True, False]


def test_a_name_that_another_instance_has_gets_a_counter() -> None:
    texts = [
        instance(USE, addresses=f'"192.0.2.{number}"', name=name, interface=f"eth{number}")
        for number, name in enumerate("abc")
    ]

    assert names(*texts) == ["vrrp.51", "vrrp.51.1", "vrrp.51.2"]


def test_a_name_that_somebody_wrote_is_his_wherever_it_stands() -> None:
    chosen = instance('use_vmac = { name = "vrrp.51" }', addresses='"192.0.2.2"', name="b", interface="eth1")

    assert names(instance(USE), chosen) == ["vrrp.51.1", "vrrp.51"]


def test_five_octets_get_the_number_as_the_sixth_and_six_stay() -> None:
    found = [router(f'use_vmac = {{ mac = "{text}" }}').virtual_mac for text in ("02:00:5E:00:01", "02-00-5e-00-01-07")]

    assert [mac.mac.hex(":") for mac in found if mac] == ["02:00:5e:00:01:33", "02:00:5e:00:01:07"]


def test_a_label_is_compared_with_the_macvlan() -> None:
    text = '{ address = "192.0.2.1", label = "eth0:1" }'

    _, warnings = warned(USE, addresses=text)

    assert warnings == ['found label "eth0:1"; programs like ifconfig find no address by it; write vrrp.51:NAME']


def test_adverts_leave_with_the_virtual_address_unless_somebody_says_otherwise() -> None:
    found = [router(text).transmit_on_base for text in (USE, f"{USE}\nvmac_xmit_base = true", "")]

    assert found == [False, True, False]


def test_unicast_adverts_leave_with_the_interface_s_own_address() -> None:
    peer = f'{USE}\nunicast_peer = ["192.0.2.9"]'

    refused, warnings = warned(f"{peer}\nvmac_xmit_base = false")

    assert router(peer).transmit_on_base
    assert refused.transmit_on_base
    assert len(warnings) == 1


def test_both_halves_transmit_alike() -> None:
    found = routers(f"{USE}\nvmac_xmit_base = true", addresses=f"{V4}, {V6}")

    assert [each.transmit_on_base for each in found] == [True, True]
