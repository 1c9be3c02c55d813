import errno

import pytest

from stayalived.addresses import Endpoint, Family
from stayalived.child.events import Abort, AnswerPrepared, Commit, Prepare, Received, Tell
from stayalived.config.model import Configuration
from stayalived.errors import Bug
from stayalived.ipvs.engine import IpvsEngine
from stayalived.ipvs.events import Apply, ReadTable
from stayalived.ipvs.model import (
    AddDestination,
    AddService,
    Connections,
    DeleteDestination,
    DeleteService,
    Destination,
    EditDestination,
    EditService,
    Entry,
    Service,
    ServiceKey,
)
from stayalived.kernel.memory_ipvs import MemoryIpvs
from stayalived.messages.control import Start
from stayalived.messages.notify import Event
from stayalived.messages.services import AdoptedServer, FirstRound, ServerRow, ServiceState
from stayalived.timing import after, seconds
from unit.ipvs.build import DR, START, Director, check_state, configuration, server, service

WEB = ServiceKey(Family.IPV4, "tcp", Endpoint("192.0.2.1", 80))
OTHERS = ServiceKey(Family.IPV4, "tcp", Endpoint("203.0.113.1", 25))
ONE, TWO, SORRY = (Endpoint(f"192.0.2.{number}", 80) for number in (10, 11, 99))
RR = Service(scheduler="rr")
THERE = Destination(method="NAT", weight=1)
IDLE = Destination(method="NAT", weight=0)


def two_servers(**changes: object) -> Configuration:
    return configuration(service(server("one", "192.0.2.10"), server("two", "192.0.2.11"), **changes))


@pytest.fixture
def director() -> Director:
    return Director()


@pytest.fixture
def serving(director: Director) -> Director:
    """A director whose two servers are up."""
    director.start(two_servers())
    director.hear("web/one", up=True)
    director.hear("web/two", up=True)
    director.forget_effects()
    return director


# -- start


def test_servers_wait_outside_of_the_pool_for_their_first_result(director: Director) -> None:
    director.start(two_servers())

    assert {} == director.pool()
    assert ["UNKNOWN", "UNKNOWN"] == [row.state for row in director.state().servers]
    assert "undecided" == director.state().quorum
    assert [] == director.events()


def test_the_first_results_let_servers_in_or_leave_them_out(director: Director) -> None:
    director.start(two_servers())

    director.hear("web/one", up=True)
    director.hear("web/two", up=False, reason="connect: refused")

    assert {"192.0.2.10:80": 1} == director.pool()
    assert [("up", "web/one"), ("down", "web/two")] == director.events()
    assert "Adding service 192.0.2.10:80 of VS web to its pool" in director.reports()
    assert "Leaving service 192.0.2.11:80 of VS web out of its pool: connect: refused" in director.reports()


def test_without_alpha_servers_are_in_the_pool_at_once_and_no_event_tells_of_it(director: Director) -> None:
    director.start(configuration(service(server("one", "192.0.2.10", alpha=False), alpha=False)))

    assert {"192.0.2.10:80": 1} == director.pool()
    assert [] == director.events()
    assert "up" == director.state().quorum


def test_a_server_without_checks_is_always_up(director: Director) -> None:
    director.start(configuration(service(server("one", "192.0.2.10", checks=0))))

    assert {"192.0.2.10:80": 1} == director.pool()
    assert [] == director.events()


def test_verdicts_that_came_before_the_configuration_count(director: Director) -> None:
    director.hear("web/one", up=True)

    director.start(two_servers())

    assert {"192.0.2.10:80": 1} == director.pool()


def test_all_checks_of_a_server_must_be_up(director: Director) -> None:
    director.start(configuration(service(server("one", "192.0.2.10", checks=2))))

    director.hear("web/one", up=True, number=0)
    assert {} == director.pool()
    director.hear("web/one", up=True, number=1)
    assert {"192.0.2.10:80": 1} == director.pool()
    director.hear("web/one", up=False, number=0)
    assert {} == director.pool()


