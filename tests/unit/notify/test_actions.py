from typing import Any

import msgspec

from plain_configuration import action, configuration
from plain_event import plain_event
from stayalived.config.model import Action, Configuration
from stayalived.config.virtual_routers import SyncGroup, VrrpInstance
from stayalived.messages.notify import Event
from stayalived.notify.actions import FORMER_LIFE, Actions
from stayalived.timing import Instant, after

NOW = Instant(1_000)
MASTER = plain_event()


def changed(**changes: Any) -> Event:
    return msgspec.structs.replace(MASTER, **changes)


def using(*configured: Action, distribution: str = "stayalived") -> Actions:
    actions = Actions(distribution)
    actions.use(configuration(*configured), NOW)
    return actions


def matching(actions: Actions, event: Event = MASTER, now: Instant = NOW) -> list[Action]:
    return [telling.action for telling in actions.matching(event, now)]


def with_instance(name: str) -> Configuration:
    instance = VrrpInstance(name=name, interface="eth0", priority=100, split=False, routers=())
    return msgspec.structs.replace(configuration(), instances=(instance,))


def test_an_action_is_told_the_events_of_its_subject() -> None:
    mine, other = action("instance tic"), action("instance tac")
    assert matching(using(mine, other)) == [mine]


def test_the_same_name_of_another_type_is_another_subject() -> None:
    assert matching(using(action("virtual_server tic"))) == []


def test_a_real_server_is_named_with_its_service() -> None:
    mine = action("real_server service42/tic")
    assert matching(using(mine), changed(subject_type="real_server", subject="service42/tic", kind="down")) == [mine]


def test_on_chooses_kinds_and_without_it_all_are_told() -> None:
    some, every = action(on=("backup", "fault"), name="some"), action(name="every")
    assert matching(using(some, every)) == [every]
    assert matching(using(some, every), changed(kind="fault")) == [some, every]


def test_global_actions_are_told_everything_after_the_subjects_own() -> None:
    everything, mine = action("global"), action("instance tic")
    assert matching(using(everything, mine)) == [mine, everything]
    assert matching(using(everything), changed(subject_type="child", subject="vrrp", kind="child_died")) == [everything]


def test_actions_of_other_distributions_run_elsewhere() -> None:
    bundled, acme = action(), action(distribution="acme")
    assert matching(using(bundled, acme)) == [bundled]
    assert matching(using(bundled, acme, distribution="acme")) == [acme]


def test_an_action_written_twice_is_told_once() -> None:
    assert matching(using(action(), action())) == [action()]


def test_a_reload_replaces_the_actions_of_an_object_that_stays() -> None:
    actions = using(action(name="before"))
    actions.use(with_instance("tic"), NOW)
    assert matching(actions) == []


def test_the_last_events_of_an_object_that_a_reload_removed_are_still_told() -> None:
    actions = using(action(name="before"))
    actions.use(with_instance("tac"), NOW)
    deleted = changed(kind="deleted")
    assert matching(actions, deleted) == [action(name="before")]
    assert matching(actions, deleted, after(NOW, FORMER_LIFE)) == []


def test_an_action_of_a_group_is_told_the_groups_events_and_not_those_of_an_instance_of_the_name() -> None:
    mine = action("group tic")
    assert matching(using(mine), changed(subject_type="group")) == [mine]
    assert matching(using(mine)) == []


def test_a_group_that_stays_without_its_actions_is_told_nothing_more_and_one_that_goes_its_last_events() -> None:
    stays = msgspec.structs.replace(configuration(), sync_groups=(SyncGroup(name="all", instances=("tic", "tac")),))
    event = changed(subject_type="group", subject="all", kind="stop")
    actions, orphan = using(action("group all")), using(action("group all"))

    actions.use(stays, NOW)
    orphan.use(configuration(), NOW)

    assert matching(actions, event) == []
    assert matching(orphan, event) == [action("group all")]
