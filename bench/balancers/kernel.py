"""What the kernel says of its table and of processes, cheaply enough to be asked while they work. I/O."""

import ctypes
import os
import socket
import struct
from collections.abc import Iterable
from pathlib import Path

from balancers.plan import Virtual

_GET_INFO, _GET_SERVICE = 1153, 1155  # linux/ip_vs.h: IP_VS_SO_GET_INFO, IP_VS_SO_GET_SERVICE
_ENTRY = struct.Struct("=HxxIHxxI16sIIII")  # struct ip_vs_service_entry up to num_dests
_ENTRY_SIZE = 256  # with the counters at its end, and room
_TICKS = os.sysconf("SC_CLK_TCK")


class Table:
    """The kernel's table, by getsockopt(2)."""

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._sizes: Iterable[int] = range(_ENTRY.size, _ENTRY_SIZE + 1, 4)

    def services(self) -> int:
        """Return how many services there are."""
        _version, _size, number = struct.unpack("=III", self._socket.getsockopt(socket.IPPROTO_IP, _GET_INFO, 12))
        return int(number)

    def destinations(self, virtual: Virtual) -> int:
        """Return how many destinations a service has, -1 when it is not there."""
        (address,) = struct.unpack("=I", socket.inet_aton(virtual.address))
        entry = _ENTRY.pack(socket.IPPROTO_TCP, address, socket.htons(80), 0, b"", 0, 0, 0, 0)
        buffer = ctypes.create_string_buffer(entry, _ENTRY_SIZE)
        for size in self._sizes:  # the kernel wants the exact one, which is of its version
            length = ctypes.c_uint(size)
            done = self._libc.getsockopt(
                self._socket.fileno(), socket.IPPROTO_IP, _GET_SERVICE, buffer, ctypes.byref(length)
            )
            if done == 0:
                self._sizes = (size,)  # dozens of vain calls for each service cost more than what is measured
                return int(_ENTRY.unpack_from(buffer)[8])
        return -1


def spent(group: int) -> float:
    """Return the processor time in seconds that a process group has used, with that of children that have ended."""
    total = 0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:  # it ended while we looked
            continue
        if int(fields[2]) == group:
            total += sum(int(field) for field in fields[11:15])  # utime, stime, cutime, cstime
    return total / _TICKS
