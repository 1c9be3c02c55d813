"""The packets that change nothing but one timer, known by their bytes: a BACKUP's daily bread.

A backup of thousands of virtual routers hears thousands of adverts a second, each equal to the one before. Once such a
packet has been looked at with all care, its equals need none: one look into a table, a new deadline. Whatever could
make the next one mean something else (a move, another priority, configuration or master, an expired timer) clears it.
"""

from typing import TYPE_CHECKING

from stayalived.vrrp.datagrams import Message6

if TYPE_CHECKING:
    from stayalived.vrrp.election import Election

KNOWN = 4
"""Packets that one router may know at a time; a master has one, a change of it another."""

Bytes = bytes | Message6


class Routine:
    """What one virtual router has learnt.

    Attributes:
        is_open: the packet at hand changed nothing but the timer, so its equals may be learnt.
    """

    __slots__ = ("_known", "is_open")

    def __init__(self) -> None:
        """Know nothing."""
        self.is_open = False
        self._known: list[tuple[dict[Bytes, Election], Bytes]] = []

    def learn(self, ear: "dict[Bytes, Election]", packet: Bytes, member: "Election") -> None:
        """Let the equals of a packet be a matter of routine."""
        if len(self._known) >= KNOWN:
            self.forget()
        ear[packet] = member
        self._known.append((ear, packet))

    def forget(self) -> None:
        """Look at every packet again."""
        self.is_open = False
        if self._known:
            for ear, packet in self._known:
                ear.pop(packet, None)
            self._known.clear()
