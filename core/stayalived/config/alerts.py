"""Actions that nobody wrote at `notify`: what `smtp_alert` and keys of `[global]` mean by themselves."""

from stayalived.config.desk import TYPE, Desk
from stayalived.config.findings import Path
from stayalived.config.resolve_actions import action_of

ALERT = "smtp_alert"
"""The key of objects that one type of action answers to."""


def alert(desk: Desk, wanted: bool | None, subject: str, path: Path) -> None:
    """Take up what `smtp_alert` means: the action that answers to it, as `[global]` says, where none stands yet.

    Args:
        desk: where the object is resolved; its own actions have been taken up.
        wanted: whether it is wanted; None: only where `[global]` says all that the action needs.
        subject: as for `resolve_actions.act`.
        path: of the object.
    """
    for provided in desk.catalogue.notifiers.values():
        notifier = provided.provider
        if notifier.answers != ALERT or wanted is False:
            continue
        if wanted is None and not all(desk.common.get(key) for key in notifier.needs):
            continue
        if any(action.type == provided.name and action.subject == subject for action, _ in desk.actions):
            continue
        action = action_of(desk, provided.name, subject, (*path, ALERT))
        if action is not None:
            desk.actions.append((action, (*path, ALERT)))


def imply(desk: Desk, subject: str, path: Path) -> None:
    """Take up the actions that keys of `[global]` mean by themselves."""
    for provided in desk.catalogue.notifiers.values():
        for key, table in provided.provider.implied(desk.common):
            action = action_of(desk, {TYPE: provided.name, **table}, subject, (*path, key))
            if action is not None:
                desk.actions.append((action, (*path, key)))
