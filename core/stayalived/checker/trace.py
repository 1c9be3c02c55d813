"""What a probe does at the network, step by step, for people. I/O: a session that tells what it has done."""

from collections.abc import Callable

import msgspec

from stayalived.checker.session import Session, step_name
from stayalived.errors import KernelProblem
from stayalived.plugin.checks import Connect, NetworkFailure, PeerCertificate, Receive, Send, StartTls, Step, Target
from stayalived.timing import Duration, Instant, elapsed, for_people

MOST_SHOWN = 100
"""Characters of a line that was sent or received."""

MOST_NOTES = 200
"""Notes of one probe; a check that reads a long answer would write thousands."""


class Note(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that a probe has done: when since its start, what, and how it went."""

    at: Duration
    step: str
    text: str


class Trace:
    """Tells what one probe does as it does it."""

    def __init__(self, clock: Callable[[], Instant], tell: Callable[[Note], None]) -> None:
        """Begin now.

        Args:
            clock: the monotonic clock.
            tell: gets each note.
        """
        self.clock = clock
        self.began = clock()
        self._tell = tell
        self._notes = 0

    def note(self, step: str, text: str) -> None:
        """Tell that something was done; after `MOST_NOTES` only that there was more."""
        self._notes += 1
        if self._notes > MOST_NOTES:
            return
        shown = text if self._notes < MOST_NOTES else "and more of the same"
        self._tell(Note(at=elapsed(self.began, self.clock()), step=step, text=shown))

    def open(self, target: Target) -> "TracedSession":
        """Return a session that tells of its steps here."""
        return TracedSession(target, self)


class TracedSession(Session):
    """A session that tells of each step when it is done, and of one that never is."""

    __slots__ = ("_begun_at", "_is_open", "_trace")

    def __init__(self, target: Target, trace: Trace) -> None:
        """Remember where to tell."""
        super().__init__(target)
        self._trace = trace
        self._is_open = False  # a step has begun and is not done
        self._begun_at = trace.began

    def begin(self, step: Step) -> bytes | None:
        """As `Session.begin`."""
        if isinstance(step, Connect):
            self.close()  # the connection before this one, which was done with
        self._is_open, self._begun_at = True, self._trace.clock()
        return self._observe(lambda: super(TracedSession, self).begin(step))

    def go_on(self) -> bytes | None:
        """As `Session.go_on`."""
        return self._observe(super().go_on)

    def close(self) -> None:
        """As `Session.close`."""
        if self._is_open and self.socket is not None:
            self._is_open = False
            self._trace.note(step_name(self.step), f"nothing for {self._took()}: given up")
        super().close()

    def _observe(self, work: Callable[[], bytes | None]) -> bytes | None:
        try:
            answer = work()
        except NetworkFailure as failure:
            self._fail(failure.verdict.seen)
            raise
        except KernelProblem as problem:
            self._fail(str(problem))
            raise
        if answer is not None:
            self._is_open = False
            self._trace.note(step_name(self.step), self._done(answer))
        return answer

    def _fail(self, text: str) -> None:
        self._is_open = False
        self._trace.note(step_name(self.step), f"{text}, after {self._took()}")

    def _took(self) -> str:
        return for_people(elapsed(self._begun_at, self._trace.clock()))

    def _done(self, answer: bytes) -> str:
        """Return what the present step has come to."""
        match self.step:
            case Connect():
                assert self.socket is not None
                return f"connected from {self.socket.getsockname()[0]} in {self._took()}"
            case StartTls():
                return self._tls.agreed() if self._tls is not None else "done"
            case Send(data):
                return f"sent {_bytes(data)}"
            case Receive():
                return f"received {_bytes(answer)}" if answer else "end of the stream"
            case PeerCertificate():
                return f"took the server's certificate, {_bytes(answer)}"


def _bytes(data: bytes) -> str:
    """Return how many bytes there are, with the first line where it is text."""
    count = f"{len(data)} byte{'' if len(data) == 1 else 's'}"
    line = data.partition(b"\n")[0].rstrip(b"\r").decode("ascii", "replace")
    if not line or not line.isprintable() or "\N{REPLACEMENT CHARACTER}" in line:
        return count
    return f"{count}: {line if len(line) <= MOST_SHOWN else line[:MOST_SHOWN] + '…'}"
