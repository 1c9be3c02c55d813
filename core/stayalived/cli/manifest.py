"""I/O: what `stayalived install` made, written down below /etc/stayalived, so that it can be removed again exactly."""

import hashlib
import os
from pathlib import Path

import msgspec

PLACE = Path("etc/stayalived/.installed.json")
SCHEMA = 1


class BadManifest(ValueError):
    """The file is not what this program writes."""


class Manifest(msgspec.Struct, kw_only=True):
    """Paths are relative to the root. `files` holds the SHA-256 of each as it was put there."""

    schema: int = SCHEMA
    files: dict[str, str] = {}
    folders: list[str] = []
    user: bool = False

    @property
    def empty(self) -> bool:
        """Whether nothing was made."""
        return not (self.files or self.folders or self.user)


def digest(content: bytes) -> str:
    """Return the SHA-256 of a content as the manifest holds it."""
    return hashlib.sha256(content).hexdigest()


def load(root: Path) -> Manifest:
    """Return what was made below `root`; an empty manifest when nothing was.

    Raises:
        BadManifest: the file cannot be read as a manifest.
    """
    path = root / PLACE
    try:
        return msgspec.json.decode(path.read_bytes(), type=Manifest)
    except FileNotFoundError:
        return Manifest()
    except msgspec.MsgspecError as error:
        raise BadManifest(f"{path}: {error}; remove it, and by hand what was installed") from error


def save(root: Path, manifest: Manifest) -> None:
    """Write down what was made."""
    write(root / PLACE, msgspec.json.format(msgspec.json.encode(manifest), indent=1) + b"\n", 0o600)


def write(path: Path, content: bytes, mode: int) -> None:
    """Put a file in place in one step, with this mode whatever the umask."""
    fresh = path.with_name(f".{path.name}.new")
    fresh.unlink(missing_ok=True)
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, mode)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        os.fchmod(descriptor, mode)
        file.flush()
        os.fsync(descriptor)
    fresh.replace(path)
