"""Messages of nf_tables, packed by hand. Pure.

The table that drops what is sent to some addresses is this:

    table inet stayalived {
        set ipv4 { type ipv4_addr; }
        set ipv6 { type ipv6_addr; }
        chain input {
            type filter hook input priority -1; policy accept;
            ip daddr @ipv4 drop
            ip6 daddr @ipv6 icmpv6 type 135-136 return   # neighbour solicitations and advertisements
            ip6 daddr @ipv6 drop
        }
    }

Layouts: include/uapi/linux/netfilter/nf_tables.h and nfnetlink.h. Numbers are in network byte order there.
"""

import struct
import sys
from collections.abc import Callable, Iterable, Sequence

from stayalived.addresses import Family
from stayalived.kernel.netlink_messages import (
    APPEND,
    CREATE,
    REQUEST,
    pack_attribute,
    pack_message,
    pack_nested,
    pack_text,
)

SETS = {Family.IPV4: "ipv4", Family.IPV6: "ipv6"}
CHAIN = "input"

Number = Callable[[], int]
"""Gives the number of the next request."""

_SUBSYSTEM = 10 << 8  # NFNL_SUBSYS_NFTABLES
_BATCH_BEGIN, _BATCH_END = 16, 17
_NEW_TABLE, _DELETE_TABLE, _NEW_CHAIN, _NEW_RULE, _DELETE_RULE = 0, 2, 3, 6, 8
_NEW_SET, _NEW_ELEMENT, _DELETE_ELEMENT = 9, 12, 14

_HEAD = struct.Struct(">BBH")
_INET = 1  # NFPROTO_INET
_NUMBER = struct.Struct(">I")
_SIGNED = struct.Struct(">i")

_TABLE_NAME = 1
_CHAIN_TABLE, _CHAIN_NAME, _CHAIN_HOOK, _CHAIN_POLICY, _CHAIN_TYPE = 1, 3, 4, 5, 7
_HOOK_NUMBER, _HOOK_PRIORITY = 1, 2
_LOCAL_IN, _ACCEPT = 1, 1
_SET_TABLE, _SET_NAME, _SET_FLAGS, _SET_KEY_TYPE, _SET_KEY_LENGTH, _SET_ID = 1, 2, 3, 4, 5, 10
_KEY_TYPES = {Family.IPV4: 7, Family.IPV6: 8}  # nft's own numbers of ipv4_addr and ipv6_addr, for who lists the set
_ELEMENTS_TABLE, _ELEMENTS_SET, _ELEMENTS, _ELEMENT_KEY, _VALUE = 1, 2, 3, 1, 1
_RULE_TABLE, _RULE_CHAIN, _RULE_EXPRESSIONS = 1, 2, 4
_LIST_ELEMENT, _EXPRESSION_NAME, _EXPRESSION_DATA = 1, 1, 2

_REGISTER = 1
_META_PROTOCOL, _META_TRANSPORT = 15, 16  # NFT_META_NFPROTO, NFT_META_L4PROTO
_META_MARK, _META_INPUT_TYPE = 3, 8  # NFT_META_MARK, NFT_META_IIFTYPE
_LINK_HEADER, _NETWORK_HEADER, _TRANSPORT_HEADER = 0, 1, 2
_ARPHRD_ETHER = 1
_EQUAL, _LESS_OR_EQUAL, _GREATER_OR_EQUAL = 0, 3, 5
_DROP, _RETURN = 0, -5
_PROTOCOLS = {Family.IPV4: 2, Family.IPV6: 10}  # NFPROTO_*
_DESTINATIONS = {Family.IPV4: (16, 4), Family.IPV6: (24, 16)}  # place and length in the header
_ICMPV6 = 58
_SOLICITATION, _ADVERTISEMENT = 135, 136  # RFC 4861 4.3, 4.4


def batch(messages: Iterable[bytes], number: Number) -> list[bytes]:
    """Return messages as one transaction: all of them come into force, or none."""
    head = _HEAD.pack(0, 0, _SUBSYSTEM >> 8)
    begin = pack_message(_BATCH_BEGIN, REQUEST, number(), head)
    return [begin, *messages, pack_message(_BATCH_END, REQUEST, number(), head)]


