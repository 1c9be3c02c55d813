"""Sends prebuilt frames: adverts of virtual MACs, and what tells neighbours where a virtual address lives now. I/O.

The frames are made by `kernel.frames`.
"""

import errno
import socket
from pathlib import Path

from stayalived.errors import KernelProblem
from stayalived.timing import Instant, elapsed, seconds

FORWARDING_AGE = seconds(5)
"""How old what is known of an interface's IPv6 forwarding may be."""

_NOTHING = 0  # the protocol of a packet socket that receives nothing


class NeighbourSender:
    """Sends frames by any interface, through one packet socket that receives nothing.

    A socket bound to each interface would save 0.7 µs a frame. But the kernel waits for all of its processors whenever
    a packet socket is closed (net/packet/af_packet.c, packet_release), 12 ms on two of them: with hundreds of virtual
    MACs this process would take as long to die as the others take to miss it.
    """

    def __init__(self) -> None:
        """Open the socket in the network namespace of the calling thread.

        Raises:
            PermissionError: CAP_NET_RAW is missing.
        """
        kind = socket.SOCK_RAW | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC
        self._socket = socket.socket(socket.AF_PACKET, kind, _NOTHING)
        self._forwarding: dict[str, tuple[Instant, bool]] = {}

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()

    def send(self, interface: str, frame: bytes) -> None:
        """Put a whole frame on the wire.

        Args:
            interface: its name.
            frame: from the destination's hardware address on, without the checksum of Ethernet.

        Raises:
            KernelProblem: it did not leave.
        """
        try:
            self._socket.sendto(frame, (interface, _NOTHING))
        except OSError as error:
            # ENXIO: the interface went between the look for its name and the sending.
            number = errno.ENODEV if error.errno == errno.ENXIO else error.errno or errno.EIO
            raise KernelProblem(f"send a frame by {interface}", number) from error

    def forwards(self, interface: str, now: Instant) -> bool:
        """Tell whether this host forwards IPv6 that comes in by an interface, as of `FORWARDING_AGE` ago at most."""
        known = self._forwarding.get(interface)
        if known is None or elapsed(known[0], now) > FORWARDING_AGE:
            try:
                on = Path(f"/proc/sys/net/ipv6/conf/{interface}/forwarding").read_text(encoding="ascii") != "0\n"
            except OSError:  # the interface, or IPv6, is gone: a host that forwards nothing
                on = False
            known = self._forwarding[interface] = (now, on)
        return known[1]
