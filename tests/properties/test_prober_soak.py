"""Thousands of probes of servers that answer, close, reset, say nothing or are not there: nothing is left behind.

The probes go through the stepper and as tasks, some are abandoned, and now and then the process has no descriptor left.
"""

import asyncio
import gc
import os
import resource
import select
import signal
import socket
import struct
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from stayalived.addresses import Endpoint
from stayalived.checker.probe import Prober
from stayalived.checker.probes import LocalFault, PluginFault, ProbeEnded, ProbeIdentity, StartProbe
from stayalived.checker.watchdog import Watchdog
from stayalived.child.base import read_clock
from stayalived.config.model import Source
from stayalived.plugin import Check, CheckOptions, Connect, Net, Receive, Send, Steps, Target, Verdict
from stayalived.timing import milliseconds

PROBES = 1_000_000 if "STAYALIVED_TEST_LONG" in os.environ else 20_000
AT_A_TIME = 60
MANNERS = ("answer", "close", "reset", "silence", "flood")
SHARES = (60, 15, 15, 3, 7)
MOST_OBJECTS = 2000
"""Objects that may have come to be in all: caches of the interpreter fill up."""


class Asks(Check):
    """Says a word and waits for a line, in steps."""

    def steps(self, target: Target) -> Steps:
        yield Connect()
        yield Send(b"HELLO\n")
        heard = b""
        while b"\n" not in heard and len(heard) < 30_000:
            more = yield Receive()
            if not more:
                return Verdict.failed("answer", "end of the stream")
            heard += more
        return Verdict.passed("answer") if b"\n" in heard else Verdict.failed("answer", "too long")


class AsksInATask(Check):
    """The same in a coroutine; it raises at times."""

    async def probe(self, target: Target, net: Net) -> Verdict:
        async with net.connect(target) as connection:
            await connection.send(b"HELLO\n")
            if not await connection.receive(16):
                raise ValueError("nothing came")
            return Verdict.passed("answer")


def serve(listening: list[socket.socket]) -> None:
    """Treat each client as its port says, until killed."""
    epoll = select.epoll()
    manners = dict(zip((one.fileno() for one in listening), MANNERS, strict=True))
    by_number = {one.fileno(): one for one in listening}
    clients: dict[int, tuple[socket.socket, str]] = {}
    for number in by_number:
        epoll.register(number, select.EPOLLIN)
    while True:
        for number, _ in epoll.poll():
            if number in by_number:
                client, _ = by_number[number].accept()
                client.setblocking(False)
                clients[client.fileno()] = (client, manners[number])
                epoll.register(client.fileno(), select.EPOLLIN)
            elif treat(*clients[number]):
                clients.pop(number)[0].close()


def treat(client: socket.socket, manner: str) -> bool:
    """Answer one client; return whether it is done with."""
    try:
        if not client.recv(4096) or manner == "close":
            return True
        if manner == "reset":
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            return True
        if manner != "silence":
            client.send(b"x" * 60_000 if manner == "flood" else b"WELL\n")
    except OSError:
        return True
    return False


@pytest.fixture
def servers() -> Iterator[dict[str, Endpoint]]:
    """One port for each manner, and one where nobody listens."""
    listening = [socket.create_server(("127.0.0.1", 0), backlog=1024) for _ in MANNERS]
    child = os.fork()
    if child == 0:
        try:
            serve(listening)
        finally:
            os._exit(1)
    ends = {manner: Endpoint("127.0.0.1", one.getsockname()[1]) for manner, one in zip(MANNERS, listening, strict=True)}
    for one in listening:
        one.close()
    yield ends | {"nobody": Endpoint("127.0.0.1", 1)}
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)


class Soak:
    """Keeps `AT_A_TIME` probes running until there were enough."""

    def __init__(self, servers: dict[str, Endpoint], probes: int) -> None:
        self.servers, self.left = servers, probes
        self.chance = Random(1)
        self.seen: Counter[str] = Counter()
        self.running: set[int] = set()
        self.number = 0
        self.over = asyncio.get_running_loop().create_future()
        self.watchdog = Watchdog("soak", read_clock)
        self.checks: dict[str, Check] = {"steps": Asks(CheckOptions()), "task": AsksInATask(CheckOptions())}
        self.prober = Prober(lambda identity: self.checks[identity.type], self.ended, read_clock, self.watchdog)

    def begin(self) -> None:
        while len(self.running) < AT_A_TIME and self.left > 0:
            self.left -= 1
            self.number += 1
            self.running.add(self.number)
            self.prober.start(self.drawn(self.number))

    def drawn(self, number: int) -> StartProbe:
        manner = self.chance.choices((*MANNERS, "nobody"), (*SHARES, 5))[0]
        identity = ProbeIdentity(
            type="task" if self.chance.random() < 0.2 else "steps", distribution="test", options=b"",
            target=self.servers[manner], virtual_host="", connect_timeout=milliseconds(60),
            source=Source(bindto="", bind_port=0, bind_if="", fwmark=0),
        )  # fmt: skip
        return StartProbe(probe=number, identity=identity)

    def ended(self, event: ProbeEnded) -> None:
        self.running.discard(event.probe)
        self.seen[word(event)] += 1
        asyncio.get_running_loop().call_soon(self.after, event.probe)

    def after(self, number: int) -> None:
        self.prober.abandon(number)  # nobody asks for it any more
        if self.running and self.chance.random() < 0.02:
            victim = self.chance.choice(sorted(self.running))
            self.running.discard(victim)
            self.prober.abandon(victim)
            self.seen["abandoned"] += 1
        if self.chance.random() < 0.001:
            self.starve()
        self.begin()
        if not self.running and not self.over.done():
            self.over.set_result(None)

    def starve(self) -> None:
        """Make one probe while there is no descriptor left."""
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (0, hard))
        self.number += 1
        self.running.add(self.number)
        try:
            self.prober.start(self.drawn(self.number))
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))

    async def run(self) -> None:
        self.begin()
        await self.over
        await asyncio.sleep(0)  # the last callbacks of tasks

    def close(self) -> None:
        self.prober.close()
        self.watchdog.close()


def word(event: ProbeEnded) -> str:
    match event.outcome:
        case Verdict(up=True):
            return "up"
        case Verdict():
            return event.outcome.seen
        case LocalFault():
            return "local"
        case PluginFault():
            return "plugin"


def open_descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


async def left_over(servers: dict[str, Endpoint], probes: int) -> tuple[int, int, int, Counter[str]]:
    """Return descriptors, tasks and objects after so many probes, and what they came to."""
    soak = Soak(servers, probes)
    await soak.run()
    tasks = len(asyncio.all_tasks())
    assert len(soak.prober._stepper) == 0
    assert not soak.prober._tasks
    assert not soak.prober._known
    soak.close()
    gc.collect()
    return open_descriptors(), tasks, len(gc.get_objects()), soak.seen


@pytest.mark.timeout(1200)
async def test_probes_leave_no_descriptor_no_task_and_no_object(servers: dict[str, Endpoint]) -> None:
    descriptors, tasks, objects, _ = await left_over(servers, PROBES // 20)
    later_descriptors, later_tasks, later_objects, seen = await left_over(servers, PROBES)

    assert (later_descriptors, later_tasks) == (descriptors, tasks)
    assert later_objects - objects < MOST_OBJECTS
    assert sum(seen.values()) >= PROBES
    assert {"up", "end of the stream", "reset", "refused", "local", "plugin", "abandoned", "too long"} <= set(seen)
    assert "no answer within 60 ms" in seen
