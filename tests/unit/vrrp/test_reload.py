"""A reload touches what differs, and nothing else."""

import pytest

from stayalived.child.events import Abort, AnswerPrepared, Commit, Forget, Prepare, Received
from stayalived.errors import Bug
from stayalived.messages.control import Start
from stayalived.messages.services import FirstRound
from stayalived.messages.vrrp import InstanceState, RouterCounters
from stayalived.timing import elapsed, milliseconds, seconds
from stayalived.vrrp.events import InterfaceGone
from vrrp_machine import (
    SERVER,
    VIP,
    VIP6,
    Machine,
    added,
    adverts,
    announcements,
    configuration,
    events,
    instance,
    kinds,
    priorities,
    removed,
    router,
)

OTHER = "192.0.2.101/24"


def master(*routers: object) -> Machine:
    machine = Machine()
    machine.start(instance(*(routers or (router(),))))
    machine.pass_time(seconds(12.3))
    assert machine.state == "MASTER"
    machine.wake()
    return machine


def test_an_unchanged_configuration_causes_no_effect_at_all() -> None:
    machine = master(router(), router(VIP6))

    assert machine.configure(instance(router(), router(VIP6))) == []


def test_only_the_difference_of_addresses_is_touched() -> None:
    machine = master(router(f"{VIP} {OTHER}"))
    new = router(f"{VIP} 192.0.2.102/24")

    effects = machine.configure(instance(new))

    assert added(effects) == ["192.0.2.102/24"]
    assert removed(effects) == [OTHER]
    assert set(announcements(machine.pass_time(milliseconds(1)))) == {"192.0.2.102"}
    assert events(effects) == []
    assert machine.told().routers[0].held


def test_the_next_advert_carries_the_new_list_and_the_new_priority() -> None:
    machine = master()

    effects = machine.configure(instance(router(f"{VIP} {OTHER}", priority=150)))
    following = adverts(machine.pass_time(seconds(1)))

    assert adverts(effects) == []
    assert [(advert.data[2], advert.data[3]) for advert in following] == [(150, 2)]
    assert machine.told().priority == 150


def test_a_changed_priority_shifts_the_timer_of_a_backup() -> None:
    machine = Machine()
    machine.start(instance(router()))
    before = machine.timer
    assert before is not None

    machine.pass_time(seconds(1))
    machine.configure(instance(router(priority=164)))

    assert machine.timer is not None
    assert elapsed(machine.timer, before) == seconds(0.25)


def test_a_shorter_interval_of_a_master_is_kept_from_now_on() -> None:
    machine = master()

    machine.configure(instance(router(advert_int=milliseconds(100))))

    assert len(adverts(machine.pass_time(seconds(1)))) == 10


def test_a_removed_instance_says_goodbye_and_is_forgotten() -> None:
    machine = master()

    effects = machine.configure()

    assert priorities(effects) == [0]
    assert kinds(effects) == ["SendAdverts", "Remove", "Unlisten"]
    assert events(effects) == ["deleted"]
    assert Forget(message=InstanceState, key="tic") in effects
    assert Forget(message=RouterCounters, key="tic/4") in effects
    assert machine.pass_time(seconds(60)) == []


def test_an_added_instance_starts_and_the_others_do_not_notice() -> None:
    machine = master()
    added = router(OTHER, instance="tac", virtual_router_id=2)

    effects = machine.configure(instance(router()), instance(added))

    assert {getattr(effect, "key", "tac") for effect in effects} <= {"tac", ""}
    assert machine.told("tac").state == "BACKUP"
    assert machine.told("tac").routers[0].slot == 1


def test_another_number_makes_another_virtual_router() -> None:
    machine = master()

    effects = machine.configure(instance(router(virtual_router_id=9)))

    assert priorities(effects) == [0]
    assert machine.state == "BACKUP"
    assert machine.told().routers[0].virtual_router_id == 9


def test_a_second_family_joins_a_master_without_a_gap() -> None:
    machine = master()

    effects = machine.configure(instance(router(), router(VIP6)))

    assert [advert.router for advert in adverts(effects)] == ["tic/6"]
    assert events(effects) == []
    assert {row.state for row in machine.told().routers} == {"MASTER"}
    assert machine.holds(VIP6)


