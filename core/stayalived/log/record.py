"""One line of the log on its way between two processes: data, bounded, nothing that could run code.

Pure. `log.pipe` puts records into datagrams and takes them out again.
"""

from typing import Annotated

import msgspec

TEXT_LIMIT = 4096  # characters of one line's text; what is longer is cut and says so
EXCEPTION_LIMIT = 8192  # characters of a traceback; its end is kept, where the error stands
FIELD_LIMIT = 256  # characters of a field's name or value
FIELDS_LIMIT = 32  # fields of one line
MAX_RECORD = 128 * 1024  # bytes: more than the limits above can make of four-byte characters
_CUT = " …[cut]"

NotNegative = Annotated[int, msgspec.Meta(ge=0)]


class Record(msgspec.Struct, frozen=True, array_like=True, kw_only=True):
    """What crosses for one line.

    Attributes:
        name: the logger, `stayalived.vrrp`.
        level: of the logging module.
        text: the line, arguments already put in.
        created: wall clock of the sender, nanoseconds since 1970.
        pid: of the sender.
        fields: what a machine may want to sort by; `class` names the class of errors for the rate limit.
        exception: a traceback, or empty.
        dropped: how many lines before this one the sender lost because its pipe was full.
    """

    name: str
    level: NotNegative
    text: str
    created: NotNegative
    pid: NotNegative
    fields: dict[str, str] = {}
    exception: str = ""
    dropped: NotNegative = 0


class BadRecord(ValueError):
    """The bytes are no record: their sender is broken or hostile."""


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Record)


def encode(record: Record) -> bytes:
    """Return the datagram for a record; what is over a limit is cut, so it always fits."""
    bounded = msgspec.structs.replace(
        record,
        text=_head(record.text, TEXT_LIMIT),
        exception=record.exception[-EXCEPTION_LIMIT:],
        fields={_head(key, FIELD_LIMIT): _head(value, FIELD_LIMIT) for key, value in _first_fields(record)},
    )
    try:
        return _encoder.encode(bounded)
    except UnicodeEncodeError:  # a lone surrogate: a file name that is no UTF-8
        return _encoder.encode(_without_surrogates(bounded))


def decode(data: bytes) -> Record:
    """Return the record that a datagram holds.

    Raises:
        BadRecord: it holds none.
    """
    if len(data) > MAX_RECORD:
        raise BadRecord(f"{len(data)} bytes, at most {MAX_RECORD} are expected")
    try:
        return _decoder.decode(data)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise BadRecord(str(error)) from error


def _first_fields(record: Record) -> list[tuple[str, str]]:
    return list(record.fields.items())[:FIELDS_LIMIT]


def _head(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - len(_CUT)] + _CUT


def _without_surrogates(record: Record) -> Record:
    return msgspec.structs.replace(
        record,
        name=_plain(record.name),
        text=_plain(record.text),
        exception=_plain(record.exception),
        fields={_plain(key): _plain(value) for key, value in record.fields.items()},
    )


def _plain(text: str) -> str:
    return text.encode("utf-8", "backslashreplace").decode("utf-8")
