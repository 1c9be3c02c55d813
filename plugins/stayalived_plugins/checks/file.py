"""The check `file`: which number is in a file? keepalived's track_file and FILE_CHECK (T12, C37). I/O.

keepalived watches the folder with inotify. Here the file is read again each `delay_loop`, a second by default: that
works for folders that come later and for file systems that tell nothing, and a read costs less than a TCP check.
"""

import os
import re
import stat
from collections.abc import Mapping
from typing import ClassVar

from stayalived.plugin import Check, CheckOptions, LocalFailure, Steps, Target, Verdict

MOST_READ = 64
"""Bytes of the file that are looked at."""

LOWEST, HIGHEST = -(2**31), 2**31 - 1
_NUMBER = re.compile(r"[+-]?[0-9]{1,19}")
_GONE = (FileNotFoundError, NotADirectoryError)


class FileCheck(Check):
    """Which number does the first line of a file hold? It counts times the check's weight.

    A file that is missing or empty holds 0. Nobody makes it here: that is for whoever writes it, or for tmpfiles.d(5).
    """

    name = "file"
    aim = "none"
    needs_port = False
    most_weight = 254
    defaults: ClassVar[Mapping[str, float]] = {"delay_loop": 1, "retry": 0, "weight": 1}

    class Options(CheckOptions, frozen=True, kw_only=True):
        """Options of the check `file`.

        Attributes:
            file: whole path of the file. The user `stayalived` must be able to read it.
        """

        file: str

        def __post_init__(self) -> None:
            """Refuse what no file is called."""
            if not self.file.startswith("/") or "\0" in self.file:
                raise ValueError('file must be a whole path, such as "/run/site/weight"')

    options: Options

    def steps(self, target: Target) -> Steps:  # noqa: ARG002  (it looks at this machine)
        """Read the file. There is nothing to wait for: such a body costs no task."""
        yield from ()
        return self._judge(self._read())

    def _read(self) -> bytes | None:
        """Return the beginning of the file, None when there is none."""
        path = self.options.file
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY)
        except _GONE:
            return None
        except OSError as error:
            raise LocalFailure(f"{path}: {error.strerror}; let the user of the checks read it") from error
        try:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise LocalFailure(f"{path} is no regular file; name one")
            return os.read(descriptor, MOST_READ)
        except OSError as error:
            raise LocalFailure(f"{path}: {error.strerror}") from error
        finally:
            os.close(descriptor)

    def _judge(self, data: bytes | None) -> Verdict:
        if data is None:
            return _counted(0, "0, for there is no such file")
        text = data.decode("ascii", "replace").partition("\n")[0].strip()
        if not text:
            return _counted(0, "0, for it is empty")
        if not _NUMBER.fullmatch(text):
            shown = "".join(letter if letter.isprintable() else "?" for letter in text)
            return _counted(0, f"0, for {shown!r} is no number")
        number = int(text)
        value = min(max(number, LOWEST), HIGHEST)
        return _counted(value, str(value) if value == number else f"{value}, for {number} is beyond it")


def _counted(value: int, seen: str) -> Verdict:
    return Verdict(up=True, step="value", seen=seen, value=value)
