"""What all virtual routers want in the kernel, together: one item is there once, for whoever wants it now."""

import dataclasses

import msgspec

from stayalived.config.virtual_routers import PlacedAddress
from stayalived.timing import after, milliseconds, seconds
from stayalived.vrrp.desk import CHANGES
from stayalived.vrrp.effects import ApplyChanges
from stayalived.vrrp.events import ChangesApplied, InterfaceChanged
from stayalived.vrrp.holding import REPAIR_PAUSE
from stayalived.vrrp.ledger import ON_ITS_WAY
from vrrp_machine import (
    VIP,
    VIP6,
    Machine,
    added,
    adverts,
    announcements,
    instance,
    interface,
    kinds,
    lines,
    removed,
    router,
)

OTHER = "192.0.2.101/24"


def two(first: str, second: str, **changes: object) -> list[object]:
    """Two instances on one interface with these addresses."""
    return [
        instance(router(first, virtual_router_id=1, **changes)),
        instance(router(second, instance="tac", virtual_router_id=2, **changes)),
    ]


def masters(first: str = f"{VIP} {OTHER}", second: str = "192.0.2.150/24") -> Machine:
    machine = Machine()
    machine.start(*two(first, second))
    machine.pass_time(seconds(12))
    assert [machine.told(name).state for name in ("tic", "tac")] == ["MASTER", "MASTER"]
    return machine


def test_k1854_an_address_that_moves_between_two_masters_is_no_event_on_the_wire() -> None:
    machine = masters()

    effects = machine.configure(*two(VIP, f"192.0.2.150/24 {OTHER}"))
    effects += machine.pass_time(milliseconds(50))

    assert (added(effects), removed(effects), announcements(effects)) == ([], [], [])
    assert machine.holds(OTHER)
    assert machine.told("tac").routers[0].held
    assert machine.told("tac").routers[0].addresses == ("192.0.2.150/24", OTHER)


def test_k1854_the_order_of_the_files_does_not_matter() -> None:
    machine = masters(VIP, f"192.0.2.150/24 {OTHER}")

    effects = machine.configure(*two(f"{VIP} {OTHER}", "192.0.2.150/24"))
    effects += machine.pass_time(milliseconds(50))

    assert (added(effects), removed(effects), announcements(effects)) == ([], [], [])
    assert machine.holds(OTHER)


def test_an_address_that_moves_from_a_master_to_a_backup_leaves_this_machine() -> None:
    machine = Machine()
    machine.start(*two(f"{VIP} {OTHER}", "192.0.2.150/24"))
    tac = router("192.0.2.150/24", virtual_router_id=2)
    for _ in range(6):
        machine.hear(like=tac, priority=200)
        machine.pass_time(seconds(1))

    machine.configure(*two(VIP, f"192.0.2.150/24 {OTHER}"))

    assert not machine.holds(OTHER)
    assert machine.holds(VIP)


def test_an_address_that_moves_from_a_backup_to_a_master_comes_and_is_announced() -> None:
    machine = Machine()
    machine.start(*two(f"{VIP} {OTHER}", "192.0.2.150/24"))
    for _ in range(6):
        machine.hear(like=router(f"{VIP} {OTHER}"), priority=200)
        machine.pass_time(seconds(1))

    effects = machine.configure(*two(VIP, f"192.0.2.150/24 {OTHER}"))
    effects += machine.pass_time(milliseconds(50))

    assert machine.holds(OTHER)
    assert set(announcements(effects)) == {"192.0.2.101"}


def test_an_address_that_two_want_stays_while_one_of_them_has_it() -> None:
    machine = masters(f"{VIP} {OTHER}", f"192.0.2.150/24 {OTHER}")

    machine.hear(like=router(f"{VIP} {OTHER}"), priority=200)

    assert machine.holds(OTHER)
    assert not machine.holds(VIP)
    machine.hear(like=router(f"192.0.2.150/24 {OTHER}", virtual_router_id=2), priority=200)
    assert not machine.holds(OTHER)


def test_an_address_with_another_attribute_is_taken_away_and_put_back() -> None:
    machine = masters()
    one = two(f"{VIP} {OTHER}", "192.0.2.150/24")
    (placed, *rest) = one[0].routers[0].addresses
    labelled = msgspec.structs.replace(placed, label="eth0:vip")
    changed = msgspec.structs.replace(one[0].routers[0], addresses=(labelled, *rest))

    effects = machine.configure(instance(changed), one[1])

    assert (removed(effects), added(effects)) == ([VIP], [VIP])


def test_secondary_addresses_that_go_with_the_first_of_their_subnet_come_back_without_a_word() -> None:
    """The kernel removes the secondary addresses of an IPv4 address with it (net/ipv4/devinet.c)."""
    machine = masters(f"{VIP} {OTHER}", "198.51.100.1/32")
    machine.answers = False  # the test is the kernel now

    machine.configure(*two(OTHER, "198.51.100.1/32"))
    own = tuple(a for a in machine.links["eth0"].addresses if str(a) not in {VIP, OTHER})
    effects = machine.change_link(addresses=own)

    assert added(effects) == [OTHER]
    assert [line for line in lines(effects) if "somebody" in line] == []
    assert machine.told("tic").state == "MASTER"


