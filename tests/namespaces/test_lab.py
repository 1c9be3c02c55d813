"""The kit itself: what the other labs take for granted."""

import os
import socket
from pathlib import Path

import pytest

from namespaces.lab import Host, Lab
from namespaces.waiting import TooLate, wait_until


def pings(lab_host: Host, address: str) -> bool:
    return lab_host.run(["ping", "-c1", "-W1", address], check=False).returncode == 0


def test_two_hosts_reach_each_other_over_both_families(lab: Lab) -> None:
    tic = lab.host("tic", "192.0.2.1/24", "2001:db8::1/64")
    lab.host("tac", "192.0.2.2/24", "2001:db8::2/64")

    assert pings(tic, "192.0.2.2")
    assert pings(tic, "2001:db8::2")


def test_addresses_are_those_that_were_given(lab: Lab) -> None:
    tic = lab.host("tic", "192.0.2.1/24", "2001:db8::1/64")

    assert tic.addresses() == {"192.0.2.1/24", "2001:db8::1/64"}


def test_a_cut_host_is_unreachable_and_keeps_its_carrier_until_healed(lab: Lab) -> None:
    tic = lab.host("tic", "192.0.2.1/24")
    tac = lab.host("tac", "192.0.2.2/24")

    tac.cut()
    assert not pings(tic, "192.0.2.2")
    state = tac.run(["cat", "/sys/class/net/eth0/carrier"]).stdout
    assert state.strip() == "1"

    tac.heal()
    # Whoever was asked for in vain is asked for again within a second, which the next ping may not wait out.
    wait_until(lambda: pings(tic, "192.0.2.2"), within=5.0, what="an answer after the heal")


def test_a_pulled_cable_takes_the_carrier(lab: Lab) -> None:
    tic = lab.host("tic", "192.0.2.1/24")

    tic.plug(into=False)
    assert "NO-CARRIER" in tic.run(["ip", "link", "show", "eth0"]).stdout

    tic.plug(into=True)
    assert "LOWER_UP" in tic.run(["ip", "link", "show", "eth0"]).stdout


def test_a_capture_names_the_sender_and_has_each_frame_once(lab: Lab) -> None:
    tic = lab.host("tic", "192.0.2.1/24")
    lab.host("tac", "192.0.2.2/24")
    wire = lab.lan.capture()

    claim = "ffffffffffff 020000000001 0806 0001080006040001 020000000001 c0000201 ffffffffffff c0000201"
    with tic.inside(), socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as sock:
        sock.bind(("eth0", 0))
        sock.send(bytes.fromhex(claim))

    frame = wire.wait_for(lambda packet: packet.gratuitous() == "192.0.2.1", within=2.0, what="a gratuitous ARP")
    assert frame.sender == "tic"
    assert len([packet for packet in wire.packets() if packet.gratuitous()]) == 1


def test_a_capture_on_a_host_sees_what_reaches_it(lab: Lab) -> None:
    tic = lab.host("tic", "192.0.2.1/24")
    tac = lab.host("tac", "192.0.2.2/24")
    ear = tac.capture(everything=True)

    assert pings(tic, "192.0.2.2")

    ear.wait_for(lambda packet: packet.data[34:36] == b"\x08\x00", within=2.0, what="the echo request")


def test_programs_are_killed_and_namespaces_removed_at_the_end_even_of_a_failed_test() -> None:
    lab = Lab()

    def fail() -> None:
        with lab:
            tic = lab.host("tic")
            tic.popen(["cat", "/proc/kmsg"])
            tic.fork(lambda: os.read(os.pipe()[0], 1))
            raise RuntimeError("as planned")

    with pytest.raises(RuntimeError, match="as planned"):
        fail()

    left = [path.name for path in Path("/run/netns").iterdir() if path.name.startswith(f"sa{os.getpid()}-")]
    assert left == []
    assert not lab.folder.exists()
    assert not any(process.alive() for process in lab.processes())


def test_a_forked_function_runs_inside_and_its_exception_is_kept(lab: Lab) -> None:
    tic = lab.host("tic")

    def fail() -> None:
        raise ValueError(Path("/proc/net/dev").read_text())

    process = tic.fork(fail)

    assert process.wait(within=5.0) == 70
    assert "eth0" in process.log()


def test_waiting_in_vain_says_for_what() -> None:
    with pytest.raises(TooLate, match="in vain for a miracle"):
        wait_until(lambda: False, within=0.01, what="a miracle")
