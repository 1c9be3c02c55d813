"""Secrets: text, `{ file = "…" }` or `{ env = "…" }`; never printed, logged or dumped (I/O: reads files).

Files of secrets are readable by root alone, while the options that are secrets are known only when the plugins are
imported, which happens without rights. So everything that has the shape of a reference is read before rights are
dropped, and what turns out to be no secret is never looked at.
"""

import os
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from stayalived.config.findings import Value
from stayalived.config.secret import Secret

MAX_SECRET = 64 * 1024  # bytes
_KINDS = ("file", "env")


class NoSecret(ValueError):
    """What stands there is no secret, or it could not be read. The text says which, and never holds the secret."""


def reference(value: Value) -> tuple[str, str] | None:
    """Return kind and name of `{ file = "…" }` or `{ env = "…" }`, None for anything else."""
    if not isinstance(value, Mapping) or len(value) != 1:
        return None
    [(kind, name)] = value.items()
    return (kind, name) if kind in _KINDS and isinstance(name, str) else None


@dataclass(slots=True)
class Vault:
    """Contents of everything that has the shape of a reference to a secret."""

    contents: dict[tuple[str, str], str] = field(default_factory=dict)
    refusals: dict[tuple[str, str], str] = field(default_factory=dict)

    def fill(self, value: Value) -> None:
        """Read every reference below a value. To be called while files of root can be read."""
        for found in _references(value):
            if found in self.contents or found in self.refusals:
                continue
            try:
                self.contents[found] = _read(*found)
            except NoSecret as error:
                self.refusals[found] = str(error)

    def open(self, value: Value) -> Secret:
        """Return the secret that a configuration's value stands for.

        Raises:
            NoSecret: it stands for none.
        """
        if isinstance(value, str):
            return Secret(value)
        found = reference(value)
        if found is None:
            raise NoSecret('must be text, { file = "…" } or { env = "…" }')
        if found in self.contents:
            return Secret(self.contents[found])
        raise NoSecret(self.refusals.get(found, f"the {found[0]} {found[1]} was not read"))


def _references(value: Value) -> Iterator[tuple[str, str]]:
    found = reference(value)
    if found is not None:
        yield found
    elif isinstance(value, Mapping):
        for below in value.values():
            if isinstance(below, Mapping | list):
                yield from _references(below)
    elif isinstance(value, list):
        for below in value:
            if isinstance(below, Mapping | list):
                yield from _references(below)


def _read(kind: str, name: str) -> str:
    if kind == "env":
        text = os.environ.get(name)
        if text is None:
            raise NoSecret(f"there is no variable {name} in the environment")
        return text
    try:
        # O_NONBLOCK: a path that is a FIFO must not stop whoever reads the configuration.
        descriptor = os.open(Path(name), os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except (OSError, ValueError) as error:
        raise NoSecret(f"cannot read {name}: {getattr(error, 'strerror', None) or error}") from None
    with os.fdopen(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise NoSecret(f"{name} is no regular file")
        raw = file.read(MAX_SECRET + 1)
    if len(raw) > MAX_SECRET:
        raise NoSecret(f"{name} is longer than {MAX_SECRET} bytes")
    try:
        return raw.decode().removesuffix("\n")
    except UnicodeDecodeError:
        raise NoSecret(f"{name} is not UTF-8") from None