def make_table(table: str, priority: int, number: Number) -> list[bytes]:
    """Return what makes the table with its chain, sets and rules; of one that is there the elements stay."""
    flush = (pack_text(_RULE_TABLE, table), pack_text(_RULE_CHAIN, CHAIN))
    return [
        *make_chain(table, priority, number),
        _message(_DELETE_RULE, 0, number(), flush),
        *(add_rule(table, rule, number) for rule in _rules()),
    ]


def make_chain(table: str, priority: int, number: Number) -> list[bytes]:
    """Return what makes the table with its chain and two sets of addresses; what is in them stays."""
    hook = (_be(_HOOK_NUMBER, _LOCAL_IN), pack_attribute(_HOOK_PRIORITY, _SIGNED.pack(priority)))
    chain = (
        pack_text(_CHAIN_TABLE, table),
        pack_text(_CHAIN_NAME, CHAIN),
        pack_nested(_CHAIN_HOOK, hook),
        _be(_CHAIN_POLICY, _ACCEPT),
        pack_text(_CHAIN_TYPE, "filter"),
    )
    return [
        _message(_NEW_TABLE, CREATE, number(), (pack_text(_TABLE_NAME, table),)),
        _message(_NEW_CHAIN, CREATE, number(), chain),
        *(_message(_NEW_SET, CREATE, number(), _set(table, family)) for family in Family),
    ]


def add_rule(table: str, expressions: Sequence[bytes], number: Number) -> bytes:
    """Return what adds a rule at the end of the chain, from the expressions of the functions below."""
    return _message(_NEW_RULE, CREATE | APPEND, number(), _rule(table, expressions))


def delete_table(table: str, number: Number) -> list[bytes]:
    """Return what removes the table; it is made first, for to remove what is not there would be refused."""
    name = (pack_text(_TABLE_NAME, table),)
    return [_message(_NEW_TABLE, CREATE, number(), name), _message(_DELETE_TABLE, 0, number(), name)]


def add_elements(table: str, family: Family, addresses: Sequence[bytes], number: Number) -> list[bytes]:
    """Return what puts packed addresses into the set of their family; those that are there are passed over."""
    return [_message(_NEW_ELEMENT, CREATE, number(), _elements(table, family, addresses))]


def remove_elements(table: str, family: Family, addresses: Sequence[bytes], number: Number) -> list[bytes]:
    """Return what takes packed addresses out of the set; they are put in first, as `delete_table` does."""
    body = _elements(table, family, addresses)
    return [_message(_NEW_ELEMENT, CREATE, number(), body), _message(_DELETE_ELEMENT, 0, number(), body)]


