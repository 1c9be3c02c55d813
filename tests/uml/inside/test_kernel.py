"""The real kernel answers as the one in memory does, and `ipvsadm` sees what was meant."""

import errno
import os
import shlex
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from stayalived.addresses import Endpoint, Family
from stayalived.config.model import Timeouts
from stayalived.errors import KernelProblem
from stayalived.ipvs.model import (
    AddDestination,
    AddService,
    Connections,
    DeleteDestination,
    Destination,
    EditDestination,
    EditService,
    Entry,
    Need,
    Operation,
    Service,
    ServiceKey,
    destination_in_words,
    holds,
    in_words,
    service_in_words,
)
from stayalived.kernel.ipvs import LinuxIpvs
from uml.cases import CASES, MARK6, NAT, ONE, ONE6, RR, RR6, TUNNEL, TWO, WEB, WEB6, Case, changed

SCTP = ServiceKey(Family.IPV4, "sctp", Endpoint("192.0.2.1", 80))


def ipvsadm(*arguments: str) -> list[str]:
    done = subprocess.run(["ipvsadm", *arguments], check=True, capture_output=True, text=True)
    return sorted(line.strip() for line in done.stdout.splitlines())


@pytest.fixture
def kernel() -> Iterator[LinuxIpvs]:
    ipvsadm("-C")
    connection = LinuxIpvs()
    yield connection
    connection.close()


def apply(kernel: LinuxIpvs, *operations: Operation) -> None:
    assert [None] * len(operations) == kernel.apply(operations)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_answers_as_the_kernel_in_memory_does(kernel: LinuxIpvs, case: Case) -> None:
    apply(kernel, *case.given)

    (problem,) = kernel.apply([case.when])

    assert case.refused == (problem.errno if problem else 0)
    assert case.then == kernel.read()[0]


def test_a_changed_weight_leaves_method_and_thresholds(kernel: LinuxIpvs) -> None:
    limited = Destination(method="NAT", weight=1, upper_threshold=100, lower_threshold=50)
    apply(kernel, AddService(WEB, RR), AddDestination(WEB, ONE, limited))

    apply(kernel, EditDestination(WEB, ONE, changed(limited, weight=9)))

    assert ["-A -t 192.0.2.1:80 -s rr", "-a -t 192.0.2.1:80 -r 192.0.2.10:80 -m -w 9"] == ipvsadm("-Sn")
    assert ["192.0.2.10:80", "100", "50"] == ipvsadm("-Ln", "--thresholds")[0].split()[1:4]


def test_an_edit_changes_and_does_not_delete(kernel: LinuxIpvs) -> None:
    apply(kernel, AddService(WEB, RR), AddDestination(WEB, ONE, NAT))

    apply(kernel, EditService(WEB, Service(scheduler="wlc")), EditDestination(WEB, ONE, changed(NAT, weight=2)))

    assert ["-A -t 192.0.2.1:80 -s wlc", "-a -t 192.0.2.1:80 -r 192.0.2.10:80 -m -w 2"] == ipvsadm("-Sn")


def test_ipv6_services_and_marks_need_no_trick(kernel: LinuxIpvs) -> None:
    sticky = Service(scheduler="rr", timeout=60, granularity=64)
    apply(kernel, AddService(WEB6, sticky), AddDestination(WEB6, ONE6, NAT), AddService(MARK6, RR6))

    expected = [
        "-A -f 7 -6 -s rr",
        "-A -t [2001:db8::1]:80 -s rr -p 60 -M 64",
        "-a -t [2001:db8::1]:80 -r [2001:db8::10]:80 -m -w 1",
    ]
    assert expected == ipvsadm("-Sn")


def test_the_port_of_a_tunnel_is_in_network_order(kernel: LinuxIpvs) -> None:
    apply(kernel, AddService(WEB, RR))

    apply(kernel, AddDestination(WEB, ONE, changed(TUNNEL, tunnel="gue", tunnel_port=6080)))

    assert "-a -t 192.0.2.1:80 -r 192.0.2.10:80 -i -w 1 --tun-type gue --tun-port 6080 --tun-nocsum" in ipvsadm("-Sn")


def test_a_tunnel_over_ipv6_serves_an_ipv4_service(kernel: LinuxIpvs) -> None:
    apply(kernel, AddService(WEB, RR))

    apply(kernel, AddDestination(WEB, ONE6, TUNNEL))

    assert "-a -t 192.0.2.1:80 -r [2001:db8::10]:80 -i -w 1 --tun-type ipip" in ipvsadm("-Sn")


def test_flags_persistence_and_one_packet_as_ipvsadm_writes_them(kernel: LinuxIpvs) -> None:
    sticky = Service(scheduler="sh", flags=("flag-1", "flag-2"), timeout=300, granularity=24)
    apply(kernel, AddService(WEB, sticky))

    assert ["-A -t 192.0.2.1:80 -s sh -p 300 -M 255.255.255.0 -b sh-fallback,sh-port"] == ipvsadm("-Sn")


