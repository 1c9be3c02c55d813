"""Messages and attributes of the kernel's generic netlink family `IPVS`, as classes of pyroute2. Pure.

Layout: include/uapi/linux/ip_vs.h. Addresses and ports are in network byte order, all other numbers in the machine's
own, with one surprise: the netmask of an IPv4 service is a mask in network order, that of an IPv6 service a prefix
length in the machine's.

pyroute2's own `ipvsmsg` knows neither that netmask nor the byte order of a tunnel's port. To derive from it would not
help: pyroute2 keeps the compiled `nla_map` of a class for its heirs, whatever they write into theirs.
"""

import struct
from collections.abc import Sequence
from typing import Any

from pyroute2.netlink import genlmsg, nla

HEADER = 4
"""Bytes of an attribute's own header: length, type."""


def _alone(message: Any) -> list[Any]:
    return [message]


def _not_kept(_message: Any, _chain: list[Any]) -> None:
    """Leave a chain to `_alone`."""


ALONE: Any = property(_alone, _not_kept)
"""In place of `chain`, a list in which pyroute2 puts each object itself: a cycle, left to the garbage collector.

A read of 2,000 destinations would leave 34,000 of them; without it takes a third less time.
"""


class Number(nla):
    """A number, decoded in one step instead of pyroute2's many."""

    __slots__ = ()
    chain = ALONE
    fields: Any = ()

    def decode(self) -> None:
        """Take the value out of the message."""
        (self.value,) = struct.unpack_from(self.fields[0][1], self.data, self.offset + HEADER)
        self.decoded = True


class Kinds(nla):
    """What an attribute may hold. One of pyroute2's own is used as well: `asciiz`, text that ends with a zero."""

    __slots__ = ()
    chain = ALONE

    class U8(Number):
        """A byte."""

        __slots__ = ()
        fields: Any = (("value", "=B"),)

    class U16(Number):
        """Two bytes in the machine's order."""

        __slots__ = ()
        fields: Any = (("value", "=H"),)

    class U32(Number):
        """Four bytes in the machine's order."""

        __slots__ = ()
        fields: Any = (("value", "=I"),)

    class Port(Number):
        """Two bytes in network order."""

        __slots__ = ()
        fields: Any = (("value", "!H"),)

    class Flags(nla):
        """struct ip_vs_flags."""

        __slots__ = ()
        chain = ALONE
        fields: Any = (("flags", "=I"), ("mask", "=I"))

    class Octets(nla):
        """Bytes as they are."""

        __slots__ = ()
        chain = ALONE
        fields: Any = (("value", "s"),)

        def decode(self) -> None:
            """Take the value out of the message."""
            self.setvalue(self.data[self.offset + HEADER : self.offset + self.length])
            self.decoded = True


class ServiceAttribute(Kinds):
    """What is inside IPVS_CMD_ATTR_SERVICE."""

    __slots__ = ()
    nla_map: Any = (
        ("IPVS_SVC_ATTR_UNSPEC", "none"),
        ("IPVS_SVC_ATTR_AF", "U16"),
        ("IPVS_SVC_ATTR_PROTOCOL", "U16"),
        ("IPVS_SVC_ATTR_ADDR", "Octets"),
        ("IPVS_SVC_ATTR_PORT", "Port"),
        ("IPVS_SVC_ATTR_FWMARK", "U32"),
        ("IPVS_SVC_ATTR_SCHED_NAME", "asciiz"),
        ("IPVS_SVC_ATTR_FLAGS", "Flags"),
        ("IPVS_SVC_ATTR_TIMEOUT", "U32"),
        ("IPVS_SVC_ATTR_NETMASK", "Octets"),
        ("IPVS_SVC_ATTR_STATS", "Octets"),
        ("IPVS_SVC_ATTR_PE_NAME", "asciiz"),
        ("IPVS_SVC_ATTR_STATS64", "Octets"),
    )


class DestinationAttribute(Kinds):
    """What is inside IPVS_CMD_ATTR_DEST."""

    __slots__ = ()
    nla_map: Any = (
        ("IPVS_DEST_ATTR_UNSPEC", "none"),
        ("IPVS_DEST_ATTR_ADDR", "Octets"),
        ("IPVS_DEST_ATTR_PORT", "Port"),
        ("IPVS_DEST_ATTR_FWD_METHOD", "U32"),
        ("IPVS_DEST_ATTR_WEIGHT", "U32"),
        ("IPVS_DEST_ATTR_U_THRESH", "U32"),
        ("IPVS_DEST_ATTR_L_THRESH", "U32"),
        ("IPVS_DEST_ATTR_ACTIVE_CONNS", "U32"),
        ("IPVS_DEST_ATTR_INACT_CONNS", "U32"),
        ("IPVS_DEST_ATTR_PERSIST_CONNS", "U32"),
        ("IPVS_DEST_ATTR_STATS", "Octets"),
        ("IPVS_DEST_ATTR_ADDR_FAMILY", "U16"),
        ("IPVS_DEST_ATTR_STATS64", "Octets"),
        ("IPVS_DEST_ATTR_TUN_TYPE", "U8"),
        ("IPVS_DEST_ATTR_TUN_PORT", "Port"),
        ("IPVS_DEST_ATTR_TUN_FLAGS", "U16"),
    )


class Request(genlmsg):
    """A request. Its attributes are encoded already: those of a service once for all of its destinations."""

    __slots__ = ()
    chain = ALONE
    nla_map: Any = (
        ("IPVS_CMD_ATTR_UNSPEC", "none"),
        ("IPVS_CMD_ATTR_SERVICE", "Octets"),
        ("IPVS_CMD_ATTR_DEST", "Octets"),
        ("IPVS_CMD_ATTR_DAEMON", "Octets"),
        ("IPVS_CMD_ATTR_TIMEOUT_TCP", "U32"),
        ("IPVS_CMD_ATTR_TIMEOUT_TCP_FIN", "U32"),
        ("IPVS_CMD_ATTR_TIMEOUT_UDP", "U32"),
    )
    Octets = Kinds.Octets
    U32 = Kinds.U32


class Reply(genlmsg):
    """One object of a dump, or the settings of all services."""

    __slots__ = ()
    chain = ALONE
    nla_map: Any = (
        ("IPVS_CMD_ATTR_UNSPEC", "none"),
        ("IPVS_CMD_ATTR_SERVICE", "ServiceAttribute"),
        ("IPVS_CMD_ATTR_DEST", "DestinationAttribute"),
        ("IPVS_CMD_ATTR_DAEMON", "Octets"),
        ("IPVS_CMD_ATTR_TIMEOUT_TCP", "U32"),
        ("IPVS_CMD_ATTR_TIMEOUT_TCP_FIN", "U32"),
        ("IPVS_CMD_ATTR_TIMEOUT_UDP", "U32"),
    )
    Octets = Kinds.Octets
    U32 = Kinds.U32
    ServiceAttribute = ServiceAttribute
    DestinationAttribute = DestinationAttribute


def encode_inside(attribute: Kinds, parts: Sequence[tuple[str, Any]]) -> bytes:
    """Return what is inside an attribute, without its own header."""
    attribute["attrs"] = list(parts)
    attribute.encode()
    return bytes(attribute.data[HEADER:])
