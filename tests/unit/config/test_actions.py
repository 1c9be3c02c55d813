"""What may stand beside the type of an action, and what an action that changes weights must say."""

import pytest

from configuration_kit import good, read
from stayalived.config.model import Action, Condition
from stayalived.timing import seconds
from unit.config.bad_inputs import INSTANCE

SERVICE = """\
[virtual_server.web]
address = "192.0.2.80:80"
protocol = "TCP"
[virtual_server.web.real_server.one]
address = "192.0.2.81:80"
check = "knock"
"""


def action(text: str) -> Action:
    [found] = good(INSTANCE + SERVICE.replace("[virtual_server.web]", f"{text}\n[virtual_server.web]")).actions
    return found


def problems(text: str) -> list[str]:
    _, found = read(INSTANCE + f"notify = [{text}]\n" + SERVICE)
    return [problem.partition("vrrp_instance.tic.notify")[2] for problem in found]


def test_conditions_and_rates_stand_beside_the_options() -> None:
    condition = '{ subject = ["t*"], state = "FAULT", reason = "*link*" }'
    more = f'on_overlap = "latest", rate = {{ events = 5, seconds = 30 }}, only_if = {condition}'
    found = action(f'notify = {{ type = "shout", volume = 1, on = "fault", {more} }}')
    assert found.on == ("fault",)
    assert (found.rate_events, found.rate_period, found.overlap) == (5, seconds(30), "latest")
    assert found.only_if == Condition(subjects=("t*",), states=("fault",), reasons=("*link*",))
    assert (found.in_turn, found.ends) == (False, ())


def test_an_action_that_holds_a_weight_ends_with_the_opposites() -> None:
    found = action('notify = { type = "weight", on = ["fault"], servers = ["web/one"], set = 0 }')
    assert found.ends == ("master", "backup", "stop", "deleted")


def test_the_events_of_global_are_those_of_all() -> None:
    found = action('[global]\nnotify = { type = "shout", on = ["quorum_down", "stalled", "drain"] }')
    assert found.on == ("quorum_down", "stalled", "drain")


SETS = '{ type = "weight", on = ["fault"], servers = ["web/one"], set = 0 }'
MISTAKES = {
    '{ type = "shout", rate = { events = 0, seconds = 1 } }': "[0].rate.events: found 0; must be a whole number",
    '{ type = "shout", rate = { events = 1 } }': "[0].rate.seconds: missing; must be",
    '{ type = "shout", only_if = { stat = "UP" } }': "[0].only_if.stat: unknown key; did you mean state?",
    '{ type = "shout", on_overlap = "drop" }': '[0].on_overlap: found "drop"; must be "kill", "latest" or "queue"',
    SETS.replace("one", "onn"): (
        '[0].servers[0]: found "web/onn"; no such real server; write VIRTUAL_SERVER/NAME; did you mean web/one?'
    ),
    SETS.replace('on = ["fault"], ', ""): "[0].on: missing; write the events at which it begins",
    SETS.replace("fault", "priority"): "[0].on: priority has no opposite that could end it; give until in seconds",
    f"{SETS}, {SETS.replace('fault', 'backup')}": (
        '[1].servers[0]: found "web/one"; its weight is set by vrrp_instance.tic.notify.0 already; use add or factor'
    ),
    SETS.replace(", set = 0", ""): "[0]: give exactly one of the keys set, add, factor",
}


@pytest.mark.parametrize("text", MISTAKES)
def test_a_mistake_is_named(text: str) -> None:
    found = problems(text)
    assert [line for line in found if line.startswith(MISTAKES[text])] != [], found


def test_two_that_add_to_one_weight_or_set_different_ones_are_fine() -> None:
    assert (
        problems(
            '{ type = "weight", on = ["fault"], servers = ["web/one"], set = 0 }, '
            '{ type = "weight", on = ["priority"], servers = ["web/one"], add = 1, until = 60 }'
        )
        == []
    )


def test_a_change_of_a_weight_changes_no_weight() -> None:
    text = '[global]\nnotify = { type = "weight", on = ["weight"], servers = ["web/one"], set = 0 }\n'
    _, found = read(text + INSTANCE + SERVICE)
    assert [line for line in found if "a change of a weight changes no weight" in line] != []
