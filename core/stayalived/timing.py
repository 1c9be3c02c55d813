"""Moments and durations, in integer nanoseconds, as types.

Nothing here reads a clock. A shell reads `CLOCK_MONOTONIC` and passes the value in; an engine only compares and adds.
Centiseconds, the unit of the VRRP wire, are converted in `vrrp/packet.py` and exist nowhere else.
"""

from collections.abc import Iterable
from typing import NewType

Instant = NewType("Instant", int)
"""A moment of the monotonic clock, in nanoseconds."""

Duration = NewType("Duration", int)
"""A length of time, in nanoseconds."""

NO_TIME = Duration(0)
_PER_SECOND = 1_000_000_000


def seconds(value: float) -> Duration:
    """Return a duration of `value` seconds, to the nearest nanosecond."""
    return Duration(round(value * _PER_SECOND))


def milliseconds(value: float) -> Duration:
    """Return a duration of `value` milliseconds."""
    return Duration(round(value * 1_000_000))


def in_seconds(duration: Duration) -> float:
    """Return the duration as a number of seconds, for people and for system calls."""
    return duration / _PER_SECOND


def after(moment: Instant, duration: Duration) -> Instant:
    """Return the moment that lies `duration` after `moment`."""
    return Instant(moment + duration)


def elapsed(since: Instant, now: Instant) -> Duration:
    """Return how long `since` lies before `now`; negative when it lies ahead."""
    return Duration(now - since)


def earliest(deadlines: Iterable[Instant | None]) -> Instant | None:
    """Return the first of the deadlines, or None when nobody wants to be woken."""
    return min((deadline for deadline in deadlines if deadline is not None), default=None)


def for_people(duration: Duration) -> str:
    """Return the duration as text: `3.61 s`, `12 ms`."""
    if abs(duration) < _PER_SECOND:
        return f"{duration / 1_000_000:.3g} ms"
    return f"{duration / _PER_SECOND:.4g} s"
