"""Generic netlink on pyroute2: many requests in one send, and the error of each. I/O.

Socket, number of the family, encoding and decoding are pyroute2's; its loop for requests is not used, for two reasons:

- `nlm_request_batch` tells of the first refusal only, or of none.
- It waits for ever when the kernel had to drop an answer: the ENOBUFS of recv(2) goes into the queue of what nobody
  asked for, and the request waits at its own (0.9.7, `CoreProtocol.enqueue_error`).

So after `bind` the event loop that pyroute2 made for the socket stands still, and the socket is read here.
"""

import errno
import os
import struct
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from itertools import islice
from typing import Any

from pyroute2.netlink import NLM_F_ACK, NLM_F_DUMP, NLM_F_REQUEST, NLMSG_DONE, NLMSG_ERROR, genlmsg, nlmsg
from pyroute2.netlink.exceptions import NetlinkError
from pyroute2.netlink.generic import AsyncGenericNetlinkSocket, GenericNetlinkSocket

from stayalived.errors import KernelProblem
from stayalived.kernel.netlink_messages import messages, pack_message

BATCH = 128
"""Requests in one send. Refusals wait in the receive buffer, which by default holds about 160 of them."""

RECEIVE_SIZE = 64 * 1024  # the kernel fills dumps up to 32 KiB


_ERRNO = struct.Struct("=i")


class _DumpEnd(nlmsg):
    """NLMSG_DONE: whether the dump was carried to its end."""

    fields: Any = (("error", "=i"),)


class _AsyncConnection(AsyncGenericNetlinkSocket):
    module_err_level = "debug"  # that there is no such family is said by whom we raise it to


class _Connection(GenericNetlinkSocket):
    async_class = _AsyncConnection


class GenericSocket:
    """A connection to one generic netlink family.

    No call waits: the kernel works through requests, and answers them, before send(2) returns.
    """

    def __init__(self, family: str, reply: type[genlmsg], remedy: str) -> None:
        """Connect, and ask for the family, which makes the kernel load its module if it has one.

        Args:
            family: its name, such as `IPVS`.
            reply: what its messages are decoded as.
            remedy: what a person can do when there is no such family.

        Raises:
            KernelProblem: no netlink, or no such family.
        """
        self._sequence = 0
        try:
            self._socket = _Connection()
        except OSError as error:
            raise KernelProblem("open a generic netlink socket", error.errno or errno.EIO) from error
        try:
            self._socket.bind(family, reply)
        except NetlinkError as error:
            self._socket.close()
            raise KernelProblem(f"find {family} in the kernel", error.code, remedy) from error
        except BaseException:
            self._socket.close()
            raise
        self._socket.register_policy(NLMSG_DONE, _DumpEnd)

    def close(self) -> None:
        """Close the connection."""
        self._socket.close()

    def dump(self, request: genlmsg) -> list[nlmsg]:
        """Return every object that a dump lists.

        Raises:
            OSError: the kernel's refusal, or lost answers (ENOBUFS).
        """
        self._send([request], NLM_F_REQUEST | NLM_F_DUMP)
        listed: list[nlmsg] = []
        while True:
            for message in self._receive():
                if message["header"]["sequence_number"] != self._sequence:
                    continue  # left over from a call that failed half-way
                if message["header"]["type"] in {NLMSG_ERROR, NLMSG_DONE}:
                    _raise_for(message)
                    return listed
                listed.append(message)

    def ask(self, request: genlmsg) -> nlmsg:
        """Return the one object that a request is answered with.

        Raises:
            OSError: the kernel's refusal, or a lost answer (ENOBUFS).
        """
        number = self._send([request], NLM_F_REQUEST)
        while True:
            for message in self._receive():
                if message["header"]["sequence_number"] != number:
                    continue  # left over from a call that failed half-way
                if message["header"]["type"] == NLMSG_ERROR:
                    _raise_for(message)
                return message

    def carry_out(self, requests: Iterable[genlmsg | bytes]) -> list[int]:
        """Carry out requests in this order, `BATCH` of them in one send; go on after one that is refused.

        Args:
            requests: as messages, or packed from behind the netlink header.

        Returns:
            the error number of each, 0 where there was none.

        Raises:
            OSError: the kernel could not be asked.
        """
        errors: list[int] = []
        waiting = iter(requests)
        while batch := list(islice(waiting, BATCH)):
            errors += self._carry_out_batch(batch)
        return errors

    def _carry_out_batch(self, requests: Sequence[genlmsg | bytes]) -> list[int]:
        """Refusals are answered always, and in order; the last request alone asks for an answer (af_netlink.c)."""
        first = self._send(requests, NLM_F_REQUEST, NLM_F_ACK)
        errors = [0] * len(requests)
        while True:
            for message in messages(self._read()):
                number = message.sequence - first
                if message.kind == NLMSG_ERROR and 0 <= number < len(requests):
                    errors[number] = abs(_ERRNO.unpack_from(message.body)[0])
                    if number == len(requests) - 1:
                        return errors

    def dump_packed(self, request: genlmsg | bytes) -> list[bytes]:
        """Return every object that a dump lists, as its message from behind the netlink header.

        Raises:
            OSError: the kernel's refusal, or lost answers (ENOBUFS).
        """
        self._send([request], NLM_F_REQUEST | NLM_F_DUMP)
        listed: list[bytes] = []
        while True:
            for message in messages(self._read()):
                if message.sequence != self._sequence:
                    continue  # left over from a call that failed half-way
                if message.kind in {NLMSG_ERROR, NLMSG_DONE}:
                    _raise(abs(_ERRNO.unpack_from(message.body)[0]))
                    return listed
                listed.append(message.body)

    def _send(self, requests: Sequence[genlmsg | bytes], flags: int, last: int = 0) -> int:
        """Send requests in one datagram, numbered one after the other, and return the number of the first.

        Args:
            requests: as messages, or packed from behind the netlink header.
            flags: of each.
            last: of the last one besides.
        """
        first = self._sequence + 1
        self._sequence += len(requests)
        sent = bytearray()
        for sequence, request in enumerate(requests, first):
            own = flags | last if sequence == self._sequence else flags
            if isinstance(request, bytes):
                sent += pack_message(self._socket.prid, own, sequence, request)
                continue
            request.reset()  # it may have been sent before
            request["header"] = {"type": self._socket.prid, "flags": own, "sequence_number": sequence}
            request.encode()
            sent += request.data
        self._socket.send(sent)
        return first

    def _receive(self) -> Iterator[nlmsg]:
        """Read the messages of one datagram."""
        yield from self._socket.marshal.parse(self._read())

    def _read(self) -> bytes:
        """Read one datagram."""
        try:
            return bytes(self._socket.recv(RECEIVE_SIZE))
        except OSError as error:
            if error.errno == errno.ENOBUFS:
                self._drain()
            raise

    def _drain(self) -> None:
        """Empty the receive buffer. After it overflowed, the kernel drops answers until it is empty (af_netlink.c)."""
        with suppress(BlockingIOError):
            while True:
                self._socket.recv(RECEIVE_SIZE)


def _raise_for(message: nlmsg) -> None:
    _raise(abs(message["error"]))


def _raise(number: int) -> None:
    if number:
        raise OSError(number, os.strerror(number))
