import struct
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from stayalived.log.lines import Severity, journal_datagram, severity, syslog_datagram, text_line
from stayalived.log.record import Record

# 2026-11-22 10:00:00.123 UTC
MASTER = Record(
    name="stayalived.vrrp",
    level=20,
    text="(tic) Entering MASTER STATE",
    created=1_795_341_600_123_000_000,
    pid=42,
    fields={"instance": "tic"},
)


@pytest.fixture(autouse=True)
def in_utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    import time

    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def changed(**changes: Any) -> Any:
    return msgspec.structs.replace(MASTER, **changes)


def test_a_line_on_stderr() -> None:
    assert text_line("vrrp", MASTER) == b"2026-11-22 10:00:00.123 stayalived[vrrp]: (tic) Entering MASTER STATE\n"


def test_a_line_is_coloured_by_its_level_on_a_terminal_only() -> None:
    assert b"\x1b[31m(tic)" in text_line("vrrp", changed(level=40), colour=True)
    assert b"\x1b" not in text_line("vrrp", changed(level=40))
    assert b"\x1b" not in text_line("vrrp", MASTER, colour=True)


def test_a_traceback_follows_indented_in_the_same_line_of_output() -> None:
    line = text_line("vrrp", changed(exception="Traceback:\n  File x"))
    assert line.endswith(b"STATE\n    Traceback:\n      File x\n")


def test_what_a_stranger_sent_can_neither_fake_a_line_nor_move_the_cursor() -> None:
    line = text_line("checker", changed(text="seen \x1b[2J\r\n2026-11-22 10:00:00.000 stayalived[vrrp]: fake\x00\x9b"))
    assert line.count(b"\n2026") == 0
    assert not set(line) & {0x1B, 0x0D, 0x00}
    assert b"\\x1b[2J\\x0d" in line


def test_a_line_for_syslog() -> None:
    data = syslog_datagram("vrrp", MASTER, "daemon")
    assert data == b"<30>Nov 22 10:00:00 stayalived_vrrp[42]: (tic) Entering MASTER STATE"


def test_facility_and_severity_make_the_priority() -> None:
    assert syslog_datagram("vrrp", changed(level=40), "local7").startswith(b"<187>")


def test_a_line_for_syslog_is_one_line() -> None:
    assert b"STATE#012    Traceback" in syslog_datagram("vrrp", changed(exception="Traceback"), "daemon")


def test_a_line_for_journald_carries_each_field() -> None:
    lines = journal_datagram("vrrp", MASTER).decode().splitlines()
    assert lines == [
        "MESSAGE=(tic) Entering MASTER STATE",
        "PRIORITY=6",
        "SYSLOG_IDENTIFIER=stayalived",
        "SYSLOG_PID=42",
        "STAYALIVED_CHILD=vrrp",
        "STAYALIVED_LOGGER=stayalived.vrrp",
        "STAYALIVED_INSTANCE=tic",
    ]


def test_a_value_with_a_newline_is_sent_to_journald_with_its_length() -> None:
    data = journal_datagram("vrrp", changed(text="a\nb"))
    assert data.startswith(b"MESSAGE\n" + struct.pack("<Q", 3) + b"a\nb\n")


def test_a_field_name_is_made_one_that_journald_takes() -> None:
    assert b"STAYALIVED_REAL_SERVER_=tic\n" in journal_datagram("ipvs", changed(fields={"real server!": "tic"}))


@pytest.mark.parametrize(
    ("level", "expected"),
    [
        (0, Severity.DEBUG),
        (20, Severity.INFORMATIONAL),
        (25, Severity.NOTICE),
        (30, Severity.WARNING),
        (45, Severity.ERROR),
        (99, Severity.CRITICAL),
    ],
)
def test_levels_map_to_severities(level: int, expected: Any) -> None:
    assert severity(level) is expected
