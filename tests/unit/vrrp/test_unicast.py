"""Unicast adverts (V11 to V15), authentication (V27), forms of the checksum (V41), remarks about good adverts."""

import dataclasses

import pytest

from stayalived.addresses import Family, VirtualAddress
from stayalived.config.virtual_routers import UnicastPeer, VirtualRouter
from stayalived.timing import seconds
from stayalived.vrrp import packet
from stayalived.vrrp.effects import Listen, Unlisten
from stayalived.vrrp.events import DatagramReceived, InterfaceChanged
from vrrp_machine import VIP6, Machine, adverts, announcements, instance, lines, priorities, router

PEERS = (UnicastPeer(address="192.0.2.2"), UnicastPeer(address="192.0.2.3"))


def unicast(**changes: object) -> VirtualRouter:
    return router(**({"group": "", "peers": PEERS} | changes))


def started(one: VirtualRouter) -> Machine:
    machine = Machine()
    machine.start(instance(one))
    return machine


def from_peer(
    one: VirtualRouter, sender: int = 2, *, ttl: int = 255, to: str = "192.0.2.1", **changes: object
) -> DatagramReceived:
    """An advert that a peer has sent to us."""
    values: dict[str, object] = {
        "version": one.version,
        "virtual_router_id": 1,
        "priority": 200,
        "interval": one.advert_int,
        "addresses": tuple(address.packed for address in one.advertised),
    }
    source = f"192.0.2.{sender}"
    data = packet.encode(
        packet.Advert(**(values | changes)),
        family=Family.IPV4,
        source=source,
        destination=to,
        authentication=one.authentication,
    )
    return DatagramReceived(
        interface="eth0", family=Family.IPV4, source=source, destination=to, ttl=ttl, data=data, at=seconds(0)
    )


def heard(machine: Machine, one: VirtualRouter, *senders: int, **changes: object) -> Machine:
    for sender in senders:
        machine.do(dataclasses.replace(from_peer(one, sender, **changes), at=machine.now))
    return machine


def test_a_router_with_peers_listens_to_its_own_address() -> None:
    machine = Machine()

    effects = machine.start(instance(unicast()))

    assert effects[0] == Listen(interface="eth0", index=2, family=Family.IPV4, address="192.0.2.1")


def test_a_master_sends_each_peer_an_advert_of_its_own() -> None:
    machine = started(unicast(unicast_ttl=64))

    effects = machine.pass_time(seconds(4))

    sent = adverts(effects)
    assert [(advert.source, advert.destination, advert.ttl) for advert in sent] == [
        ("192.0.2.1", "192.0.2.2", 64),
        ("192.0.2.1", "192.0.2.3", 64),
    ]
    for advert in sent:  # each with the checksum of its own pseudo-header
        packet.decode(advert.data, family=Family.IPV4, source=advert.source, destination=advert.destination)
    assert machine.counters().adverts_sent == 2  # and one a second later


def test_an_advert_of_a_peer_is_an_advert_whatever_its_ttl() -> None:
    one = unicast()
    machine = started(one)
    machine.pass_time(seconds(3))

    heard(machine, one, 2, ttl=12)
    machine.pass_time(seconds(3))

    assert machine.state == "BACKUP"
    assert machine.told().routers[0].master == "192.0.2.2"


def test_a_stranger_is_heard_unless_sources_are_checked() -> None:
    machine = heard(started(unicast()), unicast(), 9)

    assert machine.told().routers[0].master == "192.0.2.9"


def test_a_stranger_is_dropped_where_sources_are_checked() -> None:
    one = unicast(check_unicast_src=True)
    machine = heard(started(one), one, 9)

    assert machine.told().routers[0].master == ""
    assert machine.counters().errors == {"unknown_peer": 1}
    assert "(tic/4) dropped an advert of 192.0.2.9, which is none of unicast_peer" in lines(machine.effects)


