import errno
from collections.abc import Collection

import pytest
from msgspec.structs import replace

from stayalived.child.events import Received, Tell
from stayalived.config.model import Configuration
from stayalived.errors import KernelProblem
from stayalived.ipvs.engine import APPLY_CHUNK, IpvsEngine
from stayalived.ipvs.events import KernelRefused, ReadTable
from stayalived.ipvs.kernel_view import COUNTER_INTERVAL, REREAD_INTERVAL, KernelView
from stayalived.ipvs.levels import Levels
from stayalived.ipvs.model import (
    AddDestination,
    AddService,
    Connections,
    DeleteDestination,
    Destination,
    EditDestination,
    Operation,
    ServiceKey,
    Table,
)
from stayalived.ipvs.news import Newsroom
from stayalived.ipvs.policies import Policies
from stayalived.ipvs.pools import AT_ONCE, Pools
from stayalived.kernel.memory_ipvs import MemoryIpvs
from stayalived.messages.control import Start
from stayalived.messages.notify import Event
from stayalived.messages.services import ServerRow, ServiceState
from stayalived.timing import after, seconds
from unit.ipvs.build import (
    DR,
    IDLE,
    ONE,
    RR,
    SORRY,
    START,
    THERE,
    WEB,
    Director,
    check,
    check_state,
    configuration,
    server,
    service,
    two_servers,
)

# -- at work


def test_a_verdict_that_changes_nothing_is_no_operation(serving: Director) -> None:
    serving.hear("web/one", up=True, reason="again")

    assert [] == serving.asked()


def test_a_server_goes_with_one_operation_and_keepalived_s_words(serving: Director) -> None:
    serving.hear("web/one", up=False, reason="timeout")

    assert [(DeleteDestination(WEB, ONE),)] == serving.asked()
    assert ["Removing service 192.0.2.10:80 of VS web from its pool: timeout"] == serving.reports()
    (event,) = serving.told(Event)
    assert ("down", "UP", "DOWN", "timeout") == (event.kind, event.old, event.new, event.reason)


def test_with_inhibit_on_failure_it_stays_at_weight_0(director: Director) -> None:
    director.start(configuration(service(server("one", "192.0.2.10", inhibit_on_failure=True))))
    director.hear("web/one", up=True)
    director.forget_effects()

    director.hear("web/one", up=False)
    director.hear("web/one", up=True)

    assert [EditDestination(WEB, ONE, IDLE), EditDestination(WEB, ONE, THERE)] == director.kernel.journal
    assert "Disabling service 192.0.2.10:80 of VS web, weight 0" in director.reports()
    assert "Enabling service 192.0.2.10:80 of VS web" in director.reports()


def test_what_others_change_is_found_and_repaired(serving: Director) -> None:
    serving.kernel.table.clear()

    serving.advance(seconds(31))

    assert {"192.0.2.10:80": 1, "192.0.2.11:80": 1} == serving.pool()
    expected = "IPVS service -t 192.0.2.1:80 was changed by somebody else: making it again what it should be"
    assert [expected] == serving.reports()


def test_connections_are_told_when_they_change_and_not_too_often(serving: Director) -> None:
    serving.kernel.connections[WEB, ONE] = Connections(active=3, inactive=2)

    serving.advance(seconds(10))

    assert [(3, 2)] == [(state.servers[0].active, state.servers[0].inactive) for state in serving.told(ServiceState)]


def test_answers_that_come_late_lose_no_verdict(serving: Director) -> None:
    serving.slow = True

    serving.hear("web/one", up=False)
    serving.hear("web/two", up=False)
    assert 1 == len(serving.asked())
    serving.answer()
    serving.answer()

    assert {} == serving.pool()
    assert "down" == serving.state().quorum


# -- refusals


