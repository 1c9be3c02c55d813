"""The network cards of a simulated machine."""

from collections.abc import Sequence
from dataclasses import dataclass

from stayalived.addresses import VirtualAddress
from stayalived.kernel.api import Interface
from stayalived.simulation.draw_trackers import UPLINK
from stayalived.simulation.lan import Lan
from stayalived.simulation.plans import Station

FIRST_INDEX = 2
"""Index of the first card; 1 is the loopback's."""


@dataclass(slots=True, kw_only=True)
class Port:
    """One network card.

    Attributes:
        home: name that the configuration knows.
        name: as it is called now.
        index: as the kernel counts it now.
        own: the addresses that the machine itself has there.
        lan: where its cable goes; None where nobody else is.
    """

    home: str
    name: str
    index: int
    mac: bytes
    own: tuple[VirtualAddress, ...]
    lan: Lan | None
    has_cable: bool = True
    administratively_up: bool = True
    is_plugged: bool = True

    @property
    def is_up(self) -> bool:
        """Whether packets leave and come in."""
        return self.has_cable and self.administratively_up and self.is_plugged

    def bare(self) -> Interface:
        """Return the interface as it is without virtual addresses."""
        return Interface(
            name=self.name, index=self.index, up=self.has_cable, mac=self.mac, mtu=1500, arp=True, addresses=self.own
        )


def ports_of(station: Station, lans: Sequence[Lan]) -> list[Port]:
    """Return the cards of one machine: one on each segment, and an uplink, where nobody else is."""
    ports = [
        Port(
            home=f"eth{segment}",
            name=f"eth{segment}",
            index=FIRST_INDEX + segment,
            mac=bytes((2, 0, 0, 0, segment, station.number)),
            own=(station.ipv4(segment), station.ipv6(segment)),
            lan=lan,
        )
        for segment, lan in enumerate(lans)
    ]
    uplink = Port(
        home=UPLINK,
        name=UPLINK,
        index=FIRST_INDEX + len(lans),
        mac=bytes((2, 0, 0, 1, 0, station.number)),
        own=(VirtualAddress(f"172.16.0.{station.number}", 24),),
        lan=None,
    )
    return [*ports, uplink]
