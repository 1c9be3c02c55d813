from msgspec.structs import replace

from stayalived.api.document import SCHEMA
from stayalived.api.state import Store
from stayalived.config.problems import Problem
from stayalived.messages.control import ChildState, DaemonState
from stayalived.messages.notify import Counts
from stayalived.messages.services import AddressPresent, CheckState, FirstRound, ServerRow, ServiceState, TrackState
from stayalived.messages.vrrp import InstanceState, RouterCounters, RouterRow
from stayalived.timing import Instant, after, seconds

START = Instant(1_000_000_000_000)
LATER = after(START, seconds(3))


def instance(state: str = "MASTER") -> InstanceState:
    row = RouterRow(
        key="tic/4",
        family=4,
        state=state,
        slot=0,
        virtual_router_id=1,
        interface="eth0",
        addresses=("192.0.2.1/24",),
        advert_int=seconds(1),
        master_interval=seconds(1),
        master="",
        held=True,
    )
    return InstanceState(name="tic", state=state, reason="silence", since=START, priority=200, routers=(row,))


def counters() -> RouterCounters:
    return RouterCounters(
        key="tic/4",
        adverts_sent=12,
        adverts_received=3,
        became_master=1,
        released_master=0,
        priority_zero_sent=0,
        priority_zero_received=1,
        errors={"checksum": 2},
    )


def check(subject: str = "service42/tic", *, up: bool | None = True) -> CheckState:
    return CheckState(
        subject=subject,
        number=0,
        check="answers",
        up=up,
        weight=0,
        reason="connect",
        latency=seconds(0.002),
        since=START,
        stale=False,
    )


def tracked() -> TrackState:
    state = check("track:answers", up=None)
    values = {name: getattr(state, name) for name in state.__struct_fields__}
    return TrackState(**values | {"value": 7})


def service() -> ServiceState:
    row = ServerRow(
        subject="service42/tic",
        addresses=("192.0.2.10:42",),
        state="UP",
        reason="",
        weight=1,
        configured_weight=1,
        active=5,
        inactive=6,
    )
    return ServiceState(
        name="service42",
        protocol="tcp",
        addresses=("192.0.2.1:42",),
        scheduler="rr",
        forward="DR",
        quorum="up",
        sorry=False,
        servers=(row,),
        problem="",
    )


def test_an_empty_store_describes_a_daemon_that_nobody_told_anything_about() -> None:
    document = Store(version="1", pid=7).describe(START)

    assert document.schema == SCHEMA
    assert document.daemon is None
    assert document.children == document.instances == document.services == document.tracked == []
    assert document.first_round is False


def test_the_newest_of_each_key_is_shown() -> None:
    store = Store(version="1", pid=7)

    store.take("vrrp.instance", "tic", instance("BACKUP"))
    store.take("vrrp.instance", "tic", instance("MASTER"))

    assert [(row.name, row.state) for row in store.describe(LATER).instances] == [("tic", "MASTER")]


def test_an_instance_shows_since_how_long_and_its_routers_counters() -> None:
    store = Store(version="1", pid=7)

    store.take("vrrp.instance", "tic", instance())
    store.take("vrrp.counters", "tic/4", counters())

    (row,) = store.describe(LATER).instances
    assert row.seconds == 3.0
    assert (row.routers[0].adverts_sent, row.routers[0].errors) == (12, {"checksum": 2})
    assert row.routers[0].advert_interval == 1.0


def test_a_key_that_is_gone_is_shown_no_more() -> None:
    store = Store(version="1", pid=7)
    store.take("vrrp.instance", "tic", instance())

    store.take("vrrp.instance", "tic", None)
    store.take("vrrp.instance", "never", None)

    assert store.describe(LATER).instances == []


def test_checks_stand_with_their_servers_and_those_of_hosts_apart() -> None:
    store = Store(version="1", pid=7)

    store.take("services.state", "service42", service())
    store.take("services.check", "service42/tic#0", check())
    store.take("vrrp.track", "track:answers#0", tracked())

    document = store.describe(LATER)
    (server,) = document.services[0].servers
    assert [(row.check, row.up, row.latency) for row in server.checks] == [("answers", True, 0.002)]
    assert [(row.subject, row.up, row.value) for row in document.tracked] == [("track:answers", None, 7)]


def test_the_daemon_its_children_and_the_first_round_are_shown() -> None:
    store = Store(version="0.1", pid=7)
    problem = Problem(path="vrrp_instance.tic.priority", found="300", expected="1 to 254")
    daemon = DaemonState(
        phase="running", generation=4, accepted_at=5_500_000_000, refused=(problem,), run_dir="/run/x", config_dir="/c"
    )
    child = ChildState(name="vrrp", pid=8, state="RUNNING", since=START, restarts=2, user="stayalived", note="")

    store.take("daemon.state", "", daemon)
    store.take("daemon.child", "vrrp", child)
    store.take("services.round", "", FirstRound(open=True))

    document = store.describe(LATER)
    assert document.daemon is not None
    assert (document.daemon.pid, document.daemon.version, document.daemon.accepted_at) == (7, "0.1", 5.5)
    assert document.daemon.refused == ["vrrp_instance.tic.priority: found 300; 1 to 254"]
    assert [(row.name, row.restarts, row.seconds) for row in document.children] == [("vrrp", 2, 3.0)]
    assert document.first_round is True


def test_a_topic_that_is_no_state_is_ignored() -> None:
    store = Store(version="1", pid=7)
    before = store.describe(START)

    store.take("event", "", instance())
    store.take("no.such.topic", "", instance())

    assert before == store.describe(START)


def test_a_service_that_was_told_in_parts_is_one_service() -> None:
    store = Store(version="1", pid=7)
    for number in (0, 10, 2, 1):
        row = replace(service().servers[0], subject=f"service42/part{number}")
        key = f"service42#{number}" if number else "service42"
        store.take("services.state", key, replace(service(), servers=(row,)))
    store.take("services.check", "service42/part2#0", check("service42/part2"))

    (described,) = store.describe(LATER).services

    names = ["service42/part0", "service42/part1", "service42/part2", "service42/part10"]
    assert names == [server.name for server in described.servers]
    assert [0, 0, 1, 0] == [len(server.checks) for server in described.servers]
    assert "service42" == described.name


def test_a_service_says_whether_its_checks_sleep() -> None:
    store = Store(version="1", pid=7)
    store.take("services.state", "service42", service())
    seen = [store.describe(LATER).services[0].suspended]

    for present in (False, True):
        store.take("services.address", "service42", AddressPresent(service="service42", present=present))
        seen.append(store.describe(LATER).services[0].suspended)

    assert [False, True, False] == seen


def test_packets_for_nobody_are_shown_by_interface() -> None:
    store = Store(version="1", pid=7)
    store.take("vrrp.counters", "tic/4", counters())
    store.take("vrrp.counters", "eth0", replace(counters(), key="eth0", errors={"unknown_vrid_9": 4}))

    (strays,) = store.describe(START).strays

    assert ("eth0", {"unknown_vrid_9": 4}) == (strays.interface, strays.errors)


def test_what_came_of_the_events_is_shown() -> None:
    store = Store(version="1", pid=1)
    counts = Counts(
        distribution="acme", name="pager", told=5, failed=1, merged=2, limited=3, waiting=4, longest=seconds(0.25)
    )
    store.take("notify.counts", "acme pager", counts)
    [row] = store.describe(Instant(0)).notify
    assert (row.name, row.distribution, row.told, row.failed, row.merged, row.limited, row.waiting, row.longest) == (
        "pager", "acme", 5, 1, 2, 3, 4, 0.25,
    )  # fmt: skip
