"""The check `smtp`: does a mail server greet, and take our name? keepalived's SMTP_CHECK (C28); RFC 5321, RFC 3207."""

import re
from collections.abc import Generator
from typing import Literal

from stayalived.plugin import Check, Connect, Receive, Send, Step, Steps, Target, Verdict
from stayalived_plugins.checks.payload import shown
from stayalived_plugins.checks.tls import HOST, TlsOptions

MOST_REPLY = 8192
"""Bytes of one answer, all of its lines."""

_LAST_LINE = re.compile(rb"(?:^|\n)(\d\d\d)(?:[ \r][^\n]*)?\n\Z")  # RFC 5321 4.2.1: `250-` goes on, `250 ` ends
_LINES = re.compile(rb"(?:\d\d\d[ \r-]?[^\n]*\n)*(?:\d{0,3}|\d\d\d[ \r-][^\n]*)\Z")

_Reply = tuple[int, bytes]


class SmtpCheck(Check):
    """Does a mail server greet with 220 and answer our name with 250?

    Answers of several lines are taken, as they must be. The conversation ends with QUIT, which must be answered,
    however it is (RFC 5321 4.1.1.10).
    """

    name = "smtp"

    class Options(TlsOptions, frozen=True, kw_only=True):
        """Options of the check `smtp`.

        Attributes:
            helo_name: the name that we say we have.
            command: `HELO`, or `EHLO`; with `starttls` it is `EHLO`.
            tls: speak TLS from the start.
            starttls: change to TLS by STARTTLS, and greet again.
        """

        helo_name: str = "smtpchecker.keepalived.org"  # keepalived's: servers may have a rule for it
        command: Literal["HELO", "EHLO"] = "HELO"
        tls: bool = False
        starttls: bool = False

        def __post_init__(self) -> None:
            """Refuse what contradicts itself."""
            super().__post_init__()
            if not self.helo_name or not HOST.fullmatch(self.helo_name):
                raise ValueError(f"helo_name {self.helo_name!r} is no host name")
            if self.tls and self.starttls:
                raise ValueError("tls and starttls exclude each other: TLS begins once")
            if not self.tls and not self.starttls:
                self.refuse_tls("tls = true or starttls = true")

    options: Options

    def steps(self, target: Target) -> Steps:
        """Talk until an answer is not what it should be."""
        options = self.options
        yield Connect()
        if options.tls:
            yield options.start_tls(target.virtual_host)
        flaw = yield from _hear("greeting", 220)
        hello = "EHLO" if options.starttls else options.command
        flaw = flaw or (yield from _say(hello, options.helo_name, 250))
        if options.starttls and flaw is None:
            flaw = yield from _say("STARTTLS", "", 220)
            if flaw is None:
                yield options.start_tls(target.virtual_host)
                flaw = yield from _say(hello, options.helo_name, 250)
        if flaw is not None:
            return flaw
        flaw = yield from _say("QUIT", "", None)
        return flaw or Verdict.passed(hello.lower(), "250")


def _say(verb: str, argument: str, wanted: int | None) -> Generator[Step, bytes, Verdict | None]:
    """Say a command and return what is wrong with the answer, None when nothing is; without `wanted` any will do."""
    yield Send(f"{verb} {argument}".strip().encode() + b"\r\n")
    return (yield from _hear(verb.lower(), wanted))


def _hear(step: str, wanted: int | None) -> Generator[Step, bytes, Verdict | None]:
    """Read one answer, all of its lines, and return what is wrong with it, None when nothing is."""
    heard = b""
    last = None
    while last is None:
        data = yield Receive(MOST_REPLY)
        heard += data
        if not data or len(heard) > MOST_REPLY or not _LINES.match(heard):
            what = "no SMTP: " if data else "the end after "
            return Verdict.failed(step, what + shown(heard), str(wanted or "an answer"))
        last = _LAST_LINE.search(heard)
    if wanted is not None and int(last[1]) != wanted:
        return Verdict.failed(step, shown(heard[last.start(1) :]), str(wanted))
    return None