def test_verdicts_that_come_together_leave_in_one_batch(director: Director) -> None:
    director.start(two_servers())
    director.forget_effects()

    director.hear_all([check_state("web/one", up=True), check_state("web/two", up=True)])

    assert [(AddDestination(WEB, ONE, THERE), AddDestination(WEB, TWO, THERE))] == director.asked()


def test_the_kernel_is_changed_before_anybody_is_told(director: Director) -> None:
    director.start(configuration(service(server("one", "192.0.2.10"), quorum=1)))
    director.hear("web/one", up=True)
    director.forget_effects()

    director.hear("web/one", up=False)

    order = [
        effect.message.kind if isinstance(effect, Tell) else "apply"
        for effect in director.effects
        if isinstance(effect, Apply) or (isinstance(effect, Tell) and isinstance(effect.message, Event))
    ]
    assert ["apply", "down", "quorum_down"] == order


def test_a_configuration_without_services_needs_no_kernel(director: Director) -> None:
    director.kernel.absent = True

    director.start(configuration())

    assert [False] == director.rounds()
    assert [] == [effect for effect in director.effects if isinstance(effect, ReadTable)]


def test_one_address_in_two_services_is_refused(director: Director) -> None:
    director.handle(Prepare(generation=1, configuration=configuration(service(), service(name="other"))))

    (answer,) = director.answers()
    assert ["virtual_server.other.address"] == [problem.path for problem in answer.problems]


def test_a_commit_of_something_else_is_a_bug(director: Director) -> None:
    director.handle(Prepare(generation=1, configuration=two_servers()))
    director.handle(Abort(generation=1))

    with pytest.raises(Bug):
        director.handle(Commit(generation=1, start=Start.FIRST))


# -- what the kernel had


def test_a_server_that_is_found_serving_goes_on_until_a_check_fails() -> None:
    director = Director(MemoryIpvs({WEB: Entry(RR, {ONE: THERE})}))

    director.start(two_servers())

    assert [] == director.kernel.journal
    assert [AdoptedServer(subject="web/one", weight=1)] == director.told(AdoptedServer)
    assert ["UP", "UNKNOWN"] == [row.state for row in director.state().servers]
    assert [] == director.events()
    director.hear("web/one", up=False)
    assert {} == director.pool()
    assert [("down", "web/one")] == director.events()


def test_the_checker_knows_what_was_found_before_it_starts() -> None:
    director = Director(MemoryIpvs({WEB: Entry(RR, {ONE: THERE})}))

    director.handle(Prepare(generation=1, configuration=two_servers()))

    told = [effect for effect in director.effects if isinstance(effect, Tell | AnswerPrepared)]
    assert [Tell, AnswerPrepared] == [type(effect) for effect in told]


def test_a_server_that_is_found_at_weight_0_stays_there_until_it_is_checked() -> None:
    director = Director(MemoryIpvs({WEB: Entry(RR, {ONE: IDLE})}))

    director.start(two_servers())

    assert {"192.0.2.10:80": 0} == director.pool()
    assert "UNKNOWN" == director.state().servers[0].state
    director.hear("web/one", up=True)
    assert {"192.0.2.10:80": 1} == director.pool()


def test_a_stranger_in_a_service_of_ours_stays_through_the_first_round() -> None:
    director = Director(MemoryIpvs({WEB: Entry(RR, {SORRY: THERE})}))
    director.start(two_servers())
    assert {"192.0.2.99:80": 1} == director.pool()

    director.hear("web/one", up=True)
    assert {"192.0.2.99:80": 1, "192.0.2.10:80": 1} == director.pool()
    director.hear("web/two", up=True)

    assert {"192.0.2.10:80": 1, "192.0.2.11:80": 1} == director.pool()


def test_a_stranger_goes_when_the_round_has_lasted_long_enough() -> None:
    director = Director(MemoryIpvs({WEB: Entry(RR, {SORRY: THERE})}))
    director.start(two_servers())

    director.advance(seconds(7))

    assert {} == director.pool()
    assert [True, False] == director.rounds()


