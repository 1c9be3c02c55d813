"""Virtual MACs on a real segment: silent while BACKUP, answering with their own address while MASTER."""

import json
import os
import resource
import signal
import socket
import struct
import sys
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from scapy.layers.inet import IP
from scapy.layers.l2 import Ether
from scapy.packet import Raw

from namespaces.capture import ETH_P_ARP, Capture, Packet
from namespaces.lab import Host, Lab
from namespaces.network_cases import VMAC_4, VMAC_6
from namespaces.network_steps import address, changes
from namespaces.waiting import quiet_for, wait_until
from stayalived.child import privileges
from stayalived.child.privileges import Rights
from stayalived.config.virtual_routers import PlacedAddress, VirtualMac
from stayalived.errors import KernelProblem
from stayalived.kernel import sysctl
from stayalived.kernel.api import Verb
from stayalived.kernel.frames import advert, frame_for
from stayalived.kernel.monitor import Monitor
from stayalived.kernel.neighbours import NeighbourSender
from stayalived.kernel.netlink import Netlink
from stayalived.kernel.network import Network

VIP_4 = address("192.0.2.9/32", VMAC_4.name)
VIP_6 = address("2001:db8::9/128", VMAC_6.name)
VIP_LINK_LOCAL = address("fe80::9/64", VMAC_6.name)
VIPS = (VIP_4, VIP_6, VIP_LINK_LOCAL)

MLD_LEAVES_WITHIN = 1.5
"""Seconds in which a listener's report is repeated (RFC 3810 9.11: once, after a second at most)."""


class Director:
    """A host with both virtual MACs and the calls of its kernel."""

    def __init__(self, lab: Lab, *, routing: bool = True) -> None:
        self.lab = lab
        self.host = lab.host("tic", "192.0.2.1/24", "2001:db8::1/64")
        if routing:
            self.host.sysctl("net.ipv4.ip_forward", 1)
            self.host.sysctl("net.ipv6.conf.all.forwarding", 1)
        self.network = network_on(lab, self.host)

    def make(self, *wanted: VirtualMac) -> None:
        with self.host.inside():
            for each in wanted or (VMAC_4, VMAC_6):
                self.network.make_virtual_mac(each)

    def apply(self, verb: Verb, *items: PlacedAddress) -> None:
        with self.host.inside():
            assert {None} == set(self.network.apply(changes(verb, items or VIPS, self.network)))

    def setting(self, name: str) -> str:
        with self.host.inside():
            return Path("/proc/sys/net", name).read_text().strip()


def network_on(lab: Lab, host: Host) -> Network:
    with host.inside():
        return lab.keep(Network(lab.keep(Netlink())))


def detail(host: Host, name: str) -> dict:
    return json.loads(host.run(["ip", "-d", "-j", "link", "show", "dev", name]).stdout)[0]


def from_virtual_macs(wire: Capture) -> list[Packet]:
    return [packet for packet in wire.packets() if packet.data[6:12] in {VMAC_4.mac, VMAC_6.mac}]


def known_mac(host: Host, target: str) -> str:
    rows = json.loads(host.run(["ip", "-j", "neigh", "show", "to", target]).stdout)
    return rows[0].get("lladdr", "") if rows else ""


def put(host: Host, frame: bytes) -> None:
    """Send a frame by `eth0` of a host."""
    with host.inside():
        sender = NeighbourSender()
        sender.send("eth0", frame)
        sender.close()


def ping(host: Host, target: str) -> int:
    return host.run(["ping", "-c1", "-W1", target], check=False).returncode


def test_a_virtual_mac_is_a_private_macvlan_that_is_up_and_has_no_address(lab: Lab) -> None:
    director = Director(lab)

    director.make()

    for wanted in (VMAC_4, VMAC_6):
        assert "default" == detail(director.host, wanted.name)["group"]
        seen = detail(director.host, wanted.name)
        kind = seen["linkinfo"]
        assert ("macvlan", "private") == (kind["info_kind"], kind["info_data"]["mode"])
        assert (wanted.parent, wanted.mac.hex(":")) == (seen["link"], seen["address"])
        assert "UP" in seen["flags"]
        assert set() == director.host.addresses(wanted.name, link_local=True)
    assert "none" == detail(director.host, VMAC_6.name)["inet6_addr_gen_mode"]


