"""The speaking sockets of a simulated vrrp process: whether the kernel takes an advert."""

import errno
from typing import TYPE_CHECKING

from stayalived.errors import KernelProblem
from stayalived.vrrp.effects import SendAdvert

if TYPE_CHECKING:
    from stayalived.simulation.ground import Ground


class Mouths:
    """One socket for each pair of ends, opened when it is needed first (`vrrp/mouths.py`)."""

    def __init__(self, ground: "Ground") -> None:
        """Begin without one."""
        self._ground = ground
        self._open: set[tuple[str, int, str, str]] = set()

    def close_all(self) -> None:
        """Close every socket: the process is gone."""
        self._open.clear()

    def forget(self, interface: str) -> None:
        """Close every socket of an interface that is gone."""
        self._open = {mouth for mouth in self._open if mouth[0] != interface}

    def open(self, advert: SendAdvert) -> None:
        """See whether the kernel would take an advert.

        Raises:
            KernelProblem: the interface is gone or down, or a new socket's source address is not there.
        """
        ground = self._ground
        action = f"send to {advert.destination} from {advert.source or 'no address'} on {advert.interface}"
        if "send" in ground.refusing:
            ground.refuse(action, errno.ENOBUFS)
        port = ground.port_of(advert.index)
        if port is None or not port.administratively_up:
            raise KernelProblem(action, errno.ENODEV if port is None else errno.ENETDOWN)
        mouth = (advert.interface, advert.index, advert.source, advert.destination)
        if not advert.source_mac and mouth not in self._open:
            if not ground.carries(advert.source):
                raise KernelProblem(action, errno.EADDRNOTAVAIL)
            self._open.add(mouth)