def test_a_refused_operation_is_tried_again_after_a_look_at_the_table(serving: Director) -> None:
    serving.kernel.refusals.append(errno.ENOMEM)

    serving.hear("web/one", up=False)

    assert {"192.0.2.11:80": 1} == serving.pool()
    assert ["ipvsadm -d -t 192.0.2.1:80 -r 192.0.2.10:80: Cannot allocate memory"] == [
        text for text in serving.reports() if text.startswith("ipvsadm")
    ]
    assert "" == serving.state().problem


def test_a_service_that_stays_refused_is_shown_and_does_not_hold_up_the_others() -> None:
    director = Director(MemoryIpvs(schedulers=["rr"]))
    bad = service(server("one", "192.0.2.10", vs="bad"), name="bad", addresses=("192.0.2.1:81",), scheduler="mh")
    director.start(configuration(bad, service(server("one", "192.0.2.10"))))
    director.hear("bad/one", up=True)

    director.hear("web/one", up=True)

    assert {"192.0.2.10:80": 1} == director.pool()
    assert director.state("bad").problem.startswith("ipvsadm -A -t 192.0.2.1:81 -s mh")
    assert "" == director.state("web").problem


def test_a_service_that_stays_refused_is_tried_ever_more_rarely() -> None:
    director = Director(MemoryIpvs(schedulers=[]))
    director.start(two_servers())
    director.forget_effects()

    director.advance(seconds(120))

    tries = [operations for operations in director.asked() if AddService(WEB, RR) in operations]
    assert 4 <= len(tries) <= 10


def test_a_kernel_without_ipvs_is_a_warning_and_is_asked_again(director: Director) -> None:
    director.kernel.absent = True
    director.start(two_servers())
    assert [True] == [problem.warning for answer in director.answers() for problem in answer.problems]
    director.hear("web/one", up=True)
    assert "modprobe ip_vs" in director.state().problem

    director.kernel.absent = False
    director.advance(seconds(31))

    assert {"192.0.2.10:80": 1} == director.pool()
    assert "" == director.state().problem


# -- what is told


def test_a_state_shows_each_server_as_it_is(director: Director) -> None:
    director.start(two_servers())
    director.hear("web/one", up=True, reason="connected")

    state = director.state()

    assert ("web", "tcp", ("192.0.2.1:80",), "rr", "NAT") == (
        state.name,
        state.protocol,
        state.addresses,
        state.scheduler,
        state.forward,
    )
    row = ServerRow(
        subject="web/one",
        addresses=("192.0.2.10:80",),
        state="UP",
        reason="connected",
        weight=1,
        configured_weight=1,
        active=0,
        inactive=0,
        been_up=True,
    )
    assert row == state.servers[0]
    assert -1 == state.servers[1].weight


def test_a_big_pool_is_told_in_parts_that_fit_a_frame(director: Director) -> None:
    servers = [server(f"s{number}", f"198.51.{number // 250}.{number % 250 + 1}") for number in range(600)]

    director.start(configuration(service(*servers)))

    keys = [effect.key for effect in director.effects if isinstance(effect, Tell) and effect.key.startswith("web")]
    assert ["web", "web#1", "web#2", "web#3"] == keys
    assert [150, 150, 150, 150] == [len(state.servers) for state in director.told(ServiceState)]


def test_a_verdict_that_is_gone_leaves_the_server_as_it_was(serving: Director) -> None:
    serving.handle(Received(topic="services.check", key="web/one#0", sender="checker", message=None))

    assert [] == serving.asked()
    assert {"192.0.2.10:80": 1, "192.0.2.11:80": 1} == serving.pool()


def test_a_pool_that_becomes_smaller_takes_its_parts_back(director: Director) -> None:
    servers = [server(f"s{number}", f"198.51.{number // 250}.{number % 250 + 1}") for number in range(600)]
    director.start(configuration(service(*servers)))

    director.reload(configuration(service(*servers[:300])))

    assert [(ServiceState, "web#2"), (ServiceState, "web#3")] == director.forgotten()


# -- whose checks they are


