"""One HTTP POST on a connection of its own (I/O: sockets by asyncio)."""

import asyncio
import ssl
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlsplit

import httptools

MOST_ANSWER = 65536  # bytes in which the head of an answer must be complete


class NoAnswer(OSError):
    """The other side hung up, or what it said is no HTTP."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a URL leads.

    Attributes:
        host: name or address.
        port: of it.
        path: what is asked of it, with the query.
        name: as it stands in the header Host.
        is_encrypted: whether TLS is spoken.
    """

    host: str
    port: int
    path: str
    name: str
    is_encrypted: bool

    @classmethod
    def of(cls, url: str) -> "Place":
        """Return where a URL leads.

        Raises:
            ValueError: it is none of http or https, or holds a user, a fragment, or what would break the request.
        """
        parts = urlsplit(url)
        text = f"url {url!r} must be such as https://example.org/hooks/1"
        if parts.scheme not in {"http", "https"} or not parts.hostname or parts.fragment or "@" in parts.netloc:
            raise ValueError(text)
        if not url.isascii() or not url.isprintable() or " " in url:
            raise ValueError(f"{text}, in ASCII and without spaces (write %20)")
        is_encrypted = parts.scheme == "https"
        path = f"{parts.path or '/'}{'?' if parts.query else ''}{parts.query}"
        port = parts.port or (443 if is_encrypted else 80)
        return cls(host=parts.hostname, port=port, path=path, name=parts.netloc, is_encrypted=is_encrypted)


class _Answer:
    """Takes the head of an answer from httptools' parser."""

    def __init__(self) -> None:
        self.is_whole = False

    def on_headers_complete(self) -> None:
        self.is_whole = True


async def post(place: Place, headers: Iterable[tuple[str, str]], body: bytes, context: ssl.SSLContext | None) -> int:
    """Send a body and return the status of the answer; the answer's own body is not looked at.

    Args:
        place: where to.
        headers: beside those of the connection and the length.
        body: what is sent.
        context: how TLS is spoken, where it is.

    Raises:
        OSError: no connection, or no answer (`NoAnswer`).
    """
    encrypted = context if place.is_encrypted else None
    reader, writer = await asyncio.open_connection(place.host, place.port, ssl=encrypted)
    try:
        writer.write(_head(place, headers, len(body)) + body)
        await writer.drain()
        return await _status(reader)
    finally:
        writer.close()


def _head(place: Place, headers: Iterable[tuple[str, str]], length: int) -> bytes:
    own = (("Host", place.name), ("Content-Length", str(length)), ("Connection", "close"))
    lines = [f"POST {place.path} HTTP/1.1", *(f"{name}: {value}" for name, value in (*own, *headers))]
    return "\r\n".join([*lines, "", ""]).encode("ascii")


async def _status(reader: asyncio.StreamReader) -> int:
    answer, seen = _Answer(), 0
    parser = httptools.HttpResponseParser(answer)
    while not answer.is_whole:
        data = await reader.read(MOST_ANSWER)
        seen += len(data)
        if not data or seen > MOST_ANSWER:
            raise NoAnswer("it hung up without an answer" if not data else "the head of its answer is too long")
        try:
            parser.feed_data(data)
        except httptools.HttpParserError as error:
            raise NoAnswer(f"what it answered is no HTTP: {error}") from error
    return int(parser.get_status_code())
