"""The children as processes: forked with a pipe, watched, reaped. I/O, and no decision."""

import os
import select
import signal
import socket
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from stayalived.child import bootstrap
from stayalived.child.link import Link, make_pair
from stayalived.log import pipe
from stayalived.log.lines import text_line
from stayalived.messages.codec import Frame
from stayalived.messages.control import Needs
from stayalived.messages.routes import CONFIG, LOG, VRRP, role_of
from stayalived.supervisor import memfd
from stayalived.supervisor.events import (
    BadFrames,
    BlobId,
    ChildExited,
    ChildStarted,
    EndOfFile,
    Event,
    Fork,
    ForkFailed,
)
from stayalived.supervisor.events import FrameReceived as Received
from stayalived.supervisor.pidfile import HOLDERS

FRAMES_BEFORE_END = 64
"""Rounds of reading what a dead child had still sent; more than its pipe can hold."""

Birth = Callable[[bootstrap.Context, int, socket.socket | None], NoReturn]
LogPairs = Callable[[], tuple[socket.socket, socket.socket]]
"""Makes a sender and a receiver for the log records of one role."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What every child is born with."""

    run_dir: Path
    config_dir: Path
    host_id: str
    kept: tuple[int, ...] = ()  # descriptors that `HOLDERS` inherit: the locked pid file


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """What to watch on the pipe of a child."""

    name: str
    pid: int
    mask: int


@dataclass(slots=True, kw_only=True)
class _Process:
    pid: int
    link: Link
    ended: bool = False
    bad_frames: int = 0


