"""Who is mailed without a word at `notify`: `smtp_alert`, and what an action has from `[global]`."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import msgspec
import pytest

from configuration_kit import plugins, read
from stayalived.config.model import BUNDLED, Action
from stayalived.config.telling import is_mailed
from stayalived.plugin.catalogue import Provided
from stayalived.plugin.manager import Plugins
from stayalived_plugins.notifiers.mail import Mail

GLOBAL = '[global]\nnotification_email = ["noc@example.org"]\nsmtp_server = "127.0.0.1"\n'
INSTANCE = '[vrrp_instance.tic]\ninterface = "eth0"\nvirtual_router_id = 7\nvirtual_ipaddress = ["192.0.2.1/24"]\n'
GROUP = '[vrrp_sync_group.all]\ngroup = ["tic"]\n'
SERVICE = '[virtual_server.web]\naddress = "192.0.2.1:80"\nprotocol = "tcp"\n'
MISSING = "notification_email is missing; write it into [global], or here"
SERVER = '[virtual_server.web.real_server.a]\naddress = "192.0.2.11"\n'


def mailing() -> Plugins:
    found = plugins()
    notifiers = {**found.catalogue.notifiers, "mail": Provided("mail", Mail, BUNDLED, "0.1.0")}
    return replace(found, catalogue=replace(found.catalogue, notifiers=notifiers))


def actions(*texts: str) -> Sequence[Action]:
    configuration, problems = read(*texts, loaded=mailing())
    assert configuration is not None, problems
    return configuration.actions


def options(action: Action) -> dict[str, Any]:
    found: dict[str, Any] = msgspec.msgpack.decode(action.options)
    return found


def test_a_bare_mail_has_everything_from_global() -> None:
    text = GLOBAL + 'smtp_helo_name = "lb1.example.org"\nno_email_faults = true\nsmtp_username = "u"\n'
    text += 'smtp_password = "hunter2"\nrouter_id = "lb1"\n'

    [action] = actions(text + INSTANCE + 'notify = "mail"\n')

    found = options(action)
    assert (action.subject, action.type) == ("instance tic", "mail")
    assert action.on == ("master", "backup", "fault", "stop", "deleted")
    assert (found["router_id"], found["smtp_helo_name"]) == ("lb1", "lb1.example.org")
    assert (found["notification_email"], found["smtp_server"]) == (["noc@example.org"], "127.0.0.1")
    assert (found["no_email_faults"], found["smtp_password"]) == (True, "hunter2")


def test_what_an_action_says_itself_wins_and_a_machine_has_its_name() -> None:
    own = '{ type = "mail", notification_email = "me@example.org", on = ["lower_priority"] }'

    [action] = actions(GLOBAL + INSTANCE + f"notify = [{own}]\n")

    assert options(action)["notification_email"] == "me@example.org"
    assert options(action)["router_id"] == "tic"
    assert action.on == ("lower_priority",)


def test_a_mail_to_nobody_is_an_error_at_its_place() -> None:
    _, problems = read(INSTANCE + 'notify = "mail"\n', loaded=mailing())

    assert problems == [f"a.toml:5:1: vrrp_instance.tic.notify.notification_email: {MISSING}"]


@pytest.mark.parametrize(
    ("own", "kind", "common", "expected"),
    [
        (None, None, None, None),
        (None, None, True, True),
        (None, False, True, False),
        (True, False, False, True),
        (False, True, True, False),
    ],
)
def test_the_most_special_word_wins(own: bool | None, kind: bool | None, common: bool | None, expected: bool) -> None:
    assert is_mailed(own, kind, common) is expected


def test_where_nobody_says_anything_real_servers_are_mailed() -> None:
    assert [action.subject for action in actions(GLOBAL + INSTANCE + GROUP + SERVICE + SERVER)] == ["real_server web/a"]
    assert actions(INSTANCE + GROUP + SERVICE + SERVER) == ()


def test_smtp_alert_in_global_is_for_all_and_each_object_may_say_otherwise() -> None:
    text = GLOBAL + "smtp_alert = true\n" + INSTANCE + "smtp_alert = false\n" + GROUP + SERVICE + SERVER

    assert [action.subject for action in actions(text)] == ["group all", "virtual_server web", "real_server web/a"]


def test_a_kind_of_objects_may_say_otherwise_than_all() -> None:
    text = GLOBAL + "smtp_alert = true\nsmtp_alert_checker = false\nsmtp_alert_vrrp = true\n"

    found = actions(text + INSTANCE + GROUP + SERVICE + SERVER + "smtp_alert = true\n")

    assert [action.subject for action in found] == ["instance tic", "group all", "real_server web/a"]


def test_an_action_that_stands_there_is_not_repeated_by_smtp_alert() -> None:
    own = 'notify = [{ type = "mail", on = ["master"] }]\nsmtp_alert = true\n'

    [action] = actions(GLOBAL + INSTANCE + own)

    assert action.on == ("master",)


def test_smtp_alert_without_anybody_to_mail_is_an_error() -> None:
    _, problems = read(INSTANCE + "smtp_alert = true\n", loaded=mailing())

    assert [problem.partition(": ")[2] for problem in problems] == [
        f"vrrp_instance.tic.smtp_alert.notification_email: {MISSING}"
    ]
