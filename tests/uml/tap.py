"""What is asked of IPVS over netlink in a namespace: seen by a monitor device, decoded without the code under test.

tap = IpvsTap(lab.host("tic", "192.0.2.1/24"))
…
assert ["SET_DEST"] == tap.names()
"""

import socket
import struct
from collections.abc import Iterator
from dataclasses import dataclass

from namespaces.capture import BUFFER, PACKET_STATISTICS, SO_RCVBUFFORCE, SO_TIMESTAMPNS, SOL_PACKET, packet_socket
from namespaces.lab import Host

NETLINK_GENERIC = 16
GENL_ID_CTRL, CTRL_CMD_GETFAMILY, CTRL_ATTR_FAMILY_ID, CTRL_ATTR_FAMILY_NAME = 16, 3, 1, 2
NLM_F_REQUEST = 1
NEW_SERVICE, CMD_ATTR_SERVICE, SVC_ATTR_NETMASK = 1, 1, 9  # linux/ip_vs.h

CHANGING = {
    1: "NEW_SERVICE",
    2: "SET_SERVICE",
    3: "DEL_SERVICE",
    5: "NEW_DEST",
    6: "SET_DEST",
    7: "DEL_DEST",
    9: "NEW_DAEMON",
    10: "DEL_DAEMON",
    12: "SET_CONFIG",
    16: "ZERO",
    17: "FLUSH",
}
"""Commands of the family IPVS (linux/ip_vs.h) that change something; the others only read."""

_HEADER = struct.Struct("=IHHII")
_GENERIC = struct.Struct("=BBH")
_ATTRIBUTE = struct.Struct("=HH")


@dataclass(frozen=True, slots=True)
class Command:
    """A change that somebody asked for. `time` is the wall clock in ns."""

    time: int
    name: str


class IpvsTap:
    """Changes that were asked of IPVS on a host since the tap was made, by whomever."""

    def __init__(self, host: Host) -> None:
        host.run(["ip", "link", "add", "nlmon0", "type", "nlmon"])
        host.run(["ip", "link", "set", "nlmon0", "up"])
        with host.inside():
            self._family = _family_of_ipvs()
            self._socket = host.lab.keep(packet_socket())
        self._socket.setblocking(False)
        self._socket.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, BUFFER)
        self._socket.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        self._seen: list[Command] = []

    def commands(self, since: int = 0) -> list[Command]:
        """Return the changes until now that are not older than `since` (wall clock, ns).

        Raises:
            AssertionError: the kernel had to drop messages, so nothing can be said.
        """
        self._seen.extend(self._read())
        statistics = self._socket.getsockopt(SOL_PACKET, PACKET_STATISTICS, 8)
        assert struct.unpack("@II", statistics)[1] == 0, "the tap overflowed"
        return [command for command in self._seen if command.time >= since]

    def names(self, since: int = 0) -> list[str]:
        """Return the same by name, in the order in which they were asked."""
        return [command.name for command in self.commands(since)]

    def _read(self) -> Iterator[Command]:
        while True:
            try:
                data, ancillary, _, origin = self._socket.recvmsg(1 << 16, 256)
            except BlockingIOError:
                return
            if origin[0] == "nlmon0" and origin[1] == NETLINK_GENERIC:
                stamp = next(value for _, kind, value in ancillary if kind == SO_TIMESTAMPNS)
                seconds, nanoseconds = struct.unpack("@qq", stamp)
                for number in self._numbers(data):
                    if number in CHANGING:
                        yield Command(seconds * 10**9 + nanoseconds, CHANGING[number])

    def _numbers(self, data: bytes) -> Iterator[int]:
        """Return the IPVS commands in one datagram, which may hold many messages; what the kernel answers is none."""
        offset = 0
        while offset + _HEADER.size < len(data):
            length, kind, flags, *_ = _HEADER.unpack_from(data, offset)
            body = data[offset + _HEADER.size : offset + length]
            if kind == self._family and flags & NLM_F_REQUEST and not _is_question(body):
                yield body[0]
            offset += (length + 3) & ~3


def _is_question(body: bytes) -> bool:
    """Tell whether it is a new service of prefix 0: every kernel refuses it, once it has looked for the scheduler."""
    if body[0] != NEW_SERVICE:
        return False
    service = _attributes(body[_GENERIC.size :])[CMD_ATTR_SERVICE]
    return not any(_attributes(service)[SVC_ATTR_NETMASK])


def _attributes(data: bytes) -> dict[int, bytes]:
    found, offset = {}, 0
    while offset + _ATTRIBUTE.size <= len(data):
        length, kind = _ATTRIBUTE.unpack_from(data, offset)
        found[kind & 0x3FFF] = data[offset + _ATTRIBUTE.size : offset + length]  # less NLA_F_NESTED
        offset += (length + 3) & ~3
    return found


def _family_of_ipvs() -> int:
    """Ask the kernel for the number of the family IPVS."""
    name = b"IPVS\0"
    attribute = _ATTRIBUTE.pack(_ATTRIBUTE.size + len(name), CTRL_ATTR_FAMILY_NAME) + name + bytes(-len(name) % 4)
    body = _GENERIC.pack(CTRL_CMD_GETFAMILY, 1, 0) + attribute
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_GENERIC) as kernel:
        kernel.send(_HEADER.pack(_HEADER.size + len(body), GENL_ID_CTRL, NLM_F_REQUEST, 1, 0) + body)
        answer = kernel.recv(1 << 16)
    offset = _HEADER.size + _GENERIC.size
    while offset < len(answer):
        length, kind = _ATTRIBUTE.unpack_from(answer, offset)
        if kind == CTRL_ATTR_FAMILY_ID:
            return int.from_bytes(answer[offset + 4 : offset + 6], "little")
        offset += (length + 3) & ~3
    raise AssertionError("the kernel has no IPVS")
