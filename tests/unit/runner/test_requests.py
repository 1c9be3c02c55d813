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


FOUR = ("INSTANCE", "tic", "MASTER", "100")


def test_a_command_of_the_configuration_may_run_as_its_user() -> None:
    allowed = permits(action(command=NOTIFY, user="root"))
    assert allowed.objection(run(*NOTIFY, user="root"), "notify") == ""


@pytest.mark.parametrize(
    "following", [FOUR, ("GROUP", "both", "FAULT", "0"), ("INSTANCE", "a", "MASTER_RX_LOWER_PRI", "1"), ()]
)
def test_keepalived_s_four_arguments_may_follow_where_the_action_says_so(following: tuple[str, ...]) -> None:
    allowed = permits(action(command=NOTIFY, arguments="keepalived"))
    assert allowed.objection(run(*NOTIFY, *following), "notify") == ""


@pytest.mark.parametrize(
    "following",
    [
        ("-c", "id"),
        (*FOUR, "more"),
        FOUR[:3],
        ("-exec", *FOUR[1:]),
        ("INSTANCE", "tic", "$(id)", "100"),
        ("INSTANCE", "tic", "MASTER", "-rf"),
    ],
)
def test_nothing_else_may_follow(following: tuple[str, ...]) -> None:
    allowed = permits(action(command=NOTIFY, arguments="keepalived"))
    assert "in the configuration runs" in allowed.objection(run(*NOTIFY, *following), "notify")


@pytest.mark.parametrize("options", [{}, {"arguments": "none"}])
def test_nothing_at_all_may_follow_where_the_action_does_not_say_so(options: dict[str, str]) -> None:
    allowed = permits(action(command=NOTIFY, **options))
    assert "in the configuration runs" in allowed.objection(run(*NOTIFY, *FOUR), "notify")


def test_two_actions_with_the_same_program_are_two_permits() -> None:
    allowed = permits(action(command=NOTIFY), action(command=(*NOTIFY, "x"), arguments="keepalived"))
    assert allowed.objection(run(*NOTIFY, "x", *FOUR), "notify") == ""
    assert allowed.objection(run(*NOTIFY), "notify") == ""
    assert "in the configuration runs" in allowed.objection(run(*NOTIFY, *FOUR), "notify")


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


@pytest.mark.parametrize("script_user", ["keepalived_script", "root", "0", "00", "toor", ""])
def test_the_default_user_whoever_it_is_runs_nothing_but_commands_of_the_configuration(script_user: str) -> None:
    allowed = permits(action(command=NOTIFY), script_user=script_user)
    assert allowed.objection(run(*NOTIFY), "notify") == ""
    assert "/usr/bin/logger" in allowed.objection(run("/usr/bin/logger"), "notify")
    assert "/bin/sh" in allowed.objection(run("/bin/sh", "-c", "id"), "notify/acme")


@pytest.mark.parametrize("user", ["root", "0", "00", "toor"])
def test_a_command_without_a_user_does_not_run_as_another_name_of_root(user: str) -> None:
    assert user in permits(action(command=NOTIFY)).objection(run(*NOTIFY, user=user), "notify")


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


@pytest.mark.parametrize(
    "name",
    [
        "PATH",
        "PS4",
        "GCONV_PATH",
        "BASH_ENV",
        "NODE_OPTIONS",
        "GIT_SSH",
        "HOME",
        "USER",
        "SHELL",
        "LOGNAME",
        "LANG",
        "LC_ALL",
        "LD_PRELOAD",
        "stayalived_kind",
        "STAYALIVED_",
        "STAYALIVED_KIND ",
        "BASH_FUNC_STAYALIVED_X%%",
    ],
)
def test_a_request_may_add_no_variable_that_could_change_a_program(name: str) -> None:
    assert repr(name) in flaw(run(*NOTIFY, variables=((name, "/tmp/evil"),)))


def test_the_environment_is_cleaned_of_what_changes_a_program() -> None:
    inherited = {"IFS": "x", "LD_AUDIT": "e.so", "PYTHONPATH": "/tmp", "BASH_FUNC_ls%%": "() { :; }", "LANG": "C.UTF-8"}
    result = environment(inherited, (("STAYALIVED_STATE", "MASTER"),), HOME="/root")
    assert set(result) == {"PATH", "LANG", "STAYALIVED_STATE", "HOME"}


def test_what_is_inherited_and_what_is_of_the_account_wins_over_what_a_request_adds() -> None:
    asked = (("PATH", "/tmp/evil"), ("LC_ALL", "evil"), ("HOME", "/tmp/evil"), ("STAYALIVED_PROGRAM", "/bin/evil"))
    inherited = {"PATH": "/usr/bin", "LC_ALL": "C", "HOME": "/"}
    own = {"HOME": "/root", "STAYALIVED_PROGRAM": "/etc/notify.sh"}
    assert environment(inherited, asked, **own) == {"PATH": "/usr/bin", "LC_ALL": "C", **own}
