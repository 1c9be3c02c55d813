from email import message_from_bytes
from email.policy import default
from pathlib import Path
from typing import Any

import msgspec
import pytest

from plain_configuration import configuration
from stayalived.addresses import Endpoint
from stayalived.config.model import Configuration
from stayalived.plugin import Event, Secret
from stayalived_plugins.notifiers.mail import Mail
from stayalived_plugins.notifiers.outgoing import Letter
from stayalived_plugins.notifiers.places import Places, shown

EVENT = Event(
    sequence=7,
    kind="master",
    subject_type="instance",
    subject="tic",
    old="BACKUP",
    new="MASTER",
    reason="no advert for 3.61 s",
    priority=200,
    monotonic=1,
)


class Office:
    """Keeps what it is handed."""

    def __init__(self) -> None:
        self.letters: list[Letter] = []

    def join(self, relays: Any, sender: Any) -> None:
        self.relays = relays

    async def post(self, letters: list[Letter]) -> None:
        self.letters += letters


class House:
    """A room with an office that sends nothing."""

    configuration: Configuration = configuration()
    folder = Path("/nowhere")

    def __init__(self) -> None:
        self.office = Office()

    def share(self, key: Any, make: Any) -> Any:
        return self.office

    def report(self, text: str) -> None:
        raise AssertionError(text)


def mail(**options: Any) -> tuple[Mail, Office]:
    given = {"router_id": "lb1", "notification_email": "noc@example.org", "smtp_server": "127.0.0.1", **options}
    action = Mail(msgspec.convert(given, Mail.Options, dec_hook=lambda _, value: Secret(value)))
    house = House()
    action.open(house)  # type: ignore[arg-type]  # as much of a room as a mail needs
    return action, house.office


def changed(**changes: Any) -> Event:
    return msgspec.structs.replace(EVENT, **changes)


async def mailed(*events: Event, **options: Any) -> list[Any]:
    action, office = mail(**options)
    for event in events:
        await action.notify(event, None)  # type: ignore[arg-type]  # it uses no tools
    return [message_from_bytes(letter.message, policy=default) for letter in office.letters]


@pytest.mark.parametrize(
    ("changes", "subject", "line"),
    [
        ({}, "VRRP Instance tic - Entering MASTER state", "=> VRRP Instance is now owning VRRP VIPs <="),
        (
            {"kind": "backup"},
            "VRRP Instance tic - Entering BACKUP state",
            "=> VRRP Instance is no longer owning VRRP VIPs <=",
        ),
        (
            {"kind": "fault"},
            "VRRP Instance tic - Entering FAULT state",
            "=> VRRP Instance is no longer owning VRRP VIPs <=",
        ),
        ({"kind": "stop"}, "VRRP Instance tic - Stopping", "=> VRRP Instance stopping <="),
        (
            {"subject_type": "group", "subject": "both"},
            "VRRP Group both - Entering MASTER state",
            "=> All VRRP group instances are now in MASTER state <=",
        ),
        (
            {"subject_type": "real_server", "subject": "web/a", "kind": "down"},
            "Realserver web/a - DOWN",
            "=> no advert for 3.61 s <=",
        ),
        (
            {"subject_type": "virtual_server", "subject": "web", "kind": "quorum_up"},
            "Virtualserver web - UP",
            "=> Gained quorum <=",
        ),
        (
            {"subject_type": "child", "subject": "vrrp", "kind": "child_died", "reason": ""},
            "Process vrrp - child died",
            "=> child_died <=",
        ),
    ],
)
async def test_the_words_are_keepalived_s_where_it_has_some(changes: dict[str, Any], subject: str, line: str) -> None:
    [message] = await mailed(changed(**changes))

    assert message["Subject"] == f"[lb1] {subject}"
    assert message.get_content().splitlines()[0] == line


