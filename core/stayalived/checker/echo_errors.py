"""What routers and hosts say of ICMP requests that they do not pass on or answer. I/O: reads a socket's error queue.

With IP_RECVERR the kernel keeps each such word with the head of the request that it is about: ip(7), MSG_ERRQUEUE.
"""

import socket
import struct
from collections.abc import Iterator
from dataclasses import dataclass

MOST_ERRORS = 256
"""Errors taken in a row; what else the loop has to do comes between."""

_IP_RECVERR, _IPV6_RECVERR = 11, 25  # include/uapi/linux/in.h, in6.h; Python has no names for them
_ERROR = struct.Struct("@IBBBBII")  # struct sock_extended_err: include/uapi/linux/errqueue.h
_FROM_OTHERS = {2, 3}  # SO_EE_ORIGIN_ICMP, SO_EE_ORIGIN_ICMP6
_ROOM = socket.CMSG_SPACE(128)
_REQUEST = struct.Struct("!BBHHH")  # RFC 792: type, code, checksum, identifier, sequence
_KEPT = 256
_SENDERS = {socket.AF_INET: (4, 8), socket.AF_INET6: (8, 24)}  # where sockaddr_in and sockaddr_in6 have the address


@dataclass(frozen=True, slots=True)
class Refusal:
    """One request that did not get there: its sequence number, its target, the error, and who told it."""

    number: int
    address: str
    error: int
    told_by: str


def want_errors(opened: socket.socket) -> None:
    """Have the kernel keep what comes back for requests of a socket."""
    if opened.family == socket.AF_INET:
        opened.setsockopt(socket.IPPROTO_IP, _IP_RECVERR, 1)
    else:
        opened.setsockopt(socket.IPPROTO_IPV6, _IPV6_RECVERR, 1)


def refusals(opened: socket.socket) -> Iterator[Refusal | None]:
    """Return what has come back since; None for what is about no request. The socket's pending error goes with it."""
    for _ in range(MOST_ERRORS):
        try:
            request, ancillary, _flags, to = opened.recvmsg(_KEPT, _ROOM, socket.MSG_ERRQUEUE)
        except BlockingIOError:
            return
        told = next((_told(opened.family, data) for _level, _kind, data in ancillary if len(data) >= _ERROR.size), None)
        if told is None or to is None or len(request) < _REQUEST.size:
            yield None
        else:
            yield Refusal(_REQUEST.unpack_from(request)[4], to[0], *told)


def _told(family: int, data: bytes) -> tuple[int, str] | None:
    """Return error and teller of a `sock_extended_err` with the address behind it; None if it is this host's own."""
    error, origin, *_ = _ERROR.unpack_from(data)
    begin, end = _SENDERS[socket.AddressFamily(family)]
    address = data[_ERROR.size + begin : _ERROR.size + end]
    if origin not in _FROM_OTHERS or len(address) != end - begin:
        return None
    return error, socket.inet_ntop(family, address)
