import errno

import pytest

from stayalived.config.model import Timeouts
from stayalived.errors import KernelProblem
from stayalived.ipvs.model import AddDestination, AddService, Connections, Entry, Need
from stayalived.kernel.memory_ipvs import MemoryIpvs
from uml.cases import CASES, NAT, ONE, RR, WEB, Case


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_answers_as_the_kernel_does(case: Case) -> None:
    kernel = MemoryIpvs()
    assert [None] * len(case.given) == kernel.apply(case.given)

    (problem,) = kernel.apply([case.when])

    assert case.refused == (problem.errno if problem else 0)
    assert case.then == kernel.read()[0]


def test_goes_on_after_a_refusal() -> None:
    kernel = MemoryIpvs()

    problems = kernel.apply([AddDestination(WEB, ONE, NAT), AddService(WEB, RR), AddDestination(WEB, ONE, NAT)])

    assert [True, False, False] == [problem is not None for problem in problems]
    assert {WEB: Entry(RR, {ONE: NAT})} == kernel.table


def test_counts_the_connections_that_were_set() -> None:
    kernel = MemoryIpvs({WEB: Entry(RR, {ONE: NAT})})
    kernel.connections[WEB, ONE] = Connections(active=3, inactive=1)

    _, connections = kernel.read()

    assert {(WEB, ONE): Connections(active=3, inactive=1)} == connections


def test_what_was_read_is_a_copy() -> None:
    kernel = MemoryIpvs({WEB: Entry(RR, {ONE: NAT})})

    table, _ = kernel.read()
    table[WEB].destinations.clear()

    assert {ONE: NAT} == kernel.table[WEB].destinations


def test_refuses_on_demand_and_without_a_trace() -> None:
    kernel = MemoryIpvs()
    kernel.refusals.extend([errno.ENOMEM, 0])

    problems = kernel.apply([AddService(WEB, RR), AddService(WEB, RR)])

    assert [errno.ENOMEM, 0] == [problem.errno if problem else 0 for problem in problems]
    assert [AddService(WEB, RR)] == kernel.journal


def test_a_kernel_without_ipvs_refuses_everything() -> None:
    kernel = MemoryIpvs()
    kernel.absent = True

    with pytest.raises(KernelProblem, match="modprobe ip_vs"):
        kernel.read()
    assert errno.ENOENT == kernel.apply([AddService(WEB, RR)])[0].errno


def test_tells_what_is_missing() -> None:
    kernel = MemoryIpvs(schedulers=["rr"])

    missing = kernel.missing([Need("rr"), Need("mh"), Need("rr", "sip"), Need("rr", "rtp")])

    assert [0, errno.ENOENT, 0, errno.ENOENT] == [problem.errno if problem else 0 for problem in missing]


def test_keeps_a_timeout_that_is_not_named() -> None:
    kernel = MemoryIpvs()

    kernel.set_timeouts(Timeouts(udp=5))

    assert Timeouts(tcp=900, tcpfin=120, udp=5) == kernel.timeouts()


def test_refuses_timeouts_on_demand() -> None:
    kernel = MemoryIpvs()
    kernel.refusals.append(errno.EINVAL)

    with pytest.raises(KernelProblem, match="ipvsadm --set 0 0 5: Invalid argument"):
        kernel.set_timeouts(Timeouts(udp=5))
