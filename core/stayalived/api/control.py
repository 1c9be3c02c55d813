"""I/O: the control socket, a Unix stream: one line of JSON in, one out, then it is closed.

Whoever connects is bounded in number, in time and in bytes, so that no client can hurt more than its own connection.
"""

import asyncio
import logging
import socket
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

from stayalived.api.commands import LINE_LIMIT, Answer, write_answer
from stayalived.api.door import Peer, peer_of
from stayalived.api.engine import AnswerClient, Asked
from stayalived.errors import Bug

MAX_CLIENTS = 64
ROOT_RESERVE = 8  # of these, so that the others cannot lock out root
MAX_REFUSED = 64  # clients that are just being told that they are refused; more are dropped without a word
MAX_CLIENTS_OF_USER = 16  # of these, for each user but root, so that one cannot lock out the others
READ_LIMIT = 5.0  # seconds for the whole line
WRITE_LIMIT = 30.0  # seconds for the whole answer
PART_LIMIT = 0.5  # seconds that a client has to close after its answer, and that answers have at the daemon's end
PART_BYTES = 1 << 20  # that it may still send meanwhile
BACKLOG = 128

_log = logging.getLogger("stayalived.api")


@dataclass(frozen=True, slots=True, kw_only=True)
class Entitled:
    """Who may use the socket: root, who started the daemon, and the group. The daemon's own user may only look.

    The worst plugin runs as that user too, and it shall not be able to stop the daemon.
    """

    starter: int
    group: int | None
    own_user: int

    def may_ask(self, peer: Peer) -> bool:
        """Return whether this peer may ask for the status."""
        return self._in_charge(peer) or peer.uid == self.own_user or self._of_group(peer)

    def may_change(self, peer: Peer) -> bool:
        """Return whether this peer may reload and stop the daemon."""
        return self._in_charge(peer) or (self._of_group(peer) and peer.uid != self.own_user)

    def may_see_secrets(self, peer: Peer) -> bool:
        """Return whether this peer may see the configuration: who could read its files anyway."""
        return self._in_charge(peer)

    def _in_charge(self, peer: Peer) -> bool:
        return peer.uid in {0, self.starter}

    def _of_group(self, peer: Peer) -> bool:
        return self.group is not None and self.group in peer.groups


