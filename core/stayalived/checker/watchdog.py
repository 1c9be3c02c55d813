"""Names the check that keeps the loop to itself, with its stack, while it still does. I/O.

`faulthandler` writes the stacks from a thread of its own in C, which needs neither the loop nor the interpreter's
lock; a second thread here waits for them and logs. The loop itself says every `TICK` that it turns, while probes run.
"""

import asyncio
import faulthandler
import logging
import os
import threading
import time
import types
from collections.abc import Callable, Coroutine, Generator
from typing import Any, TypeVar

from stayalived.errors import PluginFailure
from stayalived.timing import NO_TIME, Duration, Instant, elapsed, for_people, in_seconds, milliseconds, seconds

LIMIT = milliseconds(100)
"""A check that keeps the loop longer than this is named; time spent waiting for a processor does not count."""

TICK = milliseconds(50)
QUIET = seconds(10)
"""After a line the next one about the same check is this far away; what comes between is counted."""

IDLE_AFTER = seconds(2)
"""Without a new probe for this long the loop stops saying that it turns."""

MOST_NAMED = 256
_PIPE_READ = 65536

Result = TypeVar("Result")


class Watchdog:
    """Watches one loop. `running` is whose code has it now, empty when it is nobody's but ours."""

    def __init__(self, name: str, clock: Callable[[], Instant], limit: Duration = LIMIT) -> None:
        """Start the thread that logs. To be made in the thread that runs the loop.

        Args:
            name: of the process, for the log: `checker/acme`.
            clock: the monotonic clock.
            limit: how long a check may keep the loop.
        """
        self.running = ""
        self._since = Instant(0)
        self._overlong = ""
        self.blocks = 0
        self._name = name
        self._clock = clock
        self._limit = limit
        self._log = logging.getLogger("stayalived.checker")
        self._thread_of_loop = threading.get_ident()
        self._turned_at = Instant(0)
        self._starved_before = NO_TIME
        self._statistics = _open_statistics(threading.get_native_id())
        self._named: dict[str, tuple[Instant, int]] = {}
        self._busy_until = Instant(0)
        self._timer: asyncio.TimerHandle | None = None
        self._read_end, self._write_end = os.pipe()
        os.set_blocking(self._write_end, False)
        self._thread = threading.Thread(target=self._listen, name="watchdog", daemon=True)
        self._thread.start()

    def watch(self) -> None:
        """Say that a probe starts: watch the loop for a while. To be called inside the running loop."""
        self._busy_until = Instant(self._clock() + IDLE_AFTER)
        if self._timer is None:
            self._tick()

    def enter(self, label: str) -> None:
        """Say that a check's code gets the loop."""
        self.running, self._since = label, self._clock()

    def leave(self) -> None:
        """Say that it has given the loop back."""
        if elapsed(self._since, self._clock()) >= self._limit:
            self._overlong = self.running
        self.running = ""

    def close(self) -> None:
        """Stop watching and end the thread."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        faulthandler.cancel_dump_traceback_later()
        os.close(self._write_end)
        self._thread.join()
        os.close(self._read_end)
        if self._statistics is not None:
            os.close(self._statistics)

    def _tick(self) -> None:
        """Put the moment off at which the stacks are written, for as long as probes run."""
        self._turned_at, self._starved_before = self._clock(), self._starved()
        if self._turned_at >= self._busy_until:
            self._timer = None
            faulthandler.cancel_dump_traceback_later()
            return
        try:
            faulthandler.dump_traceback_later(
                in_seconds(Duration(self._limit + TICK)), repeat=True, file=self._write_end
            )
        except (RuntimeError, MemoryError) as error:  # no room for its thread: a plugin leaks, and that is reported
            self._log.debug("%s: the loop is not watched for now: %s", self._name, error)
        self._timer = asyncio.get_running_loop().call_later(in_seconds(TICK), self._tick)

    def _listen(self) -> None:
        """Log each dump that comes through the pipe. Runs in a thread of its own."""
        while data := os.read(self._read_end, _PIPE_READ):
            culprit = self._culprit()
            time.sleep(0.01)  # the dump comes in many small writes
            data += self._read_rest()
            stack = loop_stack(data.decode(errors="replace"), self._thread_of_loop)
            if self._held() >= self._limit and not is_waiting(stack):
                self._tell(culprit, stack)

    def _held(self) -> Duration:
        """Return how long the loop has not turned while it could have: on a busy machine it waits for its turn."""
        starved = self._starved() - self._starved_before
        return Duration(elapsed(self._turned_at, self._clock()) - starved)

    def _starved(self) -> Duration:
        """Return how long the loop's thread has been ready to run and was not run, since it exists (schedstat)."""
        if self._statistics is None:
            return NO_TIME
        return Duration(int(os.pread(self._statistics, 128, 0).split()[1]))

    def _culprit(self) -> str:
        """Return who keeps the loop now, or did until just now: code that keeps the interpreter as well ends first."""
        if self.running and elapsed(self._since, self._clock()) >= self._limit:
            return self.running
        culprit, self._overlong = self._overlong, ""
        return culprit

    def _read_rest(self) -> bytes:
        """Return what else has come, without waiting for it."""
        os.set_blocking(self._read_end, False)
        try:
            return os.read(self._read_end, _PIPE_READ)
        except BlockingIOError:
            return b""  # one write held it all
        finally:
            os.set_blocking(self._read_end, True)

    def _tell(self, culprit: str, stack: str) -> None:
        """Write a line about a blocked loop unless the same was said just now."""
        self.blocks += 1
        who = f"check {culprit}" if culprit else "no single check, but all that is to do,"
        now = self._clock()
        told_at, unsaid = self._named.get(who, (None, 0))
        if told_at is not None and elapsed(told_at, now) < QUIET:
            self._named[who] = (told_at, unsaid + 1)
            return
        if len(self._named) >= MOST_NAMED:
            self._named.clear()
        self._named[who] = (now, 0)
        self._log.log(
            logging.ERROR if culprit else logging.WARNING,
            "%s: %s keeps the loop for more than %s%s; its stack, innermost call first:\n%s",
            self._name,
            who,
            for_people(self._limit),
            f" ({unsaid} more since the last line)" if unsaid else "",
            stack,
            extra={"fields": {"process": self._name, "check": culprit}},
        )


