"""The check `udp`: does nobody say that the port is closed, or does the server answer? keepalived's UDP_CHECK (C34)."""

from stayalived.plugin import Check, CheckOptions, Connect, Receive, Send, Steps, Target, Verdict
from stayalived_plugins.checks.payload import data_of, nibbles_of, shown

MOST_DATAGRAM = 65507
"""Bytes that a datagram can hold (RFC 768, RFC 791)."""


class UdpCheck(Check):
    """Is a datagram not refused, or answered as it should?

    Without `require_reply` silence for `connect_timeout` is good: only an ICMP error is a failure. Let that time be
    four seconds at least, so that a neighbour that answers no ARP is told as well.
    """

    name = "udp"

    class Options(CheckOptions, frozen=True, kw_only=True):
        """Options of the check `udp`.

        Attributes:
            payload: text to send.
            payload_hex: the same as hexadecimal digits.
            require_reply: whether there must be an answer.
            reply_hex: how the answer must begin: hexadecimal digits, X for any; there must be one then.
            min_reply_length: bytes that an answer must have.
            max_reply_length: and may have.
        """

        payload: str = ""
        payload_hex: str = ""
        require_reply: bool = False
        reply_hex: str = ""
        min_reply_length: int = 0
        max_reply_length: int = 255

        def __post_init__(self) -> None:
            """Refuse what could never be seen."""
            if len(data_of("payload", self.payload, self.payload_hex)) > MOST_DATAGRAM:
                raise ValueError(f"payload must have at most {MOST_DATAGRAM} bytes")
            pattern, _ = nibbles_of("reply_hex", self.reply_hex)
            if not 0 <= self.min_reply_length <= MOST_DATAGRAM:
                raise ValueError(f"min_reply_length must be from 0 to {MOST_DATAGRAM}")
            if not max(self.min_reply_length, len(pattern)) <= self.max_reply_length <= MOST_DATAGRAM:
                raise ValueError("max_reply_length must be at least min_reply_length and the length of reply_hex")

    options: Options

    def __init__(self, options: Options) -> None:
        """Look up what the options say, once."""
        super().__init__(options)
        self._payload = data_of("payload", options.payload, options.payload_hex)
        self._pattern, self._mask = nibbles_of("reply_hex", options.reply_hex)
        self._must_answer = options.require_reply or bool(options.reply_hex) or options.min_reply_length > 0

    def steps(self, target: Target) -> Steps:  # noqa: ARG002  (the framework connects to it)
        """Send, and wait for an answer or an error."""
        yield Connect(datagrams=True)
        yield Send(self._payload)
        answer = yield Receive(MOST_DATAGRAM, or_nothing=not self._must_answer)
        if not self._must_answer:
            return Verdict.passed("reply", shown(answer))
        options = self.options
        if not options.min_reply_length <= len(answer) <= options.max_reply_length:
            expected = f"{options.min_reply_length} to {options.max_reply_length} bytes"
            return Verdict.failed("reply", f"{len(answer)} bytes", expected)
        begun = bytes(byte & mask for byte, mask in zip(answer, self._mask, strict=False))
        if begun != self._pattern:
            return Verdict.failed("reply", answer[: len(self._pattern)].hex(), options.reply_hex)
        return Verdict.passed("reply", shown(answer))
