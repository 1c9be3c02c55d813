"""Generic netlink, as much of it as IPVS needs: framing, a socket, many requests in one send. I/O.

Layouts are those of include/uapi/linux/netlink.h and genetlink.h: numbers in the machine's own byte order, everything
padded to four bytes.
"""

import errno
import os
import socket
import struct
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from stayalived.errors import Bug, KernelProblem

NETLINK_GENERIC = 16
SOL_NETLINK = 270
NETLINK_CAP_ACK = 10  # an error carries the header of its request, not all of it

NLMSG_ERROR = 2
NLMSG_DONE = 3
NLM_F_REQUEST = 0x1
NLM_F_ACK = 0x4
NLM_F_DUMP = 0x300

GENL_ID_CTRL = 16
CTRL_CMD_GETFAMILY = 3
CTRL_ATTR_FAMILY_ID = 1
CTRL_ATTR_FAMILY_NAME = 2

BATCH = 64
"""Requests in one send. Their answers wait in the receive buffer, which by default holds about 160 of them."""

RECEIVE_BUFFER = 4 * 1024 * 1024
RECEIVE_SIZE = 64 * 1024  # the kernel fills dumps up to 32 KiB

_HEADER = struct.Struct("=IHHII")  # nlmsghdr: length, type, flags, sequence, port
_GENERIC = struct.Struct("=BBH")  # genlmsghdr: command, version, reserved
_ATTRIBUTE = struct.Struct("=HH")  # nlattr: length, type
_ERROR = struct.Struct("=i")
_TYPE_MASK = 0x3FFF  # without NLA_F_NESTED and NLA_F_NET_BYTEORDER


@dataclass(frozen=True, slots=True)
class Request:
    """One generic netlink request: command of the family, encoded attributes."""

    command: int
    payload: bytes


@dataclass(frozen=True, slots=True)
class Reply:
    """One netlink message that came back. The body is what follows the netlink header."""

    type: int
    sequence: int
    body: memoryview


def attribute(kind: int, value: bytes) -> bytes:
    """Return one encoded attribute, padded."""
    return _ATTRIBUTE.pack(_ATTRIBUTE.size + len(value), kind) + value + bytes(-len(value) % 4)


def attributes(data: memoryview) -> dict[int, memoryview]:
    """Return attributes by type; of a type that comes twice the last.

    Raises:
        Bug: the bytes are no attributes. The kernel writes them, so the reading is wrong.
    """
    found: dict[int, memoryview] = {}
    offset = 0
    while offset + _ATTRIBUTE.size <= len(data):
        length, kind = _ATTRIBUTE.unpack_from(data, offset)
        if length < _ATTRIBUTE.size or offset + length > len(data):
            raise Bug(f"netlink attribute {kind} of {length} bytes at {offset} of {len(data)}")
        found[kind & _TYPE_MASK] = data[offset + _ATTRIBUTE.size : offset + length]
        offset += (length + 3) & ~3
    return found


def frame(family: int, request: Request, sequence: int, flags: int) -> bytes:
    """Return a request as the bytes of one netlink message."""
    body = _GENERIC.pack(request.command, 1, 0) + request.payload
    return _HEADER.pack(_HEADER.size + len(body), family, NLM_F_REQUEST | flags, sequence, 0) + body


def replies(datagram: bytes) -> Iterator[Reply]:
    """Walk through the messages of one datagram.

    Raises:
        Bug: the bytes are no messages.
    """
    data = memoryview(datagram)
    offset = 0
    while offset + _HEADER.size <= len(data):
        length, kind, _flags, sequence, _port = _HEADER.unpack_from(data, offset)
        if length < _HEADER.size or offset + length > len(data):
            raise Bug(f"netlink message of {length} bytes at {offset} of {len(data)}")
        yield Reply(kind, sequence, data[offset + _HEADER.size : offset + length])
        offset += (length + 3) & ~3


def body_attributes(reply: Reply) -> dict[int, memoryview]:
    """Return the attributes of a reply of the family, behind its generic header."""
    return attributes(reply.body[_GENERIC.size :])


