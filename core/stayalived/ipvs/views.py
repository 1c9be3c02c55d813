"""A pool as a policy sees it that computes weights. Pure."""

from stayalived.config.model import RealServer
from stayalived.ipvs.health import State
from stayalived.ipvs.model import Connections
from stayalived.ipvs.pool import Checks, Connected, Pool
from stayalived.ipvs.projection import live_weight
from stayalived.plugin.schedulers import ServerView
from stayalived.timing import Duration


def views_of(pool: Pool, checks: Checks, connections: Connected) -> list[ServerView]:
    """Return the servers that serve."""
    return [
        _view(pool, server, checks, connections)
        for server in pool.service.real_servers
        if pool.health(server).state is State.UP or server.name in pool.kept
    ]


def _view(pool: Pool, server: RealServer, checks: Checks, connections: Connected) -> ServerView:
    health = pool.health(server)
    up = health.state is State.UP
    told = (checks.get((check.distribution, check.key)) for check in server.checks)
    counted = (connections.get(place, Connections()) for place in pool.places(server))
    return ServerView(
        name=server.name,
        weight=live_weight(server, health, pool.adjustment(server)) if up else server.weight,
        up=up,
        up_since=pool.up_since(server),
        latency=Duration(max((state.latency for state in told if state is not None), default=0)),
        active_connections=sum(one.active for one in counted),
        given=pool.computed.get(server.name, 0),
    )
