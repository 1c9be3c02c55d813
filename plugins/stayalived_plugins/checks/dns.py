"""The check `dns`: does a name server answer? keepalived's DNS_CHECK (C33). Messages are dnspython's; RFC 1035."""

from collections.abc import Generator, Mapping
from typing import TYPE_CHECKING, ClassVar, Literal

from stayalived.plugin import Check, CheckOptions, Connect, Receive, Send, Step, Steps, Target, Verdict
from stayalived_plugins.checks.payload import shown

if TYPE_CHECKING:
    from stayalived_plugins.checks.question import Question

MOST_MESSAGE = 65535
"""Bytes of a message (RFC 1035 4.2.2)."""

MOST_SHOWN = 5
"""Records that a verdict shows."""

_HEAD = 12
_RESPONSE = 0x80  # RFC 1035 4.1.1: QR, of the third byte
_TRUNCATED = 0x0200  # TC, of the second 16 bits


class DnsCheck(Check):
    """Does a name server answer a question without an error, and with the records that are expected?

    Answers with another id are not heard. An empty answer is good, as long as no `answer` is expected.
    """

    name = "dns"
    defaults: ClassVar[Mapping[str, float]] = {"retry": 3}
    tries_each_period = True

    class Options(CheckOptions, frozen=True, kw_only=True):
        """Options of the check `dns`.

        Attributes:
            record_type: which records to ask for.
            name: for which name.
            answer: records that must be in the answer, each as a zone file has it: `192.0.2.1`, `10 mx.example.`
            rcode: how the answer must end.
            protocol: `udp`, which goes on over TCP where the answer has no room, or `tcp`.
        """

        record_type: Literal["A", "AAAA", "CAA", "CNAME", "MX", "NS", "PTR", "SOA", "SRV", "TXT"] = "SOA"
        name: str = "."
        answer: tuple[str, ...] = ()
        rcode: Literal["NOERROR", "NXDOMAIN", "REFUSED", "SERVFAIL"] = "NOERROR"
        protocol: Literal["udp", "tcp"] = "udp"

        def __post_init__(self) -> None:
            """Refuse what is no name and no record."""
            self.question()

        def question(self) -> "Question":
            """Return the question that this is."""
            from stayalived_plugins.checks.question import Question  # noqa: PLC0415  (for those who have one)

            return Question(self.name, self.record_type, self.answer)

    options: Options

    def __init__(self, options: Options) -> None:
        """Look up what the options say, once."""
        super().__init__(options)
        self._question = options.question()

    def steps(self, target: Target) -> Steps:  # noqa: ARG002  (the framework connects to it)
        """Ask, hear the answer, judge it."""
        number, query = self._question.query()
        message = b""
        if self.options.protocol == "udp":
            yield Connect(datagrams=True)
            yield Send(query)
            while not _answers(message, number):
                message = yield Receive(MOST_MESSAGE)
        if not message or int.from_bytes(message[2:4], "big") & _TRUNCATED:
            message = yield from _ask_by_tcp(query)
            if not _answers(message, number):
                return Verdict.failed("answer", shown(message), "a whole answer to our question")
        return self._judge(message)

    def _judge(self, message: bytes) -> Verdict:
        try:
            rcode, records, missing = self._question.read(message)
        except ValueError as error:
            return Verdict.failed("answer", str(error), "a message of DNS")
        if rcode != self.options.rcode:
            return Verdict.failed("rcode", rcode, self.options.rcode)
        seen = ", ".join(records[:MOST_SHOWN]) or "no record"
        if missing:
            return Verdict.failed("answer", seen, ", ".join(missing))
        return Verdict.passed("answer", f"{rcode}, {seen}")


def _answers(message: bytes, number: int) -> bool:
    """Return whether a message is an answer to the question of this number."""
    return len(message) >= _HEAD and int.from_bytes(message[:2], "big") == number and bool(message[2] & _RESPONSE)


def _ask_by_tcp(query: bytes) -> Generator[Step, bytes, bytes]:
    """Ask on a connection and return the message, or as much of it as came (RFC 7766 8)."""
    yield Connect()
    yield Send(len(query).to_bytes(2, "big") + query)
    heard = b""
    while len(heard) < 2 or len(heard) < 2 + int.from_bytes(heard[:2], "big"):
        data = yield Receive(MOST_MESSAGE + 2 - len(heard))
        if not data:
            break
        heard += data
    return heard[2:]
