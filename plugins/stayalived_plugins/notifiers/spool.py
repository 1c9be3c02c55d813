"""Letters on the disk, so that none is lost when the process or the machine dies (I/O: files)."""

import os
from collections.abc import Iterable
from pathlib import Path

import msgspec

from stayalived_plugins.notifiers.outgoing import MOST_LETTERS, Letter

SUFFIX = ".letter"
LARGEST = 1 << 20  # bytes of one letter
BOOT = Path("/proc/sys/kernel/random/boot_id")

_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Letter)


class Spool:
    """A folder with one file for each letter that waits. Written whole or not at all, by one process at a time."""

    def __init__(self, folder: Path) -> None:
        """Use a folder; it is made when the first letter comes."""
        self.folder = folder

    def read(self) -> tuple[list[Letter], list[str]]:
        """Return the letters that wait, oldest first, and what cannot be read, with the reason.

        Letters that a digest among them stands for are removed: the process died between the two.
        """
        letters, problems = [], []
        try:
            names = sorted(os.listdir(self.folder))  # noqa: PTH208  (names are all that is wanted)
        except FileNotFoundError:
            return [], []
        except OSError as error:
            return [], [f"{self.folder}: {error.strerror}; letters that wait there are not sent"]
        for name in names[: 2 * MOST_LETTERS]:
            path = self.folder / name
            if not name.endswith(SUFFIX):
                path.unlink(missing_ok=True)  # half a letter: whoever wrote it has not said that it was kept
                continue
            try:
                letters.append(_decoder.decode(_content(path)))
            except (OSError, msgspec.MsgspecError) as error:
                problems.append(f"{path} is no letter ({error}); remove it")
        replaced = {part for letter in letters for part in letter.parts}
        self.remove(replaced)
        kept = [letter for letter in letters if letter.name not in replaced]
        return sorted(kept, key=lambda letter: letter.written), problems

    def write(self, letters: Iterable[Letter]) -> None:
        """Keep letters; when this returns, they are on the disk.

        Raises:
            OSError: they are not.
        """
        self.folder.mkdir(mode=0o700, exist_ok=True)
        for letter in letters:
            draft = self.folder / f"{letter.name}.draft"
            descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(_encoder.encode(letter))
                file.flush()
                os.fsync(descriptor)
            draft.rename(self._path(letter.name))
        self._sync_folder()

    def remove(self, names: Iterable[str]) -> None:
        """Keep these no more."""
        for name in names:
            self._path(name).unlink(missing_ok=True)

    def _path(self, name: str) -> Path:
        return self.folder / f"{name}{SUFFIX}"

    def _sync_folder(self) -> None:
        """Have the new names on the disk as well, fsync(2)."""
        descriptor = os.open(self.folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _content(path: Path) -> bytes:
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as file:
        return file.read(LARGEST)


def this_boot() -> str:
    """Return what names the present life of this machine."""
    return BOOT.read_text(encoding="ascii").strip().replace("-", "")[:12]


def host_name() -> str:
    """Return this machine's name."""
    return os.uname().nodename