async def test_the_header_says_who_mails_whom_and_that_nobody_should_answer() -> None:
    first, second = await mailed(
        EVENT,
        notification_email=["Noc <noc@example.org>", "two@example.org"],
        notification_email_from="lb1@example.org",
    )

    assert first["To"] == second["To"] == "Noc <noc@example.org>, two@example.org"
    assert (first["From"], first["X-Mailer"]) == ("lb1@example.org", "stayalived")
    assert first["Auto-Submitted"] == "auto-generated"
    assert first["Message-ID"] == second["Message-ID"]


async def test_an_event_has_one_message_id_and_another_event_another() -> None:
    [first, other] = await mailed(EVENT, changed(sequence=8, kind="backup"))
    [again] = await mailed(EVENT)

    assert first["Message-ID"] == again["Message-ID"] != other["Message-ID"]
    assert first["Message-ID"].startswith("<7.")


async def test_the_state_that_was_mailed_last_is_not_mailed_again() -> None:
    fault = changed(kind="fault", sequence=8)
    back = changed(sequence=9)

    found = await mailed(EVENT, fault, back, changed(sequence=10, subject="tac"), no_email_faults=True)

    assert [message["Subject"] for message in found] == [
        "[lb1] VRRP Instance tic - Entering MASTER state",
        "[lb1] VRRP Instance tac - Entering MASTER state",
    ]


async def test_what_a_stranger_said_breaks_no_header() -> None:
    [message] = await mailed(changed(subject_type="plugin", subject="a\nBcc: evil@example.org", kind="plugin_failed"))

    assert message["Bcc"] is None
    assert message["Subject"] == "[lb1] Plugin a Bcc: evil@example.org - plugin failed"


async def test_templates_say_what_the_user_wants() -> None:
    [message] = await mailed(EVENT, subject="${router_id}: ${subject} is $new", body="$usual_body\ncosts $$5")

    assert message["Subject"] == "lb1: tic is MASTER"
    assert message.get_content().splitlines()[-1] == "costs $5"


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"notification_email": []}, "notification_email is missing"),
        ({"smtp_server": ""}, "smtp_server is missing"),
        ({"notification_email": "noc"}, "is no mail address"),
        ({"notification_email": "noc@example.org>,<x@y"}, "is no mail address"),
        ({"notification_email_from": "a b@c"}, "is no mail address"),
        ({"smtp_server": "relay:0"}, "is no HOST or HOST:PORT"),
        ({"smtp_server": "relay:99999"}, "is no HOST or HOST:PORT"),
        ({"smtp_server": ":25"}, "is no HOST or HOST:PORT"),
        ({"smtp_connect_timeout": 0}, "smtp_connect_timeout"),
        ({"smtp_username": "u"}, "smtp_password is missing"),
        ({"smtp_server": "relay", "smtp_username": "u", "smtp_password": "p"}, "in plain text"),
        ({"subject": "${nonsense}"}, "subject names 'nonsense'"),
        ({"body": "5 $ a"}, "lone"),
    ],
)
def test_what_could_never_be_mailed_is_refused(options: dict[str, Any], text: str) -> None:
    with pytest.raises(msgspec.ValidationError, match=text):
        mail(**options)


@pytest.mark.parametrize(
    ("server", "host", "tls"),
    [
        ("127.0.0.1", ("127.0.0.1", 25), "opportunistic"),
        ("relay.example.org 2525", ("relay.example.org", 2525), "opportunistic"),
        ("[2001:db8::1]:465", ("2001:db8::1", 465), "implicit"),
        ("2001:db8::1", ("2001:db8::1", 25), "opportunistic"),
    ],
)
def test_a_relay_is_written_in_several_ways(server: str, host: tuple[str, int], tls: str) -> None:
    _, office = mail(smtp_server=server)

    assert (office.relays.hosts, office.relays.tls) == ((host,), tls)


def test_the_password_is_in_no_text() -> None:
    _, office = mail(smtp_username="u", smtp_password="hunter2")

    assert office.relays.password == "hunter2"
    assert "hunter2" not in f"{office.relays}{office.relays.name}"


def test_servers_are_written_with_their_addresses() -> None:
    assert shown(Endpoint("2001:db8::1", 80), "tcp") == "[2001:db8::1]:tcp:80"
    assert (Places().services("web"), Places().servers("web/a")) == ((), ())
