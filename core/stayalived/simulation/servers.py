"""Real servers as a check sees them: up, down, stalling, flapping, lying."""

from dataclasses import dataclass

from stayalived.simulation.world import World
from stayalived.timing import Duration, milliseconds, seconds

QUICK = milliseconds(2)
"""How long a server that is well takes to answer."""


@dataclass(slots=True)
class Server:
    """One real server, or target of a tracked check: whether it answers, how fast, and whether it lies now and then.

    Attributes:
        well: whether it is up in quiet times.
    """

    well: bool = True
    up: bool = True
    latency: Duration = QUICK
    stalled: bool = False
    lies: float = 0.0

    def recover(self) -> None:
        """Be as in quiet times: it answers at once, and truly."""
        self.up, self.stalled, self.lies, self.latency = self.well, False, 0.0, QUICK


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

    def addresses(self, net: str = "", *, others: bool = False) -> list[str]:
        """Return the addresses of all servers in a net (how its addresses begin), or of all others."""
        return sorted(address for address in self._servers if address.startswith(net) is not others)

    def settle(self, address: str, *, well: bool) -> None:
        """Say how a server is in quiet times."""
        server = self.server(address)
        server.well = server.up = well

    def probe(self, node: str, address: str) -> tuple[bool, Duration]:
        """Return what a probe from a node finds, and after which time: a stalled server answers after the limit."""
        server = self.server(address)
        if server.stalled:
            return False, self.STALL
        lie = server.lies > 0 and self.world.chance(f"server:{address}:{node}").random() < server.lies
        return server.up is not lie, server.latency

    def calm(self) -> None:
        """Let every server be as it is in quiet times: it answers at once, and truly."""
        for server in self._servers.values():
            server.recover()