@pytest.mark.parametrize(("ttl", "dropped"), [(253, True), (254, False), (255, False)])
def test_a_peers_ttl_is_bounded_where_the_configuration_says(ttl: int, dropped: bool) -> None:
    one = unicast(peers=(UnicastPeer(address="192.0.2.2", min_ttl=254),), check_unicast_src=True)
    machine = heard(started(one), one, 2, ttl=ttl)

    assert machine.counters().errors == ({"ttl": 1} if dropped else {})


def test_an_advert_to_another_address_is_counted() -> None:
    one = unicast()
    machine = heard(started(one), one, 2, to="192.0.2.77")

    assert machine.counters().errors == {"destination": 1}
    assert machine.told().routers[0].master == ""


def test_the_own_address_changes_and_the_new_one_is_listened_to() -> None:
    machine = started(unicast())
    own = [address for address in machine.links["eth0"].addresses if str(address) != "192.0.2.1/24"]

    effects = machine.change_link(addresses=(VirtualAddress("192.0.2.5", 24), *own))

    ears = [effect for effect in effects if isinstance(effect, Listen | Unlisten)]
    assert [(type(ear).__name__, ear.address) for ear in ears] == [("Listen", "192.0.2.5"), ("Unlisten", "192.0.2.1")]


def test_an_own_address_that_is_back_before_all_was_done_about_its_loss_goes_on_being_heard() -> None:
    addresses = " ".join(f"10.0.{number // 200}.{number % 200 + 1}/32" for number in range(200))
    machine = started(router(addresses, group="", peers=PEERS))
    machine.pass_time(seconds(5))
    assert machine.state == "MASTER"
    link = machine.links["eth0"]
    gone = tuple(address for address in link.addresses if address.address != "192.0.2.1")

    lost = InterfaceChanged(interface=dataclasses.replace(link, addresses=gone))
    effects = list(machine.engine.handle(lost, machine.now))
    effects += machine.engine.handle(InterfaceChanged(interface=link), machine.now)
    effects += machine.pass_time(seconds(1))

    assert machine.state == "BACKUP"
    assert [ear for ear in effects if isinstance(ear, Unlisten)] == []


def test_after_a_fault_the_own_address_is_announced() -> None:
    machine = started(unicast())
    machine.change_link(up=False)

    effects = machine.change_link(up=True)
    effects += machine.pass_time(seconds(0.1))

    assert announcements(effects) == ["192.0.2.1"]


def test_an_unannounced_multicast_router_keeps_its_own_address_to_itself() -> None:
    machine = started(router())
    machine.change_link(up=False)

    effects = machine.change_link(up=True)
    effects += machine.pass_time(seconds(0.1))

    assert announcements(effects) == []


def test_multicast_and_unicast_routers_of_one_number_are_told_apart() -> None:
    machine = Machine()
    machine.start(instance(router()), instance(unicast(instance="tac")))

    heard(machine, unicast(), 2)
    machine.hear(sender=3, priority=150)

    assert machine.told("tac").routers[0].master == "192.0.2.2"
    assert machine.told("tic").routers[0].master == "192.0.2.3"


# ── authentication, checksums, remarks ───────────────────────────────────────────────────────────────────────────────


def test_a_password_is_sent_and_asked_for() -> None:
    secret = router(version=2, authentication=b"secret\0\0")
    machine = started(secret)

    heard_by = from_peer(secret, to="224.0.0.18")
    machine.do(dataclasses.replace(heard_by, at=machine.now))
    assert machine.told().routers[0].master == "192.0.2.2"
    machine.do(dataclasses.replace(from_peer(router(version=2), 3, to="224.0.0.18"), at=machine.now))
    assert machine.counters().errors == {"authtype_mismatch": 1}
    (advert, *_) = adverts(machine.pass_time(seconds(5)))
    assert (advert.data[4], advert.data[-8:]) == (1, b"secret\0\0")


