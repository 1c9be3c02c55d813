"""What waits in a socket that hears: packets with the moments at which they came, and how many were lost. I/O."""

import socket
import struct
import time
from collections.abc import Iterator
from typing import Any

from stayalived.timing import Instant, milliseconds
from stayalived.vrrp import datagrams
from stayalived.vrrp.datagrams import SO_TIMESTAMPNS

LATE = milliseconds(50)
"""A packet that has waited so long is told with the moment at which it came: this process stood still meanwhile."""

READS = 2048
"""Packets taken from one socket in one go: more than fit its buffer, so only a flood is cut off and read later."""

MANY = 64
"""Packets found in a socket at once for which its losses are looked at."""

LONGEST = 65535
ANCILLARY = 256
# Linux names that the socket module of Python 3.11 lacks: include/uapi/asm-generic/socket.h, linux/sock_diag.h.
_SO_RCVBUFFORCE = 33
_SO_MEMINFO, _DROPS = 55, 8  # SK_MEMINFO_DROPS
_MEMORY = struct.Struct("=9I")

Packet = tuple[bytes, list[tuple[int, int, bytes]], int, Any]
"""What `recvmsg` returns: data, ancillary data, flags, address."""


class Arrivals:
    """The packets of one socket.

    Attributes:
        lost: how many the kernel has dropped because the socket was full, as far as that was looked at.
    """

    def __init__(self, sock: socket.socket, buffer: int) -> None:
        """Have packets stamped, and room for many.

        Args:
            sock: the socket, which stays the caller's.
            buffer: bytes that may wait in it.

        Raises:
            OSError: the kernel refuses.
        """
        self._socket = sock
        self._emptied = time.monotonic_ns()
        self._lost = 0
        sock.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        try:
            sock.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, buffer)
        except PermissionError:  # a user namespace's NET_ADMIN is not enough: as much as net.core.rmem_max allows
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)

    def packets(self) -> Iterator[Packet]:
        """Yield what waits, with addresses and time stamps."""
        receive = self._socket.recvmsg
        try:
            for _ in range(READS):
                yield receive(LONGEST, ANCILLARY)
        except BlockingIOError:
            self._emptied = time.monotonic_ns()

    def bare(self) -> Iterator[bytes]:
        """Yield what waits without all that, which is quicker."""
        receive = self._socket.recv
        try:
            for _ in range(READS):
                yield receive(LONGEST)
        except BlockingIOError:
            self._emptied = time.monotonic_ns()

    def moment(self, packet: Packet) -> Instant:
        """Return the monotonic moment at which a packet came, from its time stamp of the wall clock.

        It cannot have come before the socket was last found empty: that bounds what a step of the wall clock, or a
        suspension, which the monotonic clock does not count, can do.
        """
        arrived, now = datagrams.read_arrival(packet[1]), time.monotonic_ns()
        if arrived is None:
            return Instant(now)
        return Instant(max(self._emptied, min(now, now - (time.time_ns() - arrived))))

    def is_late(self, packet: Packet) -> bool:
        """Tell whether a packet has waited long."""
        return time.monotonic_ns() - self.moment(packet) >= LATE

    def missed(self) -> int:
        """Return how many packets were dropped since this was last asked."""
        memory = self._socket.getsockopt(socket.SOL_SOCKET, _SO_MEMINFO, _MEMORY.size)
        lost = int(_MEMORY.unpack(memory)[_DROPS])
        missed, self._lost = (lost - self._lost) & 0xFFFFFFFF, lost
        return missed
