"""Which actions are told which events: by kind, by condition, and what they see of a server's start."""

from typing import Any

import msgspec
import pytest

from plain_configuration import action, configuration
from plain_event import plain_event
from stayalived.config.model import Action, Condition
from stayalived.messages.notify import Event
from stayalived.notify.actions import Actions
from stayalived.timing import Instant

NOW = Instant(1_000_000)
ANY = Condition(subjects=(), states=(), reasons=())
MASTER = plain_event(reason="no advert for 3.61 s")


def event(**changes: Any) -> Event:
    return msgspec.structs.replace(MASTER, **changes)


def told(happened: Event, *actions: Action, **globals_changed: Any) -> list[tuple[Action, str, bool]]:
    """Return which of the actions are told it, as what kind of event, and whether it ends something."""
    room = Actions("stayalived")
    room.use(configuration(*actions, **globals_changed), NOW)
    return [(found.action, found.event.kind, found.ending) for found in room.matching(happened, NOW)]


def only_if(**changes: Any) -> Action:
    return msgspec.structs.replace(action(), only_if=msgspec.structs.replace(ANY, **changes))


@pytest.mark.parametrize("kind", ["lower_priority", "priority"])
def test_what_is_told_by_name_only_needs_its_name(kind: str) -> None:
    named = action(on=(kind,))
    assert told(event(kind=kind), action(), named) == [(named, kind, False)]


def test_the_specific_action_comes_before_the_general_one_wherever_it_stands() -> None:
    general, specific, everywhere = action(), action(on=("master",)), action("global")
    assert [found for found, *_ in told(MASTER, everywhere, general, specific)] == [specific, general, everywhere]


@pytest.mark.parametrize(
    ("condition", "holds"),
    [
        ({"subjects": ("t*",)}, True),
        ({"subjects": ("site*", "tac")}, False),
        ({"states": ("master",)}, True),
        ({"states": ("fault", "backup")}, False),
        ({"reasons": ("no advert*",)}, True),
        ({"reasons": ("*priority 0*",)}, False),
        ({"subjects": ("tic",), "states": ("backup",)}, False),
    ],
)
def test_all_conditions_must_hold(condition: dict[str, Any], holds: bool) -> None:
    assert bool(told(MASTER, only_if(**condition))) == holds


def test_the_opposite_ends_what_an_action_holds_whatever_the_state_and_the_reason() -> None:
    holding = msgspec.structs.replace(only_if(states=("fault",), subjects=("tic",)), on=("fault",), ends=("master",))
    assert told(MASTER, holding) == [(holding, "master", True)]
    assert told(event(subject="tac"), msgspec.structs.replace(holding, subject="global")) == []


def test_a_deleted_instance_is_a_fault_for_those_that_are_told_all_and_nothing_for_those_of_a_fault() -> None:
    general, faults = action(), action(on=("fault",))
    assert told(event(kind="deleted", new="INIT"), general, faults) == [(general, "fault", False)]


def test_where_an_action_names_it_all_see_that_it_is_deleted() -> None:
    named, general = action(on=("deleted",)), action()
    found = told(event(kind="deleted", new="INIT"), named, general)
    assert found == [(named, "deleted", False), (general, "deleted", False)]


def test_of_a_deleted_group_only_those_that_name_it_are_told() -> None:
    named, general = action("group both", on=("deleted",)), action("global")
    gone = event(kind="deleted", subject_type="group", subject="both", new="INIT")
    assert told(gone, general) == []
    assert told(gone, named, general) == [(named, "deleted", False), (general, "deleted", False)]


@pytest.mark.parametrize(
    ("asked_for", "old", "is_told"), [(False, "UNKNOWN", False), (True, "UNKNOWN", True), (False, "DOWN", True)]
)
def test_the_first_success_of_a_server_is_no_news_unless_it_is_asked_for(
    asked_for: bool, old: str, is_told: bool
) -> None:
    server = action("real_server web/tic")
    up = event(kind="up", subject_type="real_server", subject="web/tic", old=old, new="UP")
    assert bool(told(up, server, rs_init_notifies=asked_for)) == is_told
