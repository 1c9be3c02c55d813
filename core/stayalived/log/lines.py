"""What a record looks like on stderr, in syslog's datagram and in journald's (pure)."""

import datetime as dt
import re
import struct
from enum import IntEnum

from stayalived.log.record import Record

PROGRAM = "stayalived"
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029]")  # tab and newline are treated apart
_JOURNAL_NAME = re.compile(r"[^A-Z0-9_]")
_RESET = "\x1b[0m"


class Severity(IntEnum):
    """Severities of RFC 5424 6.2.1, which journald shares; those that the levels of the logging module map to."""

    CRITICAL = 2
    ERROR = 3
    WARNING = 4
    NOTICE = 5
    INFORMATIONAL = 6
    DEBUG = 7


# From this level of the logging module upwards: the severity, and the colour on a terminal.
_LEVELS = (
    (50, Severity.CRITICAL, "\x1b[1;31m"),
    (40, Severity.ERROR, "\x1b[31m"),
    (30, Severity.WARNING, "\x1b[33m"),
    (25, Severity.NOTICE, ""),
    (20, Severity.INFORMATIONAL, ""),
    (0, Severity.DEBUG, "\x1b[2m"),
)

# RFC 5424 6.2.1, table 1, by the names that syslog.conf uses.
FACILITIES = {
    "kern": 0,
    "user": 1,
    "mail": 2,
    "daemon": 3,
    "auth": 4,
    "syslog": 5,
    "lpr": 6,
    "news": 7,
    "uucp": 8,
    "cron": 9,
    "authpriv": 10,
    "ftp": 11,
    **{f"local{number}": 16 + number for number in range(8)},
}


def severity(level: int) -> Severity:
    """Return the severity of a level of the logging module."""
    return next(found for floor, found, _ in _LEVELS if level >= floor)


def text_line(child: str, record: Record, *, colour: bool = False) -> bytes:
    """Return `2026-11-22 10:00:00.123 stayalived[vrrp]: …` with its newline, in local time."""
    moment = dt.datetime.fromtimestamp(record.created // 1_000_000_000).astimezone()
    head = f"{moment:%Y-%m-%d %H:%M:%S}.{record.created // 1_000_000 % 1000:03d} {PROGRAM}[{child}]:"
    body = _printable(_body(record))
    paint = next(found for floor, _, found in _LEVELS if record.level >= floor) if colour else ""
    return (f"{head} {paint}{body}{_RESET}\n" if paint else f"{head} {body}\n").encode()


def syslog_datagram(child: str, record: Record, facility: str) -> bytes:
    """Return the datagram for /dev/log, in the form of syslog(3): `<PRI>Mmm dd hh:mm:ss stayalived_vrrp[PID]: …`.

    The identity is built like keepalived's (`Keepalived_vrrp`), for those who filter on it.
    """
    moment = dt.datetime.fromtimestamp(record.created // 1_000_000_000).astimezone()
    stamp = f"{_MONTHS[moment.month - 1]} {moment.day:2d} {moment:%H:%M:%S}"  # RFC 3164 4.1.2: English, no locale
    priority = FACILITIES[facility] * 8 + severity(record.level)
    body = _printable(_body(record)).replace("\n", "#012")  # rsyslog's own way to write a newline
    return f"<{priority}>{stamp} {PROGRAM}_{child}[{record.pid}]: {body}".encode()


def journal_datagram(child: str, record: Record) -> bytes:
    """Return the datagram for /run/systemd/journal/socket, as systemd's JOURNAL_NATIVE_PROTOCOL describes it."""
    fields = {
        "MESSAGE": _body(record),
        "PRIORITY": str(int(severity(record.level))),
        "SYSLOG_IDENTIFIER": PROGRAM,
        "SYSLOG_PID": str(record.pid),
        "STAYALIVED_CHILD": child,
        "STAYALIVED_LOGGER": record.name,
    }
    for key, value in record.fields.items():
        fields["STAYALIVED_" + _JOURNAL_NAME.sub("_", key.upper())[:40]] = value  # a name has at most 64 characters
    return b"".join(_journal_field(key, value.encode()) for key, value in fields.items())


def _journal_field(key: str, value: bytes) -> bytes:
    if b"\n" not in value:
        return b"%s=%s\n" % (key.encode(), value)
    return b"%s\n%s%s\n" % (key.encode(), struct.pack("<Q", len(value)), value)


def _body(record: Record) -> str:
    return f"{record.text}\n{record.exception}" if record.exception else record.text


def _printable(text: str) -> str:
    """Escape what could move a terminal's cursor or fake a line: text may hold bytes that a stranger sent."""
    escaped = _CONTROL.sub(lambda found: f"\\x{ord(found[0]):02x}", text.rstrip("\n"))
    return escaped.replace("\n", "\n    ")


_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