def test_a_virtual_mac_is_in_the_group_that_is_wanted_whoever_made_it(lab: Lab) -> None:
    director = Director(lab)

    director.make(VMAC_4, msgspec.structs.replace(VMAC_6, group=7))
    made = [detail(director.host, mac.name)["group"] for mac in (VMAC_4, VMAC_6)]
    director.make(msgspec.structs.replace(VMAC_4, group=9), VMAC_6)
    taken_over = [detail(director.host, mac.name)["group"] for mac in (VMAC_4, VMAC_6)]

    assert (["default", "7"], ["9", "default"]) == (made, taken_over)


@pytest.mark.parametrize(
    ("name", "backup", "master"),
    [
        ("ipv4/conf/vrrp.51/arp_ignore", "1", "1"),
        ("ipv4/conf/vrrp.51/accept_local", "1", "1"),
        ("ipv4/conf/vrrp.51/rp_filter", "0", "0"),
        ("ipv4/conf/vrrp.51/promote_secondaries", "1", "1"),
        ("ipv4/conf/vrrp.51/proxy_arp", "0", "0"),
        ("ipv4/conf/vrrp.51/proxy_arp_pvlan", "0", "0"),
        ("ipv4/conf/vrrp.51/forwarding", "0", "1"),
        ("ipv6/conf/vrrp.51/disable_ipv6", "1", "1"),
        ("ipv4/conf/vrrp6.51/arp_ignore", "1", "1"),
        ("ipv6/conf/vrrp6.51/accept_ra", "0", "0"),
        ("ipv6/conf/vrrp6.51/disable_ipv6", "1", "0"),
        ("ipv6/conf/vrrp6.51/forwarding", "1", "1"),
        ("ipv4/conf/eth0/arp_ignore", "1", "1"),
        ("ipv4/conf/eth0/arp_announce", "2", "2"),
    ],
)
def test_its_settings_are_those_of_a_backup_and_of_a_master(lab: Lab, name: str, backup: str, master: str) -> None:
    director = Director(lab)
    for scope in ("all", "default"):
        director.host.sysctl(f"net.ipv4.conf.{scope}.rp_filter", 0)
        director.host.sysctl(f"net.ipv4.conf.{scope}.proxy_arp", 1 if scope == "default" else 0)

    director.make()
    before = director.setting(name)
    director.apply(Verb.ADD)
    meanwhile = director.setting(name)
    director.apply(Verb.REMOVE)

    assert (backup, master, backup) == (before, meanwhile, director.setting(name))


def test_a_backup_sends_nothing_from_its_virtual_macs(lab: Lab) -> None:
    director = Director(lab)
    wire = lab.lan.capture(everything=True)

    director.make()
    quiet_for(MLD_LEAVES_WITHIN)
    assert from_virtual_macs(wire) == []

    director.apply(Verb.ADD)
    as_master = wire.wait_for(lambda packet: packet.data[6:12] == VMAC_6.mac, within=2.0, what="a report of MLD")
    assert as_master.is_chatter()
    quiet_for(MLD_LEAVES_WITHIN)

    before = len(from_virtual_macs(wire))
    director.apply(Verb.REMOVE)
    quiet_for(MLD_LEAVES_WITHIN)
    assert from_virtual_macs(wire)[before:] == []


