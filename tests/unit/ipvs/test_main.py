import pytest

from stayalived.config.model import Timeouts
from stayalived.errors import Bug
from stayalived.ipvs.events import (
    Apply,
    FindMissing,
    KernelRefused,
    MissingFound,
    OperationsDone,
    ReadTable,
    ReadTimeouts,
    SetTimeouts,
    TableRead,
    TimeoutsAnswered,
)
from stayalived.ipvs.main import RIGHTS, Hands
from stayalived.ipvs.model import AddDestination, AddService, Connections, Entry, Need
from stayalived.kernel.memory_ipvs import MemoryIpvs
from uml.cases import NAT, ONE, RR, WEB


def test_the_process_keeps_one_right() -> None:
    assert ("stayalived", ("NET_ADMIN",)) == (RIGHTS.user, RIGHTS.capabilities)


def test_a_table_that_is_read_is_an_event() -> None:
    hands = Hands(MemoryIpvs({WEB: Entry(RR, {ONE: NAT})}))

    event = hands.carry_out(ReadTable())

    assert TableRead(table={WEB: Entry(RR, {ONE: NAT})}, connections={(WEB, ONE): Connections()}) == event


def test_operations_are_answered_one_by_one() -> None:
    operations = (AddDestination(WEB, ONE, NAT), AddService(WEB, RR))

    event = Hands(MemoryIpvs()).carry_out(Apply(operations))

    assert isinstance(event, OperationsDone)
    assert operations == event.operations
    assert [True, False] == [problem is not None for problem in event.problems]


def test_a_kernel_that_cannot_be_read_is_an_event() -> None:
    kernel = MemoryIpvs()
    kernel.absent = True

    event = Hands(kernel).carry_out(ReadTable())

    assert isinstance(event, KernelRefused)
    assert "modprobe ip_vs" in str(event.problem)


def test_what_is_missing_is_an_event() -> None:
    event = Hands(MemoryIpvs()).carry_out(FindMissing(generation=3, needs=(Need("rr"), Need("twos"))))

    assert isinstance(event, MissingFound)
    assert (3, [False, True]) == (event.generation, [problem is not None for problem in event.problems])


def test_timeouts_are_events() -> None:
    kernel = MemoryIpvs()
    hands = Hands(kernel)

    assert TimeoutsAnswered(timeouts=Timeouts(tcp=900, tcpfin=120, udp=300)) == hands.carry_out(ReadTimeouts())
    assert TimeoutsAnswered() == hands.carry_out(SetTimeouts(Timeouts(tcp=5)))
    assert 5 == kernel.kept.tcp


@pytest.mark.parametrize("effect", [ReadTimeouts(), SetTimeouts(Timeouts(tcp=5))])
def test_timeouts_that_the_kernel_refuses_are_an_event(effect: ReadTimeouts | SetTimeouts) -> None:
    kernel = MemoryIpvs()
    kernel.absent = True

    event = Hands(kernel).carry_out(effect)

    assert isinstance(event, TimeoutsAnswered)
    assert "modprobe ip_vs" in str(event.problem)


def test_operations_without_a_table_are_a_bug() -> None:
    with pytest.raises(Bug):
        Hands(None).carry_out(Apply(()))
