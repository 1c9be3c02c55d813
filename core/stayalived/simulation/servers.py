"""Real servers as a check sees them: up, down, stalling, flapping, lying."""

from dataclasses import dataclass

from stayalived.simulation.world import World
from stayalived.timing import Duration, milliseconds, seconds

QUICK = milliseconds(2)
"""How long a server that is well takes to answer."""


@dataclass(slots=True)
class Server:
    """One real server: whether it answers, how fast, and whether it lies now and then."""

    up: bool = True
    latency: Duration = QUICK
    stalled: bool = False
    lies: float = 0.0


class Farm:
    """All real servers of a site, by address."""

    STALL = seconds(3600)

    def __init__(self, world: World) -> None:
        """Make an empty farm; a server is there, and up, from the first time that it is named."""
        self.world = world
        self._servers: dict[str, Server] = {}

    def server(self, address: str) -> Server:
        """Return the server at an address."""
        return self._servers.setdefault(address, Server())

    def addresses(self) -> list[str]:
        """Return the addresses of all servers."""
        return sorted(self._servers)

    def probe(self, node: str, address: str) -> tuple[bool, Duration]:
        """Return what a probe from a node finds, and after which time: a stalled server answers after the limit."""
        server = self.server(address)
        if server.stalled:
            return False, self.STALL
        lie = server.lies > 0 and self.world.chance(f"server:{address}:{node}").random() < server.lies
        return server.up is not lie, server.latency

    def calm(self) -> None:
        """Let every server be well: it answers at once, and truly."""
        for server in self._servers.values():
            server.up, server.stalled, server.lies = True, False, 0.0
            server.latency = QUICK
