"""The kernel's timeouts of connections (LV38): ours while we run, afterwards what they were. Pure.

| told | then |
|---|---|
| the configuration wants some | what is there is read, unless the process before this one told it |
| what is there | it is told to the supervisor's memory, then ours are set |
| another configuration | set again; what it does not name becomes what it was |
| stop | what was found is set again |

They are read before they are set, and told before, so that no death in between loses what was found.
"""

from collections.abc import Sequence

from stayalived.child.events import Report, Tell
from stayalived.config.model import Timeouts
from stayalived.ipvs.events import ERROR, AnyEffect, ReadTimeouts, SetTimeouts, TimeoutsAnswered
from stayalived.messages.services import FoundTimeouts

UNTOUCHED = Timeouts()


class TimeoutKeeper:
    """Sets the timeouts that are configured, and knows what was there before."""

    def __init__(self) -> None:
        """Start with nothing wanted and nothing found."""
        self._wanted = UNTOUCHED
        self._found: Timeouts | None = None
        self._refused = False

    def remember(self, message: FoundTimeouts) -> None:
        """Take over what the process before this one found."""
        self._found = Timeouts(tcp=message.tcp, tcpfin=message.tcpfin, udp=message.udp)

    def want(self, timeouts: Timeouts) -> Sequence[AnyEffect]:
        """Return what is to be done for a configuration: nothing when it wants what the one before it wanted."""
        if timeouts == self._wanted:
            return []
        self._wanted = timeouts
        return self._try()

    def again(self) -> Sequence[AnyEffect]:
        """Return what is to be done after the kernel answered, when it refused before."""
        return self._try() if self._refused else []

    def take(self, event: TimeoutsAnswered) -> Sequence[AnyEffect]:
        """Take in what the kernel answered, and return what follows."""
        self._refused = event.problem is not None
        if event.problem is not None:
            return [Report(level=ERROR, text=str(event.problem), once=f"ipvs: {event.problem}")]
        if event.timeouts is None:
            return []
        self._found = event.timeouts
        told = FoundTimeouts(tcp=self._found.tcp, tcpfin=self._found.tcpfin, udp=self._found.udp)
        return [Tell(message=told), *self._try()]

    def restore(self) -> Sequence[AnyEffect]:
        """Return what gives the kernel back what was found; nothing when nothing was changed."""
        return [] if self._found is None else [SetTimeouts(self._found)]

    def _try(self) -> Sequence[AnyEffect]:
        if self._found is None:
            return [ReadTimeouts()]
        return [
            SetTimeouts(
                Timeouts(
                    tcp=self._wanted.tcp or self._found.tcp,
                    tcpfin=self._wanted.tcpfin or self._found.tcpfin,
                    udp=self._wanted.udp or self._found.udp,
                )
            )
        ]
