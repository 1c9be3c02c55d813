"""`ha_suspend` (LV26, C39): checks sleep while no address of their service is here, and keep their verdict."""

import pytest

from checker_kit import LATENCY, PASSED, PERIOD, REFUSED, Driver, check
from stayalived.checker.schedule import SLOT
from stayalived.checker.verdict import STALE_AFTER
from stayalived.messages.control import Start
from stayalived.timing import Duration, seconds

WEB = ("web",)
LONG = seconds(3600)


@pytest.fixture
def driver() -> Driver:
    return Driver()


@pytest.fixture
def awake(driver: Driver) -> Driver:
    """A check that is UP, of a service whose address is here."""
    driver.here("web")
    driver.commit(check(retry=0), ha_suspend=WEB)
    driver.round(PASSED)
    return driver


def test_the_first_result_is_waited_for_and_then_it_sleeps(driver: Driver) -> None:
    driver.commit(check(), ha_suspend=WEB)

    driver.round(PASSED)
    driver.pass_time(LONG)

    assert driver.up() is True
    assert ({}, None) == (driver.running, driver.engine.deadline)


def test_one_that_is_presumed_up_is_not_made_at_all(driver: Driver) -> None:
    driver.commit(check(alpha=False), ha_suspend=WEB)

    driver.pass_time(LONG)

    assert ({}, None) == (driver.running, driver.engine.deadline)


def test_when_the_address_leaves_the_verdict_stays_and_is_never_stale(awake: Driver) -> None:
    awake.here("web", False)
    awake.pass_time(LONG)

    assert (True, False) == (awake.up(), awake.states["web/one#0"].stale)
    assert {} == awake.running


def test_what_was_asked_before_changes_nothing_after(awake: Driver) -> None:
    awake.pass_time(after_period())
    awake.here("web", False)

    awake.end(REFUSED)

    assert awake.up() is True
    assert awake.engine.deadline is None


def test_when_the_address_comes_it_is_made_at_once(awake: Driver) -> None:
    awake.here("web", False)
    awake.pass_time(LONG)

    awake.here("web")
    waited = awake.round(REFUSED)

    assert waited <= SLOT
    assert awake.up() is False
    assert PERIOD <= awake.round(PASSED) <= after_period()


def test_a_verdict_that_was_slept_upon_has_its_time_to_be_confirmed(awake: Driver) -> None:
    awake.here("web", False)
    awake.pass_time(LONG)

    awake.here("web")
    awake.pass_time(seconds(1))

    assert [False] == [awake.states["web/one#0"].stale]
    awake.pass_time(Duration(STALE_AFTER * PERIOD))
    assert [True] == [awake.states["web/one#0"].stale]


def test_many_go_on_behind_each_other(driver: Driver) -> None:
    checks = [check(f"web/s{number}", target=f"192.0.2.{number}:80") for number in range(10)]
    driver.commit(*checks, ha_suspend=WEB, start_rate=10)
    driver.pass_time(seconds(2))
    for probe in list(driver.running):
        driver.end(PASSED, probe)

    driver.here("web")
    driver.pass_time(seconds(0.5))

    assert 5 <= len(driver.running) <= 6


def test_a_probe_of_two_services_goes_on_for_the_one_that_is_awake(driver: Driver) -> None:
    driver.commit(check(retry=0), check("mail/one", retry=0), ha_suspend=WEB)
    driver.round(PASSED)

    driver.round(REFUSED)

    assert (True, False) == (driver.up(), driver.up("mail/one#0"))
    driver.here("web")
    assert driver.round(REFUSED) <= SLOT
    assert driver.up() is False


def test_a_service_that_asks_for_nothing_never_sleeps(driver: Driver) -> None:
    driver.commit(check())
    driver.round(PASSED)

    driver.here("web", False)

    assert PERIOD <= driver.round(PASSED) <= after_period()


@pytest.mark.parametrize("alpha", [True, False])
def test_a_reload_takes_the_wish_back(driver: Driver, alpha: bool) -> None:
    driver.commit(check(alpha=alpha), ha_suspend=WEB)
    if alpha:
        driver.round(PASSED)
    driver.pass_time(LONG)

    driver.commit(check(alpha=alpha), start=Start.RELOAD)

    assert driver.round(PASSED) <= SLOT
    assert driver.up() is True


def test_a_reload_that_brings_the_wish_lets_it_sleep(driver: Driver) -> None:
    driver.commit(check())
    driver.round(PASSED)

    driver.commit(check(), start=Start.RELOAD, ha_suspend=WEB)
    driver.pass_time(LONG)

    assert ({}, True) == (driver.running, driver.up())


def test_a_replacement_sleeps_with_the_verdict_of_its_predecessor(awake: Driver) -> None:
    second = Driver()
    second.here("web", False)
    second.retell(awake)

    second.commit(check(retry=0), start=Start.RESPAWNED, ha_suspend=WEB)
    second.pass_time(LONG)

    assert {} == second.running
    second.here("web")
    second.round(REFUSED)
    assert second.up() is False


def after_period() -> Duration:
    """A period, and what a slot and an answer may add to it."""
    return Duration(PERIOD + 2 * SLOT + LATENCY)
