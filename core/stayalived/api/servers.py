"""Whether what is asked of a real server makes sense, by what api was told of it. Pure."""

from stayalived.api.commands import DRAIN, UNDRAIN, WEIGHT, Command
from stayalived.api.state import Store
from stayalived.messages.services import ServerRow
from stayalived.spelling import nearest


def objection_to(command: Command, store: Store) -> str:
    """Return what is wrong with a command about a server; nothing when it may be passed on."""
    servers = store.servers()
    undoes = command.verb == UNDRAIN or (command.verb == WEIGHT and command.weight is None)
    if command.server not in servers and not (undoes and command.server in store.adjusted()):
        return _unknown(command.server, sorted(servers))
    takes_away = command.verb == DRAIN or (command.verb == WEIGHT and command.weight == 0)
    if takes_away and not command.force and _is_last(command.server, servers):
        service = command.server.partition("/")[0]
        return (
            f"{command.server} is the last server with a weight in {service}: without it nobody serves; --force does it"
        )
    return ""


def _unknown(name: str, known: list[str]) -> str:
    if not known:
        return f"no real server is called {name!r}: the daemon has none, or has just started"
    near = nearest(name, known) or next((other for other in known if other.partition("/")[2] == name), "")
    service, slash, _ = name.partition("/")
    among = [other for other in known if other.partition("/")[0] == service] if slash else []
    hint = f"did you mean {near}?" if near else f"known are {', '.join((among or known)[:_SHOWN])}"
    return f"no real server is called {name!r}; {hint}"


def _is_last(name: str, servers: dict[str, ServerRow]) -> bool:
    """Return whether a server is the only one of its service that the kernel gives connections to."""
    service = name.partition("/")[0]
    serving = [row.subject for row in servers.values() if row.weight > 0 and row.subject.partition("/")[0] == service]
    return serving == [name]


_SHOWN = 8  # names in a message