def test_a_master_is_found_and_answers_by_its_virtual_mac(lab: Lab) -> None:
    director = Director(lab)
    client = lab.host("client", "192.0.2.100/24", "2001:db8::100/64")
    wire = lab.lan.capture(everything=True)
    director.make()
    director.apply(Verb.ADD)

    assert [0, 0] == [ping(client, "192.0.2.9"), ping(client, "2001:db8::9")]

    assert (VMAC_4.mac.hex(":"), VMAC_6.mac.hex(":")) == (
        known_mac(client, "192.0.2.9"),
        known_mac(client, "2001:db8::9"),
    )
    # Nobody was told another hardware address: neither by an answer of the parent, nor by a question in the VIP's name.
    claims = {
        packet.data[22:28] for packet in wire.packets() if packet.ethertype == ETH_P_ARP and packet.data[28:32] == VIP
    }
    assert {VMAC_4.mac} == claims
    to_virtual = {
        packet.data[:6] for packet in wire.packets() if packet.data[30:34] == VIP and packet.sender == "client"
    }
    assert {VMAC_4.mac} == to_virtual


VIP = VIP_4.address.packed


@pytest.mark.parametrize("strictness", [0, 1, 2])
def test_a_master_answers_however_strict_the_machine_filters_by_the_way_back(lab: Lab, strictness: int) -> None:
    director = Director(lab, routing=False)
    client = lab.host("client", "192.0.2.100/24")
    director.host.sysctl("net.ipv4.conf.all.rp_filter", strictness)
    director.make()

    director.apply(Verb.ADD)

    assert ping(client, "192.0.2.9") == 0


def test_a_backup_drops_what_is_sent_to_its_virtual_mac_and_a_master_routes_it(lab: Lab) -> None:
    director = Director(lab)
    client = lab.host("client", "192.0.2.100/24", "2001:db8::100/64")
    far = lab.host("far", "198.51.100.7/24", segment=lab.segment("behind"))
    director.host.attach(far.cables["eth0"][0], "eth1", "198.51.100.1/24")
    arriving = far.capture(everything=True)
    director.make()

    def send(mark: bytes) -> None:
        packet = IP(src="192.0.2.100", dst="198.51.100.7", proto=253) / Raw(mark)
        put(client, bytes(Ether(src=client.mac(), dst=VMAC_4.mac.hex(":")) / packet))

    far.run(["ip", "route", "add", "default", "via", "198.51.100.1"])
    assert ping(client, "192.0.2.1") == ping(director.host, "198.51.100.7") == 0
    send(b"to a backup")
    director.apply(Verb.ADD)
    send(b"to a master")
    arriving.wait_for(lambda packet: b"to a master" in packet.data, within=2.0, what="what the master routes")

    director.apply(Verb.REMOVE)
    send(b"to a backup")
    assert ping(client, "192.0.2.1") == ping(director.host, "198.51.100.7") == 0
    assert not [packet for packet in arriving.packets() if b"to a backup" in packet.data]


def test_it_works_for_a_user_that_may_administer_the_network_and_nothing_else(lab: Lab) -> None:
    host = lab.host("tic", "192.0.2.1/24", "2001:db8::1/64")

    def unprivileged() -> None:
        privileges.assume("vrrp", Rights(user="stayalived", capabilities=("NET_ADMIN",)))
        assert os.geteuid() != 0
        with Netlink() as netlink:
            network = Network(netlink)
            for wanted in (VMAC_4, VMAC_6):
                network.make_virtual_mac(wanted)
            for verb in (Verb.ADD, Verb.REMOVE, Verb.ADD):
                assert {None} == set(network.apply(changes(verb, VIPS, network)))
            print(sorted(network.interfaces()), flush=True)  # noqa: T201
            assert {} == network.remove_virtual_macs([VMAC_4.name, VMAC_6.name])
            assert ["eth0", "lo"] == sorted(network.interfaces())

    process = host.fork(unprivileged)

    assert process.wait(within=10.0) == 0, process.log()
    assert "['eth0', 'lo', 'vrrp.51', 'vrrp6.51']" in process.log()


