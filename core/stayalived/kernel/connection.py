"""A netlink socket for requests. I/O.

It is never subscribed to anything: a socket that also hears events mixes up answers (all processes draw from the same
sequence numbers) and loses both when it overflows. No call waits for anybody but the kernel, which works through
requests, and answers them, before send(2) returns.
"""

import errno
import itertools
import socket
import struct
from collections.abc import Callable, Iterable

from stayalived.errors import KernelProblem
from stayalived.kernel.netlink_messages import (
    ACK,
    DONE,
    DUMP_INTERRUPTED,
    NOTHING,
    Answer,
    Message,
    as_answer,
    messages,
    pack_message,
)

NETLINK_NETFILTER = 12  # linux/netlink.h

ANSWER_LIMIT = 5
"""Seconds after which an answer that should have been there already will not come any more."""

DUMP_TRIES = 10
"""How often a dump is begun again that changes interrupted."""

RECEIVE_SIZE = 128 * 1024

_SOL_NETLINK, _NETLINK_CAP_ACK, _NETLINK_EXT_ACK, _NETLINK_GET_STRICT_CHK = 270, 10, 11, 12


class Connection:
    """Sends requests and reads what the kernel says to them."""

    def __init__(self, protocol: int = socket.NETLINK_ROUTE) -> None:
        """Open the socket in the network namespace of the calling thread.

        Args:
            protocol: NETLINK_* of linux/netlink.h.

        Raises:
            OSError: no descriptor is free, or the kernel does not know the protocol.
        """
        self._socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, protocol)
        for option in (_NETLINK_CAP_ACK, _NETLINK_EXT_ACK, _NETLINK_GET_STRICT_CHK):
            self._socket.setsockopt(_SOL_NETLINK, option, 1)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("@ll", ANSWER_LIMIT, 0))
        self._socket.bind((0, 0))
        self._sequences = itertools.count(1)

    @property
    def port(self) -> int:
        """Port id of the socket: events that its requests cause carry it."""
        return int(self._socket.getsockname()[0])

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()

    def number(self) -> int:
        """Return the sequence number of the next request."""
        return next(self._sequences)

    def ask(self, requests: Iterable[bytes]) -> tuple[list[Message], dict[int, Answer]]:
        """Send requests in one datagram and return what the kernel says to all of them.

        Args:
            requests: with numbers of `number`; none of them asks for an acknowledgement.

        Returns:
            what was listed, and the refusals by the number of the request.

        Raises:
            KernelProblem: the kernel cannot be asked, or does not answer.
        """
        last = self.number()
        try:
            if joined := b"".join(requests):
                self._socket.send(joined)
            # Errors are answered always, and in order, so one acknowledgement at the end is enough: that of a message
            # which asks for nothing else (af_netlink.c, netlink_rcv_skb). A datagram of its own, since what comes after
            # the end of a batch of nf_tables is not looked at.
            self._socket.send(pack_message(NOTHING, ACK, last, b""))
            return self._until_answered(last)
        except OSError as error:
            raise KernelProblem("netlink request", error.errno or errno.EIO) from error

    def request(self, pack: Callable[[int], bytes]) -> Answer | None:
        """Send one request and return its refusal, or None when it was carried out.

        Args:
            pack: makes the request with a number.

        Raises:
            KernelProblem: the kernel cannot be asked, or does not answer.
        """
        number = self.number()
        _, answers = self.ask((pack(number),))
        return answers.get(number)

    def dump(self, pack: Callable[[int], bytes]) -> list[Message]:
        """Return what a dump lists; one that was interrupted by changes is begun again.

        Args:
            pack: makes the request with a number.

        Raises:
            KernelProblem: the kernel refuses or does not answer, or things change faster than they can be read.
        """
        for _ in range(DUMP_TRIES):
            number = self.number()
            try:
                self._socket.send(pack(number))
                listed = self._until_done(number)
            except OSError as error:
                raise KernelProblem("netlink dump", error.errno or errno.EIO) from error
            if not any(message.flags & DUMP_INTERRUPTED for message in listed):
                return listed[:-1]
        raise KernelProblem("netlink dump", errno.EINTR, "things change faster than they can be read")

    def _until_answered(self, last: int) -> tuple[list[Message], dict[int, Answer]]:
        """Return what is said before the answer to the request of this number."""
        listed: list[Message] = []
        answers: dict[int, Answer] = {}
        while last not in answers:
            for message in messages(self._socket.recv(RECEIVE_SIZE)):
                answer = as_answer(message)
                if answer is None:
                    listed.append(message)
                else:
                    answers[answer.sequence] = answer
        del answers[last]
        return listed, answers

    def _until_done(self, number: int) -> list[Message]:
        """Return the messages of a dump with the one that ends it."""
        listed: list[Message] = []
        while True:
            for message in messages(self._socket.recv(RECEIVE_SIZE)):
                if message.sequence != number:
                    continue  # left over from a call that failed half-way
                answer = as_answer(message)
                if answer is not None and answer.errno:
                    raise OSError(answer.errno, answer.text)
                listed.append(message)
                if message.kind == DONE:
                    return listed