class Processes:
    """Forks, sends, kills and reaps; what happens comes back as events."""

    def __init__(self, surroundings: Surroundings, log_pairs: LogPairs | None, birth: Birth = bootstrap.live) -> None:
        """Begin without children.

        Args:
            surroundings: what every child is born with.
            log_pairs: makes the pair for the log records of a child; None: logging stays as it is.
            birth: what a new process does; it never returns.
        """
        self.needs: Needs | None = None
        self.send_times = memfd.SendTimes()
        self._surroundings = surroundings
        self._log_pairs = log_pairs
        self._birth = birth
        self._processes: dict[str, _Process] = {}
        self._pairs: dict[str, tuple[socket.socket, socket.socket]] = {}
        self._blobs: dict[BlobId, int] = {}
        self._last_blob = 0
        self._keys = 0

    def links(self) -> dict[int, Watch]:
        """Return the descriptors to watch, with their children; ended ones are left out."""
        return {
            process.link.fileno(): Watch(
                name=name,
                pid=process.pid,
                mask=select.EPOLLIN | (select.EPOLLOUT if process.link.waiting else 0),
            )
            for name, process in self._processes.items()
            if not process.ended
        }

    def log_sender(self, name: str) -> socket.socket | None:
        """Return the sending end for a role's log records; the pair is made once and kept for ever."""
        if self._log_pairs is None:
            return None
        if name not in self._pairs:
            self._pairs[name] = self._log_pairs()
        return self._pairs[name][0]

    def unread_records(self) -> list[str]:
        """Return the log lines that no log child has read, for the end of a daemon that never had one."""
        lines: list[str] = []
        for name, (_, receiver) in self._pairs.items():
            while (record := pipe.receive(receiver)) is not None:
                lines.append(text_line(name, record).decode(errors="replace"))
        return lines

    def fork(self, effect: Fork) -> Event:
        """Start a child. In the new process this never returns."""
        name = effect.name
        for needed in (name, *(self.needs.children if self.needs else ())):
            self.log_sender(needed)
        ours, theirs = make_pair()
        parent = os.getpid()
        try:
            pid = os.fork()
        except OSError as error:
            ours.close()
            theirs.close()
            return ForkFailed(name=name, text=str(error))
        if pid == 0:
            self._birth(self._context(effect, theirs), parent, self.log_sender(name))
        theirs.close()
        self._processes[name] = _Process(pid=pid, link=Link(ours, self._keys))
        return ChildStarted(name=name, pid=pid)

    def kill(self, name: str) -> None:
        """Send SIGKILL to a child; it has not been reaped, so its process id is its own."""
        process = self._processes.get(name)
        if process is not None:
            os.kill(process.pid, signal.SIGKILL)

    def send(self, name: str, frame: Frame, blob: BlobId | None) -> None:
        """Send a frame, with a configuration if one is named. Never blocks."""
        process = self._processes.get(name)
        if process is not None:
            process.link.send(frame, os.dup(self._blobs[blob]) if blob is not None else None)

    def flush(self, name: str) -> None:
        """Send what waits for a child, as far as there is room."""
        process = self._processes.get(name)
        if process is not None:
            process.link.flush()

    def allow_keys(self, keys: int) -> None:
        """Set the bound of every outbox."""
        self._keys = keys
        for process in self._processes.values():
            process.link.allow_keys(keys)

    def drop_blob(self, blob: BlobId) -> None:
        """Close a configuration."""
        os.close(self._blobs.pop(blob))

    def read(self, name: str) -> list[Event]:
        """Return what a child has sent, and its end-of-file."""
        process = self._processes.get(name)
        return self._read(name, process) if process is not None else []

    def reap(self) -> list[Event]:
        """Return the exits of children, each after what it had still sent. Strangers are reaped silently (SG07)."""
        events: list[Event] = []
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return events
            if pid == 0:
                return events
            name = next((name for name, process in self._processes.items() if process.pid == pid), None)
            if name is not None:
                events += self._bury(name, pid, os.waitstatus_to_exitcode(status))

    def close(self) -> None:
        """Close everything; there are no children any more."""
        for process in self._processes.values():
            process.link.close()
        for descriptor in self._blobs.values():
            os.close(descriptor)
        for pair in self._pairs.values():
            for end in pair:
                end.close()
        self._blobs.clear()
        self._pairs.clear()
        self._processes.clear()
        self.send_times.page.close()

    def _context(self, effect: Fork, link: socket.socket) -> bootstrap.Context:
        """Return what a new child is born with. Runs in the child."""
        around = self._surroundings
        role = role_of(effect.name)
        extra = {f"kept:{number}": descriptor for number, descriptor in enumerate(around.kept) if role in HOLDERS}
        if role == LOG:
            extra |= {f"log:{name}": pair[1].fileno() for name, pair in self._pairs.items()}
        if effect.accepted is not None:
            extra[bootstrap.ACCEPTED] = self._blobs[effect.accepted]
        return bootstrap.Context(
            name=effect.name,
            start=effect.start,
            link=link,
            run_dir=around.run_dir,
            config_dir=around.config_dir,
            host_id=around.host_id,
            send_times=self.send_times.page if role == VRRP else None,
            needs=self.needs,
            generation=effect.generation,
            extra=extra,
        )

    def _bury(self, name: str, pid: int, code: int) -> list[Event]:
        process = self._processes[name]
        events: list[Event] = []
        for _ in range(FRAMES_BEFORE_END):
            if process.ended:
                break
            events += self._read(name, process)
        process.link.close()
        del self._processes[name]
        last_words: list[Event] = [event for event in events if not isinstance(event, EndOfFile)]
        last_words.append(ChildExited(name=name, pid=pid, status=max(code, 0), signal=max(-code, 0)))
        return last_words

    def _read(self, name: str, process: _Process) -> list[Event]:
        events: list[Event] = []
        for frame, descriptors in process.link.receive():
            events.append(Received(name=name, frame=frame, blob=self._keep(name, descriptors)))
        bad = process.link.bad_frames - process.bad_frames
        if bad:
            process.bad_frames += bad
            events.append(BadFrames(name=name, count=bad))
        if process.link.closed and not process.ended:
            process.ended = True
            events.append(EndOfFile(name=name))
        return events

    def _keep(self, name: str, descriptors: list[int]) -> BlobId | None:
        """Keep the sealed memfd that the config child sent; whatever else came is closed."""
        kept: BlobId | None = None
        for descriptor in descriptors:
            if name == CONFIG and kept is None and memfd.is_sealed(descriptor):
                self._last_blob += 1
                kept = self._last_blob
                self._blobs[kept] = descriptor
            else:
                os.close(descriptor)
        return kept
