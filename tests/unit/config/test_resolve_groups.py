import msgspec

from configuration_kit import good, read
from stayalived.config.virtual_routers import SyncGroup


def instance(name: str, number: int, rest: str = "") -> str:
    head = f'[vrrp_instance.{name}]\ninterface = "eth{number}"\nvirtual_router_id = {number}\n'
    return f'{head}virtual_ipaddress = ["192.0.2.{number}"]\n{rest}\n'


INSIDE, OUTSIDE = instance("inside", 0).replace("id = 0", "id = 7"), instance("outside", 1)
GROUP = '[vrrp_sync_group.both]\ngroup = ["inside", "outside"]\n'


def test_a_group_names_its_instances_in_their_order() -> None:
    assert good(INSIDE + OUTSIDE + GROUP).sync_groups == (SyncGroup(name="both", instances=("inside", "outside")),)


def test_without_a_group_there_is_none() -> None:
    assert good(INSIDE).sync_groups == ()


def test_a_group_has_actions_of_its_own() -> None:
    (action,) = good(INSIDE + OUTSIDE + GROUP + 'notify = { type = "shout", on = ["master", "fault"] }').actions

    assert (action.subject, action.type, action.on) == ("group both", "shout", ("master", "fault"))


def test_a_host_may_have_another_group() -> None:
    text = INSIDE + OUTSIDE + instance("third", 3) + GROUP
    text += '[host.tic.vrrp_sync_group.both]\ngroup = ["inside", "third"]\n[host.tac]\n'

    found = [good(text, host=host).sync_groups[0].instances for host in ("tic", "tac")]

    assert found == [("inside", "third"), ("inside", "outside")]


def test_an_instance_that_is_wrong_is_no_unknown_member() -> None:
    configuration, problems = read(INSIDE.replace("192.0.2.0", "192.0.2.300") + OUTSIDE + GROUP)

    assert configuration is None
    assert len(problems) == 1


def test_another_host_s_group_of_instances_that_are_the_same_here_and_there_is_no_mistake() -> None:
    text = INSIDE + OUTSIDE + GROUP + '[host.tac.vrrp_sync_group.both]\ngroup = ["outside", "inside"]\n[host.tic]\n'

    assert good(text).sync_groups[0].instances == ("inside", "outside")


def test_a_group_survives_the_pipe() -> None:
    found = good(INSIDE + OUTSIDE + GROUP).sync_groups

    assert msgspec.msgpack.decode(msgspec.msgpack.encode(found), type=tuple[SyncGroup, ...]) == found
