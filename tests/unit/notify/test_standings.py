import msgspec

from configuration_kit import good
from plain_configuration import action
from stayalived.child.events import Commit, Prepare, Received
from stayalived.messages.control import Start
from stayalived.messages.vrrp import GroupState, InstanceState
from stayalived.notify.engine import NotifyEngine
from stayalived.notify.events import Restate
from stayalived.timing import Instant

NOW = Instant(1_000)
TEXT = """
[vrrp_instance.tic]
interface = "eth0"
virtual_router_id = 1
virtual_ipaddress = ["192.0.2.100/24"]

[vrrp_instance.tac]
interface = "eth0"
virtual_router_id = 2
virtual_ipaddress = ["192.0.2.101/24"]

[vrrp_sync_group.all]
group = ["tic", "tac"]
"""
CONFIGURATION = msgspec.structs.replace(good(TEXT), actions=(action(),))
GONE = msgspec.structs.replace(CONFIGURATION, instances=CONFIGURATION.instances[:1])


def instance(name: str, state: str) -> Received:
    message = InstanceState(name=name, state=state, reason="", since=1, priority=90, routers=())
    return Received(topic="vrrp.instance", key=name, sender="vrrp", message=message)


GROUP = GroupState(name="all", state="FAULT", reason="", since=1, instances=("tic", "tac"))
STATES = (
    Received(topic="vrrp.group", key="all", sender="vrrp", message=GROUP),
    instance("tic", "BACKUP"),
    instance("tic", "MASTER"),
    instance("tac", "FAULT"),
)


def restated(*states: Received, start: Start = Start.RELOAD, gone: bool = False) -> list[tuple[str, str, str, int]]:
    engine = NotifyEngine("stayalived")
    for state in states:
        engine.handle(state, NOW)
    engine.handle(Prepare(generation=1, configuration=GONE if gone else CONFIGURATION), NOW)
    effects = engine.handle(Commit(generation=1, start=start), NOW)
    events = [event for effect in effects if isinstance(effect, Restate) for event in effect.events]
    assert {event.sequence for event in events} <= {0}
    return [(event.subject_type, event.subject, event.kind, event.priority) for event in events]


def test_after_a_reload_everybody_is_told_where_each_one_stands() -> None:
    first = instance("tic", "MASTER").message.name
    names = sorted([first, "tac"])
    expected = [("instance", name, {"tic": "master", "tac": "fault"}[name], 90) for name in names]
    assert restated(*STATES) == [*expected, ("group", "all", "fault", 0)]


def test_neither_a_start_nor_a_death_is_a_reload() -> None:
    assert restated(*STATES, start=Start.FIRST) == restated(*STATES, start=Start.RESPAWNED) == []


def test_who_has_no_state_or_is_gone_is_not_told_of() -> None:
    ended = Received(topic="vrrp.group", key="all", sender="vrrp", message=None)
    assert restated(instance("tic", "INIT"), *STATES[:1], ended) == []
    assert [name for _, name, _, _ in restated(*STATES, gone=True)] == [GONE.instances[0].name, "all"]
