"""What `stayalived probe` is asked for becomes checks of the same options, defaults and messages as anybody's."""

from typing import Any

import pytest

from configuration_kit import PaperMachine, PaperNames, ask_table, plugins, sources_of
from stayalived.addresses import NOWHERE, Endpoint
from stayalived.config.model import Configuration
from stayalived.config.probing import Wanted, resolve_probe
from stayalived.config.resolve import Surroundings
from stayalived.plugin.catalogue import Provided
from stayalived_plugins.checks.file import FileCheck

SITE = """
[check.greets]
type = "knock"
word = "hi"
retry = 3
[virtual_server.web]
address = "192.0.2.100:80"
protocol = "tcp"
[virtual_server.web.real_server.tic]
address = "192.0.2.1:80"
check = ["greets", { type = "knock", word = "there" }]
[virtual_server.web.real_server.tac]
address = "192.0.2.2:80"
check = "greets"
"""
TARGET = Endpoint("192.0.2.9", 8080)


def find(check: str, *texts: str, **wanted: Any) -> tuple[Configuration | None, list[str]]:
    loaded = plugins()
    loaded.catalogue = type(loaded.catalogue)(
        checks={**loaded.catalogue.checks, "file": Provided("file", FileCheck, "stayalived", "0.1.0")},
        notifiers=loaded.catalogue.notifiers,
        schedulers=loaded.catalogue.schedulers,
    )
    around = Surroundings(
        plugins=loaded, host_id="tic", host_name="tic", lookup=ask_table, machine=PaperMachine(), numbers=PaperNames()
    )
    configuration, problems = resolve_probe(Wanted(check=check, **wanted), sources_of(*texts)[0], around)
    return configuration, [str(problem) for problem in problems]


def keys(configuration: Configuration | None) -> list[str]:
    assert configuration is not None
    assert configuration.virtual_servers == configuration.instances == configuration.actions == ()
    return [f"{check.key} {check.target}" for check in configuration.tracked_checks]


def test_a_real_server_is_all_of_its_checks_and_a_key_is_one() -> None:
    assert keys(find("web/tic", SITE)[0]) == ["web/tic#0 192.0.2.1:80", "web/tic#1 192.0.2.1:80"]
    assert keys(find("web/tic#1", SITE)[0]) == ["web/tic#1 192.0.2.1:80"]


def test_a_subject_that_is_not_there_is_answered_with_those_that_are() -> None:
    assert find("web/toc", SITE) == (None, ["nobody called web/toc is checked; known: web/tic or web/tac"])
    assert find("track:x") == (None, ["nobody called track:x is checked; known: none"])


def test_a_subject_of_a_configuration_that_is_refused_gets_its_errors_and_no_warnings() -> None:
    configuration, problems = find("web/tic", SITE, "[global]\nstart_rat = 1\n[virtual_server.none]\n")

    assert configuration is None
    assert problems[0].startswith("b.toml:2:1: global.start_rat: ")
    assert not any("warning" in problem for problem in problems)


def test_a_named_check_has_its_options_and_what_is_added_wins() -> None:
    plain, _ = find("greets", SITE, endpoints=[TARGET], virtual_host="example.org")
    changed, _ = find("greets", SITE, endpoints=[TARGET], options={"word": "ho", "connect_timeout": 2})

    assert keys(plain) == ["probe#0 192.0.2.9:8080"]
    assert plain is not None
    assert changed is not None
    (one,), (other,) = plain.tracked_checks, changed.tracked_checks
    assert (one.name, one.virtual_host, one.timing.retry) == ("greets", "example.org", 3)
    assert b"hi" in one.options
    assert b"ho" in other.options
    assert (other.timing.connect_timeout, other.timing.retry) == (2_000_000_000, 3)


def test_a_type_needs_no_configuration_and_is_made_for_each_address() -> None:
    both = [TARGET, Endpoint("2001:db8::9", 8080)]

    assert keys(find("knock", endpoints=both)[0]) == ["probe#0 192.0.2.9:8080", "probe#1 [2001:db8::9]:8080"]


def test_a_mistake_elsewhere_does_not_keep_a_named_check_from_being_made() -> None:
    assert keys(find("greets", SITE, "[virtual_server.web.real_server.toc]\nweigth = 1\n", endpoints=[TARGET])[0])


def test_a_mistake_in_the_named_check_does() -> None:
    configuration, problems = find("greets", '[check.greets]\ntype = "knock"\ntimes = 9\n', endpoints=[TARGET])

    assert configuration is None
    assert problems == ["a.toml:3:1: check.greets.times: found 9; must be a whole number from 1 to 5"]


@pytest.mark.parametrize(
    ("check", "wanted", "problem"),
    [
        ("knock", {}, "probe.target: check knock asks somebody: give HOST:PORT after it"),
        (
            "knock",
            {"endpoints": [Endpoint("192.0.2.9", 0)]},
            "probe.target: check knock needs a port: give HOST:PORT",
        ),
        ("file", {"endpoints": [TARGET], "options": {"file": "/x"}}, "check file looks at this machine alone"),
        ("knock", {"endpoints": [TARGET], "options": {"wurd": "x"}}, "probe.wurd: "),
        ("knock", {"endpoints": [TARGET], "options": {"times": "x"}}, 'probe.times: found "x"; '),
        ("nokc", {"endpoints": [TARGET]}, 'probe: found "nokc"; no [check.nokc] and no check type of this name'),
    ],
)
def test_what_cannot_be_probed_is_told_as_a_configuration_is(check: str, wanted: dict[str, Any], problem: str) -> None:
    configuration, problems = find(check, **wanted)

    assert configuration is None
    assert len(problems) == 1
    assert problem in problems[0]


def test_what_asks_nobody_needs_no_target_and_a_check_may_say_its_own() -> None:
    assert keys(find("file", options={"file": "/x"})[0]) == [f"probe#0 {NOWHERE}"]
    own = {"connect_ip": "192.0.2.7", "connect_port": 81}
    assert keys(find("knock", options=own)[0]) == ["probe#0 192.0.2.7:81"]
    assert keys(find("echo", endpoints=[Endpoint("192.0.2.9", 0)])[0]) == ["probe#0 192.0.2.9:0"]