class GenericSocket:
    """A connection to one generic netlink family.

    Every call blocks until the kernel has answered. It works through a request before `send` returns, so that is how
    long the work takes and no longer.
    """

    def __init__(self, family: str, remedy: str) -> None:
        """Connect, and ask for the family, which makes the kernel load its module if it has one.

        Args:
            family: its name, such as `IPVS`.
            remedy: what a person can do when there is no such family.

        Raises:
            KernelProblem: no netlink, or no such family.
        """
        self._name = family
        self._sequence = 0
        try:
            self._socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, NETLINK_GENERIC)
        except OSError as error:
            raise KernelProblem("open a generic netlink socket", error.errno or errno.EIO) from error
        try:
            self._socket.bind((0, 0))
            self._socket.setsockopt(SOL_NETLINK, NETLINK_CAP_ACK, 1)
            self._grow_receive_buffer()
            self._family = self._resolve(remedy)
        except BaseException:
            self._socket.close()
            raise

    def close(self) -> None:
        """Close the connection."""
        self._socket.close()

    def dump(self, command: int, payload: bytes = b"") -> list[dict[int, memoryview]]:
        """Return the attributes of every object that a dump command lists.

        Raises:
            OSError: the kernel's refusal, or lost answers (ENOBUFS).
        """
        self._sequence += 1
        self._socket.send(frame(self._family, Request(command, payload), self._sequence, NLM_F_DUMP))
        listed: list[dict[int, memoryview]] = []
        while True:
            for reply in replies(self._socket.recv(RECEIVE_SIZE)):
                if reply.sequence != self._sequence:
                    continue  # left over from a call that failed half-way
                if reply.type in {NLMSG_ERROR, NLMSG_DONE}:
                    _raise_for(_error_of(reply))
                    return listed
                listed.append(body_attributes(reply))

    def carry_out(self, requests: Sequence[Request]) -> list[int]:
        """Carry out requests in this order, `BATCH` of them in one send; go on after one that is refused.

        Returns:
            the error number of each, 0 where there was none.

        Raises:
            OSError: the kernel could not be asked.
        """
        errors: list[int] = []
        for start in range(0, len(requests), BATCH):
            errors += self._carry_out_batch(requests[start : start + BATCH])
        return errors

    def _carry_out_batch(self, requests: Sequence[Request]) -> list[int]:
        first = self._sequence + 1
        self._sequence += len(requests)
        sent = [frame(self._family, request, first + number, NLM_F_ACK) for number, request in enumerate(requests)]
        self._socket.send(b"".join(sent))
        errors: dict[int, int] = {}
        while len(errors) < len(requests):
            for reply in replies(self._socket.recv(RECEIVE_SIZE)):
                if reply.type == NLMSG_ERROR and first <= reply.sequence <= self._sequence:
                    errors[reply.sequence - first] = _error_of(reply)
        return [errors[number] for number in range(len(requests))]

    def _grow_receive_buffer(self) -> None:
        """Make room for answers. Beyond net.core.rmem_max it takes CAP_NET_ADMIN; less room does for `BATCH` too."""
        force = getattr(socket, "SO_RCVBUFFORCE", 33)
        try:
            self._socket.setsockopt(socket.SOL_SOCKET, force, RECEIVE_BUFFER)
        except PermissionError:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)

    def _resolve(self, remedy: str) -> int:
        """Return the number that the running kernel gave the family."""
        self._sequence += 1
        payload = attribute(CTRL_ATTR_FAMILY_NAME, self._name.encode() + b"\0")
        self._socket.send(frame(GENL_ID_CTRL, Request(CTRL_CMD_GETFAMILY, payload), self._sequence, 0))
        for reply in replies(self._socket.recv(RECEIVE_SIZE)):
            if reply.type == NLMSG_ERROR:
                raise KernelProblem(f"find {self._name} in the kernel", _error_of(reply), remedy)
            return int.from_bytes(body_attributes(reply)[CTRL_ATTR_FAMILY_ID], sys.byteorder)
        raise Bug("an empty answer to CTRL_CMD_GETFAMILY")


def _error_of(reply: Reply) -> int:
    """Return the positive error number of an NLMSG_ERROR or NLMSG_DONE, 0 for success."""
    return -int(_ERROR.unpack_from(reply.body)[0]) if len(reply.body) >= _ERROR.size else 0


def _raise_for(number: int) -> None:
    if number:
        raise OSError(number, os.strerror(number))
