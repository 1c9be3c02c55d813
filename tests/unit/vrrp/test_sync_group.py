"""Instances of a sync group move together: keepalived's SY01 to SY09."""

import dataclasses

import msgspec

from stayalived.config.virtual_routers import Tracker, VrrpInstance
from stayalived.messages.control import Start
from stayalived.messages.notify import Event
from stayalived.messages.vrrp import GroupState
from stayalived.timing import Duration, after, elapsed, milliseconds, seconds
from vrrp_machine import (
    Machine,
    adverts,
    announcements,
    instance,
    interface,
    kinds,
    lines,
    priorities,
    router,
    sync_group,
)

CHECK = "track:answers#0"
OUTSIDE = router("192.0.2.100/24", instance="outside", virtual_router_id=1)
INSIDE = router("198.51.100.100/24", instance="inside", virtual_router_id=2, interface="eth1")
DOWN = milliseconds(3_609.375)  # priority 100, adverts each second


def members(**changes: object) -> tuple[VrrpInstance, VrrpInstance]:
    return tuple(instance(msgspec.structs.replace(each, **changes)) for each in (OUTSIDE, INSIDE))


def site(*, priority: int = 100, track: tuple[Tracker, ...] = (), how: Start = Start.FIRST) -> Machine:
    machine = Machine(links={"eth0": interface(), "eth1": dataclasses.replace(interface(name="eth1"), index=3)})
    pair = members(priority=priority)
    machine.start(*pair, groups=[sync_group(*pair, track=track)], how=how)
    return machine


def master(**options: object) -> Machine:
    machine = site(**options)
    machine.pass_time(seconds(12))
    assert states(machine) == {"outside": "MASTER", "inside": "MASTER", "site": "MASTER"}
    return machine


def states(machine: Machine) -> dict[str, str]:
    told = {name: machine.told(name).state for name in ("outside", "inside")}
    return told | {"site": group(machine).state}


def group(machine: Machine) -> GroupState:
    message = machine.retained[GroupState, "site"]
    assert isinstance(message, GroupState)
    return message


def told_events(effects: list[object]) -> list[tuple[str, str, str, int]]:
    found = [effect.message for effect in effects if isinstance(getattr(effect, "message", None), Event)]
    return [(event.subject_type, event.subject, event.kind, event.priority) for event in found]


def test_all_begin_as_backup_and_the_group_is_told() -> None:
    machine = site()

    assert states(machine) == {"outside": "BACKUP", "inside": "BACKUP", "site": "BACKUP"}
    assert group(machine).instances == ("outside", "inside")
    assert [machine.told(name).group for name in ("outside", "inside")] == ["site", "site"]


def test_all_become_master_together_and_the_group_is_told_after_its_members() -> None:
    machine = site()

    effects = machine.pass_time(DOWN)

    assert [advert.router for advert in adverts(effects)] == ["outside/4", "inside/4"]
    assert told_events(effects) == [
        ("instance", "outside", "master", 100),
        ("instance", "inside", "master", 100),
        ("group", "site", "master", 0),
    ]
    assert "Group(site) Entering MASTER STATE (no advert of a master)" in lines(effects)


def test_a_member_that_times_out_alone_waits() -> None:
    machine = site()

    for _ in range(8):
        machine.hear(like=INSIDE, priority=200)
        machine.pass_time(seconds(1))

    assert states(machine) == {"outside": "BACKUP", "inside": "BACKUP", "site": "BACKUP"}


def test_a_better_master_heard_by_one_sends_all_to_backup_and_nobody_says_goodbye() -> None:
    machine = master()

    effects = machine.hear(like=OUTSIDE, priority=200)

    assert states(machine) == {"outside": "BACKUP", "inside": "BACKUP", "site": "BACKUP"}
    assert priorities(effects) == []
    assert kinds(effects) == ["Remove"]


def test_a_sibling_that_was_sent_to_backup_waits_a_whole_master_down_interval() -> None:
    machine = master()
    machine.hear(like=OUTSIDE, priority=200)
    begin = machine.now

    for _ in range(3):
        machine.pass_time(seconds(1))
        machine.hear(like=OUTSIDE, priority=200)
    machine.pass_time(Duration(DOWN - elapsed(begin, machine.now) - 1))

    assert states(machine)["inside"] == "BACKUP"