def test_reads_what_ipvsadm_wrote(kernel: LinuxIpvs) -> None:
    ipvsadm("-A", "-t", "192.0.2.1:80", "-s", "wrr", "-p", "120", "-M", "255.255.0.0", "-b", "flag-2")
    ipvsadm("-a", "-t", "192.0.2.1:80", "-r", "192.0.2.10", "-i", "-w", "3", "--tun-type", "gue", "--tun-port", "6081")

    service = Service(scheduler="wrr", flags=("flag-2",), timeout=120, granularity=16)
    gue = changed(TUNNEL, weight=3, tunnel="gue", tunnel_port=6081)
    assert {WEB: Entry(service, {ONE: gue})} == kernel.read()[0]


def test_a_service_that_ipvsadm_made_for_sctp_is_read(kernel: LinuxIpvs) -> None:
    ipvsadm("-A", "--sctp-service", "192.0.2.1:80", "-s", "rr")
    apply(kernel, AddService(WEB, RR))

    assert {WEB: Entry(RR), SCTP: Entry(RR)} == kernel.read()[0]


@pytest.mark.parametrize("case", [case for case in CASES if not case.refused], ids=lambda case: case.name)
def test_ipvsadm_takes_the_words_of_every_operation(kernel: LinuxIpvs, case: Case) -> None:
    apply(kernel, *case.given)
    before = kernel.read()[0]
    if isinstance(case.when, AddService | AddDestination) and holds(before, case.when):
        return  # ipvsadm calls that a mistake
    if before == case.then:
        return  # deleted what was not there: the same

    ipvsadm(*shlex.split(in_words(case.when))[1:])

    assert case.then == kernel.read()[0]


@pytest.mark.parametrize("case", [case for case in CASES if not case.refused], ids=lambda case: case.name)
def test_a_table_in_words_is_what_ipvsadm_saves(kernel: LinuxIpvs, case: Case) -> None:
    apply(kernel, *case.given)
    apply(kernel, case.when)

    words = []
    for key, entry in kernel.read()[0].items():
        words.append(f"-A {service_in_words(key, entry.service)}")
        words += [f"-a {destination_in_words(key, *one)}" for one in entry.destinations.items()]

    saved = [line.replace("sh-fallback,sh-port", "flag-1,flag-2") for line in ipvsadm("-Sn")]
    assert saved == sorted(line.partition(" -x ")[0] for line in words)


def test_tells_what_is_missing_and_changes_nothing(kernel: LinuxIpvs) -> None:
    needs = [Need("mh"), Need("twos"), Need("rr", "sip"), Need("rr", "nosuch")]

    missing = [problem.remedy if problem else "" for problem in kernel.missing(needs)]

    asked = "; is the module installed?"
    no_twos = f"the kernel has no scheduler twos: `modprobe ip_vs_twos`{asked}"
    no_engine = f"the kernel has no persistence engine nosuch: `modprobe ip_vs_pe_nosuch`{asked}"
    assert ["", no_twos, "", no_engine] == missing
    assert {} == kernel.read()[0]


def test_timeouts_are_set_one_by_one(kernel: LinuxIpvs) -> None:
    before = kernel.timeouts()
    assert Timeouts(tcp=900, tcpfin=120, udp=300) == before

    kernel.set_timeouts(Timeouts(tcp=77, udp=55))

    assert Timeouts(tcp=77, tcpfin=120, udp=55) == kernel.timeouts()
    assert ["Timeout (tcp tcpfin udp): 77 120 55"] == ipvsadm("-l", "--timeout")
    kernel.set_timeouts(before)


def test_a_time_that_the_kernel_cannot_keep_is_refused(kernel: LinuxIpvs) -> None:
    with pytest.raises(KernelProblem, match=r"ipvsadm --set 4294967295 0 0: Invalid argument"):
        kernel.set_timeouts(Timeouts(tcp=0xFFFFFFFF))


def test_a_service_that_another_program_keeps_is_named(kernel: LinuxIpvs) -> None:
    ipvsadm("-A", "-t", "192.0.2.1:80", "-s", "wlc")

    (problem,) = kernel.apply([AddService(WEB, RR)])

    assert problem is not None
    assert "another program keeps it" in problem.remedy


def test_a_mask_that_ipvsadm_left_on_a_service_without_persistence_is_no_difference(kernel: LinuxIpvs) -> None:
    apply(kernel, AddService(WEB, Service(scheduler="rr", timeout=10, granularity=8)))
    apply(kernel, EditService(WEB, RR))

    assert {WEB: Entry(RR)} == kernel.read()[0]


def test_counts_connections(kernel: LinuxIpvs) -> None:
    apply(kernel, AddService(WEB, RR), AddDestination(WEB, ONE, NAT))

    _, connections = kernel.read()

    assert {(WEB, ONE): Connections()} == connections


