"""The kernel's services of a virtual server in the words in which its state is told, and back. Pure."""

import ipaddress
from collections.abc import Iterable, Iterator

from stayalived.addresses import Endpoint, Family
from stayalived.config.model import VirtualServer
from stayalived.ipvs.model import ServiceKey
from stayalived.ipvs.projection import keys_of
from stayalived.messages.services import ServiceState

MAX_TOLD = 250
"""Addresses, or ranges of them, in one `ServiceState`: it has to fit a frame. The last one says how many more."""

_MARK, _MORE = "-f ", "+"


def protocol_in_words(service: VirtualServer) -> str:
    """Return the protocols of a virtual server: `tcp`, `tcp/udp`; nothing for a mark."""
    return "/".join(service.protocols)


def addresses_in_words(service: VirtualServer) -> tuple[str, ...]:
    """Return what a virtual server listens on: `192.0.2.1:80`, `192.0.2.1-192.0.2.9:80`, `-f 7`."""
    if service.fwmarks:
        return tuple(str(key) for key in keys_of(service))
    told = tuple(compress(service.addresses))
    if len(told) <= MAX_TOLD:
        return told
    return (*told[: MAX_TOLD - 1], f"{_MORE}{len(told) - MAX_TOLD + 1}")


def keys_in(state: ServiceState) -> set[ServiceKey]:
    """Return the kernel's services that a told state speaks of; without those that it only counts."""
    keys = set()
    for address in state.addresses:
        if address.startswith(_MARK):
            words = address.split()
            keys.add(ServiceKey(Family.IPV6 if "-6" in words else Family.IPV4, "", None, int(words[1])))
        elif not address.startswith(_MORE):
            keys |= {
                ServiceKey(endpoint.family, protocol, endpoint)
                for endpoint in parse(address)
                for protocol in state.protocol.split("/")
            }
    return keys


def compress(endpoints: Iterable[Endpoint]) -> Iterator[str]:
    """Yield endpoints as text, neighbours of one port together as a range: `192.0.2.1-192.0.2.9:80`."""
    first = last = None
    for endpoint in endpoints:
        if first is not None and last is not None and _follows(last, endpoint):
            last = endpoint
            continue
        if first is not None and last is not None:
            yield _told(first, last)
        first = last = endpoint
    if first is not None and last is not None:
        yield _told(first, last)


def parse(text: str) -> Iterator[Endpoint]:
    """Yield the endpoints of what `compress` yielded.

    Raises:
        ValueError: it is nothing that `compress` yields.
    """
    host, colon, port = text.rpartition(":")
    if not colon:
        raise ValueError(f"{text!r}: has no port")
    first, dash, last = host.removeprefix("[").removesuffix("]").partition("-")
    low, high = ipaddress.ip_address(first), ipaddress.ip_address(last if dash else first)
    for number in range(int(low), int(high) + 1):
        yield Endpoint(str(type(low)(number)), int(port))


def _follows(one: Endpoint, other: Endpoint) -> bool:
    if one.port != other.port or one.family is not other.family:
        return False
    return int(ipaddress.ip_address(other.address)) == int(ipaddress.ip_address(one.address)) + 1


def _told(first: Endpoint, last: Endpoint) -> str:
    if first == last:
        return str(first)
    both = f"{first.address}-{last.address}"
    return f"[{both}]:{first.port}" if ":" in both else f"{both}:{first.port}"
