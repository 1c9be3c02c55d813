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
