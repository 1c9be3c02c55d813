"""Links and addresses as the kernel lists them."""

from types import TracebackType
from typing import Self

from stayalived.addresses import VirtualAddress
from stayalived.kernel import rtnetlink
from stayalived.kernel.api import Interface
from stayalived.kernel.connection import Connection
from stayalived.kernel.rtnetlink import AddressSeen, LinkSeen

Found = dict[int, tuple[LinkSeen, tuple[VirtualAddress, ...]]]


class Netlink:
    """A process's connection to rtnetlink, and the interfaces that it reads over it.

    `connection` is for the requests of `kernel.network.Network` as well.
    """

    def __init__(self) -> None:
        """Open the socket for requests in the network namespace of the calling thread.

        Raises:
            OSError: no descriptor is free.
        """
        self.connection = Connection()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the socket."""
        self.connection.close()

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
        messages = self.connection.dump(rtnetlink.dump_links)
        links = [seen for seen in map(rtnetlink.read_message, messages) if isinstance(seen, LinkSeen)]
        held: dict[int, list[VirtualAddress]] = {link.index: [] for link in links}
        for seen in map(rtnetlink.read_message, self.connection.dump(rtnetlink.dump_addresses)):
            if isinstance(seen, AddressSeen) and not seen.gone and seen.index in held:
                held[seen.index].append(seen.address)
        return {link.index: (link, tuple(held[link.index])) for link in links}


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
        parent=link.parent,
        kind=link.kind,
    )