def test_an_address_on_another_interface_that_goes_down_and_up_is_put_back() -> None:
    machine = Machine()
    machine.links["eth1"] = interface(name="eth1", index=3)
    far = PlacedAddress(address=router("2001:db8:1::1/64").advertised[0], interface="eth1")
    machine.start(instance(router(excluded=(far,))))
    machine.pass_time(seconds(12))
    assert machine.holds("2001:db8:1::1/64", "eth1")

    machine.change_link(name="eth1", up=False, addresses=interface(name="eth1").addresses)
    assert not machine.holds("2001:db8:1::1/64", "eth1")
    machine.change_link(name="eth1", up=True)

    assert machine.holds("2001:db8:1::1/64", "eth1")
    assert machine.state == "MASTER"
    assert [line for line in lines(machine.effects) if "somebody" in line] == []


def test_an_address_on_an_interface_that_does_not_exist_yet_waits_for_it() -> None:
    machine = Machine()
    far = PlacedAddress(address=router("198.51.100.1/24").advertised[0], interface="eth1")
    machine.start(instance(router(excluded=(far,))), dynamic_interfaces=True)
    machine.pass_time(seconds(12))
    assert machine.state == "MASTER"
    assert not machine.told().routers[0].held

    machine.links["eth1"] = interface(name="eth1", index=3)
    machine.change_link(name="eth1")

    assert machine.holds("198.51.100.1/24", "eth1")
    assert machine.told().routers[0].held


def test_a_refused_removal_is_asked_for_again() -> None:
    machine = masters()
    machine.refusal = "ip address delete: Operation not permitted"

    effects = machine.hear(like=router(f"{VIP} {OTHER}"), priority=200)
    assert removed(effects) == [OTHER, VIP]
    machine.refusal = ""
    machine.pass_time(seconds(1.1))

    assert not machine.holds(VIP)
    assert not machine.holds(OTHER)


def test_a_refused_removal_of_what_is_wanted_again_is_not_repeated() -> None:
    machine = masters(VIP)
    machine.refusal = "ip address delete: Operation not permitted"
    machine.hear(priority=200)
    machine.refusal = ""
    machine.pass_time(seconds(0.2))
    machine.hear(priority=0)
    machine.pass_time(seconds(0.7))
    assert machine.told().state == "MASTER"

    effects = machine.pass_time(seconds(1))

    assert removed(effects) == []
    assert machine.holds(VIP)


def test_a_takeover_of_many_addresses_leaves_room_for_adverts_between_its_slices() -> None:
    addresses = " ".join(f"10.0.{number // 200}.{number % 200 + 1}/32" for number in range(200))
    machine = Machine()
    machine.start(*[instance(router(addresses, instance=f"i{number}", virtual_router_id=number)) for number in (1, 2)])

    machine.pass_time(seconds(3))
    effects = machine.pass_time(seconds(1))

    slices = [len(effect.changes) for effect in effects if isinstance(effect, ApplyChanges)]
    assert sum(slices) == 200  # both want the same addresses
    assert max(slices) <= CHANGES
    assert kinds(effects)[0] == "SendAdverts"
    assert len(adverts(effects)) == 2


def test_k1653_an_advert_that_falls_due_while_the_kernel_is_busy_leaves_before_the_next_slice() -> None:
    addresses = " ".join(f"10.0.{number // 200}.{number % 200 + 1}/32" for number in range(200))
    machine = Machine()
    machine.start(instance(router(addresses)))
    machine.answers = False
    machine.now = after(machine.now, milliseconds(3_609.375))
    (first,) = [effect for effect in machine.wake() if isinstance(effect, ApplyChanges)]
    machine.now = after(machine.now, seconds(1))  # so long the kernel took for it

    answered = machine.do(ChangesApplied(changes=first.changes, refused={}))
    woken = machine.wake()

    assert kinds(answered) == []
    assert kinds(woken)[:2] == ["SendAdverts", "Add"]


def test_an_untracked_address_that_somebody_deletes_stays_away() -> None:
    one = router()
    (placed,) = one.addresses
    untracked = msgspec.structs.replace(one, addresses=(msgspec.structs.replace(placed, tracked=False),))
    machine = Machine()
    machine.start(instance(untracked))
    machine.pass_time(seconds(12))

    for _ in range(9):
        machine.delete_address()

    assert machine.state == "MASTER"
    assert not machine.holds()


def test_k836_an_address_that_somebody_deletes_is_put_back_and_the_master_stays() -> None:
    machine = masters(VIP)

    for _ in range(4):
        effects = machine.delete_address()
        assert added(effects) == [VIP]
        machine.pass_time(REPAIR_PAUSE)

    assert machine.holds(VIP)
    assert machine.told().state == "MASTER"


