"""ICMP echo for checks: one datagram socket for each family, opened as root and shared by all probes. I/O.

Who may open such a socket is said by the sysctl `ping_group_range`, which is empty in every new namespace; it is
widened for the moment of opening, as keepalived does (C35). The kernel (net/ipv4/ping.c) keeps identifier and checksum,
and hands us the replies to our identifier alone: a sequence number tells the probes apart.
"""

import asyncio
import contextlib
import errno
import os
import socket
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path

from stayalived.checker.echo_errors import Refusal, refusals, want_errors
from stayalived.checker.session import words_for
from stayalived.checker.sockets import OWN_SIDE
from stayalived.errors import KernelProblem
from stayalived.plugin.checks import LocalFailure, NetworkFailure, Target, Verdict
from stayalived.timing import for_people, in_seconds

MOST_WAITING = 32768
"""Requests that wait for their answers at a time: half of the sequence numbers, so that none is reused too soon."""

MOST_READ = 256
"""Replies taken in a row; what else the loop has to do comes between."""

_GROUPS = Path("/proc/sys/net/ipv4/ping_group_range")
_HEAD = struct.Struct("!BBHHH")  # RFC 792: type, code, checksum, identifier, sequence
_IPV4, _IPV6 = (8, 0), (128, 129)  # RFC 792, RFC 4443 4: request and reply
_LARGEST = 65535
_IP_PKTINFO = 8  # include/uapi/linux/in.h; Python names it from 3.12 on


NO_SOCKET = "no ICMP socket: it is opened when the daemon starts as root, and never for the plugins of others"


async def no_ping(target: Target, data: bytes) -> None:  # noqa: ARG001  (stands in for `Pinger.ping`)
    """Refuse to ping, where there are no sockets."""
    raise LocalFailure(NO_SOCKET)


@dataclass(slots=True)
class _Waiting:
    """One request that was sent."""

    address: str
    data: bytes
    answered: "asyncio.Future[None]"


def open_echo_sockets() -> tuple[socket.socket, ...]:
    """Return a socket for each family that can be had, none where this machine forbids it. To be called as root."""
    opened = []
    with _widened():
        for family, protocol in ((socket.AF_INET, socket.IPPROTO_ICMP), (socket.AF_INET6, socket.IPPROTO_ICMPV6)):
            with contextlib.suppress(OSError):  # whoever pings is told what is missing, nobody else cares
                kind = socket.SOCK_DGRAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC
                opened.append(socket.socket(family, kind, protocol))
                want_errors(opened[-1])
    return tuple(opened)


@contextlib.contextmanager
def _widened() -> Iterator[None]:
    """Let our group open such sockets for a moment. Where that is not ours to say, nothing changes."""
    try:
        before = _GROUPS.read_text()
        low, high = map(int, before.split())
        group = os.getegid()
        if low <= group <= high:
            before = ""
        else:
            _GROUPS.write_text(f"{group} {group}")
    except (OSError, ValueError):
        before = ""
    try:
        yield
    finally:
        if before:
            _GROUPS.write_text(before)


