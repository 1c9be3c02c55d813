"""Network addresses as values: families, prefixes, ends of connections. Pure: nothing is resolved here."""

import ipaddress
from enum import IntEnum
from functools import lru_cache

import msgspec

KNOWN_ADDRESSES = 16_384
"""Addresses whose bytes are remembered: to read the text again takes 20 times as long."""

IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address


class Family(IntEnum):
    """The two families; the value is what people write after the slash in `tic/4`."""

    IPV4 = 4
    IPV6 = 6

    @property
    def bits(self) -> int:
        """Length of an address in bits."""
        return 32 if self is Family.IPV4 else 128


def family_of(address: str) -> Family:
    """Return the family of an address written as text.

    Raises:
        ValueError: it is no address.
    """
    return Family(ipaddress.ip_address(address).version)


@lru_cache(maxsize=KNOWN_ADDRESSES)
def packed(address: str) -> bytes:
    """Return an address in network byte order: 4 or 16 bytes.

    Raises:
        ValueError: it is no address.
    """
    return ipaddress.ip_address(address).packed


class VirtualAddress(msgspec.Struct, frozen=True, order=True):
    """An address with its prefix length, as an interface carries it: `192.0.2.1/24`."""

    address: str
    prefix: int

    @classmethod
    def parse(cls, text: str) -> "VirtualAddress":
        """Read `ADDRESS` or `ADDRESS/PREFIX`; without a prefix it is /32 or /128.

        Raises:
            ValueError: it is no address, or the prefix does not fit.
        """
        interface = ipaddress.ip_interface(text)
        return cls(str(interface.ip), interface.network.prefixlen)

    @property
    def family(self) -> Family:
        """The family of the address."""
        return Family.IPV6 if ":" in self.address else Family.IPV4

    @property
    def packed(self) -> bytes:
        """The address in network byte order: 4 or 16 bytes."""
        return packed(self.address)

    def __str__(self) -> str:
        """Return `ADDRESS/PREFIX`."""
        return f"{self.address}/{self.prefix}"


class Endpoint(msgspec.Struct, frozen=True, order=True, gc=False):
    """An address and a port; the port is 0 where there is none."""

    address: str
    port: int

    @classmethod
    def parse(cls, text: str, default_port: int = 0) -> "Endpoint":
        """Read `192.0.2.1:80`, `[2001:db8::1]:80`, or an address alone, which gets the default port.

        Raises:
            ValueError: it is none of these.
        """
        if text.startswith("["):
            host, _, rest = text[1:].partition("]")
            if rest and not rest.startswith(":"):
                raise ValueError(f"{text!r}: after ] comes :PORT or nothing")
            port_text = rest[1:]
        elif text.count(":") == 1:
            host, _, port_text = text.partition(":")
        else:
            host, port_text = text, ""
        port = int(port_text) if port_text else default_port
        if not 0 <= port <= 0xFFFF:
            raise ValueError(f"{text!r}: a port lies between 0 and 65535")
        return cls(str(ipaddress.ip_address(host)), port)

    @property
    def family(self) -> Family:
        """The family of the address."""
        return Family.IPV6 if ":" in self.address else Family.IPV4

    def __str__(self) -> str:
        """Return `192.0.2.1:80` or `[2001:db8::1]:80`."""
        if not self.address:
            return "this machine"
        return f"[{self.address}]:{self.port}" if ":" in self.address else f"{self.address}:{self.port}"


NOWHERE = Endpoint("", 0)
"""The target of what asks nobody but this machine."""
