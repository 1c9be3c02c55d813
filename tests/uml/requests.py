"""Clients that can say of each request what became of it, and their servers.

A request is a connection: the server says its name, the client says a byte, the server echoes it. A short one is over
then; a long one says a byte every `BEAT` until somebody ends it.
"""

import json
import select
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from namespaces.lab import Host
from namespaces.processes import Process

PORT = 42
PATIENCE = 12.0
"""Seconds that a request may take: more than the third retransmission of a SYN, which comes after seven."""
BEAT = 0.5
GLANCE = 0.1
"""Seconds between two looks at what is due."""


@dataclass(frozen=True, slots=True)
class Request:
    """One connection. `at` is the wall clock when it began; `error` is empty when it was answered."""

    target: str
    at: float
    took: float
    port: int
    server: str
    error: str

    @property
    def end(self) -> float:
        return self.at + self.took


def start_server(host: Host, name: str) -> Process:
    """Start a server on both families that says its name."""
    return host.fork(lambda: _serve(name), "server")


class Askers:
    """Clients on one host that begin a request to each target at each interval, and keep `long` ones besides.

    Args:
        host: where they are.
        targets: addresses.
        interval: seconds; 0: long ones alone.
        long: how many to each target.
    """

    def __init__(self, host: Host, targets: list[str], interval: float, long: int = 0) -> None:
        self.process = host.fork(lambda: _ask(targets, interval, long), "askers")

    def requests(self) -> list[Request]:
        """Return the requests that have ended, in the order in which they began."""
        return sorted((Request(**row) for row in self._rows() if "error" in row), key=lambda one: one.at)

    def between(self, begin: float, end: float) -> list[Request]:
        """Return those of them that began in a span of time."""
        return [one for one in self.requests() if begin <= one.at < end]

    def living(self) -> dict[int, tuple[str, str]]:
        """Return target and server of the long connections that go on, by the client's port."""
        since = time.time() - 4 * BEAT
        beats = [row for row in self._rows() if row.get("beat", 0.0) > since]
        return {row["port"]: (row["target"], row["server"]) for row in beats}

    def _rows(self) -> Iterator[dict[str, Any]]:
        if not self.process.log_path.exists():  # it was forked just now
            return iter(())
        lines = self.process.log().splitlines()
        return (json.loads(line) for line in lines if line.startswith("{") and line.endswith("}"))


def _serve(name: str) -> None:
    with socket.create_server(("::", PORT), family=socket.AF_INET6, dualstack_ipv6=True, backlog=128) as server:
        poll = select.poll()
        poll.register(server, select.POLLIN)
        open_ones: dict[int, socket.socket] = {}
        while True:
            for descriptor, _ in poll.poll():
                if descriptor == server.fileno():
                    connection, _ = server.accept()
                    open_ones[connection.fileno()] = connection
                    poll.register(connection, select.POLLIN)
                    with suppress(OSError):  # the client may have given up
                        connection.sendall(f"{name}\n".encode())
                elif not _echo(open_ones[descriptor]):
                    poll.unregister(descriptor)
                    open_ones.pop(descriptor).close()


def _echo(connection: socket.socket) -> bool:
    """Send back what came; return whether the connection goes on."""
    try:
        data = connection.recv(64)
        connection.sendall(data)
    except OSError:
        return False
    return bool(data)


class _One:
    """A request that is under way."""

    def __init__(self, target: str, *, long: bool) -> None:
        self.target, self.long = target, long
        self.at, self.begun = time.time(), time.monotonic()
        self.server, self.text, self.port = "", b"", 0
        self.beat_at = self.begun + PATIENCE
        self.socket = socket.socket(socket.AF_INET6 if ":" in target else socket.AF_INET, socket.SOCK_STREAM)
        self.socket.setblocking(False)
        self.socket.connect_ex((target, PORT))
        self.port = self.socket.getsockname()[1]

    def readable(self) -> str | None:
        """Read; return None while it goes on, else its error, which is empty when it was answered."""
        try:
            data = self.socket.recv(100)
        except BlockingIOError:
            return None
        except OSError as error:
            return error.strerror or str(error)
        if not data:
            return "closed by the server"
        self.text += data
        name, newline, echoed = self.text.partition(b"\n")
        if newline and not self.server:
            self.server = name.decode()
            return self.say()
        if not echoed:
            return None
        if not self.long:
            return ""
        self.text = name + newline
        _tell(target=self.target, port=self.port, server=self.server, beat=time.time())
        self.beat_at = time.monotonic() + BEAT
        return None

    def say(self) -> str | None:
        """Say a byte; a long request that is not echoed in time is over."""
        self.beat_at = time.monotonic() + PATIENCE
        try:
            self.socket.sendall(b"x")
        except OSError as error:
            return error.strerror or str(error)
        return None

    def tell(self, error: str) -> None:
        self.socket.close()
        took = time.monotonic() - self.begun
        _tell(target=self.target, at=self.at, took=took, port=self.port, server=self.server, error=error)


def _tell(**row: object) -> None:
    sys.stdout.write(json.dumps(row) + "\n")
    sys.stdout.flush()


class _Asking:
    """All requests that are under way."""

    def __init__(self) -> None:
        self.poll = select.poll()
        self.running: dict[int, _One] = {}

    def begin(self, target: str, *, long: bool = False) -> None:
        one = _One(target, long=long)
        self.running[one.socket.fileno()] = one
        self.poll.register(one.socket, select.POLLIN)

    def read(self, limit: float) -> None:
        """Read what comes within a limit in seconds."""
        for descriptor, _ in self.poll.poll(limit * 1000):
            self._take(descriptor, self.running[descriptor].readable())

    def look(self, now: float) -> None:
        """Say the bytes of long requests, and give up on short ones that take too long."""
        for descriptor, one in list(self.running.items()):
            if one.long and one.server and now >= one.beat_at:
                self._take(descriptor, one.say())
            elif not one.long and now - one.begun > PATIENCE:
                self._take(descriptor, f"no answer in {PATIENCE:g} s")

    def _take(self, descriptor: int, error: str | None) -> None:
        if error is not None:
            self.poll.unregister(descriptor)
            self.running.pop(descriptor).tell(error)


def _ask(targets: list[str], interval: float, long: int) -> None:
    asking = _Asking()
    for target in targets * long:
        asking.begin(target, long=True)
    due = time.monotonic()
    while True:
        asking.read(max(0.0, min(due - time.monotonic(), GLANCE)) if interval else GLANCE)
        now = time.monotonic()
        asking.look(now)
        if interval and now >= due:
            due += interval
            for target in targets:
                asking.begin(target)
