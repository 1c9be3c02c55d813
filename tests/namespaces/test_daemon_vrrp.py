"""What an instance may have beside an address: peers, groups, barriers, routes and rules, in the running daemon."""

import json

import pytest

from namespaces.daemon import Daemon, vrrp_instance
from namespaces.lab import Host, Lab, ip
from namespaces.waiting import quiet_for, wait_until

VIP4, VIP6 = "192.0.2.100/24", "2001:db8::100/64"
ADVERT = 0.2
BOTH = ("192.0.2.1/24", "2001:db8::1/64"), ("192.0.2.2/24", "2001:db8::2/64")


class Site:
    """Two directors and a client on one wire."""

    def __init__(self, lab: Lab) -> None:
        self.lab = lab
        self.tic, self.tac = lab.host("tic", *BOTH[0]), lab.host("tac", *BOTH[1])
        self.client = lab.host("client", "192.0.2.9/24", "2001:db8::9/64")
        self.wire = lab.lan.capture()

    def start(self, host: Host, text: str) -> Daemon:
        daemon = Daemon(host, {"10.toml": text})
        daemon.start()
        return daemon

    def answers(self, address: str) -> bool:
        """Whether the client gets an answer of an address."""
        return self.client.run(["ping", "-c1", "-W1", address], check=False).returncode == 0


@pytest.fixture
def site(lab: Lab) -> Site:
    return Site(lab)


def test_two_peers_elect_by_unicast(site: Site) -> None:
    """V11: nothing goes to the multicast group, and the peer's adverts are what keeps the backup quiet."""
    peers = {"tic": '["192.0.2.2", "2001:db8::2"]', "tac": '["192.0.2.1", "2001:db8::1"]'}
    own = {"tic": '["192.0.2.1", "2001:db8::1"]', "tac": '["192.0.2.2", "2001:db8::2"]'}
    tic, tac = (
        site.start(
            host,
            vrrp_instance(
                VIP4,
                VIP6,
                priority=priority,
                more=f"unicast_peer = {peers[host.name]}\nunicast_src_ip = {own[host.name]}\ncheck_unicast_src = true",
            ),
        )
        for host, priority in ((site.tic, 200), (site.tac, 100))
    )
    tic.wait_for_state("MASTER", within=5.0)
    quiet_for(5 * ADVERT)
    assert tac.instance()["state"] == "BACKUP"
    assert {row["master"] for row in tac.instance()["routers"]} == {"192.0.2.1", "2001:db8::1"}
    assert [packet for packet in site.wire.adverts() if packet.data[0] & 1] == []  # no multicast

    tic.kill_machine()
    tac.wait_for_state("MASTER", within=5.0)

    site.tac.wait_for_address(VIP4)
    assert site.answers("192.0.2.100")
    assert site.answers("2001:db8::100")


def test_a_password_keeps_those_apart_who_do_not_share_it(site: Site) -> None:
    """V27: version 2, each of the three is MASTER of its own."""
    secret = 'authentication = { auth_type = "PASS", auth_pass = "secret" }'
    other = 'authentication = { auth_type = "PASS", auth_pass = "another" }'
    texts = {
        site.tic: vrrp_instance(VIP4, priority=200, version=2, advert_int=1, more=secret),
        site.tac: vrrp_instance(VIP4, priority=100, version=2, advert_int=1, more=other),
    }
    tic, tac = (site.start(host, text) for host, text in texts.items())

    tic.wait_for_state("MASTER", within=10.0)
    tac.wait_for_state("MASTER", within=10.0)

    wait_until(
        lambda: tac.instance()["routers"][0]["errors"].get("auth_failure", 0) > 0, within=5.0, what="a failure counted"
    )
    assert "another password than ours" in tac.log()
    assert "secret" not in tic.log() + tac.log() + json.dumps(tic.status())


