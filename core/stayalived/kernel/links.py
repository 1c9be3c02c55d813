"""Messages of rtnetlink(7) that make, change and find links. Pure. Layouts: include/uapi/linux/if_link.h."""

from dataclasses import dataclass

from stayalived.config.virtual_routers import VirtualMac
from stayalived.kernel.netlink_messages import (
    CREATE,
    EXCLUSIVE,
    REQUEST,
    Message,
    as_number,
    as_text,
    attributes_of,
    pack_attribute,
    pack_message,
    pack_nested,
    pack_number,
    pack_text,
)
from stayalived.kernel.rtnetlink import AF_UNSPEC, DELETE_LINK, GET_LINK, LINK, NEW_LINK

MACVLAN = "macvlan"

_SET_LINK = 19
_IFLA_ADDRESS, _IFLA_IFNAME, _IFLA_LINK, _IFLA_LINKINFO, _IFLA_IFALIAS, _IFLA_GROUP = 1, 3, 5, 18, 20, 27
_IFLA_INFO_KIND, _IFLA_INFO_DATA = 1, 2
_IFLA_MACVLAN_MODE = 1
_PRIVATE = 1
_IFF_UP = 0x1

_PRIVATE_MACVLAN = pack_nested(
    _IFLA_LINKINFO,
    (
        pack_text(_IFLA_INFO_KIND, MACVLAN),
        pack_nested(_IFLA_INFO_DATA, (pack_number(_IFLA_MACVLAN_MODE, _PRIVATE),)),
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundLink:
    """A link, in the words that a macvlan is compared by; `alias` is what ip-link(8) calls so."""

    index: int
    name: str
    kind: str
    parent: int
    mac: bytes
    private: bool
    alias: str


def get_link(name: str, sequence: int) -> bytes:
    """Return the request for the link of a name."""
    return pack_message(GET_LINK, REQUEST, sequence, _head() + pack_text(_IFLA_IFNAME, name))


def add_macvlan(wanted: VirtualMac, parent: int, sequence: int) -> bytes:
    """Return the request for a macvlan in private mode, which is down at first."""
    body = (
        _head(),
        pack_text(_IFLA_IFNAME, wanted.name),
        pack_number(_IFLA_LINK, parent),
        pack_attribute(_IFLA_ADDRESS, wanted.mac),
        _PRIVATE_MACVLAN,
    )
    return pack_message(NEW_LINK, REQUEST | CREATE | EXCLUSIVE, sequence, b"".join(body))


def make_private(index: int, sequence: int) -> bytes:
    """Return the request that sets the mode of a macvlan."""
    return pack_message(NEW_LINK, REQUEST, sequence, _head(index) + _PRIVATE_MACVLAN)


def set_alias(index: int, alias: str, sequence: int) -> bytes:
    """Return the request that writes a note to a link."""
    return pack_message(_SET_LINK, REQUEST, sequence, _head(index) + pack_text(_IFLA_IFALIAS, alias))


def set_link(index: int, sequence: int, *, up: bool) -> bytes:
    """Return the request that sets a link up or down."""
    head = LINK.pack(AF_UNSPEC, 0, index, _IFF_UP if up else 0, _IFF_UP)
    return pack_message(_SET_LINK, REQUEST, sequence, head)


def set_group(index: int, group: int, sequence: int) -> bytes:
    """Return the request that puts a link into a group."""
    return pack_message(_SET_LINK, REQUEST, sequence, _head(index) + pack_number(_IFLA_GROUP, group))


def delete_group(group: int, sequence: int) -> bytes:
    """Return the request that removes all links of a group at once."""
    return pack_message(DELETE_LINK, REQUEST, sequence, _head() + pack_number(_IFLA_GROUP, group))


def read_link(message: Message) -> FoundLink:
    """Return what a message of kind `NEW_LINK` says of a link."""
    attributes = attributes_of(message.body, LINK.size)
    information = attributes_of(attributes.get(_IFLA_LINKINFO, b""))
    data = attributes_of(information.get(_IFLA_INFO_DATA, b""))
    kind = as_text(information.get(_IFLA_INFO_KIND))
    return FoundLink(
        index=LINK.unpack_from(message.body)[2],
        name=as_text(attributes.get(_IFLA_IFNAME)),
        kind=kind,
        parent=as_number(attributes.get(_IFLA_LINK)),
        mac=attributes.get(_IFLA_ADDRESS, b""),
        private=kind == MACVLAN and as_number(data.get(_IFLA_MACVLAN_MODE)) == _PRIVATE,
        alias=as_text(attributes.get(_IFLA_IFALIAS)),
    )


def _head(index: int = 0) -> bytes:
    return LINK.pack(AF_UNSPEC, 0, index, 0, 0)
