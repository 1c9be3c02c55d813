"""One role as a real process, with the test in the supervisor's place at the other end of its pipe."""

import os
import select
import signal
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

from stayalived.child.bootstrap import Context, live
from stayalived.child.link import Link, make_pair
from stayalived.config.model import Configuration, encode
from stayalived.messages import control
from stayalived.messages.codec import Frame
from stayalived.messages.control import Message, Needs, Start
from stayalived.messages.routes import pack, unpack

PATIENCE = 20.0  # seconds; only a hang takes them
AnyMessage = TypeVar("AnyMessage", bound=Message)

NEEDS = Needs(
    children=(),
    child_wait_time=5_000_000_000,
    log="stderr",
    log_facility="daemon",
    log_level="info",
    objects=0,
    shortest_master_down=0,
    realtime=False,
    start_only=(),
    removable=(),
    plugins=(),
)


class RoleProcess:
    """A child that was forked and lives as it does under the supervisor, rights dropped and all.

    Args:
        name: of the child: a role, or `ROLE/DISTRIBUTION`.
        needs: as the config child found them.
        extra: descriptors that it inherits, by name.
        standard_error: becomes its descriptor 2.
    """

    def __init__(
        self,
        name: str,
        needs: Needs = NEEDS,
        extra: Mapping[str, int] | None = None,
        standard_error: int | None = None,
    ) -> None:
        ours, theirs = make_pair()
        context = Context(
            name=name,
            start=Start.FIRST,
            link=theirs,
            run_dir=Path("/run"),
            config_dir=Path("/etc"),
            host_id="tic",
            needs=needs,
            extra=extra or {},
        )
        sys.stderr.flush()
        parent = os.getpid()
        self.pid = os.fork()
        if self.pid == 0:
            if standard_error is not None:
                os.dup2(standard_error, 2)
            live(context, parent, None)
        theirs.close()
        self.link = Link(ours)
        self._arrived: list[Frame] = []
        self._ended = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.link.close()
        if not self._ended:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)

    def tell(self, message: Message, *, peer: str = "", sequence: int = 0) -> None:
        """Send a message, as forwarded from `peer`."""
        self.link.send(pack(message, peer=peer, sequence=sequence))
        while self.link.waiting:
            assert select.select([], [self.link.fileno()], [], PATIENCE)[1], "it reads nothing"
            self.link.flush()

    def hear(self, wanted: type[AnyMessage]) -> tuple[AnyMessage, Frame]:
        """Wait for the next message of a type, signs of life and all others of before it left out."""
        for frame in self.frames():
            message = unpack(frame)
            assert not isinstance(message, control.Failed), message
            if isinstance(message, wanted):
                return message, frame
        raise AssertionError(f"it ended without a {wanted.__name__}")

    def frames(self) -> Iterator[Frame]:
        """Yield what comes, to the end of the pipe."""
        give_up = time.monotonic() + PATIENCE
        while True:
            while self._arrived:
                yield self._arrived.pop(0)
            if self.link.closed:
                return
            assert time.monotonic() < give_up, "nothing of this kind comes"
            select.select([self.link.fileno()], [], [], 1)
            self._arrived += [frame for frame, _ in self.link.receive()]

    def configure(self, configuration: Configuration, generation: int = 1) -> control.Prepared | control.Refused:
        """Bring a configuration into force, if the child can use it; return its answer."""
        descriptor = os.memfd_create("configuration")
        os.write(descriptor, encode(configuration))
        self.link.send(pack(control.Prepare(generation=generation)), descriptor)
        for frame in self.frames():
            message = unpack(frame)
            if isinstance(message, control.Refused):
                return message
            if isinstance(message, control.Prepared):
                self.tell(control.Commit(generation=generation, start=Start.FIRST))
                return message
        raise AssertionError("it ended without an answer")

    def stop(self) -> int:
        """Have it end in order and return its exit status."""
        self.tell(control.Stop(leave=False))
        self.hear(control.Stopped)
        return self.wait()

    def wait(self) -> int:
        """Wait for its end and return its exit status."""
        handle = os.pidfd_open(self.pid)
        try:
            assert select.select([handle], [], [], PATIENCE)[0], "it does not end"
        finally:
            os.close(handle)
        self._ended = True
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
