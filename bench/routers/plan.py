"""Which virtual routers there are: numbers, links and addresses."""

from collections.abc import Iterator
from dataclasses import dataclass

NUMBERS = 255
"""Virtual router ids on one link."""

FIRST, SECOND = "first", "second"
"""The two hosts. Each link gives them the addresses 1 and 2."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Router:
    """One virtual router.

    Attributes:
        name: of its instance.
        link: place of its link.
        number: its virtual router id.
        address: its virtual address with prefix.
        excluded: addresses that its adverts do not name.
    """

    name: str
    link: int
    number: int
    address: str
    excluded: tuple[str, ...] = ()

    @property
    def interface(self) -> str:
        """The interface that it is on, on both hosts."""
        return f"eth{self.link}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is set up for one scenario.

    Attributes:
        routers: how many virtual routers.
        links: on how many links they are, evenly.
        version: of VRRP.
        ipv6: whether they are of IPv6.
        interval: advert interval in seconds.
        excluded: addresses of each router beside the advertised one.
    """

    routers: int
    links: int = 16
    version: int = 3
    ipv6: bool = False
    interval: float = 1.0
    excluded: int = 0

    def __post_init__(self) -> None:
        """Refuse what VRRP cannot number."""
        if self.routers > self.links * NUMBERS:
            raise ValueError(f"{self.routers} routers need {-(-self.routers // NUMBERS)} links, not {self.links}")

    def __iter__(self) -> Iterator[Router]:
        """Go through all routers, from link to link."""
        for place in range(self.routers):
            link, number = place % self.links, place // self.links + 1
            yield Router(
                name=f"site{link}x{number}",
                link=link,
                number=number,
                address=self._address(link, number),
                excluded=tuple(self._address(link, NUMBERS + 1 + more) for more in range(self.excluded)),
            )

    @property
    def addresses(self) -> int:
        """How many virtual addresses there are in all."""
        return self.routers * (1 + self.excluded)

    def own(self, link: int, host: str) -> str:
        """Return the address of a host on a link, with prefix."""
        place = 1 if host == FIRST else 2
        return f"2001:db8:{link:x}::{place}/64" if self.ipv6 else f"10.{100 + link}.255.{place}/16"

    def _address(self, link: int, place: int) -> str:
        if self.ipv6:
            return f"2001:db8:{link:x}::1:{place:x}/128"
        return f"10.{100 + link}.{place // 256}.{place % 256}/32"
