"""Rules for actions that hold another weight of a server: whose, on what, and never two that set the same one (pure).

By these names the options of such a type say what it does: `servers`, `set`, `until`.
"""

from collections.abc import Sequence

import msgspec

from stayalived.config.desk import Desk
from stayalived.config.findings import Findings, Path, shown
from stayalived.config.model import Action, VirtualServer
from stayalived.messages.events import opposites
from stayalived.spelling import nearest

WEIGHT = "weight"


class _Options(msgspec.Struct, frozen=True):
    """What is read of a plugin's options."""

    servers: tuple[str, ...] = ()
    level: int | None = msgspec.field(name="set", default=None)
    until: str | float = ""


_options = msgspec.msgpack.Decoder(_Options)


def look_at_levels(desk: Desk, services: Sequence[VirtualServer]) -> None:
    """Say what is wrong with the actions that hold weights."""
    if not desk.actions:
        return
    known = {f"{service.name}/{server.name}" for service in services for server in service.real_servers}
    whole = not desk.findings.errors  # else a server may be missing because of its own mistake
    setters: dict[str, Path] = {}
    for action, path in desk.actions:
        if not desk.catalogue.notifiers[action.type].provider.holds:
            continue
        try:
            options = _options.decode(action.options)
        except msgspec.MsgspecError:  # a plugin that means something else by these names
            continue
        _look_at_events(action, options, path, desk.findings)
        for number, server in enumerate(options.servers):
            where = (*path, "servers", number)
            if server not in known and whole:
                _miss(server, known, where, desk.findings)
            elif options.level is not None:
                _look_for_another(server, where, setters, desk.findings)


def _look_at_events(action: Action, options: _Options, path: Path, findings: Findings) -> None:
    if not action.on:
        findings.error((*path, "on"), 'missing; write the events at which it begins, such as on = ["down"]')
    if WEIGHT in action.on:
        findings.error((*path, "on"), "a change of a weight changes no weight; leave out weight")
    endless = [kind for kind in action.on if kind != WEIGHT and not opposites((kind,))]
    if endless and not isinstance(options.until, float | int):
        findings.error((*path, "on"), f"{endless[0]} has no opposite that could end it; give until in seconds")


def _miss(server: str, known: set[str], path: Path, findings: Findings) -> None:
    near = nearest(server, known)
    text = "no such real server; write VIRTUAL_SERVER/NAME"
    findings.error(path, f"{text}; did you mean {near}?" if near else text, found=shown(server))


def _look_for_another(server: str, path: Path, setters: dict[str, Path], findings: Findings) -> None:
    """Two actions that set one weight would contradict each other whenever both events have come."""
    first = setters.setdefault(server, path)
    if first is not path:
        where = ".".join(str(part) for part in first[:-2])
        findings.error(
            path, f"its weight is set by {where} already; use add or factor in one of them", found=shown(server)
        )
