import pytest

from stayalived.child.events import Abort, AnswerPrepared, Commit, Prepare, Tell
from stayalived.errors import Bug
from stayalived.ipvs.events import Apply, ReadTable
from stayalived.ipvs.model import (
    AddDestination,
    DeleteDestination,
    DeleteService,
    Destination,
    EditDestination,
    EditService,
    Entry,
    Service,
)
from stayalived.kernel.memory_ipvs import MemoryIpvs
from stayalived.messages.control import Start
from stayalived.messages.notify import Event
from stayalived.messages.services import AdoptedServer
from stayalived.timing import seconds
from unit.ipvs.build import (
    IDLE,
    ONE,
    OTHERS,
    RR,
    SORRY,
    THERE,
    TWO,
    WEB,
    Director,
    check_state,
    configuration,
    server,
    service,
    two_servers,
)

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
    director.start(two_servers(sorry_servers=(SORRY,)))
    assert {} == director.pool()

    director.advance(seconds(7))

    assert "down" == director.state().quorum
    assert {"192.0.2.99:80": 1} == director.pool()
    assert [("quorum_down", "web"), ("sorry_on", "web")] == director.events()


def test_that_quorum_is_there_at_the_start_is_no_event(director: Director) -> None:
    director.start(configuration(service(server("one", "192.0.2.10"))))

    director.hear("web/one", up=True)

    assert "up" == director.state().quorum
    assert [("up", "web/one")] == director.events()


def test_quorum_lost_and_gained_changes_to_the_sorry_server_and_back(director: Director) -> None:
    director.start(two_servers(sorry_servers=(SORRY,), quorum=2))
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
    assert [("up", "web/one"), ("quorum_up", "web"), ("sorry_off", "web")] == director.events()
    assert "Gained quorum 2 for VS web: live weight 2" in director.reports()


def test_a_sorry_server_that_is_found_stays_until_quorum_is_decided() -> None:
    director = Director(MemoryIpvs({WEB: Entry(RR, {SORRY: THERE})}))
    director.start(two_servers(sorry_servers=(SORRY,)))
    director.hear("web/one", up=True)
    assert {"192.0.2.99:80": 1, "192.0.2.10:80": 1} == director.pool()

    director.hear("web/two", up=False)

    assert {"192.0.2.10:80": 1} == director.pool()


def test_a_weight_that_checks_ask_for_counts_for_quorum(serving: Director) -> None:
    serving.reload(two_servers(quorum=2))

    serving.hear("web/one", up=True, weight=-1)

    assert {"192.0.2.10:80": 0, "192.0.2.11:80": 1} == serving.pool()
    assert [("quorum_down", "web")] == serving.events()