def test_a_stranger_s_process_does_not_decide_about_servers_that_others_check(serving: Director) -> None:
    serving.hear_from("checker/acme", "web/one", up=False)
    serving.hear_from("checker/acme", "web/two", up=False)
    serving.advance(seconds(3))

    assert [] == serving.asked()
    assert {"192.0.2.10:80": 1, "192.0.2.11:80": 1} == serving.pool()
    text = (
        "checker/acme told of check web/one#0, which is not its own: ignored, like all that it tells of others' checks"
    )
    assert [text] == serving.reports()
    assert {"checker/acme": 2} == serving.engine._pools.ignored


def test_nor_does_it_by_forgetting_them(serving: Director) -> None:
    serving.handle(Received(topic="services.check", key="web/one#0", sender="checker/acme", message=None))
    serving.hear("web/two", up=False)

    assert {"192.0.2.10:80": 1} == serving.pool()
    assert "UP" == serving.state().servers[0].state


def test_a_stranger_s_check_is_decided_by_its_own_process_alone(director: Director) -> None:
    theirs = replace(server("one", "192.0.2.10"), checks=(check("web/one", distribution="acme"),))
    director.start(configuration(service(theirs)))

    director.hear_from("checker", "web/one", up=True)
    director.hear_from("checker/other", "web/one", up=True)
    assert {} == director.pool()

    director.hear_from("checker/acme", "web/one", up=True)
    assert {"192.0.2.10:80": 1} == director.pool()


def test_what_a_stranger_said_before_there_was_a_configuration_counts_as_little(director: Director) -> None:
    director.hear_from("checker", "web/one", up=True)
    director.hear_from("checker/acme", "web/one", up=False)

    director.start(two_servers(), Start.RESPAWNED)

    assert {"192.0.2.10:80": 1} == director.pool()


def test_a_check_that_passes_to_another_distribution_blames_nobody(director: Director) -> None:
    theirs = replace(server("one", "192.0.2.10"), checks=(check("web/one", distribution="acme"),))
    director.start(configuration(service(theirs)))
    director.hear_from("checker/acme", "web/one", up=True)
    director.reload(configuration(service(server("one", "192.0.2.10"))))

    director.hear_from("checker/acme", "web/one", up=False)
    director.handle(Received(topic="services.check", key="web/one#0", sender="checker/acme", message=None))

    assert {"192.0.2.10:80": 1} == director.pool()
    assert {} == director.engine._pools.ignored


# -- how often the table is read


@pytest.mark.parametrize(("servers", "reads"), [(2, 15), (500, 6), (2000, 1)])
def test_the_more_there_is_to_read_the_rarer_it_is_read(director: Director, servers: int, reads: int) -> None:
    many = (server(f"s{number}", f"10.0.{number // 250}.{number % 250 + 1}", checks=0) for number in range(servers))
    director.start(configuration(service(*many)))
    director.advance(seconds(30))
    director.forget_effects()

    director.advance(seconds(30))

    assert reads == director.effects.count(ReadTable())


def test_messages_of_others_are_not_for_it(serving: Director) -> None:
    serving.handle(Received(topic="services.check", key="x#0", sender="checker", message=check_state("x", up=False)))
    serving.handle(Received(topic="vrrp.instance", key="tic", sender="vrrp", message=None))

    assert [] == serving.asked()


def test_nothing_is_due_before_a_commit() -> None:
    engine = IpvsEngine()

    assert engine.deadline is None
    assert [] == engine.wake(START)


def test_forwarding_of_the_sorry_server_is_its_own() -> None:
    director = Director()
    director.start(two_servers(sorry_servers=(SORRY,), sorry_forward=DR))

    director.advance(seconds(7))

    assert Destination(method="DR", weight=1) == director.kernel.table[WEB].destinations[SORRY]