def test_services_of_others_are_left_alone_from_start_to_stop() -> None:
    theirs = {OTHERS: Entry(RR, {TWO: THERE})}
    director = Director(MemoryIpvs(theirs))
    director.start(two_servers())
    director.hear("web/one", up=True)

    director.stop()

    assert theirs == director.kernel.table
    assert director.finished


def test_flush_takes_services_of_others_away_and_keeps_ours() -> None:
    director = Director(MemoryIpvs({OTHERS: Entry(RR, {TWO: THERE}), WEB: Entry(RR, {ONE: THERE})}))

    director.start(configuration(service(server("one", "192.0.2.10")), flush=True))

    assert [DeleteService(OTHERS)] == director.kernel.journal


def test_a_different_setting_of_a_service_that_is_found_is_an_edit() -> None:
    director = Director(MemoryIpvs({WEB: Entry(Service(scheduler="wlc"), {ONE: Destination(method="DR", weight=3)})}))

    director.start(two_servers())

    assert [EditService(WEB, RR), EditDestination(WEB, ONE, THERE)] == director.kernel.journal


# -- first round and quorum


def test_the_first_round_closes_with_the_last_result(director: Director) -> None:
    director.start(two_servers())
    director.hear("web/one", up=True)
    assert [True] == director.rounds()

    director.hear("web/two", up=False)

    assert [True, False] == director.rounds()


def test_the_first_round_is_paced(director: Director) -> None:
    director.start(
        configuration(service(server("one", "192.0.2.10", checks=4)), start_hold=seconds(6), start_rate=2),
    )

    director.advance(seconds(7.9))
    assert [True] == director.rounds()
    director.advance(seconds(0.2))

    assert [True, False] == director.rounds()


def test_with_start_hold_off_nobody_waits_for_the_first_round(director: Director) -> None:
    director.start(configuration(service(server("one", "192.0.2.10")), start_hold=seconds(0)))

    assert [False] == director.rounds()
    assert "undecided" == director.state().quorum


def test_quorum_is_decided_when_the_hold_is_over(director: Director) -> None:
    director.start(two_servers(sorry_server=SORRY))
    assert {} == director.pool()

    director.advance(seconds(7))

    assert "down" == director.state().quorum
    assert {"192.0.2.99:80": 1} == director.pool()
    assert [("quorum_down", "web")] == director.events()


def test_that_quorum_is_there_at_the_start_is_no_event(director: Director) -> None:
    director.start(configuration(service(server("one", "192.0.2.10"))))

    director.hear("web/one", up=True)

    assert "up" == director.state().quorum
    assert [("up", "web/one")] == director.events()


def test_quorum_lost_and_gained_changes_to_the_sorry_server_and_back(director: Director) -> None:
    director.start(two_servers(sorry_server=SORRY, quorum=2))
    director.hear("web/one", up=True)
    director.hear("web/two", up=True)
    director.forget_effects()

    director.hear("web/one", up=False, reason="timeout")
    assert [
        AddDestination(WEB, SORRY, THERE),
        DeleteDestination(WEB, ONE),
        DeleteDestination(WEB, TWO),
    ] == director.kernel.journal
    assert ("down", True) == (director.state().quorum, director.state().sorry)
    director.forget_effects()
    director.hear("web/one", up=True)

    assert [
        AddDestination(WEB, ONE, THERE),
        AddDestination(WEB, TWO, THERE),
        DeleteDestination(WEB, SORRY),
    ] == director.kernel.journal
    assert [("up", "web/one"), ("quorum_up", "web")] == director.events()
    assert "Gained quorum 2 for VS web: live weight 2" in director.reports()


def test_a_sorry_server_that_is_found_stays_until_quorum_is_decided() -> None:
    director = Director(MemoryIpvs({WEB: Entry(RR, {SORRY: THERE})}))
    director.start(two_servers(sorry_server=SORRY))
    director.hear("web/one", up=True)
    assert {"192.0.2.99:80": 1, "192.0.2.10:80": 1} == director.pool()

    director.hear("web/two", up=False)

    assert {"192.0.2.10:80": 1} == director.pool()


