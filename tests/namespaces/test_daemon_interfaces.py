"""What becomes of interfaces and addresses under a running daemon."""

import pytest

from namespaces.capture import ETH_P_IP
from namespaces.daemon import Daemon, vrrp_instance
from namespaces.lab import Host, Lab, ip
from namespaces.ownership import AddressMonitor
from namespaces.waiting import wait_until

VIP4, VIP6 = "192.0.2.100/24", "2001:db8::100/64"
ADVERT = 0.2


@pytest.fixture
def tic(lab: Lab) -> Host:
    return lab.host("tic", "192.0.2.1/24", "2001:db8::1/64")


def started(host: Host, text: str, head: str = "[global]\n") -> Daemon:
    daemon = Daemon(host, {"00-global.toml": head, "10-vrrp.toml": text})
    daemon.start()
    return daemon


@pytest.mark.parametrize("how", ["carrier", "administrator"])
def test_a_link_that_goes_down_is_a_fault_and_its_return_an_election(lab: Lab, tic: Host, how: str) -> None:
    wire = lab.lan.capture()
    daemon = started(tic, vrrp_instance(VIP4, VIP6, priority=200))
    daemon.wait_for_state("MASTER", within=5.0)
    tic.wait_for_address(VIP6)
    move = tic.plug if how == "carrier" else lambda *, into: tic.link(up=into)

    move(into=False)
    daemon.wait_for_state("FAULT", within=2.0)
    wait_until(lambda: not {VIP4, VIP6} & tic.addresses(), within=2.0, what="no virtual address on a link that is down")
    assert "eth0 is down" in daemon.instance()["reason"]
    assert "Entering FAULT STATE" in daemon.log()
    spoken = len(wire.adverts("tic"))

    move(into=True)
    daemon.wait_for_state("MASTER", within=5.0)
    tic.wait_for_address(VIP4)
    tic.wait_for_address(VIP6)
    wire.wait_for(
        lambda packet: packet.gratuitous() == "192.0.2.100",
        within=2.0,
        what="announcements",
        since=wire.adverts("tic")[spoken].time,
    )
    assert daemon.stop() == 0


def test_an_interface_may_appear_after_the_start(lab: Lab) -> None:
    tic = lab.host("tic", "192.0.2.1/24")
    text = vrrp_instance("198.51.100.100/24", name="late", virtual_router_id=2).replace("eth0", "eth7")
    daemon = started(tic, vrrp_instance(VIP4) + text, head="[global]\ndynamic_interfaces = true\n")
    daemon.wait_for_state("FAULT", within=2.0, instance="late")
    assert "eth7 does not exist" in daemon.instance("late")["reason"]
    daemon.wait_for_state("MASTER", within=5.0)

    tic.attach(lab.lan, "eth7", "198.51.100.1/24")
    daemon.wait_for_state("MASTER", within=5.0, instance="late")
    tic.wait_for_address("198.51.100.100/24", interface="eth7")

    ip("-n", tic.namespace, "link", "del", "eth7")
    daemon.wait_for_state("FAULT", within=2.0, instance="late")
    assert daemon.instance()["state"] == "MASTER"
    assert daemon.stop() == 0


def test_an_interface_that_is_missing_at_the_start_is_named(lab: Lab) -> None:
    tic = lab.host("tic", "192.0.2.1/24")
    daemon = Daemon(tic, {"10-vrrp.toml": vrrp_instance(VIP4).replace("eth0", "eth7")})

    assert daemon.launch().wait(within=10.0) == 2
    for text in ("eth7", "vrrp_instance.site", "dynamic_interfaces"):
        assert text in daemon.log()


def test_an_address_that_somebody_deletes_comes_back_at_once(lab: Lab, tic: Host) -> None:
    wire = lab.lan.capture()
    daemon = started(tic, vrrp_instance(VIP4, VIP6, priority=200))
    daemon.wait_for_state("MASTER", within=5.0)
    tic.wait_for_address(VIP6)
    monitor = AddressMonitor(tic)

    for address in (VIP4, VIP6):
        tic.run(["ip", "address", "del", address, "dev", "eth0"])
        tic.wait_for_address(address)
        gone, back = monitor.changes(address)
        assert (False, True) == (gone.present, back.present)
        assert back.time - gone.time < 0.1
        assert f"somebody deleted {address}" in daemon.log()

    assert daemon.instance()["state"] == "MASTER"
    assert {200} == {packet.vrrp().priority for packet in wire.adverts("tic")}
    assert daemon.stop() == 0
    assert not {VIP4, VIP6} & tic.addresses()


def test_without_the_old_source_address_the_next_one_speaks(lab: Lab, tic: Host) -> None:
    wire = lab.lan.capture()
    tic.add_address("192.0.2.3/24")
    daemon = started(tic, vrrp_instance(VIP4, priority=200))
    daemon.wait_for_state("MASTER", within=5.0)
    tic.sysctl("net.ipv4.conf.eth0.promote_secondaries", 1)

    tic.run(["ip", "address", "del", "192.0.2.1/24", "dev", "eth0"])

    wire.wait_for(
        lambda packet: packet.vrrp() and packet.ethertype == ETH_P_IP and packet.vrrp().source == "192.0.2.3",
        within=2.0,
        what="an advert from the other address",
    )
    assert daemon.instance()["state"] == "MASTER"


def test_a_configured_source_address_is_waited_for(lab: Lab, tic: Host) -> None:
    wire = lab.lan.capture()
    daemon = started(tic, vrrp_instance(VIP4, priority=200, more='mcast_src_ip = "192.0.2.9"'))
    daemon.wait_for_state("FAULT", within=2.0)
    assert "does not carry 192.0.2.9" in daemon.instance()["reason"]
    assert [] == wire.adverts("tic")

    tic.add_address("192.0.2.9/24")
    daemon.wait_for_state("MASTER", within=5.0)
    wire.wait_for(
        lambda packet: packet.vrrp() and packet.vrrp().source == "192.0.2.9", within=2.0, what="an advert from there"
    )
    assert daemon.stop() == 0