def test_k836_an_address_that_is_deleted_again_and_again_makes_the_master_step_down_in_order() -> None:
    machine = masters(VIP)

    for _ in range(6):
        machine.pass_time(REPAIR_PAUSE)
        effects = machine.delete_address()

    assert machine.told().state == "BACKUP"
    assert [advert.data[2] for advert in adverts(effects)] == [0]
    assert machine.told("tac").state == "MASTER"


def test_k836_whoever_flushes_lists_and_deletes_again_at_once_and_is_not_kept_at_it() -> None:
    machine = masters(f"{VIP} {OTHER}")

    effects = [effect for _ in range(20) for text in (VIP, OTHER) for effect in machine.delete_address(text)]
    assert added(effects) == [VIP]
    effects = machine.pass_time(REPAIR_PAUSE)

    assert added(effects) == [OTHER, VIP]
    assert "(tic/4) somebody deleted 192.0.2.101/24 from eth0 and 1 more: added again" in lines(effects)
    assert machine.told().state == "MASTER"
    assert machine.holds(VIP)
    assert machine.holds(OTHER)


def test_what_was_deleted_is_not_put_back_by_one_who_has_yielded_meanwhile() -> None:
    machine = masters(VIP)
    machine.delete_address()
    machine.delete_address()

    machine.hear(priority=200)

    assert added(machine.pass_time(REPAIR_PAUSE)) == []
    assert not machine.holds(VIP)


def test_k836_addresses_that_somebody_deletes_together_come_back_in_their_order() -> None:
    addresses = [VIP, *(f"192.0.2.{number}/24" for number in range(101, 121))]
    machine = Machine()
    machine.start(instance(router(" ".join(addresses))))
    machine.pass_time(seconds(12))

    effects = machine.change_link(addresses=interface().addresses)
    effects += machine.pass_time(seconds(1))

    assert added(effects) == addresses


def test_k836_an_address_that_somebody_deletes_before_it_was_seen_is_put_back() -> None:
    machine = Machine()
    machine.start(instance(router()))
    machine.answers = False
    taken = machine.pass_time(seconds(4))
    (asked,) = [effect for effect in taken if isinstance(effect, ApplyChanges)]
    machine.answers = True
    machine.do(ChangesApplied(changes=asked.changes, refused={}))

    effects = machine.do(InterfaceChanged(interface=machine.links["eth0"]))

    assert added(effects) == [VIP]
    assert machine.holds(VIP)
    assert machine.told().routers[0].held


def test_an_address_that_is_not_used_before_it_was_asked_for_is_waited_for() -> None:
    placed = PlacedAddress(address=router(VIP6).advertised[0], interface="eth0", duplicate_detection=True)
    machine = Machine()
    machine.start(instance(router(VIP6, addresses=(placed,))))
    machine.answers = False
    taken = machine.pass_time(seconds(4))
    (asked,) = [effect for effect in taken if isinstance(effect, ApplyChanges)]
    machine.do(ChangesApplied(changes=asked.changes, refused={}))

    effects = machine.do(InterfaceChanged(interface=machine.links["eth0"]))

    assert added(effects) == []


def test_leftovers_of_a_crash_do_not_include_what_another_instance_holds() -> None:
    left = interface()
    held = dataclasses.replace(left, addresses=(*left.addresses, router().advertised[0]))
    machine = Machine(links={"eth0": held})

    effects = machine.start(instance(router(priority=255)), *two("192.0.2.150/24", VIP)[1:])

    assert removed(effects) == []
    assert machine.holds(VIP)


def unseen(*texts: str) -> tuple[Machine, ApplyChanges]:
    """A master whose kernel has confirmed these addresses and does not show them."""
    machine = Machine()
    machine.start(instance(router(" ".join(texts))))
    machine.answers = False
    (asked,) = [effect for effect in machine.pass_time(seconds(4)) if isinstance(effect, ApplyChanges)]
    machine.links["eth0"] = interface()
    machine.do(ChangesApplied(changes=asked.changes, refused={}))
    machine.answers = True
    return machine, asked


def test_k836_an_ipv4_address_that_is_confirmed_and_not_there_has_been_deleted() -> None:
    machine, _ = unseen(VIP)

    effects = machine.change_link() + machine.pass_time(REPAIR_PAUSE)

    assert added(effects) == [VIP]


def test_an_ipv6_address_that_is_confirmed_and_not_there_may_be_on_its_way() -> None:
    machine, asked = unseen(VIP6)

    soon = machine.change_link()
    machine.pass_time(milliseconds(100))
    shown = machine.change_link(addresses=(*interface().addresses, asked.changes[0].item.key[1]))
    deleted = machine.delete_address(VIP6) + machine.pass_time(REPAIR_PAUSE)

    assert (added(soon), added(shown), added(deleted)) == ([], [], [VIP6])


def test_k836_an_ipv6_address_that_does_not_come_has_been_deleted() -> None:
    machine, _ = unseen(VIP6)
    machine.change_link()

    effects = machine.pass_time(ON_ITS_WAY)

    assert added(effects) == [VIP6]
    assert "(tic/6) somebody deleted 2001:db8::100/64 from eth0: added again" in lines(effects)