def test_a_weight_that_checks_ask_for_counts_for_quorum(serving: Director) -> None:
    serving.reload(two_servers(quorum=2))

    serving.hear("web/one", up=True, weight=-1)

    assert {"192.0.2.10:80": 0, "192.0.2.11:80": 1} == serving.pool()
    assert [("quorum_down", "web")] == serving.events()


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


# -- reload


def test_an_unchanged_configuration_changes_nothing(serving: Director) -> None:
    serving.reload(two_servers())

    assert [] == serving.asked()
    assert [] == [effect for effect in serving.effects if isinstance(effect, Tell)]


def test_a_changed_weight_is_one_operation(serving: Director) -> None:
    serving.reload(configuration(service(server("one", "192.0.2.10", weight=5), server("two", "192.0.2.11"))))

    assert [(EditDestination(WEB, ONE, Destination(method="NAT", weight=5)),)] == serving.asked()
    assert [] == serving.events()


def test_another_scheduler_is_an_edit(serving: Director) -> None:
    serving.reload(two_servers(scheduler="wlc"))

    assert [(EditService(WEB, Service(scheduler="wlc")),)] == serving.asked()


def test_a_new_server_waits_for_its_check_and_one_that_is_gone_goes_at_once(serving: Director) -> None:
    serving.reload(configuration(service(server("one", "192.0.2.10"), server("three", "192.0.2.12"))))
    assert {"192.0.2.10:80": 1} == serving.pool()

    serving.hear("web/three", up=True)

    assert {"192.0.2.10:80": 1, "192.0.2.12:80": 1} == serving.pool()


def test_another_name_for_the_same_service_empties_no_pool(serving: Director) -> None:
    servers = (server("one", "192.0.2.10", vs="site"), server("two", "192.0.2.11", vs="site"))

    serving.reload(configuration(service(*servers, name="site")))

    assert [] == serving.asked()
    assert (ServiceState, "web") in serving.forgotten()
    assert ["site/one", "site/two"] == [message.subject for message in serving.told(AdoptedServer)]


def test_a_service_that_is_gone_is_deleted_and_forgotten(serving: Director) -> None:
    mail = service(server("one", "192.0.2.20:25", checks=0, vs="mail"), name="mail", addresses=("192.0.2.1:25",))

    serving.reload(configuration(mail))

    assert DeleteService(WEB) == serving.kernel.journal[-1]
    assert (ServiceState, "web") in serving.forgotten()
    assert {"192.0.2.20:25": 1} == serving.pool()


def test_a_server_that_moves_is_another_server(serving: Director) -> None:
    serving.hear("web/one", up=None)

    serving.reload(configuration(service(server("one", "192.0.2.50"), server("two", "192.0.2.11"))))

    assert {"192.0.2.11:80": 1} == serving.pool()


def test_what_was_adopted_is_forgotten_with_its_server() -> None:
    director = Director(MemoryIpvs({WEB: Entry(RR, {ONE: THERE})}))
    director.start(two_servers())

    director.reload(configuration(service(server("two", "192.0.2.11"))))

    assert [(AdoptedServer, "web/one")] == director.forgotten()


# -- respawn


def respawn(before: Director, **states: bool) -> Director:
    """Return a director whose engine is new and is retold what the supervisor kept."""
    director = Director(before.kernel, now=after(before.now, seconds(1)))
    director.kernel.journal.clear()
    for effect in before.effects:
        if isinstance(effect, Tell) and isinstance(effect.message, ServiceState | AdoptedServer):
            director.retell(effect.key, "services", effect.message)
    for name, up in states.items():
        director.hear(f"web/{name}", up=up)
    return director


def test_a_replacement_finds_everything_as_it_was() -> None:
    first = Director()
    first.start(two_servers())
    first.hear("web/one", up=True)
    first.hear("web/two", up=False)

    second = respawn(first, one=True, two=False)
    second.start(two_servers(), Start.RESPAWNED)

    assert [] == second.kernel.journal
    assert [] == second.events()
    assert [False] == second.rounds()
    assert [FirstRound] == [type(effect.message) for effect in second.effects if isinstance(effect, Tell)]


