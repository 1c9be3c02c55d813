"""Messages about rules of policy routing: what is asked for, and what is made of what is read."""

import struct

import pytest

from namespaces.network_steps import rule
from stayalived.addresses import Family, VirtualAddress
from stayalived.config.virtual_routers import Rule
from stayalived.kernel.netlink_messages import Message, attributes_of, messages
from stayalived.kernel.rules import add_rule, delete_rule, dump_rules, read_rule

RULES = (
    rule(100, table=1000, source=VirtualAddress.parse("192.0.2.0/24"), destination=VirtualAddress.parse("10.0.0.0/8")),
    rule(0, table=100, input_interface="eth0", output_interface="eth1", tos=0x10, inverted=True),
    rule(4_000_000_000, Family.IPV6, mark=1, mark_mask=0xFF, table=254),
    rule(5, Family.IPV6, mark=7, table=50, source=VirtualAddress.parse("2001:db8::/32")),
    rule(6, action=2, goto=200, table=0),
    rule(7, action=8, table=0),
    rule(8, mark=0, mark_mask=1),
)


def sent(data: bytes) -> Message:
    (message,) = messages(data)
    return message


@pytest.mark.parametrize("wanted", RULES, ids=lambda wanted: str(wanted.preference))
def test_a_rule_reads_back_as_it_was_asked_for(wanted: Rule) -> None:
    assert wanted == read_rule(sent(add_rule(wanted, 1)))
    assert wanted == read_rule(sent(delete_rule(wanted, 1)))


def test_a_mask_that_covers_all_is_as_none() -> None:
    request = sent(add_rule(rule(5, mark=7, mark_mask=0xFFFFFFFF), 1))

    assert rule(5, mark=7) == read_rule(request)


def test_a_prefix_of_no_length_is_everybody() -> None:
    assert rule(5) == read_rule(sent(add_rule(rule(5, source=VirtualAddress.parse("0.0.0.0/0")), 1)))


def test_only_our_protocol_is_ours() -> None:
    request = add_rule(rule(5), 1)
    owner = struct.pack("=HHBxxx", 5, 21, 18)
    assert request.endswith(owner)

    assert read_rule(sent(request[: -len(owner)] + struct.pack("=HHBxxx", 5, 21, 3))) is None


@pytest.mark.parametrize("action", [2, 6, 7, 8])
def test_who_looks_up_no_table_names_none(action: int) -> None:
    request = sent(add_rule(rule(5, action=action, goto=9), 1))

    assert (0, None) == (request.body[4], attributes_of(request.body, 12).get(15))


def test_a_dump_asks_for_one_family() -> None:
    assert dump_rules(Family.IPV6, 1)[16] == 10
