"""Sockets that hear what rtnetlink tells of its own accord. I/O."""

import errno
import socket
from collections.abc import Callable, Sequence

from stayalived.kernel.filters import Instruction, attach

RECEIVE_BUFFER = 4 * 1024 * 1024
"""Bytes for events that wait; about 5,000 of them."""

RECEIVE_SIZE = 128 * 1024

READS = 64
"""Datagrams that one call takes in at most, so that adverts due are not held up."""

_SOL_NETLINK, _NETLINK_ADD_MEMBERSHIP = 270, 1
_SO_RCVBUFFORCE = 33


class Subscription:
    """Hears groups of rtnetlink.

    After an overflow the socket itself goes on: the kernel holds events back until its queue is empty, and tells them
    again from then on (net/netlink/af_netlink.c, netlink_rcv_wake). So that is the moment to read everything again.

    Args:
        groups: RTNLGRP_* of linux/rtnetlink.h.
        buffer: bytes of the receive buffer.
        program: lets events through, or not, before they take room in the buffer; without one all come through.

    Attributes:
        overflows: how often the buffer had no room.
    """

    def __init__(self, groups: Sequence[int], *, buffer: int, program: Sequence[Instruction] = ()) -> None:
        """Open the socket in the network namespace of the calling thread.

        Raises:
            OSError: no descriptor is free.
        """
        self.overflows = 0
        self._stale = False
        self._socket = _subscribe(groups, buffer, program)

    def fileno(self) -> int:
        """Return the descriptor to watch; an overflow does not change it."""
        return self._socket.fileno()

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()

    def drain(self, take: Callable[[bytes], None], catch_up: Callable[[], None]) -> bool:
        """Take in what waits; tells whether that was all. Does not block.

        Args:
            take: takes one datagram.
            catch_up: called after an overflow, when the queue is empty; when it raises, by the next call again.
        """
        for _ in range(READS):
            try:
                data = self._socket.recv(RECEIVE_SIZE)
            except BlockingIOError:
                if self._stale:
                    catch_up()
                    self._stale = False
                return True
            except OSError as error:
                if error.errno != errno.ENOBUFS:
                    raise
                self.overflows += 1
                self._stale = True
            else:
                take(data)
        return False


def _subscribe(groups: Sequence[int], buffer: int, program: Sequence[Instruction]) -> socket.socket:
    kind = socket.SOCK_RAW | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC
    sock = socket.socket(socket.AF_NETLINK, kind, socket.NETLINK_ROUTE)
    try:
        sock.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, buffer)
    except PermissionError:  # without CAP_NET_ADMIN over the first namespace: as much as net.core.rmem_max allows
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
    if program:
        attach(sock, *program)
    sock.bind((0, 0))  # without a port id of its own it gets no multicasts (af_netlink.c, do_one_broadcast)
    for group in groups:
        sock.setsockopt(_SOL_NETLINK, _NETLINK_ADD_MEMBERSHIP, group)
    return sock