def test_a_replacement_tells_what_happened_meanwhile() -> None:
    first = Director()
    first.start(two_servers())
    first.hear("web/one", up=True)
    first.hear("web/two", up=True)

    second = respawn(first, one=True, two=False)
    second.start(two_servers(), Start.RESPAWNED)

    assert [DeleteDestination(WEB, TWO)] == second.kernel.journal
    assert [("down", "web/two")] == second.events()
    last = max(event.sequence for event in first.told(Event))
    assert last < second.told(Event)[0].sequence


def test_a_replacement_deletes_what_the_one_before_it_could_not_delete_any_more() -> None:
    first = Director()
    first.start(two_servers())
    first.hear("web/one", up=True)

    second = respawn(first)
    other = service(server("one", "192.0.2.10", checks=0, vs="b"), name="b", addresses=("192.0.2.2:80",))
    second.start(configuration(other), Start.RESPAWNED)

    assert DeleteService(WEB) == second.kernel.journal[-1]
    assert [(ServiceState, "web")] == second.forgotten()


def test_marks_are_remembered_too() -> None:
    mark = ServiceKey(Family.IPV6, "", None, 7)
    first = Director()
    first.start(configuration(service(name="m", addresses=(), fwmark=7, fwmark_family=Family.IPV6)))
    assert [mark] == list(first.kernel.table)

    second = respawn(first)
    second.start(two_servers(), Start.RESPAWNED)

    assert DeleteService(mark) in second.kernel.journal


# -- stop


def test_a_stop_deletes_our_services_each_with_one_operation(serving: Director) -> None:
    serving.stop()

    assert [(DeleteService(WEB),)] == serving.asked()
    assert serving.finished


def test_a_stop_that_leaves_the_table_does_not_touch_it(serving: Director) -> None:
    serving.stop(leave=True)

    assert [] == serving.asked()
    assert {"192.0.2.10:80": 1, "192.0.2.11:80": 1} == serving.pool()
    assert serving.finished


def test_a_stop_waits_for_the_operations_under_way(serving: Director) -> None:
    serving.slow = True
    serving.hear("web/one", up=False)

    serving.stop()
    assert not serving.finished
    serving.answer()
    serving.answer()

    assert {} == serving.kernel.table
    assert serving.finished


def test_a_stop_before_the_first_commit_deletes_nothing_that_was_found() -> None:
    director = Director(MemoryIpvs({WEB: Entry(RR, {ONE: THERE})}))
    director.handle(Prepare(generation=1, configuration=two_servers()))

    director.stop()

    assert director.finished
    assert {"192.0.2.10:80": 1} == director.pool()


def test_a_stop_ends_even_when_the_kernel_refuses(serving: Director) -> None:
    serving.kernel.refusals.append(errno.EPERM)

    serving.stop()

    assert serving.finished
    assert serving.reports()


def test_a_stop_before_anything_else_ends_at_once(director: Director) -> None:
    director.stop()

    assert director.finished
    assert director.engine.deadline is None


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
    )
    assert row == state.servers[0]
    assert -1 == state.servers[1].weight


def test_a_big_pool_is_told_in_parts_that_fit_a_frame(director: Director) -> None:
    servers = [server(f"s{number}", f"198.51.{number // 250}.{number % 250 + 1}") for number in range(600)]

    director.start(configuration(service(*servers)))

    keys = [effect.key for effect in director.effects if isinstance(effect, Tell) and effect.key.startswith("web")]
    assert ["web", "web#1", "web#2"] == keys
    assert [250, 250, 100] == [len(state.servers) for state in director.told(ServiceState)]


def test_a_verdict_that_is_gone_leaves_the_server_as_it_was(serving: Director) -> None:
    serving.handle(Received(topic="services.check", key="web/one#0", sender="checker", message=None))

    assert [] == serving.asked()
    assert {"192.0.2.10:80": 1, "192.0.2.11:80": 1} == serving.pool()


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
    director.start(two_servers(sorry_server=SORRY, sorry_forward=DR))

    director.advance(seconds(7))

    assert Destination(method="DR", weight=1) == director.kernel.table[WEB].destinations[SORRY]
