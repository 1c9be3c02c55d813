"""What systemd is told: sd_notify(3) without its library. I/O."""

import os
import socket
from typing import Self

from stayalived.timing import Duration

_PER_MICROSECOND = 1000


class Systemd:
    """The notification socket, or nobody when the daemon was not started by systemd."""

    def __init__(self, address: str = "", watchdog: Duration | None = None) -> None:
        """Make a notifier.

        Args:
            address: of the socket: a path, or `@NAME` of the abstract namespace; empty for nobody.
            watchdog: how often `WATCHDOG=1` is wanted; None = never.
        """
        self.watchdog = watchdog
        self._address = f"\0{address[1:]}" if address.startswith("@") else address

    @classmethod
    def of_environment(cls) -> Self:
        """Return what NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID say, and take them out of the environment (P32)."""
        address = os.environ.pop("NOTIFY_SOCKET", "")
        interval = os.environ.pop("WATCHDOG_USEC", "")
        process = os.environ.pop("WATCHDOG_PID", "")
        if not interval.isdigit() or (process and process != str(os.getpid())):
            return cls(address)
        # sd_watchdog_enabled(3): notify at half the interval.
        return cls(address, Duration(int(interval) * _PER_MICROSECOND // 2))

    def tell(self, text: str) -> None:
        """Send lines such as `READY=1`. What cannot be sent is lost: nobody waits for an answer.

        Raises:
            OSError: the socket is there and does not take it.
        """
        if not self._address:
            return
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC | socket.SOCK_NONBLOCK) as end:
            end.sendto(text.encode(), self._address)
