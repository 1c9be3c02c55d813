"""Scheduling and memory of the process that must not be late. I/O."""

import ctypes
import gc
import logging
import os
import resource
import signal
import traceback
from types import FrameType

from stayalived.timing import Instant, after, elapsed, milliseconds, seconds

PRIORITY = 1
"""Of SCHED_RR: above everything ordinary, below whatever an administrator made real time on purpose."""

COMPUTING_LIMIT = 1_000_000
"""Microseconds that we may compute in one go under SCHED_RR; beyond them the process is broken."""

QUIET = milliseconds(20)
"""How far away the next deadline has to be for young garbage to be collected."""

TIDY_INTERVAL = seconds(1)
"""How often that is tried."""

_MCL_CURRENT, _MCL_FUTURE, _MCL_ONFAULT = 1, 2, 4
_YOUNG = 0

_log = logging.getLogger("stayalived.vrrp")


class RealTime:
    """Whether this process runs under SCHED_RR; what is refused is said once."""

    def __init__(self) -> None:
        """Start as an ordinary process."""
        self._on = False
        self._refused = False

    def want(self, *, on: bool) -> None:
        """Become a process of the real-time class, or an ordinary one again."""
        if on == self._on or (on and self._refused):
            return
        try:
            if on:
                self._enter()
            else:
                os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
        except OSError as error:
            self._refused = True
            _log.warning(
                "no real-time scheduling: %s; adverts may be late under load; it takes CAP_SYS_NICE or LimitRTPRIO=1",
                error.strerror,
            )
        else:
            self._on = on

    def _enter(self) -> None:
        resource.setrlimit(resource.RLIMIT_RTTIME, (COMPUTING_LIMIT, resource.RLIM_INFINITY))
        signal.signal(signal.SIGXCPU, self._leave)
        os.sched_setscheduler(0, os.SCHED_RR | os.SCHED_RESET_ON_FORK, os.sched_param(PRIORITY))
        # Pages stay once they were touched; those that we share with the supervisor stay shared.
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.mlockall(_MCL_CURRENT | _MCL_FUTURE | _MCL_ONFAULT):
            reason = os.strerror(ctypes.get_errno())
            _log.warning("memory is not locked: %s; it takes CAP_IPC_LOCK or LimitMEMLOCK=infinity", reason)

    def _leave(self, _number: int, frame: FrameType | None) -> None:
        os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
        self._on, self._refused = False, True
        stack = "".join(traceback.format_stack(frame))
        _log.error("computed for a second without a pause: left the real-time class; it was at\n%s", stack)


class Tidiness:
    """Collects garbage when nobody waits. The engines make no cycles, so there is little to find."""

    def __init__(self) -> None:
        """Take the collector over: what is there now is never looked at again."""
        self._everything = False
        gc.collect()
        gc.freeze()
        gc.disable()

    def collect_everything(self) -> None:
        """Next time collect all generations: a reload has thrown away a whole configuration."""
        self._everything = True

    def work(self, deadline: Instant | None, now: Instant) -> Instant:
        """Collect unless the deadline is near; returns when to be called again."""
        if deadline is not None and elapsed(now, deadline) < QUIET:
            return after(now, QUIET)
        if self._everything:
            gc.collect()
            gc.freeze()
            self._everything = False
        else:
            gc.collect(_YOUNG)
        return after(now, TIDY_INTERVAL)