READ_ONLY = """
from namespaces.network_cases import VMAC_4, VMAC_6
from stayalived.errors import KernelProblem
from stayalived.kernel import sysctl
from stayalived.kernel.netlink import Netlink
from stayalived.kernel.network import Network
network = Network(Netlink())
for wanted in (VMAC_4, VMAC_6):
    try:
        network.make_virtual_mac(wanted)
    except KernelProblem as problem:
        print(problem, flush=True)
"""


def test_where_settings_are_read_only_it_is_said_what_makes_them_so(lab: Lab) -> None:
    host = lab.host("tic")
    mount = "mount --bind /proc/sys /proc/sys && mount -o remount,bind,ro /proc/sys"
    paths = os.pathsep.join(path for path in sys.path if path)

    process = host.popen(
        ["unshare", "--mount", "sh", "-c", f'{mount} && exec "$0" -c "$1"', sys.executable, READ_ONLY],
        env={**os.environ, "PYTHONPATH": paths},
    )

    assert process.wait(within=20.0) == 0, process.log()
    first, second = process.log().splitlines()
    assert first.startswith("sysctl -w net/ipv4/conf/vrrp.51/arp_ignore=1: Read-only file system; ")
    assert second.startswith("sysctl -w net/ipv4/conf/vrrp6.51/arp_ignore=1: Read-only file system; ")
    assert "ProtectKernelTunables=" in first
    assert ["eth0", "lo"] == sorted(network_on(lab, host).interfaces())


def in_a_process_that_dies(host: Host, action: Callable[[Network], None]) -> None:
    def live() -> None:
        action(Network(Netlink()))
        os.kill(os.getpid(), signal.SIGKILL)

    process = host.fork(live)
    assert process.wait(within=10.0) == -signal.SIGKILL, process.log()


def test_what_a_dead_master_left_is_taken_over_with_its_addresses_and_undone_in_the_end(lab: Lab) -> None:
    director = Director(lab)
    client = lab.host("client", "192.0.2.100/24", "2001:db8::100/64")
    director.host.sysctl("net.ipv4.conf.eth0.arp_ignore", 0)
    director.host.sysctl("net.ipv4.conf.eth0.arp_announce", 1)

    def be_master(network: Network) -> None:
        for wanted in (VMAC_4, VMAC_6):
            network.make_virtual_mac(wanted)
        network.apply(changes(Verb.ADD, VIPS, network))

    in_a_process_that_dies(director.host, be_master)
    with director.host.inside():  # as if it had died on its way to BACKUP
        sysctl.write("net/ipv4/conf/vrrp.51/forwarding", 0)
    indexes = [detail(director.host, wanted.name)["ifindex"] for wanted in (VMAC_4, VMAC_6)]
    director.make()

    assert indexes == [detail(director.host, wanted.name)["ifindex"] for wanted in (VMAC_4, VMAC_6)]
    assert [0, 0] == [ping(client, "192.0.2.9"), ping(client, "2001:db8::9")]
    assert ("1", "1") == (
        director.setting("ipv4/conf/eth0/arp_ignore"),
        director.setting("ipv4/conf/vrrp.51/forwarding"),
    )
    director.apply(Verb.REMOVE)
    assert "1" == director.setting("ipv6/conf/vrrp6.51/disable_ipv6")
    with director.host.inside():
        director.network.remove_virtual_mac(VMAC_4.name)
        assert "2" == director.setting("ipv4/conf/eth0/arp_announce")
        director.network.remove_virtual_mac(VMAC_6.name)
    assert ("0", "1") == (
        director.setting("ipv4/conf/eth0/arp_ignore"),
        director.setting("ipv4/conf/eth0/arp_announce"),
    )


def test_who_never_made_them_removes_them_and_puts_the_parent_back_after_the_last(lab: Lab) -> None:
    director = Director(lab)
    director.host.sysctl("net.ipv4.conf.eth0.arp_ignore", 0)
    director.make()
    stranger = network_on(lab, director.host)

    with director.host.inside():
        stranger.remove_virtual_mac(VMAC_4.name)
        between = director.setting("ipv4/conf/eth0/arp_ignore")
        stranger.remove_virtual_mac(VMAC_6.name)

    assert ("1", "0") == (between, director.setting("ipv4/conf/eth0/arp_ignore"))
    assert ["eth0", "lo"] == sorted(stranger.interfaces())


