"""The way of a log line from any process to the log child (I/O).

This is `multiprocessing-logging`, one of its handlers for each process, with its shared queue replaced by a datagram
pair. The stock queue pickles records, shares a lock that a killed child leaves held for good, and starts a thread in
the process that forks. Here a pair is made before the first fork and belongs to a child's name, not to its process:
the supervisor keeps both ends, so lines wait in the socket while the log child is replaced. Senders start no thread
and never block. The receiving threads, one for each pair, run in the log child alone.
"""

import logging
import os
import select
import socket
import threading
import time
from queue import Empty

from multiprocessing_logging import MultiProcessingHandler

from stayalived.log.record import MAX_RECORD, BadRecord, Record, decode, encode

PAIR_BUFFER = 4 * 1024 * 1024  # bytes each way; some 5,000 usual lines wait while the log child is replaced
NO_RECORD = "bad log record"  # class of the lines about what came through a pair and is no record
DRAIN_LIMIT = 1.0  # seconds that a closing receiver may spend on what still waits
_BILLION = 1_000_000_000


def make_pair() -> tuple[socket.socket, socket.socket]:
    """Return the two ends of a log pipe: where a child sends, where the log child receives.

    Make it before the first fork and keep both ends open in the supervisor. Both close on exec and never block.
    """
    sender, receiver = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET | socket.SOCK_NONBLOCK)
    for end in (sender, receiver):
        _enlarge(end)
    return sender, receiver


def _enlarge(end: socket.socket) -> None:
    """Raise the buffer past `net.core.wmem_max`, which only root may; else as far as the system allows."""
    force = 32  # SO_SNDBUFFORCE of asm-generic/socket.h; the socket module does not name it
    try:
        end.setsockopt(socket.SOL_SOCKET, force, PAIR_BUFFER)
    except PermissionError:
        end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, PAIR_BUFFER)


def install(sender: socket.socket, child_name: str, level: int | str = logging.DEBUG) -> "Sender":
    """Make the root logger of this process send to the log child, and nothing else; starts no thread.

    Args:
        sender: the sending end of this process's pair.
        child_name: for the handler's name; the receiver trusts only the name of its own pair.
        level: of the logging module, or its name in either case. The log child leaves out what is below `log_level`,
            which a reload may change.

    Returns:
        The handler, whose `dropped` says how many lines wait to be reported as lost.
    """
    root = logging.getLogger()
    for old in list(root.handlers):
        root.removeHandler(old)
    handler = Sender(sender, child_name)
    root.addHandler(handler)
    root.setLevel(level.upper() if isinstance(level, str) else level)
    return handler


class _Outgoing:
    """What a sender has in place of the stock queue."""

    def __init__(self, sender: socket.socket) -> None:
        self.dropped = 0
        self._sender = sender

    def put_nowait(self, record: logging.LogRecord) -> None:
        """Send the record, or count it when the pipe is full or has no reader; never block, never raise for it."""
        data = encode(from_log_record(record, self.dropped))
        try:
            self._sender.send(data)
        except OSError:  # EAGAIN, ENOBUFS: full. EPIPE: the last reader is gone for good. Counted, said later.
            self.dropped += 1
        else:
            self.dropped = 0


