"""Which virtual MACs are opened and hushed: those that get their first address, and those that lose their last one."""

from namespaces.network_steps import address, route
from stayalived.errors import KernelProblem
from stayalived.kernel.api import Change, Item, Verb
from stayalived.kernel.tenancy import Tenancy, Turns

ONE, TWO, ETH0 = 7, 8, 2
VIP, OTHER = address("192.0.2.9/32"), address("2001:db8::9/128")


def add(item: Item, index: int) -> Change:
    return Change(verb=Verb.ADD, item=item, index=index)


def remove(item: Item, index: int) -> Change:
    return Change(verb=Verb.REMOVE, item=item, index=index)


def known(*changes: Change) -> Tenancy:
    tenancy = Tenancy()
    tenancy.begin(ONE)
    tenancy.begin(TWO)
    tenancy.settle(changes, [None] * len(changes))
    return tenancy


def turns(*, opened: tuple[int, ...] = (), hushed: tuple[int, ...] = ()) -> Turns:
    return Turns(opened=opened, hushed=hushed)


def test_the_first_address_opens_and_the_last_one_that_goes_hushes() -> None:
    assert turns(opened=(ONE,)) == known().turns([add(VIP, ONE)])
    assert turns(hushed=(ONE,)) == known(add(VIP, ONE)).turns([remove(VIP, ONE)])


def test_while_an_address_stays_it_stays_open() -> None:
    both = (add(VIP, ONE), add(OTHER, ONE))

    assert turns(opened=(ONE,)) == known(*both).turns([remove(VIP, ONE)])
    assert turns(hushed=(ONE,)) == known(*both).turns([remove(VIP, ONE), remove(OTHER, ONE)])


def test_what_counts_is_how_it_is_in_the_end() -> None:
    assert turns(hushed=(ONE,)) == known().turns([add(VIP, ONE), remove(VIP, ONE)])
    assert turns(opened=(ONE,)) == known(add(VIP, ONE)).turns([remove(VIP, ONE), add(VIP, ONE)])


def test_each_virtual_mac_is_counted_by_itself() -> None:
    changes = [remove(VIP, ONE), add(VIP, TWO)]

    assert turns(opened=(TWO,), hushed=(ONE,)) == known(add(VIP, ONE)).turns(changes)


def test_addresses_that_were_there_count() -> None:
    tenancy = Tenancy()
    tenancy.begin(ONE, [VIP.address, OTHER.address])

    assert turns(opened=(ONE,)) == tenancy.turns([remove(VIP, ONE)])


def test_a_refused_change_has_changed_nothing() -> None:
    tenancy = known(add(VIP, ONE))
    refused = [remove(VIP, ONE), add(OTHER, TWO)]

    tenancy.settle(refused, [KernelProblem("ip address", 1), KernelProblem("ip address", 1)])

    assert turns(opened=(ONE,)) == tenancy.turns([add(OTHER, ONE)])
    assert turns(hushed=(TWO,)) == tenancy.turns([remove(VIP, TWO)])


def test_other_interfaces_and_other_things_are_not_counted() -> None:
    assert turns() == known().turns([add(VIP, ETH0), add(route("10.0.0.0/8", interface="vrrp.51"), ONE)])


def test_one_that_is_removed_is_forgotten() -> None:
    tenancy = known(add(VIP, ONE))

    tenancy.end(ONE)
    tenancy.end(ONE)

    assert turns() == tenancy.turns([remove(VIP, ONE)])
