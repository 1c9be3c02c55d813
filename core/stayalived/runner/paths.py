"""Opens a program and makes sure that nobody else can put another in its place (I/O).

keepalived's `enable_script_security` (P20), always on: every component of the path must belong to root, or to the user
that the program runs as, and must not be writable by others. The path is walked by descriptors, each component opened
without following links, so that what was looked at is what gets executed.
"""

import os
import stat
from collections import deque
from typing import Self

from stayalived.runner.refusals import Refused

LINKS = 40  # symbolic links on one way, as the kernel's MAXSYMLINKS
_OTHERS = stat.S_IWGRP | stat.S_IWOTH


def open_program(path: str, owners: frozenset[int]) -> int:
    """Return an O_PATH descriptor of a program that is safe to run.

    Args:
        path: absolute; symbolic links are followed, and what they lead through is looked at as well.
        owners: user ids that the path may belong to.

    Raises:
        Refused: with the component in the way, its mode and what to do.
    """
    with _Walk(owners) as walk:
        walk.go(path)
        return walk.take(path)


class _Walk:
    """A way from the root directory on, with a descriptor for each component."""

    def __init__(self, owners: frozenset[int]) -> None:
        self._owners = owners
        self._names: list[str] = []
        self._descriptors = [os.open("/", os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)]
        self._check("/", os.fstat(self._descriptors[0]))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for descriptor in self._descriptors:
            os.close(descriptor)

    def go(self, path: str) -> None:
        """Walk an absolute path."""
        links = 0
        rest = deque(path.split("/"))
        while rest:
            name = rest.popleft()
            if name in ("", "."):
                continue
            if name == "..":
                self._up()
                continue
            target = self._down(name)
            if target is None:
                continue
            links += 1
            if links > LINKS:
                raise Refused(f"{path}: more than {LINKS} symbolic links on the way")
            if target.startswith("/"):
                while self._names:
                    self._up()
            rest.extendleft(reversed(target.split("/")))

    def take(self, path: str) -> int:
        """Return a descriptor of what the way has led to, which must be a program."""
        status = os.fstat(self._descriptors[-1])
        if not stat.S_ISREG(status.st_mode):
            raise Refused(f"{path} is no regular file; a program is wanted")
        if not status.st_mode & 0o111:
            raise Refused(f"{path} has mode {stat.S_IMODE(status.st_mode):04o}; run `chmod +x {path}`")
        return os.dup(self._descriptors[-1])

    def _down(self, name: str) -> str | None:
        """Open the next component; return its target when it is a symbolic link, which is then left again."""
        place = "/" + "/".join([*self._names, name])
        try:
            descriptor = os.open(name, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=self._descriptors[-1])
        except OSError as error:
            raise Refused(f"{place}: {error.strerror}") from error
        status = os.fstat(descriptor)
        if stat.S_ISLNK(status.st_mode):
            try:
                self._check_owner(place, status)
                return os.readlink("", dir_fd=descriptor)
            finally:
                os.close(descriptor)
        self._descriptors.append(descriptor)
        self._names.append(name)
        self._check(place, status)
        return None

    def _up(self) -> None:
        if self._names:
            self._names.pop()
            os.close(self._descriptors.pop())

    def _check(self, place: str, status: os.stat_result) -> None:
        self._check_owner(place, status)
        mode = stat.S_IMODE(status.st_mode)
        sticky_folder = stat.S_ISDIR(status.st_mode) and mode & stat.S_ISVTX
        if mode & _OTHERS and not sticky_folder:
            raise Refused(f"{place} has mode {mode:04o}: others may change it; run `chmod go-w {place}`")

    def _check_owner(self, place: str, status: os.stat_result) -> None:
        if status.st_uid not in self._owners:
            mode = stat.S_IMODE(status.st_mode)
            allowed = " or ".join(str(uid) for uid in sorted(self._owners))
            raise Refused(
                f"{place} (mode {mode:04o}) belongs to uid {status.st_uid}, who could change it; "
                f"uid {allowed} is allowed: run `chown root {place}`, or run the program as that user"
            )
