"""Further acts of servers, beside those of the test kit."""

import asyncio
from dataclasses import dataclass

from stayalived.plugin.testing import Client
from stayalived.timing import Duration, in_seconds


@dataclass(frozen=True, slots=True)
class Wait:
    """Let time pass: the protocol's, so that a client has read what came before or has had enough."""

    duration: Duration

    async def perform(self, client: Client) -> None:
        """Wait, or until the client goes."""
        try:
            async with asyncio.timeout(in_seconds(self.duration)):
                while await client.hear():
                    pass
        except TimeoutError:
            return


@dataclass(frozen=True, slots=True)
class Vanish:
    """End the connection without a word of TLS: a FIN of TCP alone."""

    async def perform(self, client: Client) -> None:
        """Do it."""
        client.writer.transport.abort()


@dataclass(frozen=True, slots=True)
class ByHost:
    """Answer one thing where these bytes are in what was asked, else another."""

    wanted: bytes
    there: bytes
    otherwise: bytes

    async def perform(self, client: Client) -> None:
        """Do it."""
        await client.say(self.there if self.wanted in client.heard else self.otherwise)
