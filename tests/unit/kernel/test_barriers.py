"""Barriers where the kernel has no nf_tables; real ones are tried in `tests/namespaces/test_barriers.py`."""

import errno

import pytest

from namespaces.network_steps import barrier
from stayalived.errors import KernelProblem
from stayalived.kernel import barriers
from stayalived.kernel.api import Change, Verb
from stayalived.kernel.barriers import Barriers
from stayalived.kernel.netlink_messages import Answer, Message

ADD = [Change(verb=Verb.ADD, item=barrier("192.0.2.9"))]
REMOVE = [Change(verb=Verb.REMOVE, item=barrier("192.0.2.9"))]


class Refusing:
    """A connection to a kernel that answers every batch with one error number."""

    def __init__(self, number: int) -> None:
        self.refusal = number
        self.asked = 0

    def number(self) -> int:
        return 1

    def ask(self, _: list[bytes]) -> tuple[list[Message], dict[int, Answer]]:
        self.asked += 1
        return [], {1: Answer(sequence=1, errno=self.refusal, text="")}

    def close(self) -> None:
        """Nothing is open."""


def kernel_without_netfilter(_: int) -> Refusing:
    raise OSError(errno.EPROTONOSUPPORT, "no such protocol")


def test_a_kernel_without_netfilter_is_told_with_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(barriers, "Connection", kernel_without_netfilter)

    (problem,) = Barriers().change(ADD)

    assert problem is not None
    assert "nft add element inet stayalived ipv4 { 192.0.2.9 }" == problem.action
    assert "accept = false needs nf_tables with its family inet: modprobe nf_tables" in str(problem)


@pytest.mark.parametrize("number", [errno.EOPNOTSUPP, errno.EAFNOSUPPORT])
def test_a_kernel_without_nf_tables_is_told_with_what_to_do(monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    monkeypatch.setattr(barriers, "Connection", lambda _: Refusing(number))

    (problem,) = Barriers().change(ADD)

    assert problem is not None
    assert (number, True) == (problem.errno, "modprobe nf_tables" in problem.remedy)


def test_where_there_is_no_nf_tables_there_is_nothing_to_remove(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(barriers, "Connection", kernel_without_netfilter)
    assert [None] == Barriers().change(REMOVE)
    Barriers().clear()
    monkeypatch.setattr(barriers, "Connection", lambda _: Refusing(errno.EPERM))

    with pytest.raises(KernelProblem, match="nft delete table inet stayalived: Operation not permitted"):
        Barriers().clear()


def test_a_table_that_vanishes_is_made_once_more_and_no_oftener(monkeypatch: pytest.MonkeyPatch) -> None:
    connection = Refusing(0)
    monkeypatch.setattr(barriers, "Connection", lambda _: connection)
    fence = Barriers()
    assert [None] == fence.change(ADD)

    connection.refusal = errno.ENOENT
    (problem,) = fence.change(ADD)

    assert (3, errno.ENOENT) == (connection.asked, problem.errno if problem else 0)
    assert [None] == fence.change(REMOVE)