def test_on_a_parent_that_was_made_anew_all_is_as_before(lab: Lab) -> None:
    director = Director(lab)
    wanted = VirtualMac(name="vrrp.7", parent="one", mac=VMAC_4.mac, ipv6=False)
    for _ in range(2):
        director.host.run(["ip", "link", "add", "one", "type", "veth", "peer", "name", "two"])
        director.host.sysctl("net.ipv4.conf.one.arp_ignore", 0)
        director.make(wanted)
        director.apply(Verb.ADD, address("192.0.2.9/32", "vrrp.7"))
        assert ("1", "1") == (
            director.setting("ipv4/conf/one/arp_ignore"),
            director.setting("ipv4/conf/vrrp.7/forwarding"),
        )
        director.host.run(["ip", "link", "delete", "one"])

    with director.host.inside():
        director.network.remove_virtual_mac("vrrp.7")
    assert ["eth0", "lo"] == sorted(director.network.interfaces())


def test_it_can_be_made_while_its_parent_is_down(lab: Lab) -> None:
    director = Director(lab)
    client = lab.host("client", "192.0.2.100/24")
    director.host.link(up=False)

    director.make(VMAC_4)
    director.host.link(up=True)
    director.apply(Verb.ADD, VIP_4)

    assert ping(client, "192.0.2.9") == 0


def test_one_of_another_mode_and_without_settings_becomes_as_it_should(lab: Lab) -> None:
    director = Director(lab)
    mac = VMAC_6.mac.hex(":")
    director.host.run(
        ["ip", "link", "add", VMAC_6.name, "link", "eth0", "address", mac, "type", "macvlan", "mode", "vepa"]
    )
    director.host.run(["ip", "link", "set", VMAC_6.name, "up"])

    director.make(VMAC_6)

    assert "private" == detail(director.host, VMAC_6.name)["linkinfo"]["info_data"]["mode"]
    assert ("1", "1", "0") == tuple(
        director.setting(name)
        for name in ("ipv4/conf/vrrp6.51/arp_ignore", "ipv6/conf/vrrp6.51/disable_ipv6", "ipv6/conf/vrrp6.51/accept_ra")
    )


@pytest.mark.parametrize(
    ("words", "what"),
    [
        (["vrrp.51", "type", "veth", "peer", "name", "other"], "it is a veth"),
        (["vrrp.51", "link", "eth0", "address", "02:00:00:00:00:77", "type", "macvlan"], "address 02:00:00:00:00:77"),
        (["vrrp.51", "type", "bridge"], "it is a bridge"),
    ],
)
def test_what_has_the_name_and_is_something_else_is_described(lab: Lab, words: list[str], what: str) -> None:
    director = Director(lab)
    director.host.run(["ip", "link", "add", *words])

    with pytest.raises(KernelProblem) as caught:
        director.make(VMAC_4)

    assert str(caught.value).startswith(
        "ip link add vrrp.51 link eth0 address 00:00:5e:00:01:33 type macvlan: File exists"
    )
    assert what in str(caught.value)
    assert "ip link delete vrrp.51" in str(caught.value)


def test_a_port_of_a_bridge_takes_no_virtual_mac_and_says_where_it_belongs(lab: Lab) -> None:
    director = Director(lab)
    director.host.run(["ip", "link", "add", "br0", "type", "bridge"])
    director.host.run(["ip", "link", "set", "eth0", "master", "br0"])

    with pytest.raises(KernelProblem, match=r"Device or resource busy; .*use the bridge"):
        director.make(VMAC_4)


