"""A timer that an epoll loop can watch, exact to microseconds. I/O.

`epoll_wait` rounds its time limit up to whole milliseconds, and an advert interval may be ten of them (RFC 9568 5.2.7:
centiseconds). Python has `os.timerfd_create` from 3.13 on; until then it is two calls of the C library.
"""

import ctypes
import os

from stayalived.timing import Instant

_CLOCK_MONOTONIC = 1
_TFD_NONBLOCK_CLOEXEC = os.O_NONBLOCK | os.O_CLOEXEC
_TFD_TIMER_ABSTIME = 1
_PER_SECOND = 1_000_000_000


class _Timespec(ctypes.Structure):
    _fields_ = (("seconds", ctypes.c_long), ("nanoseconds", ctypes.c_long))


class _Setting(ctypes.Structure):
    _fields_ = (("interval", _Timespec), ("value", _Timespec))


_libc = ctypes.CDLL(None, use_errno=True)


class Timer:
    """One moment at which a descriptor becomes readable."""

    def __init__(self) -> None:
        """Make a timer that is not set.

        Raises:
            OSError: no descriptor is free.
        """
        self._descriptor: int = _libc.timerfd_create(_CLOCK_MONOTONIC, _TFD_NONBLOCK_CLOEXEC)
        if self._descriptor < 0:
            raise OSError(ctypes.get_errno(), "timerfd_create")
        self._setting = _Setting()
        self._moment: Instant | None = None

    def fileno(self) -> int:
        """Return the descriptor to watch."""
        return self._descriptor

    def set(self, moment: Instant | None) -> None:
        """Become readable at `moment`, at once if that is past; never when it is None."""
        if moment == self._moment:
            return
        self._moment = moment
        value = self._setting.value
        # Zero would disarm it (timerfd_create(2)), so the past is the first nanosecond.
        value.seconds, value.nanoseconds = (0, 0) if moment is None else divmod(max(moment, 1), _PER_SECOND)
        _libc.timerfd_settime(self._descriptor, _TFD_TIMER_ABSTIME, ctypes.byref(self._setting), None)

    def expired(self) -> None:
        """Take note that the descriptor was readable, so that it is not so any more."""
        self._moment = None
        try:
            os.read(self._descriptor, 8)
        except BlockingIOError:  # it was set anew between the report and now
            return

    def close(self) -> None:
        """Close the descriptor."""
        os.close(self._descriptor)