def _open_statistics(thread: int) -> int | None:
    """Open what the kernel's scheduler says about a thread; None where the kernel does not keep it."""
    try:
        return os.open(f"/proc/self/task/{thread}/schedstat", os.O_RDONLY | os.O_CLOEXEC)
    except OSError as error:
        logging.getLogger("stayalived.checker").debug("no scheduler statistics: %s", error)
        return None


def loop_stack(dump: str, thread: int) -> str:
    """Return one thread's part of what `faulthandler` wrote; the whole of it when it is not there."""
    parts = [part.strip() for part in dump.split("\n\n")]
    return next((part for part in parts if f"0x{thread:016x}" in part), dump.strip())


def is_waiting(stack: str) -> bool:
    """Return whether a loop's stack is that of one that waits for events: late on a busy machine, but not blocked."""
    frames = [line for line in stack.splitlines() if "File " in line][:2]
    return len(frames) == 2 and frames[0].endswith("in select") and frames[1].endswith("in _run_once")


@types.coroutine
def labelled(
    make: Callable[[], Coroutine[Any, Any, Result]], label: str, watchdog: Watchdog
) -> Generator[Any, Any, Result]:
    """Run a coroutine and let the watchdog know each time that it has the loop.

    Args:
        make: makes the coroutine, and does no more than that; called only once this one runs, so that none is left
            unawaited.
        label: what the watchdog calls it.
        watchdog: is told.

    Raises:
        PluginFailure: the coroutine wants to end the process.
    """
    body = make()
    resume: Callable[[Any], Any] = body.send
    argument: Any = None
    while True:
        watchdog.enter(label)
        try:
            awaited = resume(argument)
        except StopIteration as stop:
            return stop.value  # type: ignore[no-any-return]  # a coroutine's value is its result
        except (SystemExit, KeyboardInterrupt) as error:  # asyncio would let them end the loop
            raise PluginFailure(f"raised {type(error).__name__}") from error
        finally:
            watchdog.leave()
        try:
            argument = yield awaited
            resume = body.send
        except BaseException as error:  # noqa: BLE001  (handed on to the coroutine, as await does)
            argument, resume = error, body.throw
