"""The check `tcp`: is a connection accepted, and does the server say what it should? keepalived's TCP_CHECK (C13)."""

import re

from stayalived.plugin import Check, Connect, Receive, Secret, Send, Steps, Target, Verdict
from stayalived_plugins.checks.payload import data_of, shown
from stayalived_plugins.checks.tls import TlsOptions


class TcpCheck(Check):
    """Is a TCP connection accepted within `connect_timeout`, and does the server say what it should?

    Without `payload` nothing is sent, without an expectation nothing is read; the connection is closed with FIN.
    """

    name = "tcp"

    class Options(TlsOptions, frozen=True, kw_only=True):
        """Options of the check `tcp`.

        Attributes:
            payload: text to send once connected.
            payload_hex: the same as hexadecimal digits.
            payload_secret: the same as a secret, in place of both.
            expect: text that must be among what the server says.
            expect_hex: the same as hexadecimal digits.
            expect_regex: regular expression of Python that must be found in what the server says.
            reply_limit: bytes in which it must be found.
            tls: speak TLS.
        """

        payload: str = ""
        payload_hex: str = ""
        payload_secret: Secret | None = None
        expect: str = ""
        expect_hex: str = ""
        expect_regex: str = ""
        reply_limit: int = 65536
        tls: bool = False

        def __post_init__(self) -> None:
            """Refuse what contradicts itself."""
            super().__post_init__()
            if not self.tls:
                self.refuse_tls("tls = true")
            data = data_of("payload", self.payload, self.payload_hex)
            if data and self.payload_secret is not None:
                raise ValueError("payload_secret and payload exclude each other")
            expected = data_of("expect", self.expect, self.expect_hex)
            if expected and self.expect_regex:
                raise ValueError("expect and expect_regex exclude each other")
            if not 1 <= self.reply_limit <= 1 << 20:
                raise ValueError("reply_limit must be from 1 to 1048576")
            try:
                re.compile(self.expect_regex.encode())
            except re.error as error:
                raise ValueError(f"expect_regex {self.expect_regex!r}: {error}") from error

    options: Options

    def __init__(self, options: Options) -> None:
        """Look up what the options say, once."""
        super().__init__(options)
        secret = options.payload_secret
        self._payload = data_of("payload", options.payload, options.payload_hex) if secret is None else _bytes(secret)
        expected = data_of("expect", options.expect, options.expect_hex)
        self._told = options.expect_regex or options.expect or options.expect_hex
        self._regex = re.compile(options.expect_regex.encode() or re.escape(expected)) if self._told else None

    def steps(self, target: Target) -> Steps:
        """Connect, send, and read until what is expected has come or cannot come any more."""
        yield Connect()
        if self.options.tls:
            yield self.options.start_tls(target.virtual_host)
        if self._payload:
            yield Send(self._payload)
        if self._regex is None:
            return Verdict.passed("tls" if self.options.tls else "connect")
        heard = bytearray()
        while len(heard) < self.options.reply_limit:
            data = yield Receive(self.options.reply_limit - len(heard))
            if not data:
                break
            heard += data
            if self._regex.search(heard):
                return Verdict.passed("reply", shown(bytes(heard)))
        return Verdict.failed("reply", shown(bytes(heard)), self._told)


def _bytes(secret: Secret) -> bytes:
    return secret.reveal().encode()