def test_a_family_that_goes_leaves_alone() -> None:
    machine = master(router(), router(VIP6))

    effects = machine.configure(instance(router()))

    assert [(advert.router, advert.leaving) for advert in adverts(effects)] == [("tic/6", True)]
    assert events(effects) == []
    assert machine.state == "MASTER"
    assert machine.holds()
    assert not machine.holds(VIP6)


def test_slots_stay_with_their_routers() -> None:
    machine = master()
    two = router(OTHER, instance="tac", virtual_router_id=2)
    three = router("192.0.2.102/24", instance="toe", virtual_router_id=3)
    machine.configure(instance(router()), instance(two))

    machine.configure(instance(two), instance(three))

    assert machine.told("tac").routers[0].slot == 1
    assert machine.told("toe").routers[0].slot == 0


@pytest.mark.parametrize(
    ("routers", "path"),
    [
        ((router(priority=0),), "vrrp_instance.tic.priority"),
        ((router(virtual_router_id=256),), "vrrp_instance.tic.virtual_router_id"),
        ((router(version=2, advert_int=milliseconds(500)),), "vrrp_instance.tic"),
        ((router(), router(OTHER, instance="tac")), "vrrp_instance.tac.virtual_router_id"),
    ],
)
def test_what_cannot_be_used_is_refused_before_anything_changes(routers: tuple[object, ...], path: str) -> None:
    machine = master()

    effects = machine.do(Prepare(generation=7, configuration=configuration(*(instance(each) for each in routers))))

    (answer,) = effects
    assert isinstance(answer, AnswerPrepared)
    assert [problem.path for problem in answer.problems] == [path]


def test_an_interface_that_does_not_exist_is_refused_with_those_that_do() -> None:
    machine = master()
    late = router(OTHER, instance="tac", virtual_router_id=2, interface="eth7")
    wanted = (instance(router()), instance(late))

    (answer,) = machine.do(Prepare(generation=7, configuration=configuration(*wanted)))
    (allowed,) = machine.do(Prepare(generation=8, configuration=configuration(*wanted, dynamic_interfaces=True)))

    (problem,) = answer.problems
    assert ("vrrp_instance.tac.interface", "eth7") == (problem.path, problem.found)
    assert "(eth0)" in problem.expected
    assert "dynamic_interfaces" in problem.expected
    assert () == allowed.problems


def test_an_interface_that_went_away_stands_in_the_way_of_no_reload() -> None:
    machine = master()
    machine.do(InterfaceGone(name="eth0"))

    (answer,) = machine.do(Prepare(generation=7, configuration=configuration(instance(router(priority=90)))))

    assert () == answer.problems


def test_an_aborted_preparation_is_forgotten() -> None:
    machine = master()
    machine.do(Prepare(generation=7, configuration=configuration()))
    machine.do(Abort(generation=7))

    with pytest.raises(Bug, match="generation 7"):
        machine.do(Commit(generation=7, start=Start.RELOAD))


def test_start_hold_puts_preemption_off_until_the_first_round_is_over() -> None:
    machine = Machine()
    machine.start(instance(router()), start_hold=seconds(10), servers=(SERVER,))
    for _ in range(6):
        machine.hear(priority=50)
        machine.pass_time(seconds(1))
    assert machine.state == "BACKUP"

    machine.do(Received(topic="services.round", key="", sender="ipvs", message=FirstRound(open=False)))
    began = machine.now
    while machine.state == "BACKUP":
        machine.hear(priority=50)
        machine.pass_time(milliseconds(100))

    assert elapsed(began, machine.now) < seconds(3.7)


def test_start_hold_has_an_end() -> None:
    machine = Machine()
    machine.start(instance(router()), start_hold=seconds(5), servers=(SERVER,))
    for _ in range(100):
        machine.hear(priority=50)
        machine.pass_time(milliseconds(100))

    assert machine.state == "MASTER"


def test_start_hold_leaves_nobody_without_a_master() -> None:
    machine = Machine()
    machine.start(instance(router()), start_hold=seconds(60), servers=(SERVER,))

    machine.pass_time(seconds(4))

    assert machine.state == "MASTER"