def test_lost_answers_are_read_again_within_a_second(serving: Director) -> None:
    serving.slow = True
    serving.advance(seconds(2))
    lost = KernelProblem("read the IPVS table", errno.ENOBUFS)
    serving.waiting = [KernelRefused(problem=lost)]
    serving.kernel.table.clear()
    serving.slow = False

    serving.answer()
    assert {} == serving.pool()
    serving.advance(seconds(1))

    assert {"192.0.2.10:80": 1, "192.0.2.11:80": 1} == serving.pool()


def many_servers() -> Configuration:
    """A configuration whose table takes three `Apply`."""
    servers = [
        server(f"s{number}", f"10.0.{number // 250}.{number % 250 + 1}:80", alpha=False)
        for number in range(2 * APPLY_CHUNK + 10)
    ]
    return configuration(service(*servers))


def test_a_long_plan_is_made_once_and_looked_at_again_in_the_end(
    director: Director, monkeypatch: pytest.MonkeyPatch
) -> None:
    planned = []
    plan = KernelView.plan

    def counted(view: KernelView, wanted: Table, keys: Collection[ServiceKey]) -> list[Operation]:
        planned.append(len(wanted))
        return plan(view, wanted, keys)

    monkeypatch.setattr(KernelView, "plan", counted)

    director.start(many_servers())

    assert 2 * APPLY_CHUNK + 10 == len(director.pool())
    assert [APPLY_CHUNK, APPLY_CHUNK, 11] == [len(operations) for operations in director.asked()]
    assert [1, 1] == planned


def test_a_verdict_in_the_midst_of_a_long_plan_makes_another_one(serving: Director) -> None:
    serving.slow = True
    serving.reload(many_servers())
    serving.answer()  # the table, so the first operations are under way
    assert [APPLY_CHUNK] == [len(operations) for operations in serving.asked()]

    last = f"web/s{2 * APPLY_CHUNK + 9}"
    serving.hear(last, up=False)
    for _ in range(5):
        serving.answer()

    address = str(many_servers().virtual_servers[0].real_servers[-1].addresses[0])
    assert address not in serving.pool()
    assert 2 * APPLY_CHUNK + 9 == len(serving.pool())
    added = [one for operations in serving.asked() for one in operations if isinstance(one, AddDestination)]
    assert address not in [str(one.endpoint) for one in added]


def test_a_refusal_in_the_midst_of_a_long_plan_makes_another_one(director: Director) -> None:
    director.kernel.refusals.extend([0] * 10 + [errno.ENOMEM])

    director.start(many_servers())
    director.advance(seconds(1))

    assert 2 * APPLY_CHUNK + 10 == len(director.pool())


def test_pools_are_worked_off_in_slices_that_leave_time_for_a_sign_of_life() -> None:
    services = [
        service(server("one", "198.18.0.1", vs=f"s{number}", checks=0), name=f"s{number}", addresses=(address,))
        for number in range(2 * AT_ONCE + 1)
        for address in (f"198.51.{number >> 8}.{number & 255}:80",)
    ]
    director = Director()

    director.start(configuration(*services))

    asked = [len({operation.key for operation in operations}) for operations in director.asked()]
    assert asked == [AT_ONCE, AT_ONCE, 1]
    assert len(director.kernel.table) == len(director.told(ServiceState)) == len(services)


def test_a_service_that_goes_before_its_turn_is_not_looked_for() -> None:
    pools = Pools(Newsroom(), Levels(0), Policies())
    pools.build(configuration(service(server("one", "192.0.2.10"))), START)

    pools.build(configuration(), START)

    wanted = pools.wanted()
    pools.settle()
    assert (wanted, pools.to_tell(), pools.unfinished) == ({}, [], False)


def test_a_table_that_is_filled_is_read_again_as_late_as_its_size_demands() -> None:
    director = Director()

    director.start(many_servers())

    first = after(director.now, COUNTER_INTERVAL)
    assert director.engine.deadline is not None
    assert first < director.engine.deadline <= after(director.now, REREAD_INTERVAL)
