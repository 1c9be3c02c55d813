"""One end of a pipe between the supervisor and a child. I/O; never blocks, never raises for what the peer does."""

import array
import contextlib
import os
import socket
from collections.abc import Sequence

from stayalived.child.outbox import Losses, Outbox
from stayalived.messages.codec import MAX_FRAME, BadFrame, Frame, decode, encode

PIPE_BUFFER = 4 * 1024 * 1024
"""Bytes that a pipe takes before its sender's outbox fills. A default pair holds 278 small frames only."""

FRAMES_AT_ONCE = 256
"""Frames that one call of `receive` takes at most, so that a flood from one peer starves nobody else."""

DESCRIPTORS_AT_ONCE = 4
"""Descriptors that one frame may bring; the kernel closes those beyond."""

_DESCRIPTOR_SPACE = socket.CMSG_SPACE(DESCRIPTORS_AT_ONCE * array.array("i").itemsize)

_SO_SNDBUFFORCE = 32  # include/uapi/asm-generic/socket.h; Python has no name for it


def make_pair() -> tuple[socket.socket, socket.socket]:
    """Return both ends of a new pipe: whole datagrams, closed on exec, with room for several thousand frames."""
    pair = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET | socket.SOCK_CLOEXEC)
    for end in pair:
        end.setblocking(False)
        try:
            end.setsockopt(socket.SOL_SOCKET, _SO_SNDBUFFORCE, PIPE_BUFFER)
        except PermissionError:  # without CAP_NET_ADMIN the limit is net.core.wmem_max
            end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, PIPE_BUFFER)
    return pair


class Link:
    """Sends and receives frames on a SOCK_SEQPACKET socket.

    Attributes:
        closed: end-of-file was seen: the peer is gone.
        bad_frames: datagrams of the peer that were no frame; they were dropped.
    """

    def __init__(self, end: socket.socket, keys: int = 0) -> None:
        """Take over a socket.

        Args:
            end: the socket; it becomes non-blocking.
            keys: how many keys are configured, for the bound of the outbox.
        """
        end.setblocking(False)
        self._socket = end
        self._outbox = Outbox(keys)
        self.closed = False
        self.bad_frames = 0

    @property
    def losses(self) -> Losses:
        """What was merged or dropped on the way out."""
        return self._outbox.losses

    @property
    def waiting(self) -> int:
        """Frames that wait for room in the pipe; while there are any, watch for writability and call `flush`."""
        return len(self._outbox)

    def fileno(self) -> int:
        """Return the descriptor to watch."""
        return self._socket.fileno()

    def allow_keys(self, keys: int) -> None:
        """Set the bound of the outbox to a new number of configured keys."""
        self._outbox.bound = Outbox(keys).bound

    def send(self, frame: Frame, descriptor: int | None = None) -> None:
        """Send a frame, now or when there is room. What is too long or too much is dropped and counted.

        Args:
            frame: what to send.
            descriptor: an open file that goes along. It belongs to the link, which closes it when it has left.
        """
        if self.closed:
            _close(descriptor)
            return
        if not self._outbox:
            try:
                data = encode(frame)
            except BadFrame:
                self.losses.oversized += 1
                _close(descriptor)
                return
            if self._transmit(data, descriptor):
                _close(descriptor)
                return
        _close(*self._outbox.push(frame, descriptor))

    def flush(self) -> None:
        """Send what waits, as far as there is room."""
        while (parcel := self._outbox.peek()) is not None:
            if not self._transmit(parcel.data, parcel.descriptor):
                return
            self._outbox.pop()
            _close(parcel.descriptor)
            if self.closed:
                self._end()

    def receive(self) -> list[tuple[Frame, list[int]]]:
        """Return the frames that have come, with the descriptors that each brought: the caller closes them.

        At most `FRAMES_AT_ONCE`; `closed` is True afterwards when the peer is gone.
        """
        frames: list[tuple[Frame, list[int]]] = []
        for _ in range(FRAMES_AT_ONCE):
            try:
                data, ancillary, flags, _ = self._socket.recvmsg(MAX_FRAME, _DESCRIPTOR_SPACE, socket.MSG_CMSG_CLOEXEC)
            except (BlockingIOError, InterruptedError):
                return frames
            except OSError:  # ECONNRESET: the peer died with unread frames of ours in its queue
                self._end()
                return frames
            descriptors = _descriptors(ancillary)
            if not data:
                self._end()
                _close(*descriptors)
                return frames
            frame = _whole_frame(data, flags)
            if frame is not None:
                frames.append((frame, descriptors))
            else:
                self.bad_frames += 1
                _close(*descriptors)
        return frames

    def close(self) -> None:
        """Close the socket and whatever descriptors still waited."""
        self._end()
        self._socket.close()

    def _transmit(self, data: bytes, descriptor: int | None) -> bool:
        """Return whether the datagram needs no more care: it left, or there is nobody to get it."""
        ancillary: list[tuple[int, int, array.array[int]]] = []
        if descriptor is not None:
            ancillary.append((socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [descriptor])))
        try:
            self._socket.sendmsg([data], ancillary, socket.MSG_NOSIGNAL)
        except (BlockingIOError, InterruptedError):
            return False
        except OSError:  # EPIPE, ECONNRESET: the peer is gone, end-of-file says it to the reader as well
            self.closed = True
        return True

    def _end(self) -> None:
        self.closed = True
        _close(*self._outbox.clear())


def read_blob(descriptor: int) -> bytes:
    """Return the whole content of a memfd from its start, and close it."""
    try:
        size = os.fstat(descriptor).st_size
        parts: list[bytes] = []
        offset = 0
        while offset < size:
            part = os.pread(descriptor, size - offset, offset)
            if not part:
                break
            parts.append(part)
            offset += len(part)
        return b"".join(parts)
    finally:
        os.close(descriptor)


def _whole_frame(data: bytes, flags: int) -> Frame | None:
    """Return the frame of a datagram; None for one that is none, is too long or brought too many descriptors."""
    if flags & (socket.MSG_TRUNC | socket.MSG_CTRUNC):
        return None
    try:
        return decode(data)
    except BadFrame:
        return None


def _descriptors(ancillary: Sequence[tuple[int, int, bytes]]) -> list[int]:
    found = array.array("i")
    for level, kind, data in ancillary:
        if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
            found.frombytes(data[: len(data) - len(data) % found.itemsize])
    return list(found)


def _close(*descriptors: int | None) -> None:
    for descriptor in descriptors:
        if descriptor is not None:
            with contextlib.suppress(OSError):  # it was the peer's to break; there is nobody to tell
                os.close(descriptor)
