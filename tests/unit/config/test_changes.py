from configuration_kit import good
from stayalived.config.changes import compare

SERVICE = '[virtual_server.web]\naddress = "192.0.2.1:80"\nprotocol = "tcp"\n'
ONE = '[virtual_server.web.real_server.one]\naddress = "192.0.2.11"\n'
TWO = '[virtual_server.web.real_server.two]\naddress = "192.0.2.12"\n'


def test_equal_files_change_nothing() -> None:
    changes = compare(good(SERVICE + ONE), good(SERVICE + ONE))

    assert not changes
    assert str(changes) == "nothing changed"


def test_a_weight_changes_one_server_and_not_its_service() -> None:
    changes = compare(good(SERVICE + ONE + TWO), good(SERVICE + ONE + "weight = 2\n" + TWO))

    assert str(changes) == "changed real_server web/one"


def test_what_comes_and_goes_is_named() -> None:
    changes = compare(good(SERVICE + ONE), good(SERVICE + TWO + "[global]\nflush = true"))

    assert str(changes) == "added real_server web/two; removed real_server web/one; changed global"


def test_a_group_and_its_instances_change_for_themselves() -> None:
    texts = [
        f'[vrrp_instance.{name}]\ninterface = "eth0"\nvirtual_router_id = {number}\n'
        f'virtual_ipaddress = ["192.0.2.{number}"]\n'
        for number, name in enumerate("abc", 1)
    ]
    group = '[vrrp_sync_group.all]\ngroup = ["a", "b"]\n'

    changes = compare(good(*texts, group), good(*texts, group.replace('"b"', '"c"')))

    assert str(changes) == "changed vrrp_sync_group all"