class Pinger:
    """Sends requests and gives each its reply. To be made and used inside a running loop."""

    def __init__(self, sockets: tuple[socket.socket, ...] = ()) -> None:
        """Take over the sockets and listen on them."""
        self._sockets = {opened.family: opened for opened in sockets}
        self._waiting: dict[int, _Waiting] = {}
        self._last = 0
        self._loop = asyncio.get_running_loop()
        for opened in sockets:
            self._loop.add_reader(opened.fileno(), self._receive, opened)

    async def ping(self, target: Target, data: bytes) -> None:
        """Send one request and wait for its reply.

        Raises:
            NetworkFailure: there was none within the target's `connect_timeout`, or no way there, as this host knows
                or another one says.
            KernelProblem: this machine could not send it.
            LocalFailure: this process has no socket for it, or too many requests wait.
        """
        number = self._number()
        waiting = _Waiting(target.endpoint.address, number.to_bytes(8, "big") + data, self._loop.create_future())
        self._waiting[number] = waiting
        try:
            self._send(target, number, waiting.data)
            async with asyncio.timeout(in_seconds(target.connect_timeout)):
                await waiting.answered
        except TimeoutError as error:
            seen = f"no answer within {for_people(target.connect_timeout)}"
            raise NetworkFailure(Verdict.failed("echo", seen)) from error
        finally:
            del self._waiting[number]

    def close(self) -> None:
        """Stop listening and close the sockets."""
        for opened in self._sockets.values():
            self._loop.remove_reader(opened.fileno())
            opened.close()
        self._sockets = {}

    def _number(self) -> int:
        """Return a sequence number that nobody waits for."""
        if len(self._waiting) >= MOST_WAITING:
            raise LocalFailure(f"{MOST_WAITING} pings wait for their answers; raise delay_loop")
        while True:
            self._last = (self._last + 1) & _LARGEST
            if self._last not in self._waiting:
                return self._last

    def _send(self, target: Target, number: int, data: bytes) -> None:
        address = target.endpoint.address
        is_ipv6 = ":" in address
        opened = self._sockets.get(socket.AF_INET6 if is_ipv6 else socket.AF_INET)
        if opened is None:
            raise LocalFailure(NO_SOCKET)
        interface = _interface(target.bind_if)
        to = (address, 0, 0, interface) if is_ipv6 else (address, 0)
        head = _HEAD.pack((_IPV6 if is_ipv6 else _IPV4)[0], 0, 0, 0, number)
        source = _source(target.bindto, interface, is_ipv6)
        try:
            opened.sendmsg([head, data], source, 0, to)
        except OSError as error:
            if not self._take_errors(opened):
                raise _failure(error.errno or 0) from error
            self._send_again(opened, [head, data], source, to)  # it was the error of another request: ip(7)

    @staticmethod
    def _send_again(
        opened: socket.socket, parts: list[bytes], source: list[tuple[int, int, bytes]], to: tuple[str | int, ...]
    ) -> None:
        try:
            opened.sendmsg(parts, source, 0, to)
        except OSError as error:
            raise _failure(error.errno or 0) from error

    def _take_errors(self, opened: socket.socket) -> int:
        """Give what has come back to whoever waits for a reply instead; returns how many there were."""
        taken = 0
        for refusal in refusals(opened):
            taken += 1
            waiting = self._waiting.get(refusal.number) if refusal is not None else None
            if refusal is not None and waiting is not None and _same(refusal.address, waiting.address):
                _fail(waiting.answered, refusal)
        return taken

    def _receive(self, opened: socket.socket) -> None:
        """Give the replies that have come to whoever waits for them."""
        self._take_errors(opened)
        for _ in range(MOST_READ):
            try:
                packet, sender = opened.recvfrom(_LARGEST)
            except OSError:  # nothing more, or an error that waits in the queue: it makes the socket readable again
                return
            if len(packet) >= _HEAD.size:
                kind, _code, _checksum, _identifier, number = _HEAD.unpack_from(packet)
                waiting = self._waiting.get(number)
                is_reply = kind in (_IPV4[1], _IPV6[1]) and waiting is not None and packet[_HEAD.size :] == waiting.data
                if waiting is not None and is_reply and _same(sender[0], waiting.address):
                    _set_done(waiting.answered)


def _interface(name: str) -> int:
    """Return the number of an interface, 0 for none."""
    try:
        return socket.if_nametoindex(name) if name else 0
    except OSError as error:
        raise KernelProblem(f"bind_if {name}", errno.ENODEV, "name an interface of this host") from error


def _source(bindto: str, interface: int, is_ipv6: bool) -> list[tuple[int, int, bytes]]:
    """Return the ancillary data that choose source address and interface: ip(7), ipv6(7)."""
    if not bindto and not interface:
        return []
    if is_ipv6:
        info = socket.inet_pton(socket.AF_INET6, bindto or "::") + struct.pack("@i", interface)
        return [(socket.IPPROTO_IPV6, socket.IPV6_PKTINFO, info)]
    address = socket.inet_pton(socket.AF_INET, bindto or "0.0.0.0")  # noqa: S104  (a source)
    return [(socket.IPPROTO_IP, _IP_PKTINFO, struct.pack("@i", interface) + address + bytes(4))]


def _failure(number: int) -> KernelProblem | NetworkFailure:
    """Return what a request that could not be sent means."""
    if number in OWN_SIDE:
        return KernelProblem("echo", number, OWN_SIDE[number])
    return NetworkFailure(Verdict.failed("echo", os.strerror(number).lower()))


def _fail(waiting: "asyncio.Future[None]", refusal: Refusal) -> None:
    """Tell whoever waits that there will be no reply, once."""
    if not waiting.done():
        seen = f"{words_for(refusal.error)}, says {refusal.told_by}"
        waiting.set_exception(NetworkFailure(Verdict.failed("echo", seen)))


def _same(one: str, other: str) -> bool:
    return ip_address(one.partition("%")[0]) == ip_address(other)


def _set_done(waiting: "asyncio.Future[None]") -> None:
    """Wake whoever waits, once."""
    if not waiting.done():
        waiting.set_result(None)
