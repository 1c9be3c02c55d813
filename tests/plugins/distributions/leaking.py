"""Checks that never give back: sockets, memory, tasks."""

import asyncio
import socket
from collections.abc import Iterable

from stayalived.plugin import Check, Net, Target, Verdict, hookimpl

HELD: list[object] = []


class SocketLeakCheck(Check):
    name = "socket-leak"

    async def probe(self, target: Target, net: Net) -> Verdict:
        HELD.extend(socket.socket() for _ in range(100))
        return Verdict.passed()


class MemoryLeakCheck(Check):
    name = "memory-leak"

    async def probe(self, target: Target, net: Net) -> Verdict:
        HELD.append(bytearray(100 << 20))
        return Verdict.passed()


class TaskLeakCheck(Check):
    name = "task-leak"

    async def probe(self, target: Target, net: Net) -> Verdict:
        HELD.extend(asyncio.create_task(asyncio.Event().wait()) for _ in range(1000))
        return Verdict.passed()


@hookimpl
def stayalived_checks() -> Iterable[type[Check]]:
    return [SocketLeakCheck, MemoryLeakCheck, TaskLeakCheck]