def test_a_fault_of_one_is_a_fault_of_all_and_siblings_say_goodbye() -> None:
    machine = master()

    effects = machine.change_link(name="eth0", up=False)

    assert states(machine) == {"outside": "FAULT", "inside": "FAULT", "site": "FAULT"}
    assert [(advert.router, advert.data[2]) for advert in adverts(effects)] == [("inside/4", 0)]
    assert machine.told("inside").reason == "fault: outside/4: interface eth0 is down"


def test_the_group_leaves_fault_only_when_no_member_is_faulty() -> None:
    machine = master()
    machine.change_link(name="eth0", up=False)
    machine.change_link(name="eth1", up=False)

    machine.change_link(name="eth0", up=True)

    assert states(machine) == {"outside": "FAULT", "inside": "FAULT", "site": "FAULT"}
    machine.change_link(name="eth1", up=True)
    assert states(machine) == {"outside": "BACKUP", "inside": "BACKUP", "site": "BACKUP"}


def test_what_the_group_tracks_counts_for_every_member() -> None:
    weighted = Tracker(name="answers", check=CHECK, weight=-60)
    machine = site(priority=150, track=(weighted,))

    machine.check(CHECK, up=False)

    assert [machine.told(name).priority for name in ("outside", "inside")] == [90, 90]


def test_what_the_group_tracks_and_is_down_is_told_once() -> None:
    machine = site(track=(Tracker(name="answers", check=CHECK), Tracker(name="eth9", interface="eth9")))
    machine.check(CHECK, up=True)
    machine.pass_time(seconds(1))

    missing = ("sync group site: interface eth9 is down",)
    assert [machine.told(name).faults for name in ("outside", "inside")] == [missing, missing]
    assert group(machine).reason == f"fault: {missing[0]}"


def test_weights_of_a_members_own_trackers_are_ignored_but_not_its_faults() -> None:
    machine = Machine(links={"eth0": interface(), "eth1": dataclasses.replace(interface(name="eth1"), index=3)})
    weighted = Tracker(name="answers", check=CHECK, weight=-60)
    fatal = Tracker(name="answers", check="track:answers#1")
    machine.check("track:answers#1", up=True)
    pair = (instance(OUTSIDE, track=[weighted]), instance(INSIDE, track=[fatal]))
    machine.start(*pair, groups=[sync_group(*pair)])

    machine.check(CHECK, up=False)
    assert [machine.told(name).priority for name in ("outside", "inside")] == [100, 100]
    machine.check("track:answers#1", up=False)

    assert states(machine) == {"outside": "FAULT", "inside": "FAULT", "site": "FAULT"}


def test_a_lower_advert_is_answered_by_the_member_and_announced_by_its_siblings() -> None:
    machine = master()

    effects = machine.hear(like=OUTSIDE, priority=50)
    effects += machine.pass_time(milliseconds(20))

    assert [advert.router for advert in adverts(effects)] == ["outside/4"]
    assert set(announcements(effects)) == {"192.0.2.100", "198.51.100.100"}


def test_a_clean_stop_says_goodbye_for_all() -> None:
    machine = master()

    effects = machine.stop()

    assert [(advert.router, advert.data[2]) for advert in adverts(effects)] == [("outside/4", 0), ("inside/4", 0)]
    assert told_events(effects)[-1] == ("group", "site", "stop", 0)


def test_a_group_that_was_master_goes_on_when_its_process_is_replaced() -> None:
    machine = master()
    machine.die()
    machine.now = after(machine.now, milliseconds(100))
    pair = members()

    effects = machine.start(*pair, groups=[sync_group(*pair)], how=Start.RESPAWNED)

    assert states(machine) == {"outside": "MASTER", "inside": "MASTER", "site": "MASTER"}
    assert told_events(effects) == []


def test_a_group_yields_when_one_member_was_silent_for_too_long() -> None:
    machine = master()
    machine.die()
    machine.slots[1] = after(machine.slots[1], Duration(-seconds(2)))
    pair = members()

    machine.start(*pair, groups=[sync_group(*pair)], how=Start.RESPAWNED)

    assert states(machine) == {"outside": "BACKUP", "inside": "BACKUP", "site": "BACKUP"}
    assert not machine.holds("198.51.100.100/24", "eth1")


