"""Several processes share the checks of bundled types: each check is one process's, and the verdicts are the same."""

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from checker_kit import PASSED, PERIOD, REFUSED, Driver, check
from stayalived.addresses import NOWHERE
from stayalived.checker.shards import distribution_of, makes, shard_names
from stayalived.config.model import BUNDLED, Check
from stayalived.messages.routes import role_of
from stayalived.timing import seconds

THREE = ["checker", "checker#2", "checker#3"]
TARGETS = [f"192.0.2.{number}:80" for number in range(1, 31)]


def farm() -> list[Check]:
    """Two services on the same thirty hosts."""
    return [check(f"{name}/{number}", target=target) for name in "ab" for number, target in enumerate(TARGETS)]


def test_the_processes_have_names_of_one_role() -> None:
    assert shard_names(3) == THREE
    assert shard_names(1) == ["checker"]
    assert {role_of(name) for name in (*THREE, "checker/acme")} == {"checker"}
    assert [distribution_of(name) for name in (*THREE, "checker/acme")] == [BUNDLED] * 3 + ["acme"]


def test_each_check_is_made_by_one_process_and_checks_of_a_target_by_the_same() -> None:
    makers = {one.key: [name for name in THREE if makes(name, one, 3)] for one in farm()}

    assert all(len(names) == 1 for names in makers.values())
    for number in range(len(TARGETS)):
        assert makers[f"a/{number}#0"] == makers[f"b/{number}#0"]
    shares = [sum(names == [name] for names in makers.values()) for name in THREE]
    assert min(shares) >= 10, shares


def test_the_share_of_a_process_does_not_hang_on_the_start_of_python() -> None:
    assert [makes(name, check(target="192.0.2.1:80"), 3) for name in THREE] == [False, False, True]


def test_who_asks_nobody_is_shared_by_what_is_asked() -> None:
    local = [replace(check(f"track:{name}"), target=NOWHERE, options=name.encode()) for name in "abcdefgh"]

    assert all(sum(makes(name, one, 3) for name in THREE) == 1 for one in local)


def test_a_strangers_checks_stay_in_their_one_process() -> None:
    strange = check(distribution="acme")

    assert [makes(name, strange, 3) for name in (*THREE, "checker/acme")] == [False, False, False, True]
    assert [makes(name, check(), 1) for name in ("checker", "checker/acme")] == [True, False]


@settings(max_examples=20, deadline=None)
@given(bad=st.sets(st.sampled_from(TARGETS)), rounds=st.integers(1, 3))
def test_three_processes_come_to_the_verdicts_of_one(bad: set[str], rounds: int) -> None:
    def verdicts(names: list[str]) -> dict[str, tuple[bool | None, str]]:
        found = {}
        for name in names:
            driver = Driver(name)
            driver.commit(*farm(), start_rate=0, checker_processes=len(names))
            driver.pass_time(seconds(0.1))
            for _ in range(rounds):
                for probe, started in list(driver.running.items()):
                    driver.end(REFUSED if str(started.identity.target) in bad else PASSED, probe)
                driver.pass_time(PERIOD)
            found |= {key: (state.up, state.reason) for key, state in driver.states.items()}
        return found

    assert verdicts(THREE) == verdicts(["checker"])


def test_processes_start_together_no_faster_than_one() -> None:
    driver = Driver("checker#3")
    driver.commit(*farm(), start_rate=100, checker_processes=3)
    share = len(driver.engine.registry.probes)
    driver.pass_time(seconds(0.1))
    begun = len(driver.running)

    assert 3 <= begun <= 5 < share
