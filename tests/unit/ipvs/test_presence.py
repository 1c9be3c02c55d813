"""Which virtual servers have an address here, of those whose checks depend on it."""

import pytest

from stayalived.config.model import Configuration
from stayalived.ipvs.events import AddressesSeen, WatchAddresses
from stayalived.messages.control import Start
from stayalived.messages.services import AddressPresent
from stayalived.timing import seconds
from unit.ipvs.build import Director, configuration, manners, server, service, two_servers

HERE, GONE = AddressPresent(service="web", present=True), AddressPresent(service="web", present=False)


def suspended(*addresses: str) -> Configuration:
    more = {"addresses": addresses} if addresses else {}
    return configuration(service(server("one", "192.0.2.10"), manners=manners(ha_suspend=True), **more))


@pytest.fixture
def asking(director: Director) -> Director:
    director.start(suspended())
    return director


def see(director: Director, *addresses: str, problem: str = "") -> None:
    director.handle(AddressesSeen(addresses=frozenset(addresses), problem=problem))


def watched(director: Director) -> int:
    return sum(isinstance(effect, WatchAddresses) for effect in director.effects)


def test_who_asks_is_told_once_the_addresses_are_known(asking: Director) -> None:
    assert (1, []) == (watched(asking), asking.told(AddressPresent))

    see(asking, "127.0.0.1", "192.0.2.1")

    assert [HERE] == asking.told(AddressPresent)
    assert "Checks of web go on: an address of it is on this machine" in asking.reports()


def test_each_change_is_told_and_nothing_else(asking: Director) -> None:
    for addresses in ((), ("127.0.0.1",), ("192.0.2.1",), ("192.0.2.1", "127.0.0.1"), ()):
        see(asking, *addresses)

    assert [GONE, HERE, GONE] == asking.told(AddressPresent)
    assert "Checks of web sleep: none of its addresses is on this machine" in asking.reports()


def test_one_address_of_several_is_enough(director: Director) -> None:
    director.start(suspended("192.0.2.1:80", "192.0.2.2:80", "[2001:db8::1]:80"))

    see(director, "2001:db8::1")

    assert [HERE] == director.told(AddressPresent)


def test_who_does_not_ask_is_not_told(director: Director) -> None:
    director.start(two_servers())
    see(director, "192.0.2.1")

    assert (0, []) == (watched(director), director.told(AddressPresent))


def test_addresses_that_cannot_be_had_let_nobody_sleep_and_are_asked_for_again(asking: Director) -> None:
    see(asking, problem="addresses cannot be watched: no file")

    assert [HERE] == asking.told(AddressPresent)
    said = "addresses cannot be watched: no file; checks with ha_suspend do not sleep until the addresses are known"
    assert said in asking.reports()
    asking.advance(seconds(31))
    assert watched(asking) > 1
    see(asking)
    assert [HERE, GONE] == asking.told(AddressPresent)


def test_a_reload_asks_when_somebody_is_the_first_and_forgets_who_asks_no_longer(director: Director) -> None:
    director.start(two_servers())
    director.reload(suspended())
    see(director, "192.0.2.1")
    assert (1, [HERE]) == (watched(director), director.told(AddressPresent))

    director.reload(two_servers())

    assert [(AddressPresent, "web")] == director.forgotten()


def test_a_reload_tells_of_other_addresses(asking: Director) -> None:
    see(asking, "192.0.2.1")

    asking.reload(suspended("192.0.2.7:80"))

    assert [HERE, GONE] == asking.told(AddressPresent)


def test_a_replacement_repeats_nothing_and_forgets_what_is_gone(director: Director) -> None:
    director.retell("web", "services.address", HERE)
    director.retell("old", "services.address", AddressPresent(service="old", present=True))

    director.start(suspended(), Start.RESPAWNED)
    see(director, "192.0.2.1")

    assert [(AddressPresent, "old")] == director.forgotten()
    assert [] == director.told(AddressPresent)
    see(director)
    assert [GONE] == director.told(AddressPresent)
