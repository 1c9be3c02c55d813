"""Scheduling and memory of the process that must not be late. I/O."""

import ctypes
import gc
import logging
import os
import resource
import signal
import traceback
from collections.abc import Callable
from types import FrameType

from stayalived.config.model import Globals
from stayalived.timing import Instant, after, elapsed, milliseconds, seconds

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
        self._priority = 0
        self._refused = False

    def want(self, priority: int) -> None:
        """Become a process of the real-time class with this priority, or an ordinary one again with 0."""
        if priority == self._priority or (priority and self._refused):
            return
        try:
            if priority:
                self._enter(priority)
            else:
                os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
        except OSError as error:
            self._refused = True
            _log.warning(
                "no real-time scheduling: %s; adverts may be late under load; it takes CAP_SYS_NICE or LimitRTPRIO=%d",
                error.strerror,
                priority,
            )
        else:
            self._priority = priority

    def _enter(self, priority: int) -> None:
        resource.setrlimit(resource.RLIMIT_RTTIME, (COMPUTING_LIMIT, resource.RLIM_INFINITY))
        signal.signal(signal.SIGXCPU, self._leave)
        os.sched_setscheduler(0, os.SCHED_RR | os.SCHED_RESET_ON_FORK, os.sched_param(priority))

    def _leave(self, _number: int, frame: FrameType | None) -> None:
        os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
        self._priority, self._refused = 0, True
        stack = "".join(traceback.format_stack(frame))
        _log.error("computed for a second without a pause: left the real-time class; it was at\n%s", stack)


class Scheduling:
    """How this process is scheduled, as `[global]` says: class, nice value, processors, memory (P11 to P15)."""

    def __init__(self) -> None:
        """Start as it was born."""
        self._realtime = RealTime()
        self._processors = os.sched_getaffinity(0)
        self._nice = os.getpriority(os.PRIO_PROCESS, 0)
        self._has_locked = False

    def want(self, wanted: Globals) -> None:
        """Be scheduled as the configuration says; what is refused is said and changes nothing else."""
        self._realtime.want(wanted.vrrp_rt_priority if wanted.realtime else 0)
        processors = set(wanted.vrrp_cpu_affinity) or self._processors
        _try("vrrp_cpu_affinity", "such a processor, allowed to this service", os.sched_setaffinity, 0, processors)
        nice = wanted.vrrp_priority or self._nice
        _try("vrrp_priority", "CAP_SYS_NICE or LimitNICE", os.setpriority, os.PRIO_PROCESS, 0, nice)
        if (wanted.realtime or wanted.vrrp_no_swap) and not self._has_locked:
            self._has_locked = True
            _try("vrrp_no_swap", "CAP_IPC_LOCK or LimitMEMLOCK=infinity", _lock_memory)


def _try(key: str, remedy: str, act: Callable[..., object], *arguments: object) -> None:
    try:
        act(*arguments)
    except OSError as error:
        _log.warning("%s is not done: %s; it takes %s", key, error.strerror, remedy)


def _lock_memory() -> None:
    """Let no page be swapped out once it was touched; those that we share with the supervisor stay shared."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.mlockall(_MCL_CURRENT | _MCL_FUTURE | _MCL_ONFAULT):
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


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
