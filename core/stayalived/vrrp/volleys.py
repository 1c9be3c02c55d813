"""Adverts that leave by one socket together, again and again: one system call for all of them, sendmmsg(2). I/O.

The masters of one beat say the same at each beat. To send one advert from Python takes as long as all else that is done
for it outside of the kernel.
"""

import ctypes
import os
from collections.abc import Sequence

_libc = ctypes.CDLL(None, use_errno=True)


class _Buffer(ctypes.Structure):
    """`struct iovec`."""

    _fields_ = (("base", ctypes.c_void_p), ("length", ctypes.c_size_t))


class _Header(ctypes.Structure):
    """`struct msghdr`; without a name the message goes to whom the socket is connected to."""

    _fields_ = (
        ("name", ctypes.c_void_p),
        ("name_length", ctypes.c_uint),
        ("buffers", ctypes.c_void_p),
        ("buffer_count", ctypes.c_size_t),
        ("control", ctypes.c_void_p),
        ("control_length", ctypes.c_size_t),
        ("flags", ctypes.c_int),
    )


class _Message(ctypes.Structure):
    """`struct mmsghdr`."""

    _fields_ = (("header", _Header), ("sent", ctypes.c_uint))


class Volley:
    """Messages for one connected socket, ready to be sent as often as wanted.

    Args:
        descriptor: of the socket, which stays the caller's; it must not be used once the socket is closed.
        messages: what to send, in this order.
    """

    __slots__ = ("_buffers", "_count", "_data", "_descriptor", "_messages")

    def __init__(self, descriptor: int, messages: Sequence[bytes]) -> None:
        """Lay everything out in memory; the kernel reads it there at each sending."""
        self._descriptor, self._count = descriptor, len(messages)
        self._data = ctypes.create_string_buffer(b"".join(messages))
        self._buffers = (_Buffer * self._count)()
        self._messages = (_Message * self._count)()
        place = ctypes.addressof(self._data)
        for message, buffer, data in zip(self._messages, self._buffers, messages, strict=True):
            buffer.base, buffer.length = place, len(data)
            message.header.buffers, message.header.buffer_count = ctypes.addressof(buffer), 1
            place += len(data)

    def send(self) -> int:
        """Send all; return how many have left. The first that does not ends it, and nothing tells why.

        Raises:
            OSError: not even the first one has left.
        """
        sent = int(_libc.sendmmsg(self._descriptor, self._messages, self._count, 0))
        if sent < 0:
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number))
        return sent
