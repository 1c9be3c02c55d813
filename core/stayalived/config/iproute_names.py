"""Names that iproute2 has for numbers: routing tables, scopes, groups of interfaces (I/O: reads its files).

As ip(8) does: `/etc/iproute2/NAME`, else the one that came with the package; then `NAME.d/*.conf` of both places, where
a file in /etc hides the package's of the same name.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

TABLES = "rt_tables"
SCOPES = "rt_scopes"
GROUPS = "group"
HIGHEST = {TABLES: 0xFFFFFFFF, SCOPES: 0xFF, GROUPS: 0x7FFFFFFF}
LOWEST = {TABLES: 1, SCOPES: 0, GROUPS: 0}

KNOWN: Mapping[str, Mapping[str, int]] = {
    TABLES: {"local": 255, "main": 254, "default": 253},
    SCOPES: {"global": 0, "site": 200, "link": 253, "host": 254, "nowhere": 255},
    GROUPS: {"default": 0},
}
"""What ip(8) knows without any file (linux/rtnetlink.h)."""

OWN = Path("/etc/iproute2")
PACKAGED = (Path("/usr/share/iproute2"), Path("/usr/lib/iproute2"))  # which of them, was decided while building
MAX_FILE = 1024 * 1024  # bytes of one file
_LINE = re.compile(r"\s*(0x[0-9a-fA-F]{1,8}|[0-9]{1,10})\s+([^\s#]+)")


class NumberNames(Protocol):
    """What is asked of whoever knows names of numbers."""

    def numbers(self, kind: str) -> Mapping[str, int]:
        """Return the numbers of a kind, `TABLES`, `SCOPES` or `GROUPS`, by name."""
        ...


@dataclass(slots=True)
class IprouteNames:
    """Those of this machine; each kind is read when it is asked for first.

    Attributes:
        own: the folder of the machine's own files.
        packaged: folders of which the first that is there holds the package's files.
    """

    own: Path = OWN
    packaged: tuple[Path, ...] = PACKAGED
    _read: dict[str, Mapping[str, int]] = field(default_factory=dict)

    def numbers(self, kind: str) -> Mapping[str, int]:
        """Read the files of a kind."""
        if kind not in self._read:
            found = dict(KNOWN[kind])
            for file in self._files(kind):
                found.update(_entries(file))
            self._read[kind] = found
        return self._read[kind]

    def _files(self, kind: str) -> Iterator[Path]:
        package = next((folder for folder in self.packaged if folder.is_dir()), self.packaged[0])
        yield next((folder / kind for folder in (self.own, package) if (folder / kind).is_file()), self.own / kind)
        parts: dict[str, Path] = {}
        for folder in (package, self.own):
            parts.update({file.name: file for file in sorted((folder / f"{kind}.d").glob("*.conf"))})
        yield from parts.values()


def _entries(file: Path) -> Iterator[tuple[str, int]]:
    """Return the entries of a file, none of one that cannot be read: its names are unknown then, which is told."""
    try:
        with file.open(encoding="utf-8", errors="replace") as lines:
            text = lines.read(MAX_FILE)
    except OSError:
        return
    for line in text.splitlines():
        entry = _LINE.match(line)
        if entry is not None:
            number, name = entry.groups()
            yield name, int(number, 16 if number.startswith("0x") else 10)
