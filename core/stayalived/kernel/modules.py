"""Which modules the kernel has, could load, or is built with. Only looked at. I/O."""

import os
from contextlib import suppress
from pathlib import Path

LOADED = Path("/sys/module")
INSTALLED = Path("/lib/modules")
LISTS = ("modules.dep", "modules.builtin")  # kmod's: lines that begin with `kernel/net/…/ip_vs_rr.ko`


def lacks(module: str) -> bool:
    """Tell whether the kernel has a module neither loaded nor built in, nor installed to be loaded at need.

    Where neither list can be read, as in a container, nobody knows, and nothing seems to be missing.
    """
    if (LOADED / module).exists():
        return False
    lists = []
    for name in LISTS:
        with suppress(OSError):
            lists.append((INSTALLED / os.uname().release / name).read_text(errors="replace"))
    return bool(lists) and not any(_names(line) == module for text in lists for line in text.splitlines())


def _names(line: str) -> str:
    """Return the module that a line of a list is about; files have dashes where modules have underscores."""
    return line.partition(":")[0].rpartition("/")[2].partition(".")[0].replace("-", "_")
