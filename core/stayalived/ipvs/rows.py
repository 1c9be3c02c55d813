"""How a pool is told: the messages that status and the next ipvs process are made from. Pure."""

from stayalived.config.model import RealServer
from stayalived.ipvs.health import State
from stayalived.ipvs.listening import addresses_in_words, protocol_in_words
from stayalived.ipvs.model import Connections, Table
from stayalived.ipvs.pool import Connected, Pool
from stayalived.ipvs.quorum import Quorum
from stayalived.messages.services import ServerRow, ServiceState

MAX_ROWS = 150
"""Servers in one `ServiceState`: it has to fit a frame. A bigger pool is told in parts, the later ones as `NAME#1` …"""

MAX_REASON = 100  # characters, for the same reason
MAX_OVERRIDES = 3  # for the same reason: the strongest, which come first

KEPT = f"{State.DOWN} (kept)"


def states_of(pool: Pool, table: Table, connections: Connected, problem: str) -> list[ServiceState]:
    """Return what is told of a pool, in as many parts as frames demand."""
    service = pool.service
    rows = [_row(pool, server, table, connections) for server in service.real_servers]
    parts = [rows[start : start + MAX_ROWS] for start in range(0, len(rows), MAX_ROWS)] or [[]]
    return [
        ServiceState(
            name=service.name,
            protocol=protocol_in_words(service),
            addresses=addresses_in_words(service),
            scheduler=service.policy,
            forward="/".join(sorted({server.forward.method for server in service.real_servers})),
            quorum=pool.quorum,
            sorry=pool.quorum is Quorum.DOWN and bool(service.sorry_servers),
            servers=tuple(part),
            problem=problem,
            panic=pool.panic,
        )
        for part in parts
    ]


def state_in(row: ServerRow) -> State:
    """Return the state that a row tells."""
    return State(row.state.partition(" ")[0])


def _row(pool: Pool, server: RealServer, table: Table, connections: Connected) -> ServerRow:
    health = pool.health(server)
    counted = [connections.get(place, Connections()) for place in pool.places(server)]
    weight = pool.weight_in(table, server)
    return ServerRow(
        subject=pool.subject(server),
        addresses=tuple(str(endpoint) for endpoint in pool.endpoints(server)),
        state=KEPT if server.name in pool.kept else health.state,
        reason=health.reason[:MAX_REASON],
        weight=-1 if weight is None else weight,
        configured_weight=server.weight,
        active=sum(one.active for one in counted),
        inactive=sum(one.inactive for one in counted),
        new=sum(one.new for one in counted),
        bytes_in=sum(one.bytes_in for one in counted),
        bytes_out=sum(one.bytes_out for one in counted),
        overrides=tuple(text[:MAX_REASON] for text in pool.adjustment(server).in_words()[:MAX_OVERRIDES]),
        been_up=pool.has_been_up(server),
        up_since=max(pool.up_since(server), 0),
    )
