"""An event that notify is told: of an instance, unless something else is wanted."""

from typing import Any

import msgspec

from stayalived.messages.notify import Event

PLAIN = Event(
    sequence=1,
    kind="master",
    subject_type="instance",
    subject="tic",
    old="BACKUP",
    new="MASTER",
    reason="",
    priority=100,
    monotonic=0,
)


def plain_event(**changes: Any) -> Event:
    """Return the event with other words."""
    return msgspec.structs.replace(PLAIN, **changes)
