from typing import Any

import msgspec
import pytest

from plain_configuration import action, configuration
from stayalived.messages.notify import Run
from stayalived.runner.requests import LONGEST_LIMIT, Permit, Permits, environment, flaw

NOTIFY = ("/etc/stayalived/notify.sh", "tic")


def run(
    *argv: tuple[str, ...],
    user: str = "",
    group: int = "",
    limit: int = 1_000_000_000,
    variables: tuple[tuple[str, str], ...] = (),
) -> Any:
    return Run(identifier=1, lane="x", argv=argv, user=user, group=group, environment=variables, input=b"", limit=limit)


def permits(*actions: Any, script_user: str = "keepalived_script") -> Any:
    return Permits.of(configuration(*actions, script_user=script_user))


def test_a_command_of_the_configuration_may_run_as_its_user_with_arguments_after_it() -> None:
    allowed = permits(action(command=NOTIFY, user="root"))
    assert allowed.objection(run(*NOTIFY, "INSTANCE", "tic", user="root"), "notify") == ""


@pytest.mark.parametrize(
    "refused",
    [
        run("/bin/sh", user="root"),
        run("/etc/stayalived/notify.sh", user="root"),
        run("/etc/stayalived/notify.sh", "tac", user="root"),
        run(*NOTIFY, user="daemon"),
        run(*NOTIFY, user="root", group="shadow"),
        run("/bin/sh", group="shadow"),
    ],
)
def test_anything_else_that_asks_for_a_user_or_a_group_is_refused(refused: Run) -> None:
    allowed = permits(action(command=NOTIFY, user="root"))
    assert refused.argv[0] in allowed.objection(refused, "notify")


def test_a_distribution_may_not_use_the_commands_of_another() -> None:
    allowed = permits(action(command=NOTIFY, user="root"))
    assert "acme" in allowed.objection(run(*NOTIFY, user="root"), "notify/acme")


def test_a_third_party_distribution_may_use_its_own() -> None:
    allowed = permits(action(command=NOTIFY, user="root", distribution="acme"))
    assert allowed.objection(run(*NOTIFY, user="root"), "notify/acme") == ""


def test_a_default_user_without_rights_may_run_anything() -> None:
    assert permits().objection(run("/usr/bin/logger", "hello"), "notify/acme") == ""


@pytest.mark.parametrize("powerful", ["root", "0", ""])
def test_a_default_user_with_rights_may_not(powerful: str) -> None:
    assert "/usr/bin/logger" in permits(script_user=powerful).objection(run("/usr/bin/logger"), "notify/acme")


def test_a_plugin_that_means_something_else_by_command_gets_no_permit() -> None:
    odd = msgspec.structs.replace(action(), options=msgspec.msgpack.encode({"command": 7}))
    nothing = msgspec.structs.replace(action(), options=b"\xc1")
    assert permits(odd, nothing, action(command=NOTIFY)).granted == {Permit("stayalived", NOTIFY, "", "")}


@pytest.mark.parametrize(
    ("request_", "words"),
    [
        (run(), "whole path"),
        (run("logger"), "whole path"),
        (run("/bin/echo", "a\0b"), "NUL"),
        (run("/bin/echo", user="a\0b"), "NUL"),
        (run("/bin/echo", variables=(("A", "a\0b"),)), "NUL"),
        (run("/bin/echo", variables=(("A=B", "c"),)), "'A=B'"),
        (run("/bin/echo", limit=0), "time limit"),
        (run("/bin/echo", limit=LONGEST_LIMIT + 1), "time limit"),
    ],
)
def test_a_request_that_cannot_be_carried_out_says_why(request_: Run, words: str) -> None:
    assert words in flaw(request_)


def test_a_usual_request_has_no_flaw() -> None:
    assert flaw(run("/bin/echo", variables=(("STAYALIVED_STATE", "MASTER"),))) == ""


def test_the_environment_is_cleaned_of_what_changes_a_program() -> None:
    inherited = {"IFS": "x", "LD_PRELOAD": "evil.so", "PYTHONPATH": "/tmp", "BASH_FUNC_ls%%": "() { :; }", "TZ": "UTC"}
    result = environment(inherited, (("LD_AUDIT", "evil.so"), ("STAYALIVED_STATE", "MASTER")), HOME="/root")
    assert set(result) == {"PATH", "TZ", "STAYALIVED_STATE", "HOME"}


def test_what_a_request_adds_wins_over_what_is_inherited() -> None:
    assert environment({"A": "inherited"}, (("A", "asked"),))["A"] == "asked"