class Control:
    """Serves the control socket within a running event loop."""

    def __init__(self, listening: socket.socket, entitled: Entitled) -> None:
        """Serve nothing yet.

        Args:
            listening: a bound Unix stream socket.
            entitled: who may use it.
        """
        self._listening = listening
        self._entitled = entitled
        self._post: Callable[[Asked], None] | None = None
        self._waiting: dict[int, asyncio.Future[bytes]] = {}
        self._clients: set[asyncio.Task[None]] = set()
        self._admitted: dict[asyncio.Task[None], int] = {}  # of these, with their users
        self._parting: set[asyncio.Task[None]] = set()  # of these, whose answer is on its way
        self._last_number = 0
        self._server: asyncio.Server | None = None

    def connect(self, post: Callable[[Asked], None]) -> None:
        """Say who takes each line that comes; the answer comes back through `answer`. Before serving begins."""
        self._post = post

    async def __aenter__(self) -> Self:
        """Begin to accept."""
        self._server = await asyncio.start_unix_server(
            self._accept, sock=self._listening, limit=LINE_LIMIT, backlog=BACKLOG
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        """Stop accepting and drop whoever is connected; answers that were given are written first."""
        if self._server is not None:
            self._server.close()
        for future in self._waiting.values():
            future.cancel()
        await asyncio.sleep(0)  # whose answer was given comes to write it
        for task in self._clients - self._parting:
            task.cancel()
        if self._clients:
            await asyncio.wait(self._clients, timeout=PART_LIMIT)
        for task in self._clients:
            task.cancel()
        await asyncio.gather(*self._clients, return_exceptions=True)

    def answer(self, effect: AnswerClient) -> None:
        """Send an answer to the client that it is for; harmless when that one is gone."""
        future = self._waiting.get(effect.client)
        if future is not None and not future.done():
            future.set_result(effect.data)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is None:
            raise Bug("asyncio runs this as a task")
        self._clients.add(task)
        try:
            refusal, peer = self._look_at(writer)
            if peer is not None:
                self._admitted[task] = peer.uid
                await self._conclude(task, reader, writer, await self._serve(peer, reader))
            elif len(self._clients) - len(self._admitted) <= MAX_REFUSED:
                await self._conclude(task, reader, writer, _refusal(refusal))
        except OSError as error:  # TimeoutError among them
            _log.debug("a client of the control socket went away: %r", error)
        finally:
            writer.transport.abort()  # what was to be written is written, or the client was too slow for it
            self._admitted.pop(task, None)
            self._clients.discard(task)
            self._parting.discard(task)

    async def _conclude(
        self, task: asyncio.Task[None], reader: asyncio.StreamReader, writer: asyncio.StreamWriter, data: bytes
    ) -> None:
        self._parting.add(task)
        await _send(writer, data)
        await _part(reader, writer)

    async def _serve(self, peer: Peer, reader: asyncio.StreamReader) -> bytes:
        """Return what is to be sent to a client; nothing to one that closed before its line was whole."""
        try:
            async with asyncio.timeout(READ_LIMIT):
                line = await reader.readline()
        except ValueError:  # StreamReader.readline: the limit is exceeded
            return _refusal(f"at most {LINE_LIMIT} bytes make a line")
        except TimeoutError:
            return _refusal(f"no whole line came within {READ_LIMIT:g} s: closed; connect again and ask at once")
        if not line.endswith(b"\n"):
            return b""
        return await self._ask(line, peer)

    def _look_at(self, writer: asyncio.StreamWriter) -> tuple[str, Peer | None]:
        """Return who connected, or why that one is refused."""
        peer = peer_of(writer.get_extra_info("socket"))
        if not self._entitled.may_ask(peer):
            return "only for root and members of the group stayalived", None
        most = MAX_CLIENTS if peer.uid == 0 else MAX_CLIENTS - ROOT_RESERVE
        if len(self._admitted) >= most:
            return f"{most} clients are connected already, all that have room; try again later", None
        own = Counter(self._admitted.values())[peer.uid]
        if peer.uid and own >= MAX_CLIENTS_OF_USER:
            return (
                f"{own} connections of your user (uid {peer.uid}) are open already; close some or try again later",
                None,
            )
        return "", peer

    async def _ask(self, line: bytes, peer: Peer) -> bytes:
        if self._post is None:
            raise Bug("the control socket is served, but nobody takes what comes")
        self._last_number += 1
        number = self._last_number
        future: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        self._waiting[number] = future
        try:
            may_change, may_see_secrets = self._entitled.may_change(peer), self._entitled.may_see_secrets(peer)
            self._post(Asked(client=number, line=line, may_change=may_change, may_see_secrets=may_see_secrets))
            return await future
        finally:
            del self._waiting[number]


def _refusal(text: str) -> bytes:
    return write_answer(Answer(accepted=False, text=text))


async def _send(writer: asyncio.StreamWriter, data: bytes) -> None:
    writer.transport.set_write_buffer_limits(0)  # so that drain() waits until all is in the kernel
    async with asyncio.timeout(WRITE_LIMIT):
        writer.write(data)
        await writer.drain()


async def _part(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Read on until the client closes, for a moment: to close with bytes unread takes the answer away from it.

    Linux, net/unix/af_unix.c, unix_release_sock: the peer then gets ECONNRESET before what is queued for it.
    """
    writer.write_eof()
    left = PART_BYTES
    async with asyncio.timeout(PART_LIMIT):
        while left > 0 and (data := await reader.read(LINE_LIMIT)):
            left -= len(data)
