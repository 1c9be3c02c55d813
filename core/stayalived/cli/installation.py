"""I/O: puts the unit, the user, the folders and the example configuration in place, and removes them again.

Whatever is there already is kept. What was made is written down (`manifest`), so that to remove it restores the tree.
"""

import difflib
import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from stayalived.cli import accounts, manifest
from stayalived.cli.manifest import Manifest, digest

CONFIG = "etc/stayalived/conf.d"
STATE = "var/lib/stayalived"
UNIT = "etc/systemd/system/stayalived.service"
PACKAGED_EXECUTABLE = "/usr/bin/stayalived"
_SOURCES = Path(__file__).parent / "files"
_FILE_MODE = 0o644
_FOLDER_MODE = 0o755
_STATE_MODE = 0o750

Say = Callable[[str], None]


@dataclass(slots=True)
class Installation:
    """One system below `root`. `say` is told each thing that is done, in words for people."""

    root: Path
    executable: str
    say: Say
    changes: int = field(default=0, init=False)
    made: Manifest = field(init=False)

    def __post_init__(self) -> None:
        """Read what an earlier call made.

        Raises:
            BadManifest: what it wrote down cannot be read.
        """
        self.made = manifest.load(self.root)

    def install(self) -> None:
        """Put everything in place that is not there; keep what is.

        Raises:
            OSError: a file or folder cannot be written.
            AccountProblem: the user cannot be made.
        """
        try:
            self._place_folder(".")
            self._place_folder(CONFIG)
            self._place_state(self._place_user())
            self._place_file(UNIT, unit(self.executable))
            self._place_examples()
        finally:  # also when a later step fails: what was made can be removed
            if self.changes and (self.root / manifest.PLACE).parent.is_dir():
                manifest.save(self.root, self.made)

    def uninstall(self) -> None:
        """Remove what was made and is unchanged; say what is kept.

        Raises:
            OSError: a file or folder cannot be removed.
            AccountProblem: the user cannot be removed.
        """
        if self.made.empty:
            return
        if self.made.user and (accounts.find(self.root) is not None or accounts.has_group(self.root)):
            accounts.remove(self.root)
            self._did(f"removed user and group {accounts.USER}")
        for name, installed in self.made.files.items():
            self._remove_file(self.root / name, installed)
        (self.root / manifest.PLACE).unlink(missing_ok=True)
        for name in reversed(self.made.folders):
            self._remove_folder(name)

    def _did(self, text: str) -> None:
        self.changes += 1
        self.say(text)

    def _place_user(self) -> accounts.Account | None:
        account = accounts.find(self.root)
        if account is not None:
            return account
        if not accounts.can_have(self.root):
            return None
        account = accounts.make(self.root)
        self.made.user = True
        self._did(f"made user and group {accounts.USER} (uid {account.uid}, no login)")
        return account

    def _place_folder(self, name: str, mode: int = _FOLDER_MODE) -> bool:
        """Make a folder and those above it that are missing; return whether it was missing."""
        path = self.root / name
        if path.is_dir():
            return False
        above = str(Path(name).parent)
        if above != ".":
            self._place_folder(above)
        path.mkdir(parents=name == ".")
        path.chmod(mode)
        self.made.folders.append(name)
        self._did(f"made folder {path}")
        return True

    def _place_state(self, account: accounts.Account | None) -> None:
        if self._place_folder(STATE, _STATE_MODE) and account is not None:
            os.chown(self.root / STATE, account.uid, account.gid)

    def _place_file(self, name: str, content: bytes) -> None:
        path = self.root / name
        self._place_folder(str(Path(name).parent))
        if not path.exists() and not path.is_symlink():
            self._write(name, content, "put")
            return
        present = path.read_bytes()
        if present == content:
            return
        if digest(present) == self.made.files.get(name):
            self._write(name, content, "updated")  # an older version's, and nobody touched it
            return
        self.say(f"kept {path}, which differs from the one of this version:")
        for line in difference(path, present, content):
            self.say(f"  {line}")

    def _write(self, name: str, content: bytes, done: str) -> None:
        manifest.write(self.root / name, content, _FILE_MODE)
        self.made.files[name] = digest(content)
        self._did(f"{done} {self.root / name}")

    def _place_examples(self) -> None:
        """Put the example files into a folder that holds no configuration of the user's own.

        Files of one folder are merged: an example beside a user's file would change what the daemon does. One that was
        put there and is gone was removed on purpose.
        """
        wanted = examples()
        present = {path.name for path in (self.root / CONFIG).glob("*.toml")}
        if present - wanted.keys():
            self.say(f"left {self.root / CONFIG} alone: it holds files that are not examples")
            return
        for name, content in wanted.items():
            place = f"{CONFIG}/{name}"
            if name in present or place not in self.made.files:
                self._place_file(place, content)

    def _remove_file(self, path: Path, installed: str) -> None:
        if not path.is_file():
            return
        if digest(path.read_bytes()) != installed:
            self.say(f"kept {path}: it was changed")
            return
        path.unlink()
        self._did(f"removed {path}")

    def _remove_folder(self, name: str) -> None:
        path = self.root / name
        if not path.is_dir():
            return
        if name == STATE:
            shutil.rmtree(path)  # only the daemon writes there
        elif any(path.iterdir()):
            self.say(f"kept {path}: it is not empty")
            return
        else:
            path.rmdir()
        self._did(f"removed {path}")


def unit(executable: str) -> bytes:
    """Return the systemd unit with the path of the program to start."""
    text = (_SOURCES / "systemd" / "stayalived.service").read_text()
    return text.replace(PACKAGED_EXECUTABLE, executable).encode()


def examples() -> dict[str, bytes]:
    """Return the example configuration: content by name of file, in the order in which the daemon reads them."""
    return {path.name: path.read_bytes() for path in sorted((_SOURCES / "conf.d").glob("*.toml"))}


def difference(path: Path, present: bytes, wanted: bytes) -> Iterator[str]:
    """Return the lines of a unified difference from the file that is there to the one of this version."""
    before = present.decode(errors="replace").splitlines()
    after = wanted.decode().splitlines()
    return difflib.unified_diff(before, after, str(path), "of this version", lineterm="")