def test_a_hardware_address_that_is_taken_is_told_and_nothing_is_left_behind(lab: Lab) -> None:
    director = Director(lab)
    director.make(VMAC_4)

    with pytest.raises(
        KernelProblem, match="Address already in use; another interface there has this hardware address"
    ):
        director.make(VirtualMac(name="other", parent="eth0", mac=VMAC_4.mac, ipv6=False))

    assert ["eth0", "lo", "vrrp.51"] == sorted(director.network.interfaces())


def test_without_the_right_it_is_named(lab: Lab) -> None:
    host = lab.host("tic")

    def refused() -> None:
        os.setresuid(65534, 65534, 65534)
        with Netlink() as netlink:
            try:
                Network(netlink).make_virtual_mac(VMAC_4)
            except KernelProblem as problem:
                print(problem, flush=True)  # noqa: T201

    process = host.fork(refused)

    assert process.wait(within=5.0) == 0
    assert "Operation not permitted; vrrp needs CAP_NET_ADMIN" in process.log()


def test_hundreds_work_beyond_the_thousandth_descriptor(lab: Lab) -> None:
    host = lab.host("tic")

    def live() -> None:
        privileges.raise_descriptor_limit()
        assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] > 2000
        taken = [os.dup(2) for _ in range(1023)]
        sender = NeighbourSender()
        with Netlink() as netlink:
            network, monitor = Network(netlink), Monitor(netlink)
            wanted = [
                VirtualMac(name=f"v{n}", parent="eth0", mac=bytes((2, 0, 0, 0, n >> 8, n & 255)), ipv6=bool(n % 2))
                for n in range(600)
            ]
            for each in wanted:
                network.make_virtual_mac(each)
            items = [address(f"10.0.{n // 200}.{n % 200 + 1}/32", f"v{n}") for n in range(600)]
            assert {None} == set(network.apply(changes(Verb.ADD, items, network)))
            wait_until(
                lambda: list(iter(monitor.next_change, None)) or len(monitor.interfaces()) == 602,
                within=5.0,
                what="600",
            )
            wait_until(lambda: not list(iter(monitor.next_change, None)), within=5.0, what="quiet")
            there = monitor.interfaces()
            assert 602 == len(there)
            for each in wanted:
                sender.send(each.name, frame_for(each.mac, "10.0.0.1", router=False))
            assert max(int(entry.name) for entry in Path("/proc/self/fd").iterdir()) > len(taken)
            assert {} == network.remove_virtual_macs([each.name for each in wanted])
            assert ["eth0", "lo"] == sorted(network.interfaces())

    process = host.fork(live)

    assert process.wait(within=30.0) == 0, process.log()


@pytest.mark.parametrize("master", [False, True])
def test_a_rivals_advert_from_the_same_virtual_mac_is_heard_by_a_packet_socket_on_the_parent_alone(
    lab: Lab, master: bool
) -> None:
    director = Director(lab)
    rival = lab.host("tac", "192.0.2.2/24")
    director.make(VMAC_4)
    if master:
        director.apply(Verb.ADD, VIP_4)
    with director.host.inside():
        raw = lab.keep(socket.socket(socket.AF_INET, socket.SOCK_RAW, 112))
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"eth0")
        index = socket.if_nametoindex("eth0")
        raw.setsockopt(
            socket.IPPROTO_IP,
            socket.IP_ADD_MEMBERSHIP,
            struct.pack("@4s4si", socket.inet_aton("224.0.0.18"), bytes(4), index),
        )
    heard = director.host.capture()
    own = bytes.fromhex(rival.mac().replace(":", ""))

    put(rival, advert(VMAC_4.mac, "192.0.2.2", "224.0.0.18", b"from the virtual MAC"))
    put(rival, advert(own, "192.0.2.2", "224.0.0.18", b"from its own"))

    heard.wait_for(lambda packet: b"from its own" in packet.data, within=2.0, what="the second advert")
    assert [packet for packet in heard.packets() if b"from the virtual MAC" in packet.data]
    assert raw.recv(2048).endswith(b"from its own")
