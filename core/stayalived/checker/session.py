"""One conversation with a server over a socket that never blocks: the steps of a probe, one after the other. I/O.

Both bodies of a check end here: the stepper drives sessions from one epoll, `net` from a task. Each step is begun and,
when the network is not ready, gone on with after the next event.
"""

import errno
import os
import socket
import ssl
from collections.abc import Callable

from stayalived.checker.sockets import OWN_SIDE, open_socket, sockaddr
from stayalived.checker.tls import TlsLayer
from stayalived.errors import KernelProblem, PluginFailure
from stayalived.plugin.checks import (
    Connect,
    NetworkFailure,
    PeerCertificate,
    Receive,
    Send,
    StartTls,
    Step,
    Target,
    Verdict,
)
from stayalived.timing import Duration, for_people

MOST_DRAINED = 65536
"""Bytes read and thrown away before a close, so that it is a FIN: with unread bytes the kernel sends a RST."""

_IN_PROGRESS = frozenset({errno.EINPROGRESS, errno.EALREADY, errno.EINTR})
_WORDS = {
    errno.ECONNREFUSED: "refused",
    errno.ECONNRESET: "reset",
    errno.EPIPE: "closed by the server",
    errno.EHOSTUNREACH: "host unreachable",
    errno.ENETUNREACH: "network unreachable",
    errno.ETIMEDOUT: "timed out",
}
_STEP_NAMES: dict[type[Step], str] = {
    Connect: "connect",
    Send: "send",
    Receive: "receive",
    StartTls: "tls",
    PeerCertificate: "tls",
}


OpenSession = Callable[[Target], "Session"]


def step_name(step: Step) -> str:
    """Return what people call a step: `connect`, `send`, `receive`, `tls`."""
    return _STEP_NAMES[type(step)]


def timed_out(step: Step, patience: Duration) -> Verdict:
    """Return the verdict of a step that was waited for in vain."""
    return Verdict.failed(step_name(step), f"no answer within {for_people(patience)}")


