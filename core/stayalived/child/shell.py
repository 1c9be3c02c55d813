"""The bare loop of a child: epoll, one timer, no asyncio. I/O.

An idle turn of asyncio costs 2.7 times that of this one, and its selector has no limit of 1,023 descriptors either.
"""

import select
import signal
import socket
from collections.abc import Callable

from stayalived.child.base import Effect, Event, ShellBase, read_clock
from stayalived.child.bootstrap import PARENT_DEATH_SIGNAL, Context
from stayalived.child.events import ChildEffect, ChildEvent
from stayalived.child.timer import Timer
from stayalived.engine import Engine
from stayalived.timing import earliest


class Shell(ShellBase[Event, Effect]):
    """Runs an engine on a bare epoll loop until it has finished."""

    def __init__(
        self,
        engine: Engine[ChildEvent | Event, ChildEffect | Effect],
        context: Context,
        perform: Callable[[Effect], None],
    ) -> None:
        """Join an engine to its pipe; see `ShellBase`."""
        super().__init__(engine, context, perform)
        self._epoll = select.epoll()
        self._timer = Timer()
        self._callbacks: dict[int, Callable[[], None]] = {}
        self._drains: list[Callable[[], None]] = []
        self._watching_room = False
        self.watch(self._timer.fileno(), self._timer.expired)
        self.watch(self.link.fileno(), self._read_link)

    def watch(self, fd: int, callback: Callable[[], None]) -> None:
        """Call `callback` whenever `fd` is readable, or broken. Level-triggered: what is not read is reported again."""
        self._callbacks[fd] = callback
        self._epoll.register(fd, select.EPOLLIN)

    def unwatch(self, fd: int) -> None:
        """Stop watching; call it before the descriptor is closed."""
        del self._callbacks[fd]
        self._epoll.unregister(fd)

    def before_wake(self, drain: Callable[[], None]) -> None:
        """Call `drain` before an expired deadline is acted on: what came in time counts before its absence does."""
        self._drains.append(drain)

    def run(self) -> None:
        """Say hello, then serve the engine until `Finished` was carried out."""
        awake, asleep = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
        signal.set_wakeup_fd(asleep.fileno(), warn_on_full_buffer=False)
        signal.signal(PARENT_DEATH_SIGNAL, _wake_only)
        self.watch(awake.fileno(), lambda: self._read_signals(awake))
        self._say_hello()
        try:
            while not self.finished:
                self._turn()
            self.link.flush()
        finally:
            signal.set_wakeup_fd(-1)
            awake.close()
            asleep.close()

    def _turn(self) -> None:
        """Wait for the next thing to happen and deal with it."""
        if not self._watch_room():
            return
        self._timer.set(earliest((self._engine_deadline, self._own_deadline)))
        for fd, mask in self._epoll.poll():
            if fd == self.link.fileno() and mask & select.EPOLLOUT:
                self.link.flush()
            callback = self._callbacks.get(fd)  # an earlier callback of this turn may have unwatched it
            if callback is not None and mask & ~select.EPOLLOUT:
                callback()
            if self.finished:
                return
        now = read_clock()
        due = self._engine_deadline
        if due is not None and now >= due:
            for drain in self._drains:
                drain()
            self._wake_engine()
        self._do_own(now)

    def _watch_room(self) -> bool:
        """Watch for writability while something waits, and only then; stop watching a pipe that is closed.

        Returns:
            whether there is anything left to wait for.
        """
        if self.link.closed:
            if self.link.fileno() in self._callbacks:
                self.unwatch(self.link.fileno())
                self._lose_supervisor()  # it may have been a send that found the pipe closed
            return not self.finished
        wanted = self.link.waiting > 0
        if wanted != self._watching_room:
            self._epoll.modify(self.link.fileno(), select.EPOLLIN | (select.EPOLLOUT if wanted else 0))
            self._watching_room = wanted
        return True

    def _read_signals(self, awake: socket.socket) -> None:
        numbers = awake.recv(64)
        if PARENT_DEATH_SIGNAL in numbers:
            self._on_parent_death_signal()


def _wake_only(_number: int, _frame: object) -> None:
    """Python wants a handler; the number arrives through the wakeup descriptor."""
