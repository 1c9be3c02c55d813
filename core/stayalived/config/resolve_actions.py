"""From what stands at `notify` to actions: on which events, under which conditions, by which plugin (pure)."""

from collections.abc import Collection, Sequence

from stayalived.config.actions import ActionTable, ConditionTable
from stayalived.config.desk import Desk, items, keys_of, texts
from stayalived.config.findings import Path, Value
from stayalived.config.model import GLOBAL, Action, Condition
from stayalived.messages.events import ALL_KINDS, kinds_of, opposites
from stayalived.plugin.catalogue import NOTIFIER
from stayalived.timing import NO_TIME, seconds


def act(desk: Desk, value: Value, subject: str, path: Path) -> None:
    """Take up the actions of one subject.

    Args:
        desk: where they go.
        value: what stands at `notify`.
        subject: `instance NAME`, `group NAME`, `virtual_server NAME`, `real_server VS/RS` or `global`.
        path: where `notify` stands.
    """
    if value is None:
        return
    for item, where in items(value, path):
        action = action_of(desk, item, subject, where)
        if action is not None:
            desk.actions.append((action, where))


def action_of(desk: Desk, value: Value, subject: str, path: Path) -> Action | None:
    """Return an action, None after an error; the arguments are those of `act`."""
    found = desk.specification(value, path)
    if found is None:
        return None
    name, table = found
    provided = desk.provided(NOTIFIER, desk.catalogue.notifiers, name, path)
    if provided is None:
        return None
    shared = keys_of(ActionTable) - keys_of(provided.provider.Options)  # what a type calls its own is its own
    common = desk.decoder.table({key: table[key] for key in table if key in shared}, ActionTable, path)
    inherited = {"router_id": desk.host_name, **desk.common}
    special = {key: inherited[key] for key in provided.provider.inherits if key in inherited}
    special |= {key: below for key, below in table.items() if key not in shared}
    options = desk.options(provided, special, path, shared)
    if common is None:
        return None
    kinds = ALL_KINDS if subject == GLOBAL else kinds_of(subject.partition(" ")[0])
    on = _events(desk, common.on, kinds, (*path, "on"))
    on = on or tuple(kind for kind in kinds if kind in provided.provider.usual)
    if options is None:
        return None
    ends = opposites(on) if provided.provider.holds else ()
    return Action(
        subject=subject,
        type=provided.name,
        distribution=provided.distribution,
        on=on,
        options=options,
        only_if=_condition(common.only_if),
        rate_events=common.rate.events if common.rate else 0,
        rate_period=seconds(common.rate.seconds) if common.rate else NO_TIME,
        overlap=common.on_overlap,
        in_turn=provided.provider.in_turn,
        ends=ends,
    )


def _events(desk: Desk, value: str | list[str], kinds: Collection[str], path: Path) -> tuple[str, ...]:
    return tuple(dict.fromkeys(desk.choice(word, kinds, where) for word, where in texts(value, path)))


def _condition(table: ConditionTable | None) -> Condition | None:
    if table is None:
        return None
    states = tuple(state.lower() for state in _all(table.state))
    return Condition(subjects=_all(table.subject), states=states, reasons=_all(table.reason))


def _all(value: str | Sequence[str]) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(value)
