"""The kernel of a simulated machine: the one in memory, with what befalls interfaces from outside."""

from dataclasses import replace

from stayalived.kernel.api import Gone, Interface
from stayalived.kernel.memory_network import MemoryNetwork


class Host(MemoryNetwork):
    """A network in memory; every change of it has a number, by which those who look at it know what they have seen.

    Attributes:
        version: grows whenever something may have changed.
    """

    def __init__(self, interfaces: tuple[Interface, ...]) -> None:
        """Plug in the interfaces."""
        self.version = 0
        super().__init__(interfaces)

    def free_index(self) -> int:
        """Return an index that no interface has."""
        return max((interface.index for interface in self.interfaces().values()), default=1) + 1

    def rename(self, old: str, new: str) -> None:
        """Give an interface another name; it keeps index, addresses and macvlans (ip-link(8), `name`)."""
        device = self._device(old)
        self._changes.append(Gone(name=old))
        device.interface = replace(device.interface, name=new)
        self._changes.append(device.now())