def _set(table: str, family: Family) -> Sequence[bytes]:
    return (
        pack_text(_SET_TABLE, table),
        pack_text(_SET_NAME, SETS[family]),
        _be(_SET_FLAGS, 0),
        _be(_SET_KEY_TYPE, _KEY_TYPES[family]),
        _be(_SET_KEY_LENGTH, family.bits // 8),
        _be(_SET_ID, int(family)),
    )


def _elements(table: str, family: Family, addresses: Sequence[bytes]) -> Sequence[bytes]:
    keys = (pack_nested(_ELEMENT_KEY, (pack_attribute(_VALUE, address),)) for address in addresses)
    elements = (pack_nested(_LIST_ELEMENT, (key,)) for key in keys)
    return (
        pack_text(_ELEMENTS_TABLE, table),
        pack_text(_ELEMENTS_SET, SETS[family]),
        pack_nested(_ELEMENTS, elements),
    )


def _rules() -> Iterable[Sequence[bytes]]:
    neighbours = (
        _load_meta(_META_TRANSPORT),
        _compare(_EQUAL, _ICMPV6),
        _load(_TRANSPORT_HEADER, 0, 1),
        _compare(_GREATER_OR_EQUAL, _SOLICITATION),
        _compare(_LESS_OR_EQUAL, _ADVERTISEMENT),
    )
    yield (*to_one_of(Family.IPV4), _verdict(_DROP))
    yield (*to_one_of(Family.IPV6), *neighbours, _verdict(_RETURN))
    yield (*to_one_of(Family.IPV6), _verdict(_DROP))


def _rule(table: str, expressions: Sequence[bytes]) -> Sequence[bytes]:
    return (
        pack_text(_RULE_TABLE, table),
        pack_text(_RULE_CHAIN, CHAIN),
        pack_nested(_RULE_EXPRESSIONS, expressions),
    )


def from_mac(mac: bytes) -> Sequence[bytes]:
    """Return the expressions for packets that came from a hardware address: `ether saddr`."""
    ethernet = _ARPHRD_ETHER.to_bytes(2, sys.byteorder)
    return (_load_meta(_META_INPUT_TYPE), _compare(_EQUAL, ethernet), _load(_LINK_HEADER, 6, 6), _compare(_EQUAL, mac))


def of_protocol(protocol: int) -> Sequence[bytes]:
    """Return the expressions for packets of an IP protocol: `meta l4proto`."""
    return (_load_meta(_META_TRANSPORT), _compare(_EQUAL, protocol))


def with_mark(mark: int) -> Sequence[bytes]:
    """Return the expressions for packets that carry a mark: `meta mark`."""
    return (_load_meta(_META_MARK), _compare(_EQUAL, mark.to_bytes(4, sys.byteorder)))


def set_mark(mark: int) -> Sequence[bytes]:
    """Return the expressions that give packets a mark: `meta mark set`."""
    value = pack_nested(2, (pack_attribute(_VALUE, mark.to_bytes(4, sys.byteorder)),))  # NFTA_IMMEDIATE_DATA
    # NFTA_META_KEY, NFTA_META_SREG
    return (
        _expression("immediate", (_be(1, _REGISTER), value)),
        _expression("meta", (_be(2, _META_MARK), _be(3, _REGISTER))),
    )


def to_one_of(family: Family) -> Sequence[bytes]:
    """Return the expressions for packets to the addresses in the set of a family."""
    place, length = _DESTINATIONS[family]
    lookup = (pack_text(1, SETS[family]), _be(2, _REGISTER))  # NFTA_LOOKUP_SET, _SREG
    return (
        _load_meta(_META_PROTOCOL),
        _compare(_EQUAL, _PROTOCOLS[family]),
        _load(_NETWORK_HEADER, place, length),
        _expression("lookup", lookup),
    )


def _load_meta(key: int) -> bytes:
    return _expression("meta", (_be(1, _REGISTER), _be(2, key)))  # NFTA_META_DREG, _KEY


def _load(base: int, place: int, length: int) -> bytes:
    # NFTA_PAYLOAD_DREG, _BASE, _OFFSET, _LEN
    return _expression("payload", (_be(1, _REGISTER), _be(2, base), _be(3, place), _be(4, length)))


def _compare(operator: int, value: int | bytes) -> bytes:
    compared = value if isinstance(value, bytes) else bytes((value,))
    data = pack_nested(3, (pack_attribute(_VALUE, compared),))
    return _expression("cmp", (_be(1, _REGISTER), _be(2, operator), data))  # NFTA_CMP_SREG, _OP, _DATA


def _verdict(code: int) -> bytes:
    verdict = pack_nested(2, (pack_attribute(1, _SIGNED.pack(code)),))  # NFTA_DATA_VERDICT, NFTA_VERDICT_CODE
    return _expression("immediate", (_be(1, 0), pack_nested(2, (verdict,))))  # into NFT_REG_VERDICT


def _expression(name: str, data: Sequence[bytes]) -> bytes:
    return pack_nested(_LIST_ELEMENT, (pack_text(_EXPRESSION_NAME, name), pack_nested(_EXPRESSION_DATA, data)))


def _be(kind: int, value: int) -> bytes:
    return pack_attribute(kind, _NUMBER.pack(value))


def _message(kind: int, flags: int, number: int, attributes: Iterable[bytes]) -> bytes:
    return pack_message(_SUBSYSTEM | kind, REQUEST | flags, number, _HEAD.pack(_INET, 0, 0) + b"".join(attributes))
