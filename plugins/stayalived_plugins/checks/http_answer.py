"""The answer that the check `http` gets, whichever version of the protocol it comes in."""

import re
from collections.abc import Generator, Sequence

import httptools

from stayalived.plugin import Receive, Step

MOST_HEAD = 65536
"""Bytes of an answer in which its head must be complete."""

PIECE = 16384
"""Bytes read at a time: a hostile server can make each of them a chunk, and others have the loop in between."""

MORE = Receive(PIECE)

_TEXT = rb"[\t -~\x80-\xff]*\r\n"  # RFC 9110 5.5
_FIELD = rb"(?!(?i:content-length:|transfer-encoding:|upgrade:))[\w!#$%&'*+.^`|~-]+:" + _TEXT
_LENGTH = rb"(?i:content-length:[ \t]*\d{1,18}|transfer-encoding:[ \t]*chunked)[ \t]*\r\n"
HEAD = re.compile(
    rb"HTTP/1\.[01] ([2-5]\d\d) " + _TEXT + b"(?:" + _FIELD + b")*(?:" + _LENGTH + b"(?:" + _FIELD + rb")*)?\r\n"
)
"""The whole head of a final answer that nobody can misunderstand; group 1 is the status. `Http1Answer` reads all
others, those that contradict themselves or come in pieces. Nothing matches in two ways: there is no way back to try."""


class Answer:
    """Collects one answer, as much of it as is wanted."""

    def __init__(self, *, wants_body: bool, body_limit: int) -> None:
        """Expect an answer from its beginning."""
        self.status = 0  # of the final answer; 1xx ones come before it
        self.location = ""
        self.body = bytearray()
        self.flaw = ""
        self.is_complete = False
        self.wants_body = wants_body
        self.body_limit = body_limit

    @property
    def is_ready(self) -> bool:
        """Whether there is enough to judge, or a flaw to name."""
        return bool(self.flaw) or self.is_complete or (self.status != 0 and not self.wants_body)

    def take_head(self, status: int) -> None:
        """Note the status, if it is that of the final answer and not of one that follows it."""
        if not self.status:
            self.status = status if status >= 200 else 0

    def take_body(self, data: bytes) -> None:
        """Keep a piece of the body as far as it is wanted."""
        if not self.wants_body or self.is_complete:
            return
        if len(self.body) + len(data) > self.body_limit:
            self.flaw = f"a body of more than {self.body_limit} bytes (body_limit)"
        else:
            self.body += data


class Http1Answer(Answer):
    """Reads an answer of HTTP/1; `httptools` calls its methods `on_…`."""

    def __init__(self, *, wants_body: bool, body_limit: int) -> None:
        """Expect an answer from its first byte."""
        super().__init__(wants_body=wants_body, body_limit=body_limit)
        self._taken = 0
        self._is_delimited = False
        self._parser = httptools.HttpResponseParser(self)

    def feed(self, data: bytes) -> None:
        """Take in what came; `b""` is the end of the stream."""
        self._taken += len(data)
        if not data:
            self._end()
            return
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            self.is_complete = True
        except httptools.HttpParserError as error:
            if not self.is_ready:  # what comes after that is nobody's: how the stream was cut must not decide
                self.flaw = f"no HTTP: {error}"
        if not self.status and self._taken > MOST_HEAD:
            self.flaw = f"a head of more than {MOST_HEAD} bytes"

    def read(self, data: bytes) -> Generator[Step, bytes, None]:
        """Take in what came, and ask for more until there is enough."""
        self.feed(data)
        while not self.is_ready:
            self.feed((yield MORE))
        del self._parser  # it holds this object in turn: without circles there is no garbage to look for

    def _end(self) -> None:
        """Take in the end of the stream: right only where nothing else says where the body ends (RFC 9112 6.3)."""
        if not self.status:
            self.flaw = f"the end after {self._taken} bytes"
        elif self._is_delimited and not self.is_complete:
            self.flaw = f"the end after {len(self.body)} bytes of the body"
        self.is_complete = True

    def on_header(self, name: bytes, value: bytes) -> None:
        """Note whether the answer says where its body ends, and where it sends us."""
        name = name.lower()
        self._is_delimited = self._is_delimited or name in {b"content-length", b"transfer-encoding"}
        if name == b"location":
            self.location = value.decode("latin-1")

    def on_headers_complete(self) -> None:
        """Note the status of the final answer."""
        self.take_head(self._parser.get_status_code())

    def on_body(self, data: bytes) -> None:
        """Keep the body as far as it is wanted."""
        self.take_body(data)

    def on_message_complete(self) -> None:
        """Note the end of the final answer."""
        self.is_complete = self.status != 0


class Http2Answer(Answer):
    """Takes in an answer of HTTP/2."""

    def take_fields(self, fields: Sequence[tuple[str, str]]) -> None:
        """Note the status and where it sends us; trailers have neither."""
        for name, value in fields:
            if name == ":status":
                self.take_head(int(value) if value.isdecimal() else 0)
            elif name == "location":
                self.location = value

    def take_end(self) -> None:
        """Note the end of the answer."""
        if not self.status:
            self.flaw = "an end without a status"
        self.is_complete = True
