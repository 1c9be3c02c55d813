"""What the interfaces under virtual MACs need while they carry some, and what they had before. I/O by way of sysctl."""

import errno
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from stayalived.errors import KernelProblem
from stayalived.kernel import links, rtnetlink, sysctl
from stayalived.kernel.connection import Connection

SWITCHES: Mapping[str, int] = {
    # Else the parent answers for the virtual addresses, with its own hardware address.
    "arp_ignore": 1,
    # Else the parent, when it looks for a client that a virtual address answers to, asks in the virtual address's name
    # with its own hardware address, and the client learns that (net/ipv4/arp.c, arp_solicit).
    "arp_announce": 2,
}
"""Sysctls net.ipv4.conf.* that a parent must have at least."""

_NOTE = "stayalived: {parent} had {settings}"
_SETTINGS = re.compile(r"stayalived: (?P<parent>\S+) had (?P<settings>\S+=\d+(?: \S+=\d+)*)")


@dataclass(slots=True)
class _Parent:
    """Values before the first virtual MAC, and the virtual MACs that are there now."""

    before: dict[str, str]
    names: set[str] = field(default_factory=set)


class Parents:
    """Sets what a parent needs with its first virtual MAC and puts it back after its last one.

    What a parent had before stands in a note (ip-link(8): alias) at each of its macvlans, so that a process that
    replaces a dead one can put it back, too.
    """

    def __init__(self, connection: Connection) -> None:
        """Know none.

        Args:
            connection: to rtnetlink, to look for virtual MACs of other processes.
        """
        self._connection = connection
        self._parents: dict[str, _Parent] = {}

    def occupy(self, parent: str, name: str, note: str) -> str:
        """Prepare a parent for a virtual MAC.

        Args:
            parent: name of the interface underneath.
            name: of the macvlan.
            note: what a process before this one wrote to the macvlan; anything.

        Returns:
            the note that belongs to the macvlan.

        Raises:
            KernelProblem: a setting cannot be written.
        """
        known = self._parents.get(parent)
        if known is None:
            before = _read_note(note, parent) or {key: sysctl.read(_place(parent, key)) for key in SWITCHES}
            known = self._parents[parent] = _Parent(before)
        for key, least in SWITCHES.items():  # each time: an interface that was made anew has them no more
            if int(sysctl.read(_place(parent, key))) < least:
                sysctl.write(_place(parent, key), least)
        known.names.add(name)
        settings = " ".join(f"{key}={value}" for key, value in known.before.items())
        return _NOTE.format(parent=parent, settings=settings)

    def leave(self, name: str, note: str) -> None:
        """Put a parent's settings back if this virtual MAC, which is gone, was its last one.

        Args:
            name: of the macvlan.
            note: that was written to it; it tells the parent where this process did not make the macvlan.

        Raises:
            KernelProblem: a setting cannot be written.
        """
        parent = next((parent for parent, known in self._parents.items() if name in known.names), "")
        before = self._parents[parent].before if parent else {}
        if parent:
            self._parents[parent].names.discard(name)
        elif match := _SETTINGS.fullmatch(note):
            parent, before = match["parent"], _read_note(note, match["parent"])
        if parent and not self._has_others(parent):
            self._parents.pop(parent, None)
            _restore(parent, before)

    def _has_others(self, parent: str) -> bool:
        known = self._parents.get(parent)
        if known is not None and known.names:
            return True
        found = map(links.read_link, self._connection.dump(rtnetlink.dump_links))
        return any(link.kind == links.MACVLAN and _read_note(link.alias, parent) for link in found)


def _restore(parent: str, before: Mapping[str, str]) -> None:
    for key, value in before.items():
        try:
            if key in SWITCHES and sysctl.read(_place(parent, key)) == str(SWITCHES[key]):
                sysctl.write(_place(parent, key), value)
        except KernelProblem as problem:
            if problem.errno != errno.ENOENT:  # the parent is gone
                raise


def _read_note(note: str, parent: str) -> dict[str, str]:
    match = _SETTINGS.fullmatch(note)
    if match is None or match["parent"] != parent:
        return {}
    pairs = (setting.partition("=") for setting in match["settings"].split())
    return {key: value for key, _, value in pairs}


def _place(parent: str, key: str) -> str:
    return sysctl.of_interface("ipv4", parent, key)
