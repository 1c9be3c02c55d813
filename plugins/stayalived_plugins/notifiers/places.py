"""Addresses of virtual and real servers as keepalived writes them, by the names that events have (pure)."""

from collections.abc import Iterator

from stayalived.plugin import Configuration, Endpoint, VirtualServer

_MARKED = Endpoint("", 0)
_NO_PROTOCOL = "none"


class Places:
    """Knows where the servers of a configuration are, and of the one before it those that are gone from this one."""

    def __init__(self) -> None:
        """Know nobody."""
        self._configuration: Configuration | None = None
        self._services: dict[str, VirtualServer] = {}
        self._former: dict[str, VirtualServer] = {}

    def learn(self, configuration: Configuration) -> None:
        """Use this configuration from now on."""
        if configuration is self._configuration:
            return
        self._configuration = configuration
        self._former = self._services
        self._services = {service.name: service for service in configuration.virtual_servers}

    def services(self, name: str) -> tuple[str, ...]:
        """Return the addresses of a virtual server: `[192.0.2.1]:tcp:80`, `FWM 7`; none when nobody knows it."""
        service = self._services.get(name) or self._former.get(name)
        return () if service is None else tuple(text for _, _, text in _listening(service))

    def servers(self, name: str) -> tuple[tuple[str, str], ...]:
        """Return a real server's address and its virtual server's, once for each address of that; none as above."""
        whose, _, own = name.partition("/")
        return next(filter(None, (_pairs(known.get(whose), own) for known in (self._services, self._former))), ())


def _pairs(service: VirtualServer | None, name: str) -> tuple[tuple[str, str], ...]:
    servers = () if service is None else service.real_servers
    addresses = next((server.addresses for server in servers if server.name == name), ())
    return tuple(
        (shown(own, protocol), text)
        for endpoint, protocol, text in (_listening(service) if service is not None else ())
        for own in addresses
        if endpoint is _MARKED or own.family is endpoint.family
    )


def _listening(service: VirtualServer) -> Iterator[tuple[Endpoint, str, str]]:
    """Yield what a virtual server listens on, its protocol, and both as text."""
    for mark in service.fwmarks:
        yield _MARKED, _NO_PROTOCOL, f"FWM {mark}"
    for endpoint in service.addresses:
        for protocol in service.protocols:
            yield endpoint, protocol, shown(endpoint, protocol)


def shown(endpoint: Endpoint, protocol: str) -> str:
    """Return an endpoint as keepalived writes it: `[192.0.2.1]:tcp:80` (N14)."""
    return f"[{endpoint.address}]:{protocol}:{endpoint.port}"
