"""One request over HTTP/2, and the answer (RFC 9113). The library h2 knows the protocol; the steps carry its bytes."""

from collections.abc import Generator, Sequence
from typing import Protocol

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.errors import ErrorCodes
from h2.events import (
    ConnectionTerminated,
    DataReceived,
    Event,
    ResponseReceived,
    StreamEnded,
    StreamReset,
    TrailersReceived,
)
from h2.exceptions import H2Error

from stayalived.plugin import Receive, Send, Step

MOST_WAITING = 65536
"""Bytes that may come without completing a frame. A frame has at most 16,384, which h2 sees only when all are there."""

_SETTINGS_AT, _SETTINGS = 3, 4  # RFC 9113 3.4: the first frame is one of SETTINGS; 4.1: its type is the fourth byte
_SHOWN = 40  # bytes of what is no HTTP/2
_CONFIGURATION = H2Configuration(client_side=True, header_encoding="latin-1")


class Collects(Protocol):
    """Takes an answer in, piece by piece."""

    flaw: str

    @property
    def is_ready(self) -> bool:
        """Whether there is enough, or a flaw to name."""
        ...

    def take_fields(self, fields: Sequence[tuple[str, str]]) -> None:
        """Take in the head of the answer, or its trailers."""
        ...

    def take_body(self, data: bytes) -> None:
        """Take in a piece of the body."""
        ...

    def take_end(self) -> None:
        """Take in the end of the answer."""
        ...


def exchange(fields: list[tuple[str, str]], body: bytes, answer: Collects) -> Generator[Step, bytes, None]:
    """Ask on an open connection, and fill the answer until it is ready.

    Args:
        fields: the head of the request, pseudo-headers first.
        body: at most one frame, 16,384 bytes.
        answer: what is filled; a break of the protocol becomes its flaw.
    """
    connection = H2Connection(_CONFIGURATION)
    connection.initiate_connection()
    stream = connection.get_next_available_stream_id()
    connection.send_headers(stream, fields, end_stream=not body)
    if body:
        connection.send_data(stream, body, end_stream=True)
    reader = _Reader(connection, answer)
    yield Send(connection.data_to_send())
    while not answer.is_ready:
        reader.feed((yield Receive()))
        outgoing = connection.data_to_send()
        if outgoing and not answer.is_ready:
            yield Send(outgoing)


class _Reader:
    """Hands what comes to the library, and what the library makes of it to the answer."""

    def __init__(self, connection: H2Connection, answer: Collects) -> None:
        self._connection = connection
        self._answer = answer
        self._begun = b""
        self._waiting = 0  # bytes since a frame was complete

    def feed(self, data: bytes) -> None:
        """Take in what came; `b""` is the end of the stream."""
        self._begun += data[: _SHOWN - len(self._begun)]
        if not data:
            self._answer.flaw = "the end of the connection before that of the answer"
        elif len(self._begun) > _SETTINGS_AT and self._begun[_SETTINGS_AT] != _SETTINGS:
            self._answer.flaw = f"no HTTP/2: {self._begun!r}"
        else:
            self._receive(data)

    def _receive(self, data: bytes) -> None:
        try:
            events = self._connection.receive_data(data)
            for event in events:
                _take(event, self._connection, self._answer)
        except H2Error as error:
            self._answer.flaw = f"no HTTP/2: {type(error).__name__} {error}".strip()
            return
        self._waiting = 0 if events else self._waiting + len(data)
        if self._waiting > MOST_WAITING:
            self._answer.flaw = f"no HTTP/2: {self._waiting} bytes without the end of a frame"


def _take(event: Event, connection: H2Connection, answer: Collects) -> None:
    """Take in one event; those that only the library cares about are none of ours."""
    match event:
        case ResponseReceived() | TrailersReceived():
            answer.take_fields([(str(name), str(value)) for name, value in event.headers or ()])
        case DataReceived():
            answer.take_body(event.data or b"")
            length = event.flow_controlled_length or 0
            if length:
                connection.acknowledge_received_data(length, event.stream_id or 0)
        case StreamEnded():
            answer.take_end()
        case StreamReset() | ConnectionTerminated():
            answer.flaw = f"the server gave up: {_code(event.error_code)}"
        case _:
            return


def _code(code: ErrorCodes | int | None) -> str:
    """Return the name of an error (RFC 9113 7), or its number."""
    return code.name if isinstance(code, ErrorCodes) else str(code)
