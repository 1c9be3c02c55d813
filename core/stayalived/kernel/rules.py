"""Messages of rtnetlink(7) about rules of policy routing. Pure. Layouts: include/uapi/linux/fib_rules.h."""

import struct
from collections.abc import Iterable
from ipaddress import ip_address

from stayalived.addresses import Family, VirtualAddress
from stayalived.config.virtual_routers import Rule
from stayalived.kernel.netlink_messages import (
    CREATE,
    DUMP,
    EXCLUSIVE,
    REQUEST,
    Message,
    as_number,
    as_text,
    attributes_of,
    pack_attribute,
    pack_message,
    pack_number,
    pack_text,
)
from stayalived.kernel.rtnetlink import AF, FAMILIES, KEEPALIVED_PROTOCOL

NEW_RULE, DELETE_RULE, GET_RULE = 32, 33, 34
GROUP_IPV4_RULE, GROUP_IPV6_RULE = 8, 19

TO_TABLE, GOTO, BLACKHOLE, UNREACHABLE, PROHIBIT = 1, 2, 6, 7, 8

_RULE = struct.Struct("=BBBBBBBBI")

_FRA_DST, _FRA_SRC, _FRA_IIFNAME, _FRA_GOTO, _FRA_PRIORITY, _FRA_FWMARK = 1, 2, 3, 4, 6, 10
_FRA_TABLE, _FRA_FWMASK, _FRA_OIFNAME, _FRA_PROTOCOL = 15, 16, 17, 21
_INVERTED = 0x2
_ALL_BITS = 0xFFFFFFFF
_SHORT = 0xFF
_OWNER = pack_attribute(_FRA_PROTOCOL, bytes((KEEPALIVED_PROTOCOL,)))


def add_rule(rule: Rule, sequence: int) -> bytes:
    """Return the request that adds a rule."""
    return pack_message(NEW_RULE, REQUEST | CREATE | EXCLUSIVE, sequence, _body(rule))


def delete_rule(rule: Rule, sequence: int) -> bytes:
    """Return the request that removes the rule of this preference, if it is ours and otherwise the same, too."""
    return pack_message(DELETE_RULE, REQUEST, sequence, _body(rule))


def dump_rules(family: Family, sequence: int) -> bytes:
    """Return the request for all rules of a family; the kernel knows no filter for them."""
    return pack_message(GET_RULE, REQUEST | DUMP, sequence, _RULE.pack(AF[family], 0, 0, 0, 0, 0, 0, 0, 0))


def read_rule(message: Message) -> Rule | None:
    """Return the rule that a message of kind `NEW_RULE` or `DELETE_RULE` is about, or None when it is not ours."""
    number, to_bits, from_bits, tos, short_table, _, _, action, flags = _RULE.unpack_from(message.body)
    attributes = attributes_of(message.body, _RULE.size)
    if attributes.get(_FRA_PROTOCOL) != bytes((KEEPALIVED_PROTOCOL,)) or number not in FAMILIES:
        return None
    mark = as_number(attributes.get(_FRA_FWMARK))
    mask = as_number(attributes.get(_FRA_FWMASK))
    return Rule(
        family=FAMILIES[number],
        preference=as_number(attributes.get(_FRA_PRIORITY)),
        action=action,
        table=as_number(attributes.get(_FRA_TABLE), short_table),
        source=_prefix(attributes.get(_FRA_SRC), from_bits),
        destination=_prefix(attributes.get(_FRA_DST), to_bits),
        input_interface=as_text(attributes.get(_FRA_IIFNAME)),
        output_interface=as_text(attributes.get(_FRA_OIFNAME)),
        mark=mark,
        mark_mask=0 if mark and mask == _ALL_BITS else mask,
        tos=tos,
        goto=as_number(attributes.get(_FRA_GOTO)),
        inverted=bool(flags & _INVERTED),
    )


def _body(rule: Rule) -> bytes:
    to_bits = rule.destination.prefix if rule.destination else 0
    from_bits = rule.source.prefix if rule.source else 0
    table = rule.table if rule.action == TO_TABLE and rule.table <= _SHORT else 0
    flags = _INVERTED if rule.inverted else 0
    head = (AF[rule.family], to_bits, from_bits, rule.tos, table, 0, 0, rule.action, flags)
    return _RULE.pack(*head) + b"".join(_attributes(rule))


def _attributes(rule: Rule) -> Iterable[bytes]:
    yield pack_number(_FRA_PRIORITY, rule.preference)
    if rule.destination and rule.destination.prefix:
        yield pack_attribute(_FRA_DST, rule.destination.packed)
    if rule.source and rule.source.prefix:
        yield pack_attribute(_FRA_SRC, rule.source.packed)
    if rule.input_interface:
        yield pack_text(_FRA_IIFNAME, rule.input_interface)
    if rule.output_interface:
        yield pack_text(_FRA_OIFNAME, rule.output_interface)
    if rule.mark or rule.mark_mask:
        yield pack_number(_FRA_FWMARK, rule.mark)
    if rule.mark_mask:
        yield pack_number(_FRA_FWMASK, rule.mark_mask)
    if rule.action == TO_TABLE:
        yield pack_number(_FRA_TABLE, rule.table)
    if rule.action == GOTO:
        yield pack_number(_FRA_GOTO, rule.goto)
    yield _OWNER


def _prefix(packed: bytes | None, bits: int) -> VirtualAddress | None:
    return VirtualAddress(str(ip_address(packed)), bits) if packed else None
