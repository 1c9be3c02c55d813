"""Requests and replies of ICMP echo with a socket that is none: what comes is the test's."""

import asyncio
import contextlib
import os
import socket
import struct
from collections.abc import Iterator
from typing import Any, cast

import pytest

from stayalived.addresses import Endpoint
from stayalived.checker import echo
from stayalived.checker.echo import Pinger
from stayalived.errors import KernelProblem
from stayalived.plugin import LocalFailure, NetworkFailure, Target
from stayalived.plugin.testing import target_for
from stayalived.timing import milliseconds

HEAD = struct.Struct("!BBHHH")
TARGET = target_for(Endpoint("192.0.2.1", 0), connect_timeout=milliseconds(50))


class Wire:
    """Stands in for an ICMP socket; readable when a packet was put there."""

    family = socket.AF_INET

    def __init__(self) -> None:
        self.sent: list[bytes] = []
        self.coming: list[tuple[bytes, tuple[str, int]]] = []
        self.refusal: OSError | None = None
        self._event = os.eventfd(0, os.EFD_NONBLOCK)

    def fileno(self) -> int:
        return self._event

    def close(self) -> None:
        os.close(self._event)

    def sendmsg(self, parts: list[bytes], *_: Any) -> None:
        if self.refusal is not None:
            raise self.refusal
        self.sent.append(b"".join(parts))

    def recvmsg(self, *_: Any) -> None:
        raise BlockingIOError

    def recvfrom(self, _: int) -> tuple[bytes, tuple[str, int]]:
        with contextlib.suppress(BlockingIOError):
            os.eventfd_read(self._event)
        if not self.coming:
            raise BlockingIOError
        return self.coming.pop(0)

    def put(self, packet: bytes, sender: str = "192.0.2.1") -> None:
        self.coming.append((packet, (sender, 0)))
        os.eventfd_write(self._event, 1)


@pytest.fixture
def wire() -> Iterator[Wire]:
    made = Wire()
    yield made
    made.close()


def pinger(wire: Wire) -> Pinger:
    return Pinger((cast("socket.socket", wire),))


def answer(request: bytes, kind: int = 0, data: bytes | None = None, further: int = 0) -> bytes:
    """Return the reply to a request, or something like it."""
    _, _, _, identifier, number = HEAD.unpack_from(request)
    return HEAD.pack(kind, 0, 0, identifier, number + further) + (request[HEAD.size :] if data is None else data)


async def begin(one: Pinger, wire: Wire) -> "asyncio.Task[None]":
    """Send a request and return what waits for its reply."""
    waiting = asyncio.create_task(one.ping(TARGET, b"data"))
    while not wire.sent:  # noqa: ASYNC110  (the task sends as soon as it runs)
        await asyncio.sleep(0)
    return waiting


async def test_a_reply_with_our_number_and_our_data_is_the_answer(wire: Wire) -> None:
    waiting = await begin(pinger(wire), wire)

    wire.put(answer(wire.sent[0]))

    await waiting
    assert (8, b"data") == (wire.sent[0][0], wire.sent[0][-4:])


@pytest.mark.parametrize(
    ("changes", "sender"),
    [
        ({"kind": 8}, "192.0.2.1"),
        ({"kind": 3}, "192.0.2.1"),
        ({"data": b"other"}, "192.0.2.1"),
        ({"data": b""}, "192.0.2.1"),
        ({"further": 1}, "192.0.2.1"),
        ({}, "192.0.2.2"),
    ],
)
async def test_nothing_else_is(wire: Wire, changes: dict[str, Any], sender: str) -> None:
    waiting = await begin(pinger(wire), wire)

    wire.put(b"short")
    wire.put(answer(wire.sent[0], **changes), sender)

    with pytest.raises(NetworkFailure, match="echo: no answer within 50 ms"):
        await waiting
    assert wire.coming == []


async def test_each_of_many_gets_its_own_reply_and_numbers_come_round(
    wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(echo, "_LARGEST", 7)
    one = pinger(wire)

    numbers = []
    for _ in range(20):
        waiting = await begin(one, wire)
        numbers.append(HEAD.unpack_from(wire.sent[-1])[4])
        wire.put(answer(wire.sent.pop()))
        await waiting

    assert numbers == [(first + numbers[0]) % 8 for first in range(20)]


async def test_too_many_that_wait_are_our_own_lack(wire: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(echo, "MOST_WAITING", 1)
    one = pinger(wire)
    waiting = await begin(one, wire)

    with pytest.raises(LocalFailure, match="1 pings wait for their answers; raise delay_loop"):
        await one.ping(TARGET, b"data")
    with pytest.raises(NetworkFailure):
        await waiting


@pytest.mark.parametrize(
    ("number", "failure", "text"),
    [
        (101, NetworkFailure, "echo: network is unreachable"),
        (113, NetworkFailure, "echo: no route to host"),
        (105, KernelProblem, "the kernel is out of buffers"),
        (1, KernelProblem, "a firewall rule of this host"),
    ],
)
async def test_a_refusal_is_the_networks_or_ours(wire: Wire, number: int, failure: type[Exception], text: str) -> None:
    wire.refusal = OSError(number, "refused")

    with pytest.raises(failure, match=text):
        await pinger(wire).ping(TARGET, b"data")


async def test_without_a_socket_of_the_family_it_says_so(wire: Wire) -> None:
    target: Target = target_for(Endpoint("2001:db8::1", 0))

    with pytest.raises(LocalFailure, match="no ICMP socket"):
        await pinger(wire).ping(target, b"data")