# ── reload ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_reload_without_a_change_does_nothing() -> None:
    machine = master()
    pair = members()

    effects = machine.configure(*pair, groups=[sync_group(*pair)])

    assert effects == []


def test_a_group_around_masters_leaves_them_masters() -> None:
    machine = Machine(links={"eth0": interface(), "eth1": dataclasses.replace(interface(name="eth1"), index=3)})
    pair = members()
    machine.start(*pair)
    machine.pass_time(seconds(12))

    effects = machine.configure(*pair, groups=[sync_group(*pair)])

    assert states(machine) == {"outside": "MASTER", "inside": "MASTER", "site": "MASTER"}
    assert kinds(effects) == []


def test_a_group_around_a_master_and_a_backup_makes_two_backups() -> None:
    machine = Machine(links={"eth0": interface(), "eth1": dataclasses.replace(interface(name="eth1"), index=3)})
    pair = members()
    machine.start(*pair)
    for _ in range(6):
        machine.hear(like=INSIDE, priority=200)
        machine.pass_time(seconds(1))
    assert machine.told("outside").state == "MASTER"

    effects = machine.configure(*pair, groups=[sync_group(*pair)])

    assert states(machine) == {"outside": "BACKUP", "inside": "BACKUP", "site": "BACKUP"}
    assert priorities(effects) == []


def test_without_its_group_an_instance_goes_on_alone_and_the_group_is_forgotten() -> None:
    machine = master()

    effects = machine.configure(*members())

    assert (GroupState, "site") not in machine.retained
    assert [machine.told(name).state for name in ("outside", "inside")] == ["MASTER", "MASTER"]
    assert [machine.told(name).group for name in ("outside", "inside")] == ["", ""]
    assert kinds(effects) == []
    machine.hear(like=OUTSIDE, priority=200)
    assert machine.told("inside").state == "MASTER"


def test_an_instance_that_joins_masters_becomes_master() -> None:
    machine = Machine(links={"eth0": interface(), "eth1": dataclasses.replace(interface(name="eth1"), index=3)})
    first, second = members()
    machine.start(first, groups=[sync_group(first)])
    machine.pass_time(seconds(12))

    effects = machine.configure(first, second, groups=[sync_group(first, second)])

    assert states(machine) == {"outside": "MASTER", "inside": "MASTER", "site": "MASTER"}
    assert [advert.router for advert in adverts(effects)] == ["inside/4"]


def test_a_member_that_is_deleted_leaves_the_others_alone() -> None:
    machine = master()
    first, _ = members()

    effects = machine.configure(first, groups=[sync_group(first)])

    assert machine.told("outside").state == "MASTER"
    assert [(advert.router, advert.data[2]) for advert in adverts(effects)] == [("inside/4", 0)]
    assert ("instance", "inside", "deleted", 100) in told_events(effects)


def test_several_members_that_are_deleted_at_once_all_leave() -> None:
    third = instance(router("192.0.2.130/24", instance="third", virtual_router_id=3))
    everybody = (*members(), third)
    machine = Machine(links={"eth0": interface(), "eth1": dataclasses.replace(interface(name="eth1"), index=3)})
    machine.start(*everybody, groups=[sync_group(*everybody)])
    machine.pass_time(seconds(12))
    assert machine.told("third").state == "MASTER"

    effects = machine.configure(third, groups=[sync_group(third)])
    effects += machine.pass_time(seconds(5))

    assert [advert.router for advert in adverts(effects) if advert.leaving] == ["outside/4", "inside/4"]
    assert not machine.holds("192.0.2.100/24")
    assert machine.told("third").state == "MASTER"


def test_a_group_whose_members_are_all_others_now_is_told_as_it_is() -> None:
    machine = master()
    pair = [instance(router(f"192.0.2.{n}/24", instance=f"i{n}", virtual_router_id=n)) for n in (120, 130)]

    machine.configure(*pair, groups=[sync_group(*pair)])
    machine.pass_time(seconds(1))

    assert group(machine).state == "BACKUP"
    assert group(machine).instances == ("i120", "i130")
