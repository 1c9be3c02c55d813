import msgspec
import pytest

from stayalived.log.record import (
    EXCEPTION_LIMIT,
    FIELD_LIMIT,
    FIELDS_LIMIT,
    MAX_RECORD,
    TEXT_LIMIT,
    BadRecord,
    Record,
    decode,
    encode,
)

PLAIN = Record(
    name="stayalived.vrrp",
    level=20,
    text="(tic) Entering MASTER STATE",
    created=1_795_341_600_123_456_789,
    pid=42,
    fields={"instance": "tic", "class": "state"},
    exception="Traceback …",
    dropped=3,
)


def test_a_record_crosses_unchanged() -> None:
    assert PLAIN == decode(encode(PLAIN))


def test_what_is_too_long_is_cut_and_says_so() -> None:
    crossed = decode(encode(msgspec.structs.replace(PLAIN, text="x" * 100_000, exception="a" * 100_000 + "the end")))
    assert len(crossed.text) == TEXT_LIMIT
    assert crossed.text.endswith("…[cut]")
    assert len(crossed.exception) == EXCEPTION_LIMIT
    assert crossed.exception.endswith("the end")


def test_the_largest_record_fits_a_datagram() -> None:
    four_bytes = "\N{GRINNING FACE}"
    fields = {four_bytes * FIELD_LIMIT + str(number): four_bytes * 10_000 for number in range(100)}
    data = encode(
        msgspec.structs.replace(PLAIN, text=four_bytes * 50_000, exception=four_bytes * 50_000, fields=fields)
    )
    assert len(data) <= MAX_RECORD
    assert len(decode(data).fields) <= FIELDS_LIMIT


def test_a_file_name_that_is_no_utf_8_crosses_escaped() -> None:
    crossed = decode(encode(msgspec.structs.replace(PLAIN, text="cannot read \udcff", fields={"path": "\udcfe"})))
    assert crossed.text == "cannot read \\udcff"
    assert crossed.fields == {"path": "\\udcfe"}


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xc1",
        b"no message pack",
        msgspec.msgpack.encode(["stayalived", 20, "short"]),
        msgspec.msgpack.encode(["stayalived", -1, "negative level", 1, 1]),
        msgspec.msgpack.encode(["stayalived", 20, "negative moment", -1, 1]),
        msgspec.msgpack.encode(["stayalived", 20, "text", 1, 1, {"count": 3}]),
        b"\xdd\xff\xff\xff\xff",
        b"\x91" * 2000,
        b"\xa1\xff" * 3,
        b"x" * (MAX_RECORD + 1),
    ],
)
def test_anything_else_is_refused(data: bytes) -> None:
    with pytest.raises(BadRecord):
        decode(data)
