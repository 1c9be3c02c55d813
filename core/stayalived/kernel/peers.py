"""Hardware addresses of neighbours, as the kernel has learned them. I/O. Layout: include/uapi/linux/neighbour.h."""

import errno
import socket
from collections.abc import Iterable
from contextlib import suppress
from ipaddress import ip_address

from stayalived.addresses import Family, family_of, packed
from stayalived.errors import KernelProblem
from stayalived.kernel.connection import Connection
from stayalived.kernel.netlink_messages import DUMP, REQUEST, Message, attributes_of, pack_message

ETHERNET = 6
"""Bytes of a hardware address; others have no neighbours whose frames could be told apart."""

_NEW_NEIGHBOUR, _GET_NEIGHBOUR = 28, 30
_NDMSG = 12
_DESTINATION, _HARDWARE_ADDRESS = 1, 2
_DISCARD = 9  # RFC 863


class Neighbours:
    """The hardware addresses of some machines. What was once learned is kept while its machine is silent."""

    def __init__(self) -> None:
        """Know nobody."""
        self._known: dict[str, bytes] = {}

    def find(self, addresses: Iterable[str], own: frozenset[str]) -> tuple[list[bytes], list[str]]:
        """Return the hardware addresses of some machines, and what is wrong with the others.

        Args:
            addresses: of the machines.
            own: addresses of this machine, which is passed over.

        Raises:
            KernelProblem: the kernel cannot be asked.
        """
        wanted = [address for address in addresses if address not in own]
        learned = _learned() if wanted else {}
        self._known = {one: learned.get(packed(one), self._known.get(one, b"")) for one in wanted}
        silent = [one for one, mac in self._known.items() if not mac]
        for address in wanted:  # asks for those that are silent, and keeps the others fresh
            _knock(address)
        problems = [
            f"the MAC address of {one} in peer_directors is not known: it is down, or on no segment of this machine; "
            "what it has balanced is balanced again"
            for one in silent
        ]
        return [mac for mac in self._known.values() if mac], problems


def _learned() -> dict[bytes, bytes]:
    """Return all hardware addresses of neighbours by packed IP address."""
    try:
        connection = Connection()
    except OSError as error:
        raise KernelProblem("ip neigh show", error.errno or errno.EIO) from error
    try:
        listed = connection.dump(lambda number: pack_message(_GET_NEIGHBOUR, REQUEST | DUMP, number, bytes(_NDMSG)))
    finally:
        connection.close()
    return dict(entry for message in listed if (entry := read_neighbour(message)) is not None)


def read_neighbour(message: Message) -> tuple[bytes, bytes] | None:
    """Return IP address and hardware address of a neighbour; None when it has no such one."""
    if message.kind != _NEW_NEIGHBOUR:
        return None
    found = attributes_of(message.body, _NDMSG)
    mac = found.get(_HARDWARE_ADDRESS, b"")
    return (found.get(_DESTINATION, b""), mac) if len(mac) == ETHERNET else None


def _knock(address: str) -> None:
    """Have the kernel ask for a neighbour: an empty datagram to the port that throws everything away."""
    kind = socket.SOCK_DGRAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC
    family = socket.AF_INET6 if family_of(address) is Family.IPV6 else socket.AF_INET
    with suppress(OSError), socket.socket(family, kind) as sock:  # no route: it stays unknown, which is said
        sock.sendto(b"", (str(ip_address(address)), _DISCARD))
