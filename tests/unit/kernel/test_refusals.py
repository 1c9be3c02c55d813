"""What error numbers mean for changes."""

import errno

import pytest

from namespaces.network_steps import address, route, rule
from stayalived.kernel.api import Change, Item, Verb
from stayalived.kernel.refusals import refusal


@pytest.mark.parametrize(
    ("item", "numbers"),
    [
        (address("192.0.2.9/32"), (errno.EADDRNOTAVAIL, errno.ENODEV, errno.ENXIO)),
        (route("10.0.0.0/8", "192.0.2.1"), (errno.ESRCH, errno.ENODEV, errno.EINVAL)),
        (rule(100), (errno.ENOENT, errno.EINVAL)),
    ],
)
def test_what_is_gone_already_is_removed_and_cannot_be_added(item: Item, numbers: tuple[int, ...]) -> None:
    for number in numbers:
        assert refusal(Change(verb=Verb.REMOVE, item=item), number) is None
        assert refusal(Change(verb=Verb.ADD, item=item), number) is not None


@pytest.mark.parametrize("item", [address("192.0.2.9/32"), route("10.0.0.0/8", "192.0.2.1"), rule(100)])
def test_what_is_there_already_is_added_and_everything_else_is_a_problem(item: Item) -> None:
    assert refusal(Change(verb=Verb.ADD, item=item), errno.EEXIST) is None
    for verb in Verb:
        problem = refusal(Change(verb=verb, item=item), errno.EPERM)
        assert problem is not None
        assert (errno.EPERM, "vrrp needs CAP_NET_ADMIN") == (problem.errno, problem.remedy)


def test_the_kernels_own_words_come_before_ours() -> None:
    change = Change(verb=Verb.ADD, item=route("10.0.0.0/8", "203.0.113.1"))

    problem = refusal(change, errno.ENETUNREACH, "Nexthop has invalid gateway")

    assert str(problem) == (
        "ip route add 10.0.0.0/8 via 203.0.113.1: Network is unreachable; Nexthop has invalid gateway; "
        "no interface reaches the gateway: an address of its subnet comes first, or `onlink`"
    )


def test_a_number_that_nobody_knows_is_told_without_a_remedy() -> None:
    problem = refusal(Change(verb=Verb.ADD, item=rule(100)), errno.EIO)

    assert str(problem) == "ip rule add from all table 254 preference 100: Input/output error"
