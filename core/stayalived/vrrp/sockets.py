"""All sockets that hear VRRP: `ears` and `frame_ears`. I/O.

To be woken costs several times what a packet costs. While packets are few, whoever waits on `fileno` is woken by each;
where they are dense, it had better look (`received`) every few milliseconds instead.
"""

import select
from collections.abc import Iterator

from stayalived.addresses import Family
from stayalived.errors import KernelProblem
from stayalived.vrrp.ears import Ear
from stayalived.vrrp.effects import Listen, Unlisten
from stayalived.vrrp.events import Received
from stayalived.vrrp.frame_ears import PREFIX, FrameEar

Key = tuple[str, Family, str]


class Sockets:
    """The listening sockets of the vrrp process. Its descriptor is readable when one of them is."""

    def __init__(self) -> None:
        """Start without a socket.

        Raises:
            OSError: no descriptor is free.
        """
        self._epoll = select.epoll()
        self._ears: dict[Key, Ear] = {}
        self._frame_ears: dict[tuple[Family, bytes], FrameEar] = {}
        self._by_descriptor: dict[int, Ear | FrameEar] = {}

    def fileno(self) -> int:
        """Return the descriptor to watch."""
        return self._epoll.fileno()

    def listen(self, effect: Listen) -> None:
        """Hear a group or an own address on an interface; harmless when that is so already.

        Raises:
            KernelProblem: it cannot be heard.
        """
        try:
            (self._listen_to_frames if effect.source_mac else self._listen)(effect)
        except OSError as error:
            raise KernelProblem(f"listen to {effect.address} on {effect.interface}", error.errno or 0) from error

    def unlisten(self, effect: Unlisten) -> None:
        """Leave a group and close its socket; harmless when it is not heard."""
        self._close_ear((effect.interface, effect.family, effect.address))
        self._leave_frames(effect.interface, frozenset((effect.family,)))

    def forget(self, interface: str) -> None:
        """Close every socket of an interface that is gone: one of the same name is another interface."""
        for key in [key for key in self._ears if key[0] == interface]:
            self._close_ear(key)
        self._leave_frames(interface, frozenset(Family))

    def received(self) -> Iterator[Received]:
        """Return what waits in all sockets; after a pause each packet with the moment at which it came."""
        for descriptor, _ in self._epoll.poll(0):
            ear = self._by_descriptor.get(descriptor)  # what was done about an earlier packet may have closed it
            if ear is not None:
                yield from ear.received()

    def close(self) -> None:
        """Close everything."""
        for ear in list(self._by_descriptor.values()):
            self._unwatch(ear)
        self._ears.clear()
        self._frame_ears.clear()
        self._epoll.close()

    def _listen(self, effect: Listen) -> None:
        key = (effect.interface, effect.family, effect.address)
        known = self._ears.get(key)
        if known is None or known.index != effect.index:
            self._close_ear(key)
            self._ears[key] = ear = Ear(effect)
            self._watch(ear)

    def _listen_to_frames(self, effect: Listen) -> None:
        key = (effect.family, effect.source_mac[:PREFIX])
        ear = self._frame_ears.get(key)
        if ear is None:
            ear = self._frame_ears[key] = FrameEar(*key)
            self._watch(ear)
        ear.interfaces.add(effect.interface)

    def _leave_frames(self, interface: str, families: frozenset[Family]) -> None:
        for key, ear in list(self._frame_ears.items()):
            if key[0] in families:
                ear.interfaces.discard(interface)
                if not ear.interfaces:
                    del self._frame_ears[key]
                    self._unwatch(ear)

    def _close_ear(self, key: Key) -> None:
        ear = self._ears.pop(key, None)
        if ear is not None:
            self._unwatch(ear)

    def _watch(self, ear: Ear | FrameEar) -> None:
        self._by_descriptor[ear.socket.fileno()] = ear
        self._epoll.register(ear.socket.fileno(), select.EPOLLIN)

    def _unwatch(self, ear: Ear | FrameEar) -> None:
        del self._by_descriptor[ear.socket.fileno()]
        self._epoll.unregister(ear.socket.fileno())
        ear.close()
