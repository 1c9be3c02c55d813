"""Where and when events come from (I/O: the clocks, the number of this boot): said in one place for all who send them.

A sender says when something happened by the monotonic clock, for engines know no other. Whoever gets the event adds
the moment on the wall, the host and the boot, which are the same for all processes of the daemon.
"""

import time
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec

from stayalived.child.events import Received
from stayalived.messages.events import VERSION
from stayalived.messages.notify import Event

BOOT_ID = Path("/proc/sys/kernel/random/boot_id")  # random(4)


@dataclass(frozen=True, slots=True)
class Origin:
    """The host and the life of the machine in which this process runs."""

    host: str
    boot: str

    @classmethod
    def of(cls, host: str) -> "Origin":
        """Return the origin on this machine under the daemon's host id."""
        try:
            boot = BOOT_ID.read_text(encoding="ascii").strip()
        except OSError:  # a container without /proc: then `sequence` alone numbers the events
            boot = ""
        return cls(host, boot)

    def stamp(self, received: Received) -> Received:
        """Return what was received; with an event, that one with its origin and its moment on the wall."""
        event = received.message
        if not isinstance(event, Event):
            return received
        wall = event.monotonic + time.time_ns() - time.monotonic_ns()
        stamped = msgspec.structs.replace(event, wall=wall, host=self.host, boot=self.boot, version=VERSION)
        return replace(received, message=stamped)
