"""The network of a kernel of another age, and drops on one whose nf_tables lacks the family inet."""

import errno

import pytest

from namespaces.address_cases import ADDRESSES
from namespaces.lab import Lab
from namespaces.network_cases import ROUTES, RULES, VIRTUAL_MACS
from namespaces.network_steps import GIVEN, Case, barrier, changes, expected_of, play
from namespaces.test_network import Real
from stayalived.kernel.api import Verb


@pytest.mark.parametrize("case", ADDRESSES + ROUTES + RULES + VIRTUAL_MACS, ids=lambda case: case.name)
def test_the_network_of_another_kernel(lab: Lab, case: Case) -> None:
    world = Real(lab, *case.given)
    world.barriers = set  # type: ignore[method-assign]  # nft has none to list
    assert expected_of(case) == play(case, world)


def test_without_the_family_inet_drops_are_refused_with_what_to_do(lab: Lab) -> None:
    world = Real(lab, *GIVEN)
    wanted = changes(Verb.ADD, [barrier("192.0.2.9"), barrier("2001:db8::9")], world.kernel)

    problems = world.kernel.apply(wanted)

    assert [errno.EOPNOTSUPP] * 2 == [problem.errno for problem in problems]
    assert "accept = false needs nf_tables with its family inet: modprobe nf_tables" in str(problems[0])
    assert [None] * 2 == world.kernel.apply(changes(Verb.REMOVE, [each.item for each in wanted], world.kernel))
    world.kernel.clear_barriers()
