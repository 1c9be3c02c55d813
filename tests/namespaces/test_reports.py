"""What users of keepalived have reported of its VRRP, and must not find here. Each test has the reports' numbers.

`K#123` is issue 123 of acassen/keepalived. Those about ties and splits are in `test_elections`.
"""

import itertools
import os
import signal
import statistics
import time

import pytest

from namespaces.capture import ETH_P_IP, ETH_P_IPV6, Packet
from namespaces.daemon import Daemon, vrrp_instance
from namespaces.kinds import SLACK, Kind
from namespaces.lab import Lab, ip
from namespaces.reported import ADVERT, HIGH, KIND, LOW, Site, files, site_text, written
from namespaces.rivals import VIP4, VIP6, Rivals, carried
from namespaces.voices import advert, say
from namespaces.waiting import quiet_for, wait_until

# ── stalls and load ──────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("preempt", ["true", "false"])
def test_k2066_k2238_k1955_k2271_a_master_that_stood_still_does_not_leave_two(lab: Lab, preempt: str) -> None:
    site = Site(lab, written(VIP4, VIP6, priority=HIGH, more=f"preempt = {preempt}"))
    site.settle()
    vrrp = site.daemon.child("vrrp")

    site.daemon.process.send(signal.SIGSTOP)  # it would replace a child that does not answer
    os.kill(vrrp, signal.SIGSTOP)
    site.wait_for_adverts("peer", 3)
    os.kill(vrrp, signal.SIGCONT)
    site.daemon.process.send(signal.SIGCONT)

    wait_until(lambda: one_master(site), within=5.0, what="one master")
    begun = time.time_ns()
    quiet_for(5 * ADVERT)
    assert 1 == len({packet.sender for packet in site.wire.adverts(since=begun)})


def one_master(site: Rivals) -> bool:
    """Tell whether all addresses are on one of the two and none on the other."""
    virtual = set(KIND.addresses)
    holders = [virtual & carried(host) for host in (site.tic, site.peer)]
    return sorted(map(len, holders)) == [0, len(virtual)]


def test_k1653_no_advert_waits_for_a_hundred_addresses(lab: Lab) -> None:
    """Three seconds without an advert after a takeover were what came of 80."""
    many = [f"198.51.100.{number}/32" for number in range(1, 101)]
    site = Rivals(lab, Kind(version=3, addresses=tuple(many), advert_int=ADVERT))
    site.start("peer", HIGH)
    site.wait_for_master("peer")
    site.daemon = site.ours = Daemon(site.tic, files(vrrp_instance(*many, priority=LOW, advert_int=ADVERT)))
    site.daemon.start()
    site.wait_for_adverts("peer", 2)

    site.theirs.kill()
    site.peer.cut()
    begun = time.time_ns()
    site.wait_for_adverts("tic", 10)

    assert site.silence("peer", "tic") < site.kind.master_down(LOW) + SLACK
    assert max(site.gaps("tic", site.kind.routers[0], begun)) < 2 * ADVERT
    assert set(many) <= carried(site.tic)


def test_k1143_announcements_keep_their_distance_and_adverts_do_not_wait_for_them(lab: Lab) -> None:
    """Switches throw announcements away that come all at once: 616 addresses were too many."""
    many = [f"198.51.100.{number}/32" for number in range(1, 51)]
    site = Rivals(lab, Kind(version=3, addresses=tuple(many), advert_int=ADVERT))
    more = "garp_interval = 0.01\ngarp_master_repeat = 2"
    site.daemon = site.ours = Daemon(site.tic, files(written(*many, priority=HIGH, more=more)))
    site.daemon.start()
    site.wait_for_adverts("tic", 8)

    times = [packet.time for packet in site.wire.packets() if packet.gratuitous()]
    assert 2 * len(many) == len(times)
    gaps = [(after - before) / 1e9 for before, after in itertools.pairwise(times)]
    assert statistics.median(gaps) >= 0.01
    assert min(gaps) > 0.005  # one that was late, and the next one that was not
    assert max(site.gaps("tic", site.kind.routers[0])) < ADVERT + SLACK


def test_k38_k390_many_instances_on_many_interfaces_are_all_master(lab: Lab) -> None:
    """More than 31 interfaces were taken for down, and netlink overran with 100 instances."""
    host = lab.host("tic", "192.0.2.1/24")
    links = [f"link{number}" for number in range(40)]
    for number, link in enumerate(links):
        make = ("link", "add", link, "type", "veth", "peer", "name", f"far{number}")
        ip("-n", host.namespace, *make)
        for each in (link, f"far{number}"):
            ip("-n", host.namespace, "link", "set", each, "up")
        host.add_address(f"10.1.{number}.1/24", link)
    texts = [
        written(f"10.1.{number}.{100 + router}/32", name=f"i{number}-{router}", virtual_router_id=router)
        for number in range(len(links))
        for router in range(1, 5)
    ]
    bound = [text.replace('"eth0"', f'"{links[place // 4]}"') for place, text in enumerate(texts)]
    daemon = Daemon(host, files("".join(bound)))
    daemon.start()

    def states() -> list[str]:
        return [row["state"] for row in daemon.peek()["instances"]]

    wait_until(lambda: states() == ["MASTER"] * 160, within=10.0, what="160 masters")
    begun = time.monotonic()
    for link in links[:20]:
        host.link(up=False, interface=link)
    wait_until(lambda: states().count("FAULT") == 80, within=5.0, what="80 faults")
    for link in links[:20]:
        host.link(up=True, interface=link)
    wait_until(lambda: states() == ["MASTER"] * 160, within=10.0, what="160 masters again")
    assert time.monotonic() - begun < 15.0
    assert daemon.stop() == 0


