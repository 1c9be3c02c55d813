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
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from stayalived.runner.accounts import SCRIPT_USER
from stayalived.runner.paths import open_program
from stayalived.runner.refusals import Refused

ROOT = 0
_SIOCGIFMTU = 0x8921  # netdevice(7)
_IFREQ = struct.Struct("16si20x")


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