def test_a_sync_group_moves_as_one_when_one_of_its_wires_is_cut(lab: Lab) -> None:
    """SY02: the inside follows the outside, on both machines."""
    inside = lab.segment("inside")
    daemons = {}
    for number, (name, priority) in enumerate((("tic", 200), ("tac", 100)), start=1):
        host = lab.host(name, f"192.0.2.{number}/24")
        host.attach(inside, "eth1", f"198.51.100.{number}/24")
        text = vrrp_instance("192.0.2.100/24", name="outside", priority=priority)
        text += vrrp_instance("198.51.100.100/24", name="inside", priority=priority, virtual_router_id=2).replace(
            "eth0", "eth1"
        )
        daemons[name] = Daemon(host, {"10.toml": f'{text}[vrrp_sync_group.site]\ngroup = ["outside", "inside"]\n'})
        daemons[name].start()
    tic, tac = daemons["tic"], daemons["tac"]
    for name in ("outside", "inside"):
        tic.wait_for_state("MASTER", within=5.0, instance=name)
        tac.wait_for_state("BACKUP", within=5.0, instance=name)

    tic.host.plug(into=False)

    for name in ("outside", "inside"):
        tic.wait_for_state("FAULT", within=3.0, instance=name)
        tac.wait_for_state("MASTER", within=3.0, instance=name)
    assert tic.instance("inside")["reason"] == "fault: outside/4: interface eth0 is down"
    assert [(row["name"], row["state"]) for row in tic.status()["groups"]] == [("site", "FAULT")]
    shown = tic.command("status").stdout
    assert "sync groups" in shown
    tic.host.plug(into=True)
    for name in ("outside", "inside"):
        tic.wait_for_state("MASTER", within=5.0, instance=name)
        tac.wait_for_state("BACKUP", within=5.0, instance=name)


def test_a_master_that_does_not_accept_is_found_and_does_not_answer(site: Site) -> None:
    """V32: ARP and ND are answered, everything else is dropped; another address of the host answers."""
    daemon = site.start(site.tic, vrrp_instance(VIP4, VIP6, more="accept = false"))
    daemon.wait_for_state("MASTER", within=5.0)
    site.tic.wait_for_address(VIP6)

    assert not site.answers("192.0.2.100")
    assert not site.answers("2001:db8::100")
    assert site.answers("192.0.2.1")
    neighbours = json.loads(ip("-j", "-n", site.client.namespace, "neighbour", "show"))
    found = {row["dst"]: row.get("lladdr") for row in neighbours}
    assert {found.get("192.0.2.100"), found.get("2001:db8::100")} == {site.tic.mac()}

    assert daemon.stop() == 0
    assert "stayalived" not in site.tic.run(["nft", "list", "tables"]).stdout


def test_routes_and_rules_move_with_the_address(site: Site) -> None:
    """V22, V23: there while MASTER, gone after, put back when somebody deletes them."""
    more = """
virtual_routes = [{ to = "10.0.0.0/8", via = "192.0.2.254", dev = "eth0", src = "192.0.2.100", table = 100 }]
virtual_rules = [{ from = "192.0.2.100/32", table = 100 }]
"""
    daemon = site.start(site.tic, vrrp_instance(VIP4, more=more))
    daemon.wait_for_state("MASTER", within=5.0)

    def route() -> str:
        return site.tic.run(["ip", "route", "show", "table", "100"], check=False).stdout

    def rule() -> str:
        return site.tic.run(["ip", "rule", "show"]).stdout

    wait_until(lambda: "10.0.0.0/8 via 192.0.2.254" in route(), within=2.0, what="the route")
    wait_until(lambda: "from 192.0.2.100 lookup 100" in rule(), within=2.0, what="the rule")

    site.tic.run(["ip", "route", "flush", "table", "100"])
    site.tic.run(["ip", "rule", "del", "from", "192.0.2.100"])
    wait_until(lambda: "10.0.0.0/8 via 192.0.2.254" in route(), within=2.0, what="the route again")
    wait_until(lambda: "from 192.0.2.100 lookup 100" in rule(), within=2.0, what="the rule again")
    assert "somebody deleted the route to 10.0.0.0/8" in daemon.log()
    assert daemon.instance()["state"] == "MASTER"

    assert daemon.stop() == 0
    assert "10.0.0.0/8" not in route()
    assert "lookup 100" not in rule()


def test_addresses_have_the_attributes_that_were_asked_for(site: Site) -> None:
    """AD01 to AD04, V20."""
    site.tic.attach(site.lab.segment("inside"), "eth1", "198.51.100.1/24")
    text = vrrp_instance(
        priority=200,
        more="""
virtual_ipaddress_excluded = [
  { address = "198.51.100.100/24", dev = "eth1" },
  { address = "2001:db8::100/64", preferred_lft = "forever" },
]
""",
    ).replace(
        "virtual_ipaddress = []",
        'virtual_ipaddress = [{ address = "203.0.113.1/24", label = "eth0:vip", brd = "+", scope = "link" }]',
    )
    daemon = site.start(site.tic, text)
    daemon.wait_for_state("MASTER", within=5.0)
    site.tic.wait_for_address("198.51.100.100/24", interface="eth1")

    rows = json.loads(ip("-j", "-n", site.tic.namespace, "address", "show", "dev", "eth0"))
    found = {row["local"]: row for row in rows[0]["addr_info"]}
    four, six = found["203.0.113.1"], found["2001:db8::100"]
    assert (four["label"], four["broadcast"], four["scope"]) == ("eth0:vip", "203.0.113.255", "link")
    assert six["preferred_life_time"] == 4294967295
    (advert, *_) = site.wire.adverts("tic")
    message = advert.data[14 + 20 :]
    assert (message[3], message[8:12]) == (1, bytes((203, 0, 113, 1)))
    site.wire.wait_for(lambda one: one.gratuitous() == "2001:db8::100", within=2.0, what="the excluded one announced")


