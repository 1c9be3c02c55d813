"""What a check's own coroutine gets: connections that are limited and cannot be left behind, and programs. I/O."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from stayalived.checker.echo import no_ping
from stayalived.checker.session import OpenSession, Session, timed_out
from stayalived.plugin.checks import Connect, Connection, NetworkFailure, Receive, Send, StartTls, Step, Target
from stayalived.plugin.programs import Outcome, Program
from stayalived.timing import in_seconds

RunProgram = Callable[[Program], Awaitable[Outcome]]
Ping = Callable[[Target, bytes], Awaitable[None]]


class ProbeNet:
    """The `Net` of one run of one probe. `close` closes whatever the check has left open."""

    def __init__(self, run: RunProgram, ping: Ping = no_ping, open_session: OpenSession = Session) -> None:
        """Hold no connection.

        Args:
            run: has the runner start a program.
            ping: sends an ICMP echo request.
            open_session: makes what a connection is.
        """
        self._open: set[ProbeConnection] = set()
        self._run = run
        self._ping = ping
        self._open_session = open_session

    async def run(self, program: Program) -> Outcome:
        """Have the runner start a program; return when it has ended, or raise `LocalFailure`."""
        return await self._run(program)

    async def ping(self, target: Target, data: bytes) -> None:
        """Send an ICMP echo request; return when its reply has come, or raise `NetworkFailure`."""
        await self._ping(target, data)

    def connect(self, target: Target, *, datagrams: bool = False) -> AbstractAsyncContextManager[Connection]:
        """Return a context that holds a connection to the target, of TCP or UDP, and closes it with FIN at its end."""
        return self._connect(target, Connect(datagrams=datagrams))

    @asynccontextmanager
    async def _connect(self, target: Target, step: Connect) -> AsyncIterator[Connection]:
        connection = ProbeConnection(self._open_session(target))
        self._open.add(connection)
        try:
            await connection.do(step)
            yield connection
        finally:
            self._open.discard(connection)
            connection.close()

    def close(self) -> None:
        """Close every connection."""
        while self._open:
            self._open.pop().close()


class ProbeConnection:
    """One connection, for tasks: the same session that bodies of steps use, waited for on the asyncio loop."""

    def __init__(self, session: Session) -> None:
        """Open nothing yet."""
        self._session = session
        self._waiting: asyncio.Future[None] | None = None

    async def send(self, data: bytes) -> None:
        """Send all of the bytes."""
        await self.do(Send(data))

    async def receive(self, limit: int = 65536) -> bytes:
        """Return what came, `b""` at the end of the stream."""
        return await self.do(Receive(limit))

    async def start_tls(self, tls: StartTls) -> bytes:
        """Change the connection to TLS; return the protocol that ALPN chose once the handshake is done."""
        return await self.do(tls)

    async def do(self, step: Step) -> bytes:
        """Do one step within its time limit.

        Raises:
            NetworkFailure: the server failed it, or took too long.
            KernelProblem: this machine could not do it.
        """
        target = self._session.target
        limit = asyncio.timeout(in_seconds(target.connect_timeout))
        try:
            async with limit:
                answer = self._session.begin(step)
                while answer is None:
                    await self._wait()
                    answer = self._session.go_on()
                return answer
        except TimeoutError as error:
            if isinstance(step, Receive) and step.or_nothing:
                return b""
            raise NetworkFailure(timed_out(step, target.connect_timeout)) from error

    def close(self) -> None:
        """Close the connection with FIN; whoever waits for it is cancelled."""
        if self._waiting is not None:
            self._waiting.cancel()
        self._session.close()

    async def _wait(self) -> None:
        """Wait until the socket is ready for what the step wants."""
        opened = self._session.socket
        if opened is None:
            raise NetworkFailure(timed_out(self._session.step, self._session.target.limit))
        loop = asyncio.get_running_loop()
        waiting = self._waiting = loop.create_future()
        number = opened.fileno()
        add, remove = (
            (loop.add_writer, loop.remove_writer)
            if self._session.wants_write
            else (loop.add_reader, loop.remove_reader)
        )
        add(number, _set_done, waiting)
        try:
            await waiting
            self._session.readable = True
        finally:
            remove(number)
            self._waiting = None


def _set_done(waiting: asyncio.Future[None]) -> None:
    """Wake whoever waits, once."""
    if not waiting.done():
        waiting.set_result(None)