@pytest.mark.parametrize("ours", [False, True])
def test_either_form_of_the_checksum_is_accepted_and_another_one_is_noted_once_for_each_peer(ours: bool) -> None:
    machine = started(router(checksum_as_v2=ours))

    for sender in (2, 3):
        for _ in range(3):
            machine.do(machine.datagram(sender, priority=200, checksum_as_v2=not ours))

    noted = [line for line in lines(machine.effects) if "pseudo-header" in line]
    assert [line.split()[1] for line in noted] == ["192.0.2.2", "192.0.2.3"]
    assert machine.counters().errors == {}
    assert machine.told().routers[0].master == "192.0.2.3"


def test_a_checksum_is_sent_as_configured() -> None:
    bare, full = (started(router(checksum_as_v2=form)).pass_time(seconds(4)) for form in (True, False))

    sent = [advert for effects in (bare, full) for advert in adverts(effects)]
    ends = [{"family": Family.IPV4, "source": advert.source, "destination": advert.destination} for advert in sent]
    read = [packet.decode(advert.data, **end) for advert, end in zip(sent, ends, strict=True)]
    assert [advert.checksum_as_v2 for advert in read] == [True, False]


def test_over_ipv6_there_is_one_form_of_the_checksum_and_nothing_to_note() -> None:
    machine = started(router(VIP6))

    machine.hear(like=router(VIP6), priority=200)

    assert [line for line in lines(machine.effects) if "pseudo-header" in line] == []


def test_a_trailer_is_counted_and_is_no_error() -> None:
    machine = started(router())
    advert = machine.datagram(priority=200)

    machine.do(dataclasses.replace(advert, data=advert.data + b"\1" + bytes(27)))

    assert machine.told().routers[0].master == "192.0.2.2"
    assert (machine.counters().trailers_received, machine.counters().errors) == (1, {})


def test_another_interval_of_the_master_is_adopted_and_noted_once() -> None:
    machine = started(router())

    for _ in range(3):
        machine.hear(priority=200, interval=seconds(2))

    assert machine.told().routers[0].master_interval == seconds(2)
    assert [line for line in lines(machine.effects) if "advertises every 2 s" in line] == [
        "(tic/4) 192.0.2.2 advertises every 2 s; that is adopted"
    ]


def test_other_addresses_are_counted_each_time_and_the_advert_counts() -> None:
    machine = started(router())

    for _ in range(3):
        machine.hear(priority=200, addresses=(bytes((192, 0, 2, 77)),))

    assert machine.counters().errors == {"addresses": 3}
    assert machine.told().routers[0].master == "192.0.2.2"


def test_other_addresses_of_the_known_master_are_not_looked_at_where_that_is_skipped() -> None:
    machine = started(router(skip_check_adv_addr=True))

    for sender in (2, 2, 2, 3):
        machine.hear(sender, priority=200, addresses=(bytes((192, 0, 2, 77)),))

    assert machine.counters().errors == {"addresses": 2}  # of each when it was not known yet


# ── what a MASTER answers ────────────────────────────────────────────────────────────────────────────────────────────


def mastered(**changes: object) -> Machine:
    machine = started(router(**changes))
    machine.pass_time(seconds(12))
    assert machine.state == "MASTER"
    return machine


def test_a_lower_advert_is_not_answered_where_that_is_switched_off() -> None:
    machine = mastered(lower_prio_no_advert=True)

    effects = machine.hear(priority=50)
    effects += machine.wake()

    assert adverts(effects) == []
    assert announcements(effects) != []


def test_one_more_advert_leaves_before_a_master_yields_where_that_is_wanted() -> None:
    machine = mastered(higher_prio_send_advert=True)

    effects = machine.hear(priority=200)

    assert priorities(effects) == [100]
    assert machine.state == "BACKUP"


def test_an_owner_ignores_adverts_where_that_is_wanted() -> None:
    machine = started(router(priority=255, owner_ignore_adverts=True))

    machine.hear(sender=9, priority=255)

    assert machine.state == "MASTER"
    assert machine.counters().errors == {"owner_ignored": 1}
