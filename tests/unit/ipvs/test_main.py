import pytest

from stayalived.errors import Bug
from stayalived.ipvs.events import Apply, KernelRefused, OperationsDone, ReadTable, TableRead
from stayalived.ipvs.main import RIGHTS, Hands
from stayalived.ipvs.model import AddDestination, AddService, Connections, Entry
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


def test_operations_without_a_table_are_a_bug() -> None:
    with pytest.raises(Bug):
        Hands(None).carry_out(Apply(()))
