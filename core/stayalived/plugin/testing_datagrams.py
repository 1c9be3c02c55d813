"""The part of the test kit that speaks datagrams: a UDP server that answers as a function says. I/O."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from stayalived.addresses import Endpoint

Answering = Callable[[bytes], Iterable[bytes]]


@dataclass(slots=True)
class DatagramServer(asyncio.DatagramProtocol):
    """A UDP server on the loopback.

    Attributes:
        answering: returns the datagrams that answer one.
        endpoint: where it listens.
        heard: what came, one after the other.
    """

    answering: Answering
    endpoint: Endpoint
    heard: list[bytes] = field(default_factory=list)
    transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.DatagramTransport) -> None:  # type: ignore[override]  # asyncio's word
        """Note where it listens."""
        self.transport = transport
        address, port, *_ = transport.get_extra_info("sockname")
        self.endpoint = Endpoint(address, port)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        """Answer a datagram."""
        self.heard.append(data)
        assert self.transport is not None
        for answer in self.answering(data):
            self.transport.sendto(answer, addr)


@asynccontextmanager
async def serve_datagrams(answering: Answering, host: str = "127.0.0.1") -> AsyncIterator[DatagramServer]:
    """Hold a UDP server.

    Args:
        answering: returns the datagrams that answer one; none is silence.
        host: address of the loopback to listen on.
    """
    loop = asyncio.get_running_loop()
    made = DatagramServer(answering, Endpoint(host, 0))
    transport, server = await loop.create_datagram_endpoint(lambda: made, (host, 0))
    try:
        yield server
    finally:
        transport.close()
