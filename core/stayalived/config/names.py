"""Host names become addresses, once, while the configuration is read (I/O: asks the resolver)."""

import ipaddress
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from stayalived.addresses import Family, family_of

Lookup = Callable[[str], Sequence[str]]


class BadHost(ValueError):
    """The text is no address and no host name that resolves. Its text says what to do."""


def ask_resolver(host: str) -> list[str]:
    """Return the addresses of a host, of both families, as the system's resolver orders them.

    Raises:
        BadHost: it has none.
    """
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise BadHost(f"does not resolve ({reason}); write its address, or put it into /etc/hosts") from None
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


@dataclass(slots=True)
class Remembered:
    """A resolver that keeps what it answered, to be shown."""

    lookup: Lookup = ask_resolver
    answers: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def __call__(self, host: str) -> Sequence[str]:
        """Ask for a host; the answer that counts, one address of each family, is kept.

        Raises:
            BadHost: it has none.
        """
        found = self.lookup(host)
        self.answers[host] = tuple(first_of_each_family(found).values())
        return found


def first_of_each_family(addresses: Sequence[str]) -> dict[Family, str]:
    """Return at most one address of each family: the resolver's first."""
    found: dict[Family, str] = {}
    for address in addresses:
        if is_address(address):
            found.setdefault(family_of(address), address)
    return found


def is_address(text: str) -> bool:
    """Return whether a text is an address, without a zone."""
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return "%" not in text


def split_port(text: str) -> tuple[str, int]:
    """Return host and port of `HOST`, `HOST:PORT`, `[IPV6]` or `[IPV6]:PORT`; the port is 0 when there is none.

    Raises:
        BadHost: the port is none, or the brackets are not closed.
    """
    if text.startswith("["):
        host, closed, rest = text[1:].partition("]")
        if not closed or (rest and not rest.startswith(":")):
            raise BadHost("must be [ADDRESS] or [ADDRESS]:PORT")
        colon, port = rest[:1], rest[1:]
    elif text.count(":") == 1:
        host, colon, port = text.partition(":")
    else:
        host, colon, port = text, "", ""
    if not colon:
        return host, 0
    if not (port.isascii() and port.isdigit() and 1 <= int(port[:6]) <= 0xFFFF):
        raise BadHost("must end in :PORT with a port from 1 to 65535")
    return host, int(port)


@dataclass(slots=True)
class Names:
    """Resolves each host once and remembers it."""

    lookup: Lookup = ask_resolver
    resolved: dict[str, dict[Family, str]] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)

    def addresses(self, host: str) -> dict[Family, str]:
        """Return the addresses of a host, at most one of each family: the resolver's first.

        Raises:
            BadHost: it is no address and does not resolve.
        """
        if host in self.refused:
            raise BadHost(self.refused[host])
        if host not in self.resolved:
            try:
                self.resolved[host] = self._resolve(host)
            except BadHost as error:
                self.refused[host] = str(error)
                raise
        return self.resolved[host]

    def _resolve(self, host: str) -> dict[Family, str]:
        if is_address(host):
            return {family_of(host): str(ipaddress.ip_address(host))}
        if not host or "/" in host or "%" in host or ":" in host or host.replace(".", "").isdigit():
            raise BadHost("must be an address or a host name")
        found = first_of_each_family(self.lookup(host))
        if not found:
            raise BadHost("resolves to no address")
        return found
