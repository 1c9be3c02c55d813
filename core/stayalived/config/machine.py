"""What a configuration names of the machine that it is read on: users, programs, interfaces (I/O: asks for them).

Only looked at, never used. Who looks has no rights: what it cannot see it says nothing of.
"""

import fcntl
import grp
import os
import pwd
import socket
import stat
import struct
from array import array
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from stayalived.addresses import packed
from stayalived.runner.accounts import SCRIPT_USER
from stayalived.runner.paths import open_program
from stayalived.runner.refusals import Refused

ROOT = 0
_SIOCGIFMTU = 0x8921  # netdevice(7)
_SIOCGIFCONF = 0x8912
_IFREQ = struct.Struct("16si20x")
_IFREQ_ADDRESS = struct.Struct("16s4x4s16x")
_IFCONF = struct.Struct("iP")
_SPARE = 64 * _IFREQ_ADDRESS.size  # for addresses that come meanwhile
_IPV6_ADDRESSES = Path("/proc/net/if_inet6")


class Machine(Protocol):
    """What is asked of a machine."""

    def user(self, name: str) -> int | None:
        """Return the number of a user by name or number; of the one that scripts run as when it is empty."""
        ...

    def has_group(self, name: str) -> bool:
        """Return whether there is a group of this name or number."""
        ...

    def refusal(self, program: str, owner: int) -> str:
        """Return why a program would not be run as this user: it is not there, or somebody else may change it."""
        ...

    def has_folder(self, path: str) -> bool:
        """Return whether there is such a folder, or may be one that cannot be seen."""
        ...

    def mtu(self, interface: str) -> int | None:
        """Return the MTU of an interface, None when there is no such interface."""
        ...

    def interface_of(self, address: str) -> str:
        """Return the interface that has an address, empty when none has."""
        ...


@dataclass(frozen=True, slots=True)
class ThisMachine:
    """The one that this process runs on.

    Attributes:
        daemon: user id of the daemon, which the reader of a configuration may have given up.
    """

    daemon: int = field(default_factory=os.geteuid)

    def user(self, name: str) -> int | None:
        """Look up the user database."""
        if not name and self.daemon != ROOT:
            return self.daemon
        try:
            return pwd.getpwuid(int(name)).pw_uid if name.isdecimal() else pwd.getpwnam(name or SCRIPT_USER).pw_uid
        except (KeyError, OverflowError, ValueError):
            return None if name else ROOT

    def has_group(self, name: str) -> bool:
        """Look up the group database."""
        try:
            return bool(grp.getgrgid(int(name)) if name.isdecimal() else grp.getgrnam(name))
        except (KeyError, OverflowError, ValueError):
            return False

    def refusal(self, program: str, owner: int) -> str:
        """Walk the program's path as the runner will."""
        try:
            os.close(open_program(program, frozenset((ROOT, owner))))
        except Refused as error:
            return "" if isinstance(error.__cause__, PermissionError) else str(error)
        except (OSError, ValueError) as error:
            return f"{program}: {error}"
        return ""

    def has_folder(self, path: str) -> bool:
        """Look at it."""
        try:
            return stat.S_ISDIR(Path(path).stat().st_mode)
        except PermissionError:
            return True
        except (OSError, ValueError):
            return False

    def mtu(self, interface: str) -> int | None:
        """Ask the kernel, in this network namespace."""
        try:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as asking:
                answer = fcntl.ioctl(asking, _SIOCGIFMTU, _IFREQ.pack(interface.encode(), 0))
        except (OSError, struct.error, UnicodeEncodeError):
            return None
        return int(_IFREQ.unpack(answer)[1])

    def interface_of(self, address: str) -> str:
        """Ask the kernel, in this network namespace."""
        return next((name for name, held in (*_ipv4_addresses(), *_ipv6_addresses()) if held == packed(address)), "")


def _ipv4_addresses() -> Iterator[tuple[str, bytes]]:
    """Yield every IPv4 address with its interface; a label such as `eth0:1` begins with that (netdevice(7))."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as asking:
        size, _ = _IFCONF.unpack(fcntl.ioctl(asking, _SIOCGIFCONF, _IFCONF.pack(0, 0)))
        room = array("b", bytes(size + _SPARE))
        size, _ = _IFCONF.unpack(fcntl.ioctl(asking, _SIOCGIFCONF, _IFCONF.pack(len(room), room.buffer_info()[0])))
    for label, held in _IFREQ_ADDRESS.iter_unpack(room.tobytes()[:size]):
        yield label.rstrip(b"\0").decode().partition(":")[0], held


def _ipv6_addresses() -> Iterator[tuple[str, bytes]]:
    """Yield every IPv6 address with its interface (net/ipv6/addrconf.c: if6_seq_show)."""
    try:
        lines = _IPV6_ADDRESSES.read_text().splitlines()
    except FileNotFoundError:  # a kernel without IPv6
        return
    for line in lines:
        held, *_, name = line.split()
        yield name, bytes.fromhex(held)
