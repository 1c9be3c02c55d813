"""The kernel's addresses over rtnetlink. I/O.

One socket for requests, never subscribed to anything: a socket that also hears events mixes up answers (all processes
draw from the same sequence numbers) and loses both when it overflows. Events are `kernel.monitor`'s.
"""

import errno
import itertools
import socket
import struct
from collections.abc import Callable, Iterator, Mapping, Sequence
from types import TracebackType
from typing import Self

from stayalived.addresses import VirtualAddress
from stayalived.errors import KernelProblem
from stayalived.kernel import rtnetlink
from stayalived.kernel.api import Interface
from stayalived.kernel.rtnetlink import AddressSeen, Answer, DumpEnded, LinkSeen

CHUNK = 100
"""Addresses in one send: about 1 ms, so an advert that is due does not wait longer."""

ANSWER_LIMIT = 5
"""Seconds after which an answer of the kernel, which comes before send(2) returns, will not come any more."""

DUMP_TRIES = 10
"""How often a dump is begun again that changes interrupted."""

_RECEIVE = 128 * 1024
_SOL_NETLINK, _NETLINK_CAP_ACK, _NETLINK_EXT_ACK = 270, 10, 11

_REMEDIES: Mapping[int, str] = {
    errno.EPERM: "vrrp needs CAP_NET_ADMIN",
    errno.ENODEV: "there is no such interface any more",
    errno.EACCES: "IPv6 is switched off on the interface; see sysctl net.ipv6.conf.INTERFACE.disable_ipv6",
    errno.EADDRNOTAVAIL: "an interface cannot carry this kind of address",
}

Found = dict[int, tuple[LinkSeen, tuple[VirtualAddress, ...]]]


class Netlink:
    """Adds, removes and lists addresses; `kernel.api.AddressKernel`."""

    def __init__(self) -> None:
        """Open the socket for requests in the network namespace of the calling thread.

        Raises:
            OSError: no descriptor is free.
        """
        self._socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, socket.NETLINK_ROUTE)
        self._socket.setsockopt(_SOL_NETLINK, _NETLINK_CAP_ACK, 1)
        self._socket.setsockopt(_SOL_NETLINK, _NETLINK_EXT_ACK, 1)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("@ll", ANSWER_LIMIT, 0))
        self._sequences = itertools.count(1)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()

    def add_addresses(self, interface: int, addresses: Sequence[VirtualAddress]) -> dict[VirtualAddress, KernelProblem]:
        """Add addresses, without duplicate address detection; one that is there already is a success.

        Args:
            interface: index of the interface.
            addresses: any number, of both families; they are sent in chunks of `CHUNK`.

        Returns:
            what was refused; empty when all is well.
        """
        return self._change("add", interface, addresses, rtnetlink.add_address, {errno.EEXIST})

    def remove_addresses(
        self, interface: int, addresses: Sequence[VirtualAddress]
    ) -> dict[VirtualAddress, KernelProblem]:
        """Remove addresses; one that is not there is a success, and so is an interface that is not there.

        Returns:
            what was refused; empty when all is well.
        """
        gone = {errno.EADDRNOTAVAIL, errno.ENODEV}
        return self._change("delete", interface, addresses, rtnetlink.delete_address, gone)

    def interfaces(self) -> dict[str, Interface]:
        """Return all interfaces by name, read from the kernel.

        Raises:
            KernelProblem: the kernel does not answer, or they change faster than they can be read.
        """
        return {link.name: as_interface(link, addresses) for link, addresses in self.found().values()}

    def found(self) -> Found:
        """Return links and their addresses by index, as the monitor keeps them.

        Raises:
            KernelProblem: see `interfaces`.
        """
        links = [seen for seen in self._dump(rtnetlink.dump_links) if isinstance(seen, LinkSeen)]
        held: dict[int, list[VirtualAddress]] = {link.index: [] for link in links}
        for seen in self._dump(rtnetlink.dump_addresses):
            if isinstance(seen, AddressSeen) and not seen.gone and seen.index in held:
                held[seen.index].append(seen.address)
        return {link.index: (link, tuple(held[link.index])) for link in links}

    def _change(
        self,
        verb: str,
        interface: int,
        addresses: Sequence[VirtualAddress],
        encode: Callable[..., bytes],
        fine: set[int],
    ) -> dict[VirtualAddress, KernelProblem]:
        refused: dict[VirtualAddress, KernelProblem] = {}
        for start in range(0, len(addresses), CHUNK):
            numbered = {next(self._sequences): address for address in addresses[start : start + CHUNK]}
            # One acknowledgement, of the last, is enough: the kernel answers in order, and errors always.
            last = max(numbered)
            parts = [encode(interface, address, number, ack=number == last) for number, address in numbered.items()]
            try:
                answers = self._ask(b"".join(parts), last)
            except KernelProblem as problem:
                refused |= dict.fromkeys(numbered.values(), problem)
                continue
            for number, answer in answers.items():
                if answer.errno and answer.errno not in fine and number in numbered:
                    address = numbered[number]
                    refused[address] = _problem(f"ip address {verb} {address} dev #{interface}", answer)
        return refused

    def _ask(self, request: bytes, last: int) -> dict[int, Answer]:
        """Send requests and return the kernel's answers until that to the last one."""
        answers: dict[int, Answer] = {}
        try:
            self._socket.send(request)
            while last not in answers:
                for seen in rtnetlink.read(self._socket.recv(_RECEIVE)):
                    if isinstance(seen, Answer):
                        answers[seen.sequence] = seen
        except OSError as error:
            raise KernelProblem("rtnetlink request", error.errno or errno.EIO) from error
        return answers

    def _dump(self, request: Callable[[int], bytes]) -> list[rtnetlink.Seen]:
        """Return what a dump holds; one that was interrupted by changes is begun again."""
        for _ in range(DUMP_TRIES):
            number = next(self._sequences)
            try:
                self._socket.send(request(number))
                seen = list(self._until_done(number))
            except OSError as error:
                raise KernelProblem("rtnetlink dump", error.errno or errno.EIO) from error
            if not any(isinstance(item, DumpEnded) and item.interrupted for item in seen):
                return seen
        raise KernelProblem("rtnetlink dump", errno.EINTR, "links and addresses change faster than they can be read")

    def _until_done(self, number: int) -> Iterator[rtnetlink.Seen]:
        while True:
            for seen in rtnetlink.read(self._socket.recv(_RECEIVE)):
                yield seen
                if isinstance(seen, DumpEnded) and not seen.interrupted and seen.sequence == number:
                    return
                if isinstance(seen, Answer) and seen.errno and seen.sequence == number:
                    raise OSError(seen.errno, seen.text)


def as_interface(link: LinkSeen, addresses: tuple[VirtualAddress, ...]) -> Interface:
    """Return what the project knows of a link."""
    return Interface(
        name=link.name,
        index=link.index,
        up=link.up,
        mac=link.mac,
        mtu=link.mtu,
        arp=link.arp,
        addresses=addresses,
    )


def _problem(action: str, answer: Answer) -> KernelProblem:
    remedies = (answer.text, _REMEDIES.get(answer.errno, ""))
    return KernelProblem(action, answer.errno, "; ".join(remedy for remedy in remedies if remedy))
