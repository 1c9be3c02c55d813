"""Ranges of addresses: `192.0.2.1-9`, `192.0.2.250-192.0.3.5`, `192.0.2.0/28` (LV04). Pure.

A range stands where a host does, before the port, in IPv6 inside the brackets: `[2001:db8::1-f]:80`. What follows the
dash is a whole address, or the last part of one: a number up to 255, in IPv6 up to ffff and hexadecimal.
"""

import ipaddress

from stayalived.addresses import IPAddress
from stayalived.config.names import BadHost, is_address

MAX_RANGE = 65_536
"""Addresses in one range. Each is a service of the kernel with all real servers: more is a misprint."""

_DASH, _SLASH = "-", "/"
_LAST_PART = {
    4: (frozenset("0123456789"), 0xFF, "a number up to 255"),
    6: (frozenset("0123456789abcdef"), 0xFFFF, "a hexadecimal number up to ffff"),
}
"""Digits and greatest value of the last part of an address, by version, and both in words."""


def expand(host: str) -> list[str] | None:
    """Return the addresses of a range, in order, or None when a text is no range but a host.

    Raises:
        BadHost: it is meant as a range and is none.
    """
    first, dash, last = host.partition(_DASH)
    if dash and is_address(first):
        low = ipaddress.ip_address(first)
        return _between(low, _last(low, last))
    address, slash, _ = host.partition(_SLASH)
    if slash and is_address(address):
        return _network(host)
    return None


def _last(low: IPAddress, text: str) -> IPAddress:
    """Return the end of a range: a whole address, or the start's with another last part."""
    if is_address(text):
        return ipaddress.ip_address(text)
    digits, greatest, said = _LAST_PART[low.version]
    part = int(text, len(digits)) if text and digits.issuperset(text.lower()) else greatest + 1
    if part > greatest:
        raise BadHost(f"after the dash comes an address, or its last part: {said}")
    return type(low)(int(low) - (int(low) & greatest) + part)


def _between(low: IPAddress, high: IPAddress) -> list[str]:
    if low.version != high.version:
        raise BadHost("a range has both ends in one family")
    if int(high) < int(low):
        raise BadHost("a range ends at or after its start")
    _bound(int(high) - int(low) + 1)
    return [str(type(low)(number)) for number in range(int(low), int(high) + 1)]


def _network(text: str) -> list[str]:
    """Return all addresses of a network, the first and the last included, as keepalived does."""
    try:
        network = ipaddress.ip_network(text, strict=False)
    except ValueError:
        raise BadHost("must be ADDRESS/PREFIX with a prefix length that exists") from None
    if str(network.network_address) != str(ipaddress.ip_address(text.partition(_SLASH)[0])):
        raise BadHost(f"must be the address of the net: {network}")
    _bound(network.num_addresses)
    return [str(address) for address in network]


def _bound(count: int) -> None:
    if count > MAX_RANGE:
        raise BadHost(f"has {count} addresses; a range has at most {MAX_RANGE}")
