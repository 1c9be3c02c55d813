"""Writes the tables of `docs/configuration.md` from the types that the decoder uses (I/O: reads and writes that file).

python -m stayalived.config.reference docs/configuration.md     writes the part below the marker anew
python -m stayalived.config.reference                           prints it
"""

import sys
from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from inspect import cleandoc

import msgspec
from msgspec import inspect

from stayalived.config.actions import ActionTable, ConditionTable, RateTable
from stayalived.config.checks import CheckTable
from stayalived.config.decode import fields_of
from stayalived.config.directors import SyncDaemonTable
from stayalived.config.findings import shown
from stayalived.config.future import announced
from stayalived.config.general import GlobalTable
from stayalived.config.holdings import AddressTable, NextHopTable, RouteTable, RuleTable
from stayalived.config.kinds import described, remarks
from stayalived.config.model import BUNDLED
from stayalived.config.services import SCHEDULER, ForwardTable, RealServerTable, VirtualServerTable
from stayalived.config.track import TrackTable
from stayalived.config.vrrp import AuthenticationTable, InstanceTable, PeerTable, SyncGroupTable, VmacTable
from stayalived.pages import Page, table
from stayalived.plugin import manager
from stayalived.plugin.catalogue import Provided, Provider

RESTART = "*A change needs a restart: a reload that has one is refused.*"

TABLES: tuple[tuple[str, type[msgspec.Struct], str], ...] = (
    ("[global]", GlobalTable, ""),
    ("[global.lvs_sync_daemon]", SyncDaemonTable, ""),
    ("[vrrp_instance.NAME]", InstanceTable, ""),
    ("track = [{ … }]", TrackTable, ""),
    ("virtual_ipaddress = [{ … }]", AddressTable, "As well in `virtual_ipaddress_excluded`."),
    ("virtual_routes = [{ … }]", RouteTable, ""),
    ("nexthops = [{ … }]", NextHopTable, ""),
    ("virtual_rules = [{ … }]", RuleTable, ""),
    ("unicast_peer = [{ … }]", PeerTable, ""),
    ("authentication = { … }", AuthenticationTable, ""),
    ("use_vmac = { … }", VmacTable, ""),
    ("[vrrp_sync_group.NAME]", SyncGroupTable, ""),
    ("[virtual_server.NAME]", VirtualServerTable, "Down to `check` these are defaults for its real servers."),
    ("[virtual_server.NAME.real_server.NAME]", RealServerTable, "What it does not say, its virtual server says."),
    ("forward = { … }", ForwardTable, ""),
    ("notify = { … }", ActionTable, "Beside these stand `type` and the options of the type."),
    ("only_if = { … }", ConditionTable, ""),
    ("rate = { … }", RateTable, ""),
    ("[check.NAME], check = { … }", CheckTable, "Beside these stand `type` and the options of the type."),
)  # fmt: skip


def generated() -> str:
    """Return everything below the marker."""
    catalogue = manager.load({BUNDLED}).catalogue
    default = next(name for name, entry in catalogue.schedulers.items() if entry.provider.is_default)
    parts = [part.replace(SCHEDULER, f'`"{default}"`') for part in _of_tables()]
    parts.extend(_of_plugins("Check types", "check", catalogue.checks))
    parts.extend(_of_plugins("Action types", "notify", catalogue.notifiers))
    parts.extend(_of_plugins("Schedulers", "scheduler", catalogue.schedulers))
    parts.extend(_of_announced())
    return "\n".join(parts)


def _of_tables() -> Iterator[str]:
    for title, model, note in TABLES:
        yield f"## `{title}`\n"
        if note:
            yield f"{note}\n"
        yield from _rows(fields_of(model).values())


def _of_plugins(title: str, key: str, provided: Mapping[str, Provided[Provider]]) -> Iterator[str]:
    yield f"## {title}\n"
    yield f'What may stand at `{key}`: `"NAME"`, or `{{ type = "NAME", … }}` with the options of the type.\n'
    for name, entry in provided.items():
        yield f"### `{name}`\n"
        yield f"{(entry.provider.__doc__ or '').strip().splitlines()[0]}\n"
        own = [f"`{name}` {value:g}" for name, value in getattr(entry.provider, "defaults", {}).items()]
        if own:
            yield f"Defaults of its own: {', '.join(own)}.\n"
        options = fields_of(entry.provider.Options)
        if options:
            models = [model for model in entry.provider.Options.__mro__ if issubclass(model, msgspec.Struct)]
            said = {key: text for model in reversed(models) for key, text in _attributes(model).items()}
            yield from _rows(options.values(), said)


def _attributes(model: type[msgspec.Struct]) -> Mapping[str, str]:
    """Return what a model's docstring says of its attributes, each as one sentence."""
    _, _, text = cleandoc(model.__doc__ or "").partition("Attributes:\n")
    found: dict[str, str] = {}
    last = ""
    for line in filter(None, text.splitlines()):
        name, colon, said = line.strip().partition(": ")
        if colon and line.startswith("    ") and not line.startswith("     "):
            last = name
            found[last] = f"{said[:1].upper()}{said[1:]}"
        elif found:
            found[last] += f" {line.strip()}"
    return found


def _of_announced() -> Iterator[str]:
    yield "## Not yet\n"
    yield "keepalived's keys that a later version will have. Writing one is an error that says so.\n"
    for kind, keys in announced():
        yield f"- {f'`[{kind}]`' if kind else 'tables'}: {', '.join(f'`{key}`' for key in keys)}"
    yield ""


def _rows(fields: Iterable[inspect.Field], said: Mapping[str, str] | None = None) -> Iterator[str]:
    yield from table(("key", "what", "allowed", "default"), map(partial(_row, said or {}), fields))


def _row(said: Mapping[str, str], known: inspect.Field) -> tuple[str, str, str, str]:
    notes = remarks(known.type)
    meaning = notes["description"] or said.get(known.encode_name, "")
    if notes["restart"]:
        meaning = f"{meaning} {RESTART}"
    return f"`{known.encode_name}`", meaning, described(known.type), _default(known)


def _default(known: inspect.Field) -> str:
    if known.required:
        return "must be given"
    if known.default is None and f"vrrp_{known.name}" in fields_of(GlobalTable):
        return f"`vrrp_{known.name}`"
    said = remarks(known.type)["default"]
    if said:
        return str(said)
    # an empty list or table is left to a factory, which has no default to show
    empty = known.default is msgspec.NODEFAULT or known.default in (None, "", [], {})
    return "none" if empty else f"`{shown(known.default)}`"


PAGE = Page(path="docs/configuration.md", module="stayalived.config.reference", generated=generated)

if __name__ == "__main__":
    PAGE.main(sys.argv[1:])
