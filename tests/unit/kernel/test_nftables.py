"""Messages of nf_tables; what the kernel and nft make of them is seen in `tests/namespaces/test_barriers.py`."""

from itertools import count

import pytest

from stayalived.addresses import Family
from stayalived.kernel.netlink_messages import Message, attributes_of, every_attribute, messages
from stayalived.kernel.nftables import add_elements, batch, delete_table, make_table, remove_elements

NEW_TABLE, DELETE_TABLE, NEW_CHAIN, NEW_RULE, DELETE_RULE, NEW_SET, NEW_ELEMENT, DELETE_ELEMENT = (
    0xA00 | kind for kind in (0, 2, 3, 6, 8, 9, 12, 14)
)
BEGIN, END = 16, 17
HEAD = 4


def numbers():  # noqa: ANN201
    return count(1).__next__


def read(packed: list[bytes]) -> list[Message]:
    return list(messages(b"".join(packed)))


def test_a_batch_is_numbered_from_its_beginning_to_its_end() -> None:
    number = numbers()

    packed = batch(delete_table("mine", number), number)

    assert [BEGIN, NEW_TABLE, DELETE_TABLE, END] == [message.kind for message in read(packed)]
    assert len({message.sequence for message in read(packed)}) == 4
    assert all(len(each) % 4 == 0 for each in packed)


def test_the_rules_of_a_table_that_was_there_are_replaced_and_its_sets_stay() -> None:
    kinds = [message.kind for message in read(make_table("mine", -1, numbers()))]

    assert [NEW_TABLE, NEW_CHAIN, NEW_SET, NEW_SET, DELETE_RULE, NEW_RULE, NEW_RULE, NEW_RULE] == kinds


@pytest.mark.parametrize(("priority", "packed"), [(-1, b"\xff\xff\xff\xff"), (10, b"\0\0\0\x0a")])
def test_the_chain_hears_what_comes_in_at_its_priority(priority: int, packed: bytes) -> None:
    chain = attributes_of(read(make_table("mine", priority, numbers()))[1].body, HEAD)
    hook = attributes_of(chain[4])

    assert (b"mine\0", b"input\0", b"filter\0") == (chain[1], chain[3], chain[7])
    assert (b"\0\0\0\1", packed) == (hook[1], hook[2])


def test_what_is_removed_is_put_in_first_so_that_it_is_there() -> None:
    address = bytes((192, 0, 2, 9))

    added = read(add_elements("mine", Family.IPV4, [address], numbers()))
    removed = read(remove_elements("mine", Family.IPV4, [address], numbers()))

    assert [NEW_ELEMENT] == [message.kind for message in added]
    assert [NEW_ELEMENT, DELETE_ELEMENT] == [message.kind for message in removed]
    assert {added[0].body} == {message.body for message in removed}


def test_elements_are_the_packed_addresses_in_the_set_of_their_family() -> None:
    addresses = [bytes(15) + bytes((last,)) for last in range(1, 4)]

    (message,) = read(add_elements("mine", Family.IPV6, addresses, numbers()))

    found = attributes_of(message.body, HEAD)
    keys = [attributes_of(attributes_of(element)[1])[1] for _, element in every_attribute(found[3])]
    assert (b"mine\0", b"ipv6\0", addresses) == (found[1], found[2], keys)
