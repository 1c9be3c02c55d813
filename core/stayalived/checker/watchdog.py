"""Names the check that keeps the loop to itself, with its stack, while it still does. I/O.

The loop says every `TICK` that it turns, while probes run; a thread looks whether it has. The stack is read under the
interpreter's lock: `faulthandler` reads it without, and on Python 3.11 that ends the process now and then when the
frames change meanwhile. So `faulthandler` is kept for the one case in which they cannot: when the thread itself has
not had the lock for `DEAF_AFTER`, C code holds it.
"""

import asyncio
import faulthandler
import logging
import os
import sys
import threading
import traceback
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

DEAF_AFTER = seconds(1)
"""When the thread has not run for this long, or half as long again, `faulthandler` writes all stacks to stderr."""

MOST_NAMED = 256
_STANDARD_ERROR = 2

Result = TypeVar("Result")


class Watchdog:
    """Watches one loop. `running` is whose code has it now, empty when it is nobody's but ours."""

    def __init__(self, name: str, clock: Callable[[], Instant], limit: Duration = LIMIT) -> None:
        """Start the thread that looks. To be made in the thread that runs the loop.

        Args:
            name: of the process, for the log: `checker/acme`.
            clock: the monotonic clock.
            limit: how long a check may keep the loop.
        """
        self.running = ""
        self.blocks = 0
        self._name = name
        self._clock = clock
        self._limit = limit
        self._log = logging.getLogger("stayalived.checker")
        self._since = Instant(0)
        self._overlong = ""
        self._named: dict[str, tuple[Instant, int]] = {}
        self._is_busy = False  # a probe has started since the last look
        self._busy_until = Instant(0)
        self._turned_at = Instant(0)
        self._starved_before = NO_TIME
        self._timer: asyncio.TimerHandle | None = None
        self._thread_of_loop = threading.get_ident()
        self._statistics = _open_statistics(threading.get_native_id())
        self._is_over = False
        self._wanted = threading.Event()
        self._thread = threading.Thread(target=self._look_on, name="watchdog", daemon=True)
        self._thread.start()

    def watch(self) -> None:
        """Say that a probe starts: watch the loop for a while. To be called inside the running loop."""
        self._is_busy = True
        if self._timer is None:
            self._tick()
            self._wanted.set()

    def enter(self, label: str, now: Instant | None = None) -> None:
        """Say that a check's code gets the loop; `now` spares a look at the clock."""
        self.running, self._since = label, self._clock() if now is None else now

    def leave(self) -> Instant:
        """Say that it has given the loop back. Returns the moment."""
        now = self._clock()
        if now - self._since >= self._limit:
            self._overlong = self.running
        self.running = ""
        return now

    def close(self) -> None:
        """Stop watching and end the thread."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._is_over = True
        self._wanted.set()
        self._thread.join()
        if self._statistics is not None:
            os.close(self._statistics)

    def _tick(self) -> None:
        """Note that the loop turns, for as long as probes run."""
        self._starved_before, self._turned_at = self._starved(), self._clock()
        if self._is_busy:
            self._is_busy, self._busy_until = False, Instant(self._turned_at + IDLE_AFTER)
        if self._turned_at >= self._busy_until:
            self._wanted.clear()
            self._timer = None
        else:
            self._timer = asyncio.get_running_loop().call_later(in_seconds(TICK), self._tick)

    def _look_on(self) -> None:
        """Look every `TICK` whether the loop turns, while it is wanted. Runs in a thread of its own."""
        pause = threading.Event()
        expect_at = self._clock()
        while self._wanted.wait() and not self._is_over:
            if self._clock() >= expect_at:  # it makes a thread each time
                self._expect_lock()
                expect_at = Instant(self._clock() + DEAF_AFTER // 2)
            pause.wait(in_seconds(TICK))
            if self._wanted.is_set() and self._held() >= self._limit + TICK:
                self._look()
            if not self._wanted.is_set() or self._is_over:
                faulthandler.cancel_dump_traceback_later()
                expect_at = self._clock()

    def _expect_lock(self) -> None:
        """Have all stacks written if this thread does not get the interpreter's lock for too long."""
        try:
            faulthandler.dump_traceback_later(in_seconds(Duration(DEAF_AFTER * 3 // 2)), file=_STANDARD_ERROR)
        except (RuntimeError, MemoryError) as error:  # no room for its thread: a plugin leaks, and that is reported
            self._log.debug("%s: cannot watch for code that keeps the interpreter: %s", self._name, error)

    def _look(self) -> None:
        """Name whoever keeps the loop."""
        frame = sys._current_frames().get(self._thread_of_loop)  # noqa: SLF001  (the documented way to a thread's stack)
        culprit = self._culprit()
        if frame is not None and not is_waiting(frame):
            self._tell(culprit, "".join(traceback.format_stack(frame)).rstrip())
            self.blocks += 1  # last: whoever waits for it finds the line written

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

    def _tell(self, culprit: str, stack: str) -> None:
        """Write a line about a blocked loop unless the same was said just now."""
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
            "%s: %s keeps the loop for more than %s%s; its stack, innermost call last:\n%s",
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


def is_waiting(frame: types.FrameType) -> bool:
    """Return whether a loop waits for events in this innermost frame: late on a busy machine, not blocked."""
    caller = frame.f_back
    return frame.f_code.co_name == "select" and caller is not None and caller.f_code.co_name == "_run_once"


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