# ── addresses ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_k836_k1385_k1170_k2479_k2564_an_address_that_somebody_deletes_is_back_before_a_peer_notices(lab: Lab) -> None:
    site = Site(lab, site_text())
    site.settle()

    for address in (VIP4, VIP6):
        site.tic.run(["ip", "address", "del", address, "dev", "eth0"])
        site.tic.wait_for_address(address)
    site.wait_for_adverts("tic", 4)

    assert [] == site.wire.adverts("peer", site.begun)
    assert "MASTER" == site.daemon.instance()["state"]


def test_k14_k20_k166_k1528_an_inferior_advert_of_one_family_makes_both_be_announced_again(lab: Lab) -> None:
    """The halves move together: whoever was wrong about the one, and has yielded, was wrong about the other (SY09)."""
    site = Site(lab, site_text())
    bystander = lab.host("bystander", "192.0.2.66/24")
    site.settle()

    say(bystander, advert(["192.0.2.100"], priority=1, source="192.0.2.66"))
    site.wait_for_adverts("tic", 3)

    assert {"192.0.2.100", "2001:db8::100"} == site.announced()


def test_k375_a_client_of_the_ipv6_address_waits_no_longer_than_one_of_the_ipv4_address(lab: Lab) -> None:
    """Half a minute with IPv6, nothing with IPv4, were what came of neighbour advertisements without override."""
    site = Rivals(lab, KIND)
    client = lab.host("client", "192.0.2.66/24", "2001:db8::66/64")
    site.start("peer", HIGH)
    site.wait_for_master("peer")
    site.start("tic", LOW)
    site.wait_for_backup()
    ears = client.capture(everything=True)
    bare = [address.partition("/")[0] for address in KIND.addresses]
    pings = [client.popen(["ping", "-n", "-i", "0.05", address]) for address in bare]
    wait_until(lambda: all(process.log().count("bytes from") > 5 for process in pings), within=5.0, what="answers")

    site.theirs.kill()
    site.peer.cut()
    site.wait_for_adverts("tic", 5)

    echoes = [packet for packet in ears.packets() if is_echo_reply(packet)]
    for ethertype in (ETH_P_IP, ETH_P_IPV6):
        times = [packet.time for packet in echoes if packet.ethertype == ethertype]
        longest = max(after - before for before, after in itertools.pairwise(times)) / 1e9
        assert longest < KIND.master_down(LOW) + ADVERT


def is_echo_reply(packet: Packet) -> bool:
    four = packet.ethertype == ETH_P_IP and packet.data[23] == 1 and packet.data[34] == 0
    return four or (packet.ethertype == ETH_P_IPV6 and packet.data[20] == 58 and packet.data[54] == 129)


def test_k2573_the_same_link_local_address_is_virtual_on_two_interfaces(lab: Lab) -> None:
    host = lab.host("tic", "192.0.2.1/24")
    host.attach(lab.segment("other"), "eth1")
    texts = [
        vrrp_instance("fe80::100/64", name=f"on{interface}", advert_int=ADVERT).replace('"eth0"', f'"{interface}"')
        for interface in ("eth0", "eth1")
    ]
    daemon = Daemon(host, files(*texts))
    daemon.start()

    for interface in ("eth0", "eth1"):
        daemon.wait_for_state("MASTER", within=5.0, instance=f"on{interface}")
        host.wait_for_address("fe80::100/64", interface=interface)
    assert daemon.stop() == 0


# ── delays ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_k80_k82_k2098_k2032_k1808_a_better_one_waits_for_its_preempt_delay(lab: Lab) -> None:
    delay = 1.5
    site = Rivals(lab, KIND)
    site.start("peer", LOW)
    site.wait_for_master("peer")
    begun = time.time_ns()
    text = written(VIP4, VIP6, priority=HIGH, more=f"preempt_delay = {delay}")
    site.daemon = site.ours = Daemon(site.tic, files(text))
    site.daemon.start()
    heard = time.time_ns()

    first = site.wait_for_first("tic", begun)
    site.wait_for_master("tic")

    waited, master_down = (first - heard) / 1e9, KIND.master_down(HIGH)
    assert delay < waited < delay + master_down + ADVERT + SLACK


def test_k2650_nobody_takes_part_before_the_startup_delay_is_over(lab: Lab) -> None:
    delay = 1.5
    site = Rivals(lab, KIND)
    begun = time.time_ns()
    head = f"[global]\nvrrp_startup_delay = {delay}\n"
    site.daemon = site.ours = Daemon(site.tic, files(head, written(VIP4, VIP6, priority=HIGH)))
    site.daemon.start()
    running = time.time_ns()

    first = site.wait_for_first("tic", begun)

    assert (first - begun) / 1e9 > delay
    assert (first - running) / 1e9 < delay + KIND.master_down(HIGH) + SLACK
