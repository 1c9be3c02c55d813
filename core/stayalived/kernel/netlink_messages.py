"""What all messages of netlink(7) have in common: headers, attributes, answers. Pure.

Layouts: include/uapi/linux/netlink.h.
"""

import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

NOTHING, ERROR, DONE = 1, 2, 3
REQUEST, ACK, DUMP = 0x001, 0x004, 0x300
EXCLUSIVE, CREATE, APPEND = 0x200, 0x400, 0x800
DUMP_INTERRUPTED = 0x10

HEADER = struct.Struct("=IHHII")

_ATTRIBUTE = struct.Struct("=HH")
_SIGNED = struct.Struct("=i")
_NUMBER = struct.Struct("=I")
_NESTED = 0x8000
_ATTRIBUTE_TYPE = 0x3FFF  # without NLA_F_NESTED and NLA_F_NET_BYTEORDER
_NLMSGERR_ATTR_MSG = 1


@dataclass(frozen=True, slots=True)
class Message:
    """One message as it was read, without its header."""

    kind: int
    flags: int
    sequence: int
    sender: int  # port id of the socket whose request caused it; 0 is the kernel itself
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """Verdict of the kernel on the request of this number; `errno` 0 is a success."""

    sequence: int
    errno: int
    text: str


def pack_message(kind: int, flags: int, sequence: int, body: bytes) -> bytes:
    """Return a request; its length must be a multiple of four, as that of attributes is."""
    return HEADER.pack(HEADER.size + len(body), kind, flags, sequence, 0) + body


def pack_attribute(kind: int, value: bytes) -> bytes:
    """Return an attribute, padded."""
    return _ATTRIBUTE.pack(_ATTRIBUTE.size + len(value), kind) + value + bytes(-len(value) % 4)


def pack_number(kind: int, value: int) -> bytes:
    """Return an attribute with a number of 32 bits in the byte order of the machine."""
    return pack_attribute(kind, _NUMBER.pack(value))


def pack_text(kind: int, text: str) -> bytes:
    """Return an attribute with a text that ends in NUL."""
    return pack_attribute(kind, text.encode(errors="surrogateescape") + b"\0")


def pack_nested(kind: int, attributes: Iterable[bytes]) -> bytes:
    """Return an attribute that holds others."""
    return pack_attribute(kind | _NESTED, b"".join(attributes))


def messages(data: bytes) -> Iterator[Message]:
    """Return the messages of one datagram, in order; what is cut short ends it."""
    place = 0
    while place + HEADER.size <= len(data):
        length, kind, flags, sequence, sender = HEADER.unpack_from(data, place)
        if length < HEADER.size or place + length > len(data):
            return
        yield Message(kind, flags, sequence, sender, data[place + HEADER.size : place + length])
        place += length + 3 & ~3


def attributes_of(body: bytes, start: int = 0) -> dict[int, bytes]:
    """Return the attributes of a message, or of an attribute, by their number; the last of a number counts."""
    return dict(every_attribute(body, start))


def every_attribute(body: bytes, start: int = 0) -> Iterator[tuple[int, bytes]]:
    """Return number and value of each attribute, in order."""
    place = start
    while place + _ATTRIBUTE.size <= len(body):
        length, kind = _ATTRIBUTE.unpack_from(body, place)
        if length < _ATTRIBUTE.size:
            return
        yield kind & _ATTRIBUTE_TYPE, body[place + _ATTRIBUTE.size : place + length]
        place += length + 3 & ~3


def as_number(value: bytes | None, default: int = 0) -> int:
    """Return what an attribute with a number of 32 bits holds, or the default when there is none."""
    return int(_NUMBER.unpack_from(value)[0]) if value else default


def as_text(value: bytes | None) -> str:
    """Return what an attribute with a text holds; nothing when there is none."""
    return (value or b"").rstrip(b"\0").decode(errors="surrogateescape")


def as_answer(message: Message) -> Answer | None:
    """Return what a message says of a request, or None when it is no answer.

    The end of a dump is one, too: a dump that fails says so there.
    """
    if message.kind not in {ERROR, DONE} or len(message.body) < _SIGNED.size:
        return None
    (error,) = _SIGNED.unpack_from(message.body)
    # NETLINK_CAP_ACK: the request is not echoed but for its header.
    rest = _SIGNED.size + (HEADER.size if message.kind == ERROR else 0)
    text = as_text(attributes_of(message.body, rest).get(_NLMSGERR_ATTR_MSG))
    return Answer(sequence=message.sequence, errno=-error, text=text)
