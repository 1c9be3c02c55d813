"""I/O: the socket of events, a Unix stream: one line of JSON asks, then each event is a line of JSON.

    {}                                  → everything that is kept, then the end
    {"since": 812000123, "follow": true} → what came after the event of this number, then what comes
    {"since": null, "follow": true}      → what comes

Whoever connects reads as slowly as it likes: it has a place in the memory and no queue of its own. What the memory
does not have any more is told as `{"missed": NUMBER}`, and as `{"missed": null}` where nobody knows how much that is.
Closing the connection, or its sending half, ends it.
"""

import asyncio
import logging
import socket
from typing import Self

import msgspec

from stayalived.api.control import READ_LIMIT, Entitled
from stayalived.api.door import Peer, peer_of
from stayalived.api.memory import Memory
from stayalived.messages.notify import Event

MAX_FOLLOWERS = 64
MAX_FOLLOWERS_OF_USER = 16  # for each user but root
LINE_LIMIT = 1024
PIECE = 64  # events that are written in one go
BACKLOG = 64

_log = logging.getLogger("stayalived.api")


class Wish(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a client asks for."""

    since: int | None = 0
    follow: bool = False


_wishes = msgspec.json.Decoder(Wish)
_encoder = msgspec.json.Encoder()


def write_wish(wish: Wish) -> bytes:
    """Return the line for a wish."""
    return _encoder.encode(wish) + b"\n"


class Stream:
    """Serves the socket of events within a running event loop."""

    def __init__(self, listening: socket.socket, entitled: Entitled, memory: Memory | None = None) -> None:
        """Serve nothing yet.

        Args:
            listening: a bound Unix stream socket.
            entitled: who may look.
            memory: what is kept.
        """
        self._listening = listening
        self._entitled = entitled
        self._memory = memory or Memory()
        self._followers: dict[asyncio.Task[None], int] = {}  # with their users
        self._news = asyncio.Condition()
        self._telling: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None

    async def __aenter__(self) -> Self:
        """Begin to accept."""
        self._server = await asyncio.start_unix_server(
            self._accept, sock=self._listening, limit=LINE_LIMIT, backlog=BACKLOG
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        """Stop accepting, and drop whoever is connected."""
        if self._server is not None:
            self._server.close()
        tasks = [*self._followers, *self._telling]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def publish(self, event: Event) -> None:
        """Keep an event, and let those know who wait for it."""
        self._memory.append(event)
        if self._followers and not self._telling:
            task = asyncio.get_running_loop().create_task(self._tell())
            self._telling.add(task)
            task.add_done_callback(self._telling.discard)

    async def _tell(self) -> None:
        async with self._news:
            self._news.notify_all()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        try:
            peer = peer_of(writer.get_extra_info("socket"))
            refusal = self._refusal(peer)
            if refusal:
                writer.write(_refused(refusal))
                await writer.drain()
                return
            self._followers[task] = peer.uid
            await self._serve(reader, writer)
        except OSError as error:  # TimeoutError among them
            _log.debug("a client of the socket of events went away: %r", error)
        finally:
            self._followers.pop(task, None)
            writer.close()

    def _refusal(self, peer: Peer) -> str:
        if not self._entitled.may_ask(peer):
            return "only for root and members of the group stayalived"
        own = sum(uid == peer.uid for uid in self._followers.values())
        if len(self._followers) >= MAX_FOLLOWERS or (peer.uid and own >= MAX_FOLLOWERS_OF_USER):
            return f"{len(self._followers)} clients follow already; close some or try again later"
        return ""

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(READ_LIMIT):
                line = await reader.readline()
            wish = _wishes.decode(line or b"{}")
        except (ValueError, msgspec.MsgspecError, RecursionError) as error:
            writer.write(_refused(f"not a wish: {error}"))
            await writer.drain()
            return
        writer.transport.set_write_buffer_limits(0)  # so that drain() waits until all is in the kernel
        if not wish.follow:
            await self._send(writer, wish)
            return
        sending = asyncio.ensure_future(self._send(writer, wish))
        leaving = asyncio.ensure_future(_wait_for_end(reader))
        try:
            await asyncio.wait({sending, leaving}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (sending, leaving):
                task.cancel()
            await asyncio.gather(sending, leaving, return_exceptions=True)

    async def _send(self, writer: asyncio.StreamWriter, wish: Wish) -> None:
        place = self._memory.end
        if wish.since is not None:
            place, whole = self._memory.after(wish.since)
            if not whole:
                writer.write(_missed(None))
        while True:
            piece = self._memory.read(place, PIECE)
            if piece.missed:
                writer.write(_missed(piece.missed))
            writer.writelines(piece.lines)
            await writer.drain()
            place = piece.place
            if place < self._memory.end:
                continue
            if not wish.follow:
                return
            await self._wait_beyond(place)

    async def _wait_beyond(self, place: int) -> None:
        async with self._news:
            await self._news.wait_for(lambda: self._memory.end > place)


async def _wait_for_end(reader: asyncio.StreamReader) -> None:
    while await reader.read(LINE_LIMIT):
        pass


def _missed(count: int | None) -> bytes:
    return _encoder.encode({"missed": count}) + b"\n"


def _refused(text: str) -> bytes:
    return _encoder.encode({"refused": text}) + b"\n"