class Session:
    """The socket of one probe and the step that it is at."""

    __slots__ = (
        "_ending",
        "_rest",
        "_taken",
        "_tls",
        "_troubled",
        "readable",
        "socket",
        "step",
        "target",
        "wants_write",
    )

    def __init__(self, target: Target) -> None:
        """Remember the target; nothing is opened before the first `Connect`."""
        self.target = target
        self.socket: socket.SocketType | None = None
        self.step: Step = Connect()
        self.readable = False  # an event said so and no read has come back empty since
        self._ending = False  # the other side has said its last
        self._taken = False  # and a read has taken in all of it
        self._troubled = True  # whether an attempt to connect may have failed; only an event can say that it has not
        self.wants_write = False
        self._rest: bytes | memoryview = b""
        self._tls: TlsLayer | None = None

    def notice(self, readable: int, ending: int, troubled: int) -> None:
        """Take in what an event of epoll says of the socket: it spares asking the kernel for it."""
        if readable:
            self.readable = True
        self._ending, self._troubled = bool(ending), bool(troubled)

    def begin(self, step: Step) -> bytes | None:
        """Begin a step.

        Returns:
            its answer when it is done; None when the network is not ready: call `go_on` after the next event.

        Raises:
            NetworkFailure: the server failed the step; it carries the verdict.
            KernelProblem: this machine could not do it.
            PluginFailure: there is no connection yet.
        """
        self.step = step
        if type(step) is Receive and not self.readable and self._tls is None and self.socket is not None:
            self.wants_write = False
            return None  # nothing came yet: reading would only say so
        return self._do(self._start)

    def go_on(self) -> bytes | None:
        """Go on with the step after an event; as `begin`."""
        return self._do(self._finish_connect if type(self.step) is Connect else self._work)

    def close(self) -> None:
        """Close the connection with FIN."""
        opened, self.socket, self._tls = self.socket, None, None
        if opened is None:
            return
        if self.readable and not self._taken:
            self._drain(opened)
        self.readable = self._taken = False
        opened.close()

    def _do(self, work: Callable[[], bytes | None]) -> bytes | None:
        """Do a piece of work and turn what the kernel says into whose fault it is."""
        try:
            return work()
        except BlockingIOError:
            return None
        except ssl.SSLError as error:
            text = error.verify_message if isinstance(error, ssl.SSLCertVerificationError) else error.reason
            raise NetworkFailure(Verdict.failed("tls", str(text or error).lower())) from error
        except OSError as error:
            name, number = step_name(self.step), error.errno or 0
            if number in OWN_SIDE:
                raise KernelProblem(name, number, OWN_SIDE[number]) from error
            raise NetworkFailure(Verdict.failed(name, words_for(number))) from error

    def _connect(self, step: Connect) -> bytes | None:
        """Open a socket as the target says and begin to connect."""
        if self.socket is not None:
            self.close()
        self.socket = open_socket(self.target, datagrams=step.datagrams)
        self.wants_write = True
        number = self.socket.connect_ex(sockaddr(self.target))
        if number in _IN_PROGRESS:
            return None
        _look_at(number)
        return b""

    def _finish_connect(self) -> bytes | None:
        """Look how the attempt to connect ended."""
        assert self.socket is not None
        if not self._troubled:
            return b""
        _look_at(self.socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR))
        return b""

    def _start(self) -> bytes | None:
        """Begin a step, and do what can be done of it."""
        step = self.step
        if isinstance(step, Connect):
            return self._connect(step)
        if self.socket is None:
            raise PluginFailure(f"yielded {type(step).__name__} before Connect")
        if isinstance(step, Send):
            self._take(step.data)
        elif isinstance(step, StartTls):
            self._tls = _layer(step)
        elif isinstance(step, PeerCertificate):
            return self._certificate()
        return self._work()

    def _take(self, data: bytes) -> None:
        """Make bytes ready to be sent."""
        if self._tls is None:
            self._rest = data
            if not data and self.socket is not None and self.socket.type == socket.SOCK_DGRAM:
                self.socket.send(data)  # a datagram may be empty
        elif data:
            self._tls.encrypt(data)

    def _work(self) -> bytes | None:
        """Do what can be done of a step on an open connection; BlockingIOError ends it until the next event."""
        assert self.socket is not None
        if self._tls is not None:
            return self._work_encrypted(self._tls)
        if type(self.step) is Send:
            self._send_rest()
            return b""
        assert isinstance(self.step, Receive)
        self.wants_write = False
        try:
            data = self.socket.recv(self.step.limit)
        except BlockingIOError:
            self.readable = False
            raise
        self._taken = self._ending and len(data) < self.step.limit
        return data

    def _work_encrypted(self, tls: TlsLayer) -> bytes | None:
        """The same on a connection under TLS: it may have to read in order to send and the reverse."""
        while True:
            answer = self._ask(tls)
            self._rest = bytes(self._rest) + tls.outgoing()
            if answer is None or not isinstance(self.step, Receive):  # what was read must not wait for room to write
                self._send_rest()
            if answer is not None:
                return answer
            self._feed(tls)

    def _ask(self, tls: TlsLayer) -> bytes | None:
        """Return the step's answer if the layer has it without more from the network."""
        if isinstance(self.step, StartTls):
            return tls.protocol if tls.shake_hands() else None
        if isinstance(self.step, Receive):
            return tls.decrypt(self.step.limit)
        return b""

    def _certificate(self) -> bytes:
        """Return the certificate that the server showed."""
        if self._tls is None:
            raise PluginFailure("yielded PeerCertificate before StartTls")
        return self._tls.peer_certificate()

    def _feed(self, tls: TlsLayer) -> None:
        """Hand the layer what has come."""
        assert self.socket is not None
        self.wants_write = False
        try:
            tls.feed(self.socket.recv(MOST_DRAINED))
        except BlockingIOError:
            self.readable = False
            raise

    def _send_rest(self) -> None:
        """Send what is left to send."""
        assert self.socket is not None
        self.wants_write = True
        while self._rest:
            sent = self.socket.send(self._rest)
            self._rest = b"" if sent == len(self._rest) else memoryview(self._rest)[sent:]

    @staticmethod
    def _drain(opened: socket.SocketType) -> None:
        """Throw away what has come and was not read."""
        try:
            opened.recv(MOST_DRAINED)
        except OSError:
            return  # nothing there, or the connection is gone: the close cannot be made any nicer


def _look_at(number: int) -> None:
    """Raise what a connect(2) ended with; 0 is success."""
    if number in OWN_SIDE:
        raise KernelProblem("connect", number, OWN_SIDE[number])
    if number:
        raise OSError(number, os.strerror(number))


def words_for(number: int) -> str:
    """Return an error of the network as people say it."""
    return _WORDS.get(number) or os.strerror(number).lower()


def _layer(step: StartTls) -> TlsLayer:
    """Return the TLS layer that a step asks for."""
    try:
        return TlsLayer(step)
    except OSError as error:
        raise KernelProblem(f"tls ca {step.ca}", error.errno or 0, "give a readable file of certificates") from error