class Sender(MultiProcessingHandler):
    """The handler of a process that logs: formats, sends, counts what did not fit."""

    def __init__(self, sender: socket.socket, name: str) -> None:
        """Take over the sending end. The stock constructor is left out: it makes a queue and starts a thread."""
        logging.Handler.__init__(self)
        self.sub_handler = logging.NullHandler()
        self._outgoing = _Outgoing(sender)
        self.queue = self._outgoing  # type: ignore[assignment]  # stands in for the stock queue
        self.set_name(f"log of {name}")

    @property
    def dropped(self) -> int:
        """Lines lost since the last one that went through."""
        return self._outgoing.dropped

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802  (the logging module's name)
        """Log that a line could not be made, instead of the stock traceback on a stderr that may block."""
        place = f"{record.pathname}:{record.lineno}"
        text = f"a log line could not be formatted: {record.msg!r} with {record.args!r} at {place}"
        self._outgoing.put_nowait(logging.makeLogRecord({"name": record.name, "levelno": logging.ERROR, "msg": text}))

    def close(self) -> None:
        """Say once more what was dropped, if it fits; the socket stays the owner's."""
        if self.dropped:
            text = "the last lines of this process were lost: its log pipe was full"
            fields = {"name": __name__, "levelno": logging.WARNING, "msg": text}
            self._outgoing.put_nowait(logging.makeLogRecord(fields))
        logging.Handler.close(self)


class _Incoming:
    """What a receiver has in place of the stock queue. `child` is stamped on every record as its process name."""

    def __init__(self, receiver: socket.socket, child: str) -> None:
        self._receiver = receiver
        self._child = child
        self._wake = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._poll = select.poll()
        self._poll.register(receiver, select.POLLIN)
        self._poll.register(self._wake, select.POLLIN)

    def get(self, timeout: float) -> logging.LogRecord:  # noqa: ARG002  (the stock thread polls; this one is woken)
        """Return the next record; raise Empty when woken without one, EOFError when the last sender is gone."""
        ended = any(events & select.POLLHUP for _, events in self._poll.poll())
        record = receive(self._receiver)
        if record is not None:
            return to_log_record(record, self._child)
        if ended:
            raise EOFError
        raise Empty

    def qsize(self) -> int:
        """Return 1 when something waits, else 0: the stock thread only asks whether it is none."""
        try:
            return 1 if self._receiver.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT) else 0
        except OSError:
            return 0

    def wake(self) -> None:
        """Make `get` return, now and from now on, so that its thread sees that it shall end."""
        os.eventfd_write(self._wake, 1)

    def release(self) -> None:
        """Give back the descriptor of our own, once the thread has ended."""
        os.close(self._wake)

    def close(self) -> None:
        """The stock thread calls this as its last act; `release` comes later, so that `wake` hits no stranger."""

    def join_thread(self) -> None:
        """There is no feeder thread to wait for."""


class Receiver(MultiProcessingHandler):
    """The receiving half for one pair, in the log child: the stock handler's thread hands records to `sub_handler`.

    Args:
        sub_handler: gets every record by `emit`, from this receiver's thread; it may be shared among receivers.
        receiver: the receiving end of a pair; it stays the owner's.
        name: of the child whose pair it is; records carry it as `processName`.
    """

    def __init__(self, sub_handler: logging.Handler, receiver: socket.socket, name: str) -> None:
        """Start the thread. The stock constructor is left out: it makes a queue of its own."""
        logging.Handler.__init__(self)
        self.sub_handler = sub_handler
        self.child = name
        self._incoming = _Incoming(receiver, name)
        self.queue = self._incoming  # type: ignore[assignment]  # stands in for the stock queue
        self._is_closed = False
        self._receive_thread = threading.Thread(target=self._receive, name=f"log of {name}", daemon=True)
        self._receive_thread.start()

    def wait(self, limit: float) -> bool:
        """Wait until every sender is gone and all they wrote was handed on; return whether that is so."""
        self._receive_thread.join(limit)
        return not self._receive_thread.is_alive()

    def close(self) -> None:
        """Hand on what waits, within `DRAIN_LIMIT`, and end the thread; `sub_handler` stays open."""
        if self._is_closed:
            return
        self._is_closed = True
        self._incoming.wake()
        if self.wait(DRAIN_LIMIT):
            self._incoming.release()
        logging.Handler.close(self)


def receive(receiver: socket.socket) -> Record | None:
    """Return the next record that waits in a pair, or None; what is no record becomes a record that says so."""
    try:
        data = receiver.recv(MAX_RECORD + 1, socket.MSG_DONTWAIT)
    except BlockingIOError:
        return None
    if not data:
        return None
    try:
        return decode(data)
    except BadRecord as error:
        return Record(
            name=__name__,
            level=logging.ERROR,
            text=f"what came through this log pipe is no record: {error}",
            created=time.time_ns(),
            pid=0,
            fields={"class": NO_RECORD},
        )


def from_log_record(record: logging.LogRecord, dropped: int = 0) -> Record:
    """Return what crosses for a record of the logging module whose arguments and exception are text already."""
    fields = getattr(record, "fields", None) or {}
    return Record(
        name=record.name,
        level=max(record.levelno, 0),
        text=record.getMessage(),
        created=round(record.created * _BILLION),
        pid=record.process or 0,
        fields={str(key): str(value) for key, value in fields.items()},
        exception=record.exc_text or "",
        dropped=dropped or getattr(record, "dropped", 0),
    )


def to_log_record(record: Record, child: str) -> logging.LogRecord:
    """Return the logging module's form of what crossed; `fields` and `dropped` are attributes of it."""
    return logging.makeLogRecord(
        {
            "name": record.name,
            "levelno": record.level,
            "levelname": logging.getLevelName(record.level),
            "msg": record.text,
            "created": record.created / _BILLION,
            "msecs": record.created % _BILLION // 1_000_000,
            "process": record.pid,
            "processName": child,
            "fields": record.fields,
            "exc_text": record.exception or None,
            "dropped": record.dropped,
        }
    )
