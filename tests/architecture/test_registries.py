import inspect
from typing import Any

import pytest

from architecture.tree import TOP
from stayalived.messages import control, notify, services, vrrp
from stayalived.messages.control import Message
from stayalived.messages.routes import ANY, SUPERVISOR, TOPICS
from stayalived.plugin import hookspecs

HOOKS = [name for name in vars(hookspecs) if name.startswith("stayalived_")]


def test_a_registry_that_is_filled_by_hand_has_the_number_of_entries_that_it_should() -> None:
    assert len(TOPICS) == 33
    assert len(HOOKS) == 5


def test_every_message_has_a_topic() -> None:
    carried = {topic.message for topic in TOPICS.values()}
    messages = {
        value
        for module in (control, notify, services, vrrp)
        for value in vars(module).values()
        if isinstance(value, type) and issubclass(value, Message) and value is not Message
    }
    parts = {"Needs", "RouterRow", "ServerRow"}  # of other messages

    assert {message.__name__ for message in messages - carried} == parts


def test_topics_go_between_roles_that_there_are() -> None:
    roles = {role for topic in TOPICS.values() for role in (*topic.senders, *topic.receivers)}

    assert roles <= {*ANY, SUPERVISOR}


def parameters(hook: Any) -> str:
    return ", ".join(inspect.signature(hook).parameters)


@pytest.mark.parametrize("name", HOOKS)
def test_every_hook_is_documented_with_its_signature(name: str) -> None:
    text = (TOP / "docs" / "plugins.md").read_text()

    assert f"{name}({parameters(getattr(hookspecs, name))})" in text