def test_more_than_a_batch_is_carried_out_in_order_with_each_error_at_its_place(kernel: LinuxIpvs) -> None:
    many = [Destination(method="DR", weight=number) for number in range(300)]
    endpoints = [Endpoint(f"198.51.{number // 250}.{number % 250 + 1}", 80) for number in range(300)]
    operations: list[Operation] = [AddService(WEB, RR)]
    operations += [AddDestination(WEB, endpoint, one) for endpoint, one in zip(endpoints, many, strict=True)]
    operations.insert(100, AddDestination(WEB6, ONE6, NAT))

    problems = kernel.apply(operations)

    assert [100] == [number for number, problem in enumerate(problems) if problem]
    assert problems[100] is not None
    assert errno.ESRCH == problems[100].errno
    assert dict(zip(endpoints, many, strict=True)) == kernel.read()[0][WEB].destinations


def test_a_missing_scheduler_is_named_with_its_module(kernel: LinuxIpvs) -> None:
    (problem,) = kernel.apply([AddService(WEB, Service(scheduler="twos"))])

    expected = (
        "ipvsadm -A -t 192.0.2.1:80 -s twos: No such file or directory; "
        "the kernel has no scheduler twos: `modprobe ip_vs_twos`; is the module installed?"
    )
    assert expected == str(problem)


def test_a_process_without_the_right_is_told_which_one(kernel: LinuxIpvs) -> None:
    reader, writer = os.pipe()
    if not (child := os.fork()):
        os.setresuid(65534, 65534, 65534)
        try:
            kernel.read()
        except KernelProblem as problem:
            os.write(writer, str(problem).encode())
        os._exit(0)
    os.waitpid(child, 0)

    answer = os.read(reader, 1000).decode()
    os.close(reader)
    os.close(writer)

    assert "read the IPVS table: Operation not permitted; CAP_NET_ADMIN is missing" in answer


def test_lost_answers_are_an_error_and_not_the_last_one(kernel: LinuxIpvs) -> None:
    room_for_one_or_two = 1  # the kernel makes it more
    kernel._netlink._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, room_for_one_or_two)

    problems = kernel.apply([AddDestination(WEB, ONE, NAT)] * 64)

    assert {errno.ENOBUFS} == {problem.errno if problem else 0 for problem in problems}
    assert "raise net.core.rmem_max" in str(problems[0])
    apply(kernel, AddService(WEB, RR))
    assert {WEB: Entry(RR)} == kernel.read()[0]


WITHOUT_IMPORTS = """
import importlib.abc, sys
import stayalived.ipvs.main
from stayalived.errors import KernelProblem
from stayalived.kernel.ipvs import LinuxIpvs
from uml.cases import NAT, ONE, RR, WEB
from stayalived.ipvs.model import AddDestination, AddService

class Nothing(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path, target=None):
        raise SystemExit(f"imported {name}")

sys.meta_path.insert(0, Nothing())
kernel = LinuxIpvs()
print([problem and problem.errno for problem in kernel.apply([AddDestination(WEB, ONE, NAT), AddService(WEB, RR)])])
print(kernel.apply([AddService(WEB, RR)]), len(kernel.read()[0]))
kernel.close()
"""


def test_a_process_that_may_read_no_file_any_more_needs_none(kernel: LinuxIpvs) -> None:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-X", "dev", "-W", "error", "-c", WITHOUT_IMPORTS]

    done = subprocess.run(command, check=False, capture_output=True, text=True, env=environment)

    assert (0, "", f"[{errno.ESRCH}, None]\n[None] 1\n") == (done.returncode, done.stderr, done.stdout)


def test_deleting_what_is_gone_beside_what_is_there(kernel: LinuxIpvs) -> None:
    apply(kernel, AddService(WEB, RR), AddDestination(WEB, ONE, NAT), AddDestination(WEB, TWO, NAT))
    ipvsadm("-d", "-t", "192.0.2.1:80", "-r", "192.0.2.10:80")

    apply(kernel, DeleteDestination(WEB, ONE), DeleteDestination(WEB, TWO))

    assert {WEB: Entry(RR)} == kernel.read()[0]


@pytest.fixture
def unloaded() -> None:
    ipvsadm("-C")
    loaded = [line.split()[0] for line in Path("/proc/modules").read_text().splitlines() if line.startswith("ip_vs")]
    subprocess.run(["modprobe", "-r", *loaded], check=True)


@pytest.fixture
def loader_out_of_order(unloaded: None) -> Iterator[None]:
    setting = Path("/proc/sys/kernel/modprobe")
    loader = setting.read_text()
    setting.write_text("/bin/false")
    yield
    setting.write_text(loader)


def test_the_kernel_loads_ipvs_when_it_is_asked_for(unloaded: None) -> None:
    connection = LinuxIpvs()

    table, _ = connection.read()
    connection.close()

    assert {} == table


def test_a_kernel_without_ipvs_says_so_with_the_remedy(loader_out_of_order: None) -> None:
    with pytest.raises(KernelProblem, match="the kernel has no IPVS: `modprobe ip_vs`"):
        LinuxIpvs()
