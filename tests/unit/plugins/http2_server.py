"""A server of HTTP/2 for one connection at a time, as an act of a script."""

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import DataReceived, RequestReceived, StreamEnded

from stayalived.plugin.testing import Client


class Answers:
    """An act: answers one request over HTTP/2 with these heads and this body, and remembers what was asked."""

    def __init__(
        self, *heads: dict[str, str], body: bytes = b"", trailers: dict[str, str] | None = None, ends: bool = True
    ) -> None:
        self.heads = heads
        self.body = body
        self.trailers = trailers
        self.ends = ends
        self.asked: dict[str, str] = {}
        self.got = b""

    async def perform(self, client: Client) -> None:
        connection = H2Connection(H2Configuration(client_side=False, header_encoding="utf-8"))
        connection.initiate_connection()
        await client.say(connection.data_to_send())
        taken = 0
        while await client.hear():
            events = connection.receive_data(bytes(client.heard[taken:]))
            taken = len(client.heard)
            for event in events:
                if isinstance(event, RequestReceived):
                    self.asked = {str(name): str(value) for name, value in event.headers}
                elif isinstance(event, DataReceived):
                    self.got += event.data
                elif isinstance(event, StreamEnded):
                    await self.answer(connection, client, event.stream_id)

    async def answer(self, connection: H2Connection, client: Client, stream: int) -> None:
        for head in self.heads:
            is_last = head is self.heads[-1] and not self.body and self.ends
            connection.send_headers(stream, list(head.items()), end_stream=is_last)
        for start in range(0, len(self.body), 16384):
            piece = self.body[start : start + 16384]
            if connection.local_flow_control_window(stream) < len(piece):
                break  # the rest of it nobody will read
            connection.send_data(stream, piece)
        if self.body and self.ends:
            if self.trailers is None:
                connection.end_stream(stream)
            else:
                connection.send_headers(stream, list(self.trailers.items()), end_stream=True)
        await client.say(connection.data_to_send())
