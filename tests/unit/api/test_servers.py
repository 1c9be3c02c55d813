"""Commands about a real server: the names are checked, and that somebody is left to serve."""

import pytest

from stayalived.api.commands import Command
from stayalived.api.servers import objection_to
from stayalived.api.state import Store
from stayalived.messages.services import Override, ServerRow, ServiceState


def row(subject: str, weight: int) -> ServerRow:
    return ServerRow(
        subject=subject,
        addresses=(),
        state="UP",
        reason="",
        weight=weight,
        configured_weight=1,
        active=0,
        inactive=0,
    )


def store(*rows: ServerRow) -> Store:
    made = Store(version="1", pid=1)
    for number, one in enumerate(rows):
        state = ServiceState(
            name="service42",
            protocol="tcp",
            addresses=(),
            scheduler="rr",
            forward="DR",
            quorum="up",
            sorry=False,
            servers=(one,),
            problem="",
        )
        made.take("services.state", f"service42#{number}", state)
    return made


BOTH = store(row("service42/tic", 1), row("service42/tac", 1))


@pytest.mark.parametrize("verb", ["drain", "undrain", "weight"])
@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("service42/tik", "did you mean service42/tic?"),
        ("tac", "did you mean service42/tac?"),
        ("zzzzzz/zzzzzz", "known are service42/tac, service42/tic"),
        ("", "known are service42/tac, service42/tic"),
    ],
)
def test_a_wrong_name_is_refused_with_the_nearest_right_one(verb: str, name: str, hint: str) -> None:
    assert f"no real server is called {name!r}; {hint}" == objection_to(Command(verb=verb, server=name), BOTH)


def test_a_daemon_without_servers_says_so() -> None:
    expected = "no real server is called 'a/b': the daemon has none, or has just started"
    assert expected == objection_to(Command(verb="drain", server="a/b"), store())


@pytest.mark.parametrize("verb", ["drain", "undrain", "weight"])
def test_a_right_name_may_pass(verb: str) -> None:
    assert "" == objection_to(Command(verb=verb, server="service42/tic"), BOTH)


def test_what_is_wanted_of_a_server_that_is_gone_can_be_undone() -> None:
    known = store(row("service42/tic", 1))
    level = Override(server="service42/old", source="command", mode="drain", value=0)
    known.take("services.override", "service42/old command drain", level)

    assert "" == objection_to(Command(verb="undrain", server="service42/old"), known)
    assert "" != objection_to(Command(verb="drain", server="service42/old"), known)


@pytest.mark.parametrize(("verb", "weight"), [("drain", None), ("weight", 0)])
def test_the_last_that_serves_goes_by_force_only(verb: str, weight: int | None) -> None:
    last = store(row("service42/tic", 1), row("service42/tac", 0), row("service42/tuc", -1))
    named = Command(verb=verb, weight=weight, server="service42/tic")
    forced = Command(verb=verb, weight=weight, server="service42/tic", force=True)

    expected = "service42/tic is the last server with a weight in service42: without it nobody serves; --force does it"
    assert expected == objection_to(named, last)
    assert "" == objection_to(forced, last)
    assert "" == objection_to(Command(verb=verb, weight=weight, server="service42/tac"), last)
