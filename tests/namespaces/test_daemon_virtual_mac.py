"""Virtual routers with a hardware address of their own (RFC 9568 7.3), in the running daemon."""

import json

import pytest

from namespaces.capture import Packet
from namespaces.daemon import Daemon, vrrp_instance
from namespaces.lab import Host, Lab, ip
from namespaces.waiting import quiet_for, wait_until

pytestmark = pytest.mark.alone

VIP4, VIP6 = "192.0.2.100/24", "2001:db8::100/64"
MAC4, MAC6 = "00:00:5e:00:01:01", "00:00:5e:00:02:01"
ADVERT = 0.2


class Site:
    """Two directors with virtual MACs, and a client."""

    def __init__(self, lab: Lab) -> None:
        self.lab = lab
        self.tic = lab.host("tic", "192.0.2.1/24", "2001:db8::1/64")
        self.tac = lab.host("tac", "192.0.2.2/24", "2001:db8::2/64")
        self.client = lab.host("client", "192.0.2.9/24", "2001:db8::9/64")
        self.daemons = {
            host.name: Daemon(host, {"10.toml": vrrp_instance(VIP4, VIP6, priority=priority, more="use_vmac = true")})
            for host, priority in ((self.tic, 200), (self.tac, 100))
        }
        self.wire = lab.lan.capture(everything=True)

    def start(self) -> None:
        for daemon in self.daemons.values():
            daemon.start()
        self.daemons["tic"].wait_for_state("MASTER", within=5.0)
        self.daemons["tac"].wait_for_state("BACKUP", within=5.0)
        self.tic.wait_for_address(VIP4, interface="vrrp.1")
        self.tic.wait_for_address(VIP6, interface="vrrp6.1")

    def neighbours(self) -> dict[str, str]:
        """Who the client thinks has the virtual addresses."""
        rows = json.loads(ip("-j", "-n", self.client.namespace, "neighbour", "show"))
        return {row["dst"]: row["lladdr"] for row in rows if row["dst"] in {"192.0.2.100", "2001:db8::100"}}

    def ping_both(self) -> None:
        for address in ("192.0.2.100", "2001:db8::100"):
            self.client.run(["ping", "-c1", "-W2", address])


@pytest.fixture
def site(lab: Lab) -> Site:
    return Site(lab)


def links(host: Host) -> set[str]:
    return {row["ifname"] for row in json.loads(ip("-j", "-n", host.namespace, "link", "show"))}


def from_virtual_mac(packet: Packet) -> bool:
    return packet.data[6:11] in {bytes.fromhex("00005e0001"), bytes.fromhex("00005e0002")}


def test_a_client_keeps_its_neighbours_when_the_master_changes(site: Site) -> None:
    site.start()
    site.ping_both()
    expected = {"192.0.2.100": MAC4, "2001:db8::100": MAC6}
    assert site.neighbours() == expected

    site.daemons["tic"].kill_machine()
    site.daemons["tac"].wait_for_state("MASTER", within=5.0)
    site.tac.wait_for_address(VIP6, interface="vrrp6.1")
    site.ping_both()

    assert site.neighbours() == expected


def test_adverts_and_announcements_come_from_the_virtual_mac_and_a_backup_says_nothing(site: Site) -> None:
    site.start()
    quiet_for(5 * ADVERT)

    adverts = site.wire.adverts("tic")
    assert {packet.data[6:12].hex(":") for packet in adverts} == {MAC4, MAC6}
    announced = {
        packet.data[6:12].hex(":"): packet.gratuitous() for packet in site.wire.packets() if packet.gratuitous()
    }
    assert announced == {MAC4: "192.0.2.100", MAC6: "2001:db8::100"}
    assert [packet for packet in site.wire.packets() if packet.sender == "tac" and from_virtual_mac(packet)] == []


def test_the_macvlans_are_gone_after_a_stop_and_what_was_set_underneath_is_put_back(site: Site) -> None:
    before = sysctls(site.tic)
    site.start()
    assert {"vrrp.1", "vrrp6.1"} <= links(site.tic)

    assert site.daemons["tic"].stop() == 0

    assert not {"vrrp.1", "vrrp6.1"} & links(site.tic)
    assert sysctls(site.tic) == before


def sysctls(host: Host) -> str:
    """All settings of the interface underneath."""
    return host.run(["sh", "-c", "grep -r . /proc/sys/net/ipv4/conf/eth0 /proc/sys/net/ipv4/conf/all"]).stdout


def test_the_death_of_vrrp_costs_nothing(site: Site) -> None:
    site.start()
    daemon = site.daemons["tic"]
    vrrp = daemon.child("vrrp")
    index = json.loads(ip("-j", "-n", site.tic.namespace, "link", "show", "dev", "vrrp.1"))[0]["ifindex"]

    site.tic.run(["kill", "-9", str(vrrp)])
    daemon.wait_for_child("vrrp", vrrp, within=5.0)
    quiet_for(5 * ADVERT)

    assert site.wire.adverts("tac") == []
    assert json.loads(ip("-j", "-n", site.tic.namespace, "link", "show", "dev", "vrrp.1"))[0]["ifindex"] == index
    site.ping_both()


def test_leftovers_of_a_lost_daemon_are_taken_over(site: Site) -> None:
    site.start()
    site.daemons["tic"].process.kill_group()
    site.daemons["tac"].wait_for_state("MASTER", within=5.0)
    assert "vrrp.1" in links(site.tic)

    site.daemons["tic"].start()

    site.daemons["tic"].wait_for_state("MASTER", within=5.0)
    site.ping_both()
    assert site.daemons["tic"].stop() == 0
    assert not {"vrrp.1", "vrrp6.1"} & links(site.tic)


def test_a_macvlan_that_somebody_deletes_is_made_again(site: Site) -> None:
    site.start()

    ip("-n", site.tic.namespace, "link", "del", "vrrp.1")

    wait_until(lambda: "vrrp.1" in links(site.tic), within=5.0, what="another vrrp.1")
    site.daemons["tic"].wait_for_state("MASTER", within=5.0)
    site.tic.wait_for_address(VIP4, interface="vrrp.1")
    site.ping_both()
    assert {"vrrp.1", "vrrp6.1"} <= links(site.tic)


def test_six_hundred_virtual_macs_come_and_go_together(lab: Lab) -> None:
    host = lab.host("tic", "192.0.2.1/24")
    segments = [host.lab.segment(f"s{number}") for number in (1, 2)]
    for number, segment in enumerate(segments, start=1):
        host.attach(segment, f"eth{number}", f"10.{number}.0.1/16")
    text = "".join(
        vrrp_instance(
            f"10.{place}.1.{number}/32",
            name=f"i{place}x{number}",
            virtual_router_id=number,
            advert_int=1,
            more=f'use_vmac = {{ name = "v{place}-{number}" }}',
        ).replace("eth0", f"eth{place}")
        for place in (0, 1, 2)
        for number in range(1, 201)
    )
    daemon = Daemon(host, {"10.toml": text})

    daemon.start()
    wait_until(
        lambda: sum(row["state"] == "MASTER" for row in daemon.peek().get("instances", [])) == 600,
        within=30.0,
        what="600 masters",
    )

    assert sum(name.startswith("v") for name in links(host)) == 600
    assert daemon.stop() == 0
    assert links(host) == {"lo", "eth0", "eth1", "eth2"}
