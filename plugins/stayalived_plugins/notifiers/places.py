"""Addresses of virtual and real servers as keepalived writes them, by the names that events have (pure)."""

from stayalived.plugin import Configuration, Endpoint


class Places:
    """Knows where the servers of a configuration are, and of the one before it those that are gone from this one."""

    def __init__(self) -> None:
        """Know nobody."""
        self._configuration: Configuration | None = None
        self._services: dict[str, tuple[str, ...]] = {}
        self._servers: dict[str, tuple[tuple[str, str], ...]] = {}
        self._former: tuple[dict[str, tuple[str, ...]], dict[str, tuple[tuple[str, str], ...]]] = ({}, {})

    def learn(self, configuration: Configuration) -> None:
        """Use this configuration from now on."""
        if configuration is self._configuration:
            return
        self._configuration = configuration
        self._former = (self._services, self._servers)
        self._services, self._servers = {}, {}
        for service in configuration.virtual_servers:
            addresses = [(endpoint, shown(endpoint, service.protocol)) for endpoint in service.addresses]
            if service.fwmark:
                addresses = [(Endpoint("", 0), f"FWM {service.fwmark}")]
            self._services[service.name] = tuple(text for _, text in addresses)
            for server in service.real_servers:
                pairs = [
                    (shown(own, service.protocol), text)
                    for endpoint, text in addresses
                    for own in server.addresses
                    if service.fwmark or own.family is endpoint.family
                ]
                self._servers[f"{service.name}/{server.name}"] = tuple(pairs)

    def services(self, name: str) -> tuple[str, ...]:
        """Return the addresses of a virtual server: `[192.0.2.1]:tcp:80`, `FWM 7`; none when nobody knows it."""
        return self._services.get(name) or self._former[0].get(name, ())

    def servers(self, name: str) -> tuple[tuple[str, str], ...]:
        """Return a real server's address and its virtual server's, once for each address of that; none as above."""
        return self._servers.get(name) or self._former[1].get(name, ())


def shown(endpoint: Endpoint, protocol: str) -> str:
    """Return an endpoint as keepalived writes it: `[192.0.2.1]:tcp:80` (N14)."""
    return f"[{endpoint.address}]:{protocol}:{endpoint.port}"
