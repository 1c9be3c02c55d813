"""The socket of events: what is kept, what comes, who is refused, and clients that do not read."""

import asyncio
import contextlib
import json
import os
import socket
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest_asyncio

from stayalived.api import stream as module
from stayalived.api.control import Entitled
from stayalived.api.memory import Memory
from stayalived.api.stream import Stream, Wish, write_wish
from unit.api.test_memory import event

NAME = "events.sock"


class Client:
    """Asks and reads line by line."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    async def next(self) -> dict[str, Any]:
        async with asyncio.timeout(5):
            line = await self.reader.readline()
        return json.loads(line) if line else {}

    async def numbers(self, count: int) -> list[int]:
        return [(await self.next())["sequence"] for _ in range(count)]


class Site:
    """A socket of events, and the clients that have connected to it."""

    def __init__(self, stream: Stream, folder: Path) -> None:
        self.stream, self.folder = stream, folder
        self.clients: list[Client] = []

    async def connected(self, data: bytes) -> Client:
        client = Client(*await asyncio.open_unix_connection(str(self.folder / NAME)))
        self.clients.append(client)
        client.writer.write(data)
        return client


@pytest_asyncio.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listening.bind(str(tmp_path / NAME))
    stream = Stream(listening, Entitled(starter=os.getuid(), group=None, own_user=-1), Memory(100))
    async with stream:
        made = Site(stream, tmp_path)
        yield made
        for client in made.clients:
            client.writer.close()
            with contextlib.suppress(OSError):
                await client.writer.wait_closed()


async def test_without_following_all_that_is_kept_comes_and_then_the_end(site: Site) -> None:
    for number in (1, 2):
        site.stream.publish(event(number))
    client = await site.connected(b"{}\n")
    assert await client.numbers(2) == [1, 2]
    assert await client.next() == {}


async def test_who_follows_gets_what_came_after_an_event_and_what_comes(site: Site) -> None:
    for number in (1, 2, 3):
        site.stream.publish(event(number))
    client = await site.connected(write_wish(Wish(since=1, follow=True)))
    assert await client.numbers(2) == [2, 3]
    site.stream.publish(event(4))
    assert await client.numbers(1) == [4]
    site.stream.publish(event(5))
    site.stream.publish(event(6))
    assert await client.numbers(2) == [5, 6]


async def test_who_asks_for_an_event_that_nobody_knows_is_told_that_something_may_be_missing(site: Site) -> None:
    site.stream.publish(event(20))
    client = await site.connected(write_wish(Wish(since=10)))
    assert await client.next() == {"missed": None}
    assert await client.numbers(1) == [20]


async def test_who_reads_too_slowly_is_told_how_much_it_missed(site: Site) -> None:
    site.stream.publish(event(1))
    client = await site.connected(write_wish(Wish(since=0, follow=True)))
    assert await client.numbers(1) == [1]
    written = 30_000
    for number in range(2, written):
        site.stream.publish(event(number))
        if number % 50 == 0:
            await asyncio.sleep(0)  # the others have their turn, the client reads nothing
    seen, missed = 1, 0
    while seen + missed < written - 1:
        line = await client.next()
        seen, missed = seen + ("sequence" in line), missed + line.get("missed", 0)
    assert line["sequence"] == written - 1
    assert missed > 0


async def test_one_that_asks_for_nonsense_is_told_so(site: Site) -> None:
    client = await site.connected(b'{"from": 1}\n')
    assert "from" in (await client.next())["refused"]
    assert await client.next() == {}


async def test_a_line_that_is_too_long_is_refused(site: Site) -> None:
    client = await site.connected(b"x" * 5000 + b"\n")
    assert "not a wish" in (await client.next())["refused"]


async def test_a_stranger_is_refused(tmp_path: Path) -> None:
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listening.bind(str(tmp_path / NAME))
    peer = module.Peer(uid=1234, groups=frozenset())
    stream = Stream(listening, Entitled(starter=0, group=None, own_user=-1))
    assert "only for root" in stream._refusal(peer)
    listening.close()


async def test_there_is_a_bound_to_those_who_follow(site: Site) -> None:
    site.stream.publish(event(1))
    clients = [await site.connected(write_wish(Wish(since=0, follow=True))) for _ in range(module.MAX_FOLLOWERS)]
    for client in clients:
        assert await client.numbers(1) == [1]
    late = await site.connected(b"{}\n")
    assert "clients follow already" in (await late.next())["refused"]


async def test_one_that_goes_away_makes_room(site: Site) -> None:
    site.stream.publish(event(1))
    client = await site.connected(write_wish(Wish(since=0, follow=True)))
    assert await client.numbers(1) == [1]
    client.writer.close()
    await client.writer.wait_closed()
    again = await site.connected(b"{}\n")
    assert await again.numbers(1) == [1]
    assert len(site.stream._followers) <= 1
