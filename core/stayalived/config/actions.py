"""The keys that every notify action has beside `type` and the options of its type."""

from typing import Annotated, Literal

import msgspec

from stayalived.config.kinds import DURATION, about

MOST_EVENTS = 100_000
LONGEST = 86_400

Globs = str | list[str]


class ConditionTable(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The keys of `only_if`: all that are given must hold."""

    subject: Annotated[Globs, about("Names of subjects; `*`, `?` and `[…]` stand for others.")] = []
    state: Annotated[Globs, about("States that the subject is in since.")] = []
    reason: Annotated[Globs, about("Texts that the reason is; `*`, `?` and `[…]` stand for others.")] = []


class RateTable(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The keys of `rate`."""

    events: Annotated[int, about("How many events the action is told.", ge=1, le=MOST_EVENTS)]
    seconds: Annotated[float, about("In which time.", gt=0, le=LONGEST, unit=DURATION)]


class ActionTable(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The keys that every action has."""

    on: Annotated[
        str | list[str], about("Which events it is told.", default="[all of its subject](events.md) that need no name")
    ] = []
    only_if: Annotated[ConditionTable | None, about("Further conditions.", default="none")] = None
    rate: Annotated[
        RateTable | None,
        about("How often it is told at most; of what is left out it is told the last of each subject.", default="any"),
    ] = None
    on_overlap: Annotated[
        Literal["queue", "latest", "kill"],
        about(
            "What an event does that comes while the action is at work: it waits behind the others; "
            "it takes the place of those that wait; or it ends the work at hand, too."
        ),
    ] = "queue"