def test_k836_what_networkd_deletes_is_put_back_until_it_is_too_much(site: Site) -> None:
    tic = site.start(site.tic, vrrp_instance(VIP4, priority=200))
    tac = site.start(site.tac, vrrp_instance(VIP4, priority=100))
    tic.wait_for_state("MASTER", within=5.0)
    site.tic.wait_for_address(VIP4)

    for _ in range(4):
        site.tic.run(["ip", "address", "del", VIP4, "dev", "eth0"])
        site.tic.wait_for_address(VIP4)
    assert tic.instance()["state"] == "MASTER"
    assert site.wire.adverts("tac") == []

    for _ in range(2):
        site.tic.run(["ip", "address", "del", VIP4, "dev", "eth0"], check=False)
        quiet_for(0.1)

    tac.wait_for_state("MASTER", within=3.0)
    assert "somebody keeps deleting the addresses" in tic.log()


def test_k1854_an_address_moves_from_one_instance_to_another_without_a_packet(site: Site) -> None:
    both = (
        vrrp_instance(VIP4, "192.0.2.101/24", name="one", priority=200),
        vrrp_instance("192.0.2.150/24", name="two", priority=200, virtual_router_id=2),
    )
    daemon = site.start(site.tic, "".join(both))
    for name in ("one", "two"):
        daemon.wait_for_state("MASTER", within=5.0, instance=name)
    site.tic.wait_for_address("192.0.2.150/24")
    quiet_for(1.5)  # the second announcements
    announced = len([packet for packet in site.wire.packets() if packet.gratuitous()])
    kernel = site.tic.popen(["ip", "-o", "monitor", "address"])

    daemon.write(
        {
            "10.toml": vrrp_instance(VIP4, name="one", priority=200)
            + vrrp_instance("192.0.2.150/24", "192.0.2.101/24", name="two", priority=200, virtual_router_id=2)
        }
    )
    assert daemon.reload().returncode == 0
    wait_until(
        lambda: "192.0.2.101/24" in daemon.instance("two")["routers"][0]["addresses"], within=3.0, what="the address"
    )
    quiet_for(1.5)

    assert len([packet for packet in site.wire.packets() if packet.gratuitous()]) == announced
    assert kernel.log() == ""
    assert "192.0.2.101/24" in site.tic.addresses()


def test_a_startup_delay_keeps_an_instance_silent(site: Site) -> None:
    """VG17."""
    daemon = Daemon(
        site.tic, {"00.toml": "[global]\nvrrp_startup_delay = 3\n", "10.toml": vrrp_instance(VIP4, priority=255)}
    )
    daemon.start()
    daemon.wait_for_state("INIT", within=2.5)
    assert daemon.instance()["reason"] == "startup delay of 3 s"

    daemon.wait_for_state("MASTER", within=5.0)


def test_the_process_is_scheduled_as_asked_for(site: Site) -> None:
    """P11, P12, P14, P15."""
    head = "[global]\nvrrp_priority = -5\nvrrp_cpu_affinity = [0]\nvrrp_rt_priority = 7\nvrrp_no_swap = true\n"
    daemon = Daemon(site.tic, {"00.toml": head, "10.toml": vrrp_instance(VIP4)})
    daemon.start()
    vrrp = str(daemon.child("vrrp"))

    assert "priority: 7" in site.tic.run(["chrt", "-p", vrrp]).stdout
    assert site.tic.run(["taskset", "-cp", vrrp]).stdout.strip().endswith(": 0")
    assert site.tic.run(["ps", "-o", "ni=", "-p", vrrp]).stdout.strip() in {"-", "-5"}
    status = site.tic.run(["grep", "VmLck", f"/proc/{vrrp}/status"]).stdout
    assert int(status.split()[1]) > 0
