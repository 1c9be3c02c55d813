r"""The test kit for authors of checks: run a check as the daemon does, against a server that follows a script. I/O.

async def test_greets() -> None:
    async with serve(Say(b"220 mail\r\n"), Hear(b"QUIT\r\n")) as server:
        verdict = await run_check(SmtpCheck(SmtpCheck.Options()), target_for(server.endpoint))
    assert verdict.up
"""

import asyncio
import socket
import ssl
import struct
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Protocol

from stayalived.addresses import Endpoint
from stayalived.checker.echo import no_ping
from stayalived.checker.net import Ping, ProbeNet, RunProgram
from stayalived.checker.once import probe_once
from stayalived.checker.probes import LocalFault, PluginFault, ProbeIdentity
from stayalived.checker.programs import no_programs
from stayalived.config.model import Source
from stayalived.errors import PluginFailure
from stayalived.plugin.checks import Check, Target, Verdict
from stayalived.plugin.testing_datagrams import serve_datagrams as serve_datagrams  # noqa: PLC0414  (of the kit)
from stayalived.timing import Duration, in_seconds, seconds

DEFAULT_TIMEOUT = seconds(1)
MOST_HEARD = 1 << 20


@dataclass(frozen=True, slots=True)
class Client:
    """The connection of one client, and what it has sent so far."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    heard: bytearray = field(default_factory=bytearray)

    async def hear(self) -> bool:
        """Wait for more from the client; false at its end. No more than `MOST_HEARD` bytes are kept."""
        more = await self.reader.read(65536)
        self.heard.extend(more[: max(0, MOST_HEARD - len(self.heard))])
        return bool(more)

    async def say(self, data: bytes) -> None:
        """Send these bytes."""
        self.writer.write(data)
        await self.writer.drain()
        await asyncio.sleep(0)  # `drain` waits for nobody once the client has gone, and the loop could not tell us so


class Act(Protocol):
    """One line of a script."""

    async def perform(self, client: Client) -> None:
        """Do it."""
        ...


@dataclass(frozen=True, slots=True)
class Say:
    """Send these bytes."""

    data: bytes

    async def perform(self, client: Client) -> None:
        """Do it."""
        await client.say(self.data)


@dataclass(frozen=True, slots=True)
class Trickle:
    """Send these bytes one at a time, with a pause after each."""

    data: bytes
    every: Duration

    async def perform(self, client: Client) -> None:
        """Do it."""
        for byte in self.data:
            await client.say(bytes((byte,)))
            await asyncio.sleep(in_seconds(self.every))


@dataclass(frozen=True, slots=True)
class Flood:
    """Send these bytes again and again until the other side has had enough."""

    data: bytes

    async def perform(self, client: Client) -> None:
        """Do it."""
        while True:
            await client.say(self.data)


@dataclass(frozen=True, slots=True)
class Hear:
    """Wait until these bytes have come."""

    data: bytes

    async def perform(self, client: Client) -> None:
        """Do it."""
        while self.data not in client.heard and await client.hear():
            pass


@dataclass(frozen=True, slots=True)
class Silence:
    """Say nothing more and keep the connection until the other side closes it."""

    async def perform(self, client: Client) -> None:
        """Do it."""
        while await client.hear():
            pass


@dataclass(frozen=True, slots=True)
class Reset:
    """End the connection with a RST."""

    async def perform(self, client: Client) -> None:
        """Do it."""
        opened: socket.socket = client.writer.get_extra_info("socket")
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        client.writer.transport.abort()


@dataclass(slots=True)
class ScriptedServer:
    """A server on the loopback that plays one script to each client.

    Attributes:
        endpoint: where it listens.
        heard: what each client sent, in the order of the connections.
        finished: how many connections are over.
        failed: how many of them the client ended before the script did.
    """

    script: Sequence[Act]
    endpoint: Endpoint
    heard: list[bytearray] = field(default_factory=list)
    finished: int = 0
    failed: int = 0

    async def play(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Play the script to one client."""
        client = Client(reader, writer)
        self.heard.append(client.heard)
        try:
            for act in self.script:
                await act.perform(client)
        except OSError:  # ssl.SSLError is one of them
            self.failed += 1
        finally:
            self.finished += 1
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()


@asynccontextmanager
async def serve(
    *script: Act, host: str = "127.0.0.1", tls: ssl.SSLContext | None = None
) -> AsyncIterator[ScriptedServer]:
    """Hold a server that plays a script to each client; at the end of the script it closes the connection.

    Args:
        script: what it does, act after act, for each client anew.
        host: address of the loopback to listen on.
        tls: context of a server that speaks TLS.
    """
    scripted = ScriptedServer(script, Endpoint(host, 0))
    playing: set[asyncio.Task[None]] = set()

    async def play(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        playing.add(task)
        try:
            await scripted.play(reader, writer)
        finally:
            playing.discard(task)

    server = await asyncio.start_server(play, host, 0, ssl=tls)
    scripted.endpoint = Endpoint(host, server.sockets[0].getsockname()[1])
    try:
        yield scripted
    finally:
        server.close()
        for task in playing:
            task.cancel()
        if playing:
            await asyncio.wait(playing)
        await server.wait_closed()


def target_for(endpoint: Endpoint, *, virtual_host: str = "", connect_timeout: Duration = DEFAULT_TIMEOUT) -> Target:
    """Return a target with the limits that the daemon would give: each step `connect_timeout`, all three times that."""
    return _identity(endpoint, virtual_host, connect_timeout).aim()


async def run_check(check: Check, target: Target, run: RunProgram = no_programs, ping: Ping = no_ping) -> Verdict:
    """Run a check once, as the daemon does: same limits, same sockets, same treatment of what it raises.

    Args:
        check: the check.
        target: whom it asks.
        run: stands in for the runner where the check has programs started; it may raise `LocalFailure`.
        ping: stands in for ICMP where the check pings; it may raise `NetworkFailure`.

    Returns:
        the check's verdict on the target.

    Raises:
        PluginFailure: the check raised, answered no verdict, or did not end when it was cancelled.
        OSError: this machine could not make the probe: no descriptor, bind refused.
    """
    identity = _identity(target.endpoint, target.virtual_host, target.connect_timeout)
    outcome = (await probe_once(identity, lambda _: check, target=target, run=run, ping=ping)).outcome
    match outcome:
        case Verdict():
            return outcome
        case PluginFault(text=text):
            raise PluginFailure(text)
        case LocalFault(text=text):
            raise OSError(text)


async def run_probe(check: Check, target: Target, run: RunProgram = no_programs) -> Verdict:
    """Run the check's `probe` alone, with a `Net`: for a check of steps, the adapter that drives them under asyncio."""
    net = ProbeNet(run)
    try:
        return await check.probe(target, net)
    finally:
        net.close()


def _identity(endpoint: Endpoint, virtual_host: str, connect_timeout: Duration) -> ProbeIdentity:
    return ProbeIdentity(
        type="test",
        distribution="test",
        options=b"",
        target=endpoint,
        virtual_host=virtual_host,
        source=Source(bindto="", bind_port=0, bind_if="", fwmark=0),
        connect_timeout=connect_timeout,
    )
