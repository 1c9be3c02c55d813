import dataclasses
from collections.abc import Sequence

from stayalived.addresses import Family, VirtualAddress
from stayalived.child.events import Received
from stayalived.config.virtual_routers import Route, VirtualMac, VrrpInstance
from stayalived.messages.vrrp import InstanceState, RouterRow
from stayalived.rehearsal.routers import Line, RouterSteps, rehearse_routers
from stayalived.rehearsal.situation import Situation, imagined
from stayalived.timing import Instant
from vrrp_machine import VIP, configuration, instance, interface, router

NOW = Instant(1_000_000_000_000)
ETH0 = {"eth0": interface()}
MAC = VirtualMac(name="vrrp.51", parent="eth0", mac=bytes.fromhex("00005e000133"), ipv6=False)
AWAY = Route(
    family=Family.IPV4, destination=VirtualAddress.parse("198.51.100.0/24"), gateway="192.0.2.254", interface="eth0"
)
ADD_VIP = "ip address add 192.0.2.100/24 dev eth0"
DELETE_VIP = "ip address delete 192.0.2.100/24 dev eth0"


def lines(found: Sequence[Line]) -> list[str]:
    return [line for line, _ in found]


def running(state: str, *instances: VrrpInstance) -> Situation:
    """A daemon with these instances, all in one state; as MASTER it has its addresses in the kernel."""
    told = []
    placed: list[VirtualAddress] = []
    for slot, one in enumerate(instances):
        rows = tuple(
            RouterRow(
                key=each.key,
                family=each.family,
                state=state,
                slot=slot,
                virtual_router_id=each.virtual_router_id,
                interface=each.interface,
                addresses=tuple(str(address) for address in each.advertised),
                advert_int=each.advert_int,
                master_interval=each.advert_int,
                master="",
                held=state == "MASTER",
            )
            for each in one.routers
        )
        message = InstanceState(
            name=one.name, state=state, reason="", since=0, priority=one.priority, routers=rows,
            configured_priority=one.priority,
        )  # fmt: skip
        told.append(Received(topic="vrrp.instance", key=one.name, sender="vrrp", message=message))
        placed += [address.address for each in one.routers for address in each.held] if state == "MASTER" else []
    eth0 = dataclasses.replace(interface(), addresses=(*interface().addresses, *placed))
    return Situation(running=configuration(*instances), told=tuple(told), interfaces={"eth0": eth0})


def test_a_start_begins_as_backup_and_names_what_a_master_would_hold() -> None:
    steps = rehearse_routers(configuration(instance(router())), Situation(interfaces=ETH0), NOW)

    assert steps.at_once == ()
    assert lines(steps.states)[0].startswith("instance tic: begins, BACKUP, priority 100")
    assert steps.as_master == ((ADD_VIP, "tic/4"),)


def test_a_start_removes_the_leftover_of_a_crash() -> None:
    left = dataclasses.replace(interface(), addresses=(*interface().addresses, VirtualAddress.parse(VIP)))

    steps = rehearse_routers(configuration(instance(router())), Situation(interfaces={"eth0": left}), NOW)

    assert lines(steps.at_once) == [DELETE_VIP]


def test_a_route_that_is_not_there_need_not_be_removed() -> None:
    wanted = configuration(instance(router(routes=(AWAY,))))

    clean = rehearse_routers(wanted, Situation(interfaces=ETH0), NOW)
    littered = rehearse_routers(wanted, Situation(interfaces=ETH0, routes=(AWAY,)), NOW)

    assert lines(clean.at_once) == []
    assert lines(littered.at_once) == ["ip route delete 198.51.100.0/24 via 192.0.2.254 dev eth0"]


def test_a_reload_with_nothing_changed_does_nothing() -> None:
    for state in ("MASTER", "BACKUP"):
        same = instance(router())

        assert rehearse_routers(configuration(same), running(state, same), NOW) == RouterSteps()


def test_a_master_gets_the_address_that_is_new_and_announces_it() -> None:
    old, new = instance(router()), instance(router("192.0.2.100/24 192.0.2.101/24"))

    steps = rehearse_routers(configuration(new), running("MASTER", old), NOW)

    assert lines(steps.at_once)[0] == "ip address add 192.0.2.101/24 dev eth0"
    assert "gratuitous ARP for 192.0.2.101 on eth0" in lines(steps.at_once)
    assert DELETE_VIP not in lines(steps.at_once)
    assert steps.as_master == ()


def test_a_backup_changes_nothing_until_it_is_master() -> None:
    old, new = instance(router()), instance(router("192.0.2.100/24 192.0.2.101/24"))

    steps = rehearse_routers(configuration(new), running("BACKUP", old), NOW)

    assert lines(steps.at_once) == []
    assert steps.as_master == (("ip address add 192.0.2.101/24 dev eth0", "tic/4"),)


def test_a_master_that_goes_says_so_and_gives_up_its_address() -> None:
    other = instance(router("192.0.2.9/32", instance="tac", virtual_router_id=9))

    steps = rehearse_routers(configuration(other), running("MASTER", instance(router()), other), NOW)

    assert lines(steps.states) == ["instance tic: MASTER -> ends"]
    assert lines(steps.at_once) == ["advert of priority 0 on eth0 to 224.0.0.18", DELETE_VIP]


def test_another_virtual_router_id_is_another_virtual_router() -> None:
    old, new = instance(router()), instance(router(virtual_router_id=7))

    steps = rehearse_routers(configuration(new), running("MASTER", old), NOW)

    assert any(line.startswith("instance tic: MASTER -> BACKUP") for line in lines(steps.states))
    assert lines(steps.at_once) == ["advert of priority 0 on eth0 to 224.0.0.18", DELETE_VIP]
    assert lines(steps.as_master) == []  # what it holds as MASTER is what it was


def test_another_priority_is_told() -> None:
    old, new = instance(router()), instance(router(priority=150))

    steps = rehearse_routers(configuration(new), running("BACKUP", old), NOW)

    assert lines(steps.states) == ["instance tic: priority 100 -> 150"]


def test_a_virtual_mac_is_made_before_the_instance_begins() -> None:
    wanted = configuration(instance(router("192.0.2.100/24", virtual_mac=MAC)))

    steps = rehearse_routers(wanted, Situation(interfaces=ETH0), NOW)

    made = "ip link add link eth0 name vrrp.51 address 00:00:5e:00:01:33 type macvlan mode private"
    assert lines(steps.at_once)[0] == made
    assert lines(steps.states)[-1].startswith("instance tic: begins, BACKUP")


def test_an_interface_that_does_not_exist_is_a_problem_and_nothing_is_done() -> None:
    steps = rehearse_routers(configuration(instance(router(interface="eth7"))), Situation(interfaces=ETH0), NOW)

    assert [problem.path for problem in steps.problems] == ["vrrp_instance.tic.interface"]
    assert (steps.states, steps.at_once, steps.as_master) == ((), (), ())


def test_on_an_imagined_machine_every_instance_can_begin() -> None:
    wanted = configuration(
        instance(router(virtual_mac=MAC)),
        instance(router("2001:db8::100/64", instance="tac", interface="eth1", source="fe80::5")),
    )

    steps = rehearse_routers(wanted, Situation(interfaces=imagined(wanted)), NOW)

    assert steps.problems == ()
    assert [line.split(",")[1] for line in lines(steps.states)] == [" BACKUP", " BACKUP"]
