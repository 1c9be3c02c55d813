"""I/O: the control socket's place in the file system, and who stands at its other end."""

import os
import socket
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

SOCKET_NAME = "control.sock"
EVENTS_NAME = "events.sock"
_LONGEST_PATH = 107  # unix(7): sun_path has 108 bytes, the last of them a NUL
_PEER_CREDENTIALS = struct.Struct("3i")  # socket(7), SO_PEERCRED: pid, uid, gid
_SO_PEERGROUPS = 59  # asm-generic/socket.h; Python has no name for it
_MOST_GROUPS = 256  # Python's getsockopt takes at most 1,024 bytes; who is in more groups comes as root


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """Who connected, as the kernel saw it at that moment."""

    uid: int
    groups: frozenset[int]


def remove_sockets(folder: Path) -> None:
    """Take both sockets away; nobody listens any more."""
    for name in (SOCKET_NAME, EVENTS_NAME):
        (folder / name).unlink(missing_ok=True)


@contextmanager
def reachable(path: Path) -> Iterator[str]:
    """Give a name for a socket that fits into an address, however long the path is.

    Raises:
        OSError: the folder does not exist.
    """
    if len(os.fsencode(path)) <= _LONGEST_PATH:
        yield str(path)
        return
    folder = os.open(path.parent, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield f"/proc/self/fd/{folder}/{path.name}"
    finally:
        os.close(folder)


def peer_of(connection: socket.socket) -> Peer:
    """Return who is at the other end of a connected Unix socket.

    Raises:
        OSError: the peer is in more than 256 groups, or the socket is of another kind.
    """
    credentials = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _PEER_CREDENTIALS.size)
    _, uid, gid = _PEER_CREDENTIALS.unpack(credentials)
    others = connection.getsockopt(socket.SOL_SOCKET, _SO_PEERGROUPS, _MOST_GROUPS * 4)
    return Peer(uid=uid, groups=frozenset((gid, *(number for (number,) in struct.iter_unpack("I", others)))))
