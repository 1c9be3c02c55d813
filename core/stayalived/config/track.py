"""What may stand in `track` of an instance or a sync group."""

from typing import Annotated, Any

import msgspec

from stayalived.config.kinds import about

MOST_WEIGHT = 253
"""Of an interface, of either sign (T05): more could not matter between priorities 1 and 254."""

Track = Annotated[
    tuple[dict[str, Any], ...],
    about("What its priority, or whether it may be master at all, depends on: tables as below."),
]


class TrackTable(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The keys of one entry."""

    check: Annotated[
        str | dict[str, Any] | None,
        about(
            'A check: "NAME" of a `[check.NAME]` or of a type, or { type = "NAME", … }; else `interface`.',
            default="none",
        ),
    ] = None
    interface: Annotated[str, about("An interface whose link counts; else `check`.", min_length=1)] | None = None
    target: Annotated[
        str | None,
        about(
            "HOST:PORT that the check asks; must be given unless it looks at this machine or names its `connect_ip`.",
            default="none",
        ),
    ] = None
    weight: Annotated[
        int | None,
        about(
            "Above 0: added to the priority while it is up; below 0: taken from it while it is down, or added times "
            "the value that the check measures; 0: FAULT while it is down. From -253 to 253, to 254 for some types.",
            default="the check's own, else 0",
        ),
    ] = None
    reverse: Annotated[
        bool | None, about("Turns up and down round, or the sign of the weight.", default="the check's own, else false")
    ] = None
    init_fail: Annotated[bool, about("Whether a check without a result counts as failed.")] = False
